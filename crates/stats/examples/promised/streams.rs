//! The streams that detectors watch, with and without a change.

use std::f64::consts::TAU;

use crate::random::Random;

/// How values hang together while nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Each value by itself.
    Independent,
    /// A correlation of a half with the value before (of 0.3 for bits).
    Autocorrelated,
    /// A wave of 1,000 values: half the rate, or half a standard deviation, up and down.
    Seasonal,
}

pub(crate) const SHAPES: [Shape; 3] = [Shape::Independent, Shape::Autocorrelated, Shape::Seasonal];

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Independent => "independent",
            Self::Autocorrelated => "autocorrelated",
            Self::Seasonal => "seasonal",
        }
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One for an error, zero for none; 5 % are errors.
    Bits,
    /// Standard normal numbers.
    Numbers,
    /// Even numbers between -0.8 and 0.8.
    Bounded,
    /// Pairs of an old and a new answer: 1 the new one is worse, -1 it is better, 0 (nine in ten) they are alike.
    Pairs,
    /// Errors of two arms, a tenth of them the canary's: 1 good, 2 bad, negative for the canary.
    ArmBits,
    /// The same, with a canary that is twice as bad to begin with.
    WorseArmBits,
    /// Latencies of two arms, log-normal with a deviation of a half; negative for the canary.
    ArmValues,
}

/// The share of errors before a change.
pub(crate) const ERROR_RATE: f64 = 0.05;
/// The canary's share of the traffic.
pub(crate) const CANARY_SHARE: f64 = 0.1;
const PERIOD: f64 = 1_000.0;

impl Kind {
    /// Three sizes of change: what the parameter becomes.
    pub(crate) fn changes(self) -> [f64; 3] {
        match self {
            Self::Bits => [0.07, 0.10, 0.20],
            Self::Numbers => [0.25, 0.5, 1.0],
            Self::Bounded => [0.05, 0.1, 0.2],
            Self::Pairs => [0.55, 0.6, 0.75],
            Self::ArmBits => [0.075, 0.10, 0.20],
            Self::WorseArmBits => [0.06, 0.05, 0.025],
            Self::ArmValues => [1.05, 1.15, 1.5],
        }
    }

    /// What the parameter is while nothing changes.
    pub(crate) fn unchanged(self) -> f64 {
        match self {
            Self::Bits | Self::ArmBits => ERROR_RATE,
            Self::WorseArmBits => 2.0 * ERROR_RATE,
            Self::Numbers | Self::Bounded => 0.0,
            Self::Pairs => 0.5,
            Self::ArmValues => 1.0,
        }
    }

    /// What the parameter is, in words.
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::Bits => "error rate from 0.05 to",
            Self::Numbers => "mean, in standard deviations, from 0 to",
            Self::Bounded => "mean in -1..1 from 0 to",
            Self::Pairs => "share of worse among those that differ from 0.5 to",
            Self::ArmBits | Self::WorseArmBits => "canary's error rate beside 0.05",
            Self::ArmValues => "canary's latency, times",
        }
    }
}

/// An endless stream; `parameter` may be changed on the way.
pub(crate) struct Stream {
    kind: Kind,
    shape: Shape,
    pub(crate) parameter: f64,
    random: Random,
    time: f64,
    last: f64,
}

impl Stream {
    pub(crate) fn new(kind: Kind, shape: Shape, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let time = (random.unit() * PERIOD).floor();
        let last = match kind {
            Kind::Bits => f64::from(u8::from(random.unit() < ERROR_RATE)),
            Kind::ArmBits | Kind::WorseArmBits => f64::from(u8::from(random.unit() < 1.0 / 6.0)),
            Kind::Numbers | Kind::ArmValues => random.normal(),
            Kind::Bounded | Kind::Pairs => random.unit(),
        };
        Self { kind, shape, parameter: kind.unchanged(), random, time, last }
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.time += 1.0;
        match self.kind {
            Kind::Bits => self.error(self.parameter),
            Kind::Numbers => self.parameter + self.number(),
            Kind::Bounded => self.parameter + self.bounded(),
            Kind::Pairs => self.pair(),
            Kind::ArmBits | Kind::WorseArmBits => {
                let canary = self.random.unit() < CANARY_SHARE;
                // What hits one arm hits the other: only their difference is a change.
                let ratio = if canary { self.parameter / ERROR_RATE } else { 1.0 };
                let rate = ERROR_RATE * self.common() * ratio;
                let value = 1.0 + f64::from(u8::from(self.random.unit() < rate));
                if canary { -value } else { value }
            }
            Kind::ArmValues => {
                let canary = self.random.unit() < CANARY_SHARE;
                let latency = (0.5 * self.number()).exp() * if canary { self.parameter } else { 1.0 };
                if canary { -latency } else { latency }
            }
        }
    }

    fn wave(&self) -> f64 {
        (TAU * self.time / PERIOD).sin()
    }

    fn error(&mut self, rate: f64) -> f64 {
        let rate = match self.shape {
            Shape::Independent => rate,
            Shape::Seasonal => rate * (1.0 + 0.5 * self.wave()),
            // The lag-one correlation of this chain is 0.3, and its mean the rate.
            Shape::Autocorrelated => rate + 0.3 * (self.last - rate),
        };
        self.last = f64::from(u8::from(self.random.unit() < rate));
        self.last
    }

    fn number(&mut self) -> f64 {
        match self.shape {
            Shape::Independent => self.random.normal(),
            Shape::Seasonal => 0.5 * self.wave() + self.random.normal(),
            Shape::Autocorrelated => {
                self.last = 0.5 * self.last + 0.75_f64.sqrt() * self.random.normal();
                self.last
            }
        }
    }

    fn pair(&mut self) -> f64 {
        let worse = match self.shape {
            Shape::Independent => self.parameter,
            Shape::Seasonal => self.parameter + 0.25 * self.wave(),
            // The new one tends to stay worse, or better, for a while.
            Shape::Autocorrelated => {
                if self.random.unit() < 0.05 {
                    self.last = self.random.unit();
                }
                self.parameter + if self.last < 0.5 { 0.25 } else { -0.25 }
            }
        };
        match self.random.unit() < 0.1 {
            false => 0.0,
            true if self.random.unit() < worse => 1.0,
            true => -1.0,
        }
    }

    fn bounded(&mut self) -> f64 {
        let even = match self.shape {
            // Of the mean, not of the values: they stay between the bounds.
            Shape::Seasonal => return 0.3 * self.wave() + self.random.unit() - 0.5,
            Shape::Independent => self.random.unit(),
            Shape::Autocorrelated => {
                if self.random.unit() < 0.5 {
                    self.last = self.random.unit();
                }
                self.last
            }
        };
        1.6 * (even - 0.5)
    }

    /// What both arms go through together, with a mean of one.
    fn common(&mut self) -> f64 {
        match self.shape {
            Shape::Independent => 1.0,
            Shape::Seasonal => 1.0 + 0.5 * self.wave(),
            Shape::Autocorrelated => {
                // An incident begins once in 1,000 events, lasts 200, and triples the errors.
                let ends_or_begins = if self.last > 0.0 { 1.0 / 200.0 } else { 1.0 / 1_000.0 };
                if self.random.unit() < ends_or_begins {
                    self.last = 1.0 - self.last;
                }
                (if self.last > 0.0 { 3.0 } else { 1.0 }) / (8.0 / 6.0)
            }
        }
    }
}
