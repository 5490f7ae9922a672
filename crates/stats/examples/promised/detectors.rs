//! Every detector that can be asked after each value, with settings as a user would take them.

use wardline_stats::classic::{Adwin, BernoulliCusum, Cusum, Ddm, Eddm, Ewma, HddmA, HddmW, Kswin, PageHinkley};
use wardline_stats::sequential::{
    BernoulliE, BoundedMeanE, Coin, ConformalRanks, ConformalWatch, Direction, DistributionCoin, EAlarm, EDetector,
    EProcess, HistogramBet, McNemarE, Monitor, NormalMixture, Promise, Promotion, RateWatch, Sides, SimpleJumper, Stop,
    TailCoin, default_detector,
};

use crate::arms::{Difference, Distribution, Errors, Promoted, Tail};
use crate::random::Random;
use crate::streams::{ERROR_RATE, Kind, Shape};

/// A detector and what it watches.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) build: fn(u64) -> Option<Box<dyn Monitor>>,
    /// For which unchanged streams its promise is made.
    pub(crate) holds_for: &'static [Shape],
    /// Unchanged values before a change.
    pub(crate) before: usize,
    /// How many times fewer runs, for the slow ones.
    pub(crate) thrift: usize,
}

const INDEPENDENT: &[Shape] = &[Shape::Independent];
/// What both arms go through together is no difference between them.
const ANY: &[Shape] = &[Shape::Independent, Shape::Autocorrelated, Shape::Seasonal];

fn subject(name: &'static str, kind: Kind, build: fn(u64) -> Option<Box<dyn Monitor>>) -> Subject {
    Subject { name, kind, build, holds_for: INDEPENDENT, before: 20_000, thrift: 1 }
}

impl Subject {
    /// Changed from the first value on.
    fn at_once(self) -> Self {
        Self { before: 0, ..self }
    }

    fn for_any(self) -> Self {
        Self { holds_for: ANY, ..self }
    }

    fn slow(self, thrift: usize) -> Self {
        Self { thrift, ..self }
    }

    /// What it promises.
    pub(crate) fn promise(&self) -> Promise {
        (self.build)(0).map_or(Promise::Nothing, |detector| detector.promise())
    }
}

fn boxed(detector: impl Monitor + 'static) -> Option<Box<dyn Monitor>> {
    Some(Box::new(detector))
}

/// What a user does who takes the changed share for the new normal.
struct LearnsAnew(RateWatch);

impl Monitor for LearnsAnew {
    fn watch(&mut self, value: f64) -> bool {
        let alarm = self.0.watch(value);
        if alarm {
            self.0.relearn();
        }
        alarm
    }

    fn promise(&self) -> Promise {
        self.0.promise()
    }
}

/// Evidence that values are not exchangeable, by bets on their ranks.
struct Conformal<B> {
    ranks: ConformalRanks,
    bets: B,
}

impl<B: EProcess> EProcess for Conformal<B> {
    fn take(&mut self, value: f64) {
        if let Some(p) = self.ranks.observe(value) {
            self.bets.take(p);
        }
    }

    fn log_e(&self) -> f64 {
        self.bets.log_e()
    }
}

/// What any detector has to be better than.
struct Always;
struct Never;
struct OneInTenThousand(Random);

impl Monitor for Always {
    fn watch(&mut self, _value: f64) -> bool {
        true
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

impl Monitor for Never {
    fn watch(&mut self, _value: f64) -> bool {
        false
    }

    fn promise(&self) -> Promise {
        Promise::Nothing
    }
}

impl Monitor for OneInTenThousand {
    fn watch(&mut self, _value: f64) -> bool {
        self.0.unit() < 1e-4
    }

    fn promise(&self) -> Promise {
        Promise::AboutRunLength(1e4)
    }
}

/// All of them, grouped by what they watch.
pub(crate) fn subjects() -> Vec<Subject> {
    let mut all = watching_errors();
    all.extend(watching_numbers());
    all.extend(watching_arms());
    all
}

fn watching_errors() -> Vec<Subject> {
    let bits = |name, build| subject(name, Kind::Bits, build);
    vec![
        bits("default detector, run length 1e6", |seed| boxed(default_detector(seed))),
        bits("default detector, learns anew after an alarm", |seed| boxed(LearnsAnew(default_detector(seed)))),
        bits("rate watch, run length 1e4", |seed| boxed(RateWatch::new(1e4, seed)?)),
        bits("rate watch told of 5 %, run length 1e4", |seed| boxed(RateWatch::expecting(0.05, 1e4, seed)?)),
        bits("e-detector, limit 5 %, run length 1e4", |_| {
            boxed(EAlarm::new(EDetector::new(ERROR_RATE, Direction::Increase)?, 1e4)?)
        }),
        bits("Bernoulli e-process, limit 5 %, alpha 0.05", |_| {
            boxed(Stop::new(BernoulliE::new(ERROR_RATE, Direction::Increase)?, 0.05)?)
        })
        .at_once(),
        bits("Bernoulli CUSUM, 5 to 10 %, run length 1e4", |_| {
            boxed(BernoulliCusum::new(ERROR_RATE, 2.0 * ERROR_RATE, 1e4)?)
        }),
        bits("ADWIN, delta 0.002", |_| boxed(Adwin::new(0.002)?)),
        bits("Page-Hinkley, threshold 50", |_| boxed(PageHinkley::new(0.005, 50.0)?)),
        bits("DDM", |_| boxed(Ddm::default())),
        bits("EDDM", |_| boxed(Eddm::default())),
        bits("HDDM-A", |_| boxed(HddmA::new(0.001, 0.005, false)?)),
        bits("HDDM-W", |_| boxed(HddmW::new(0.001, 0.005, 0.05, false)?)),
        bits("always alarm", |_| boxed(Always)),
        bits("never alarm", |_| boxed(Never)),
        bits("at random, one in 10,000", |seed| boxed(OneInTenThousand(Random::new(seed)))),
    ]
}

fn watching_numbers() -> Vec<Subject> {
    let numbers = |name, build| subject(name, Kind::Numbers, build);
    vec![
        numbers("conformal watch, run length 1e6", |seed| boxed(ConformalWatch::new(1e6, seed)?)),
        numbers("conformal watch, run length 1e4", |seed| boxed(ConformalWatch::new(1e4, seed)?)),
        numbers("conformal martingale, jumper, alpha 0.05", |seed| {
            boxed(Stop::new(Conformal { ranks: ConformalRanks::new(seed), bets: SimpleJumper::new(0.01)? }, 0.05)?)
        }),
        numbers("conformal martingale, histogram, alpha 0.05", |seed| {
            boxed(Stop::new(Conformal { ranks: ConformalRanks::new(seed), bets: HistogramBet::new() }, 0.05)?)
        }),
        numbers("normal mixture, mean 0, alpha 0.05", |_| boxed(Stop::new(NormalMixture::new(0.0, 1.0, 0.01)?, 0.05)?))
            .at_once(),
        numbers("CUSUM for a shift of 1, run length 5,000", |_| boxed(Cusum::calibrated(0.0, 1.0, 1.0, 5_000.0)?)),
        numbers("EWMA, weight 0.1, width 2.814", |_| boxed(Ewma::new(0.0, 1.0, 0.1, 2.814)?)),
        numbers("ADWIN, delta 0.002", |_| boxed(Adwin::new(0.002)?)),
        numbers("Page-Hinkley, threshold 50", |_| boxed(PageHinkley::new(0.005, 50.0)?)),
        numbers("KSWIN, alpha 0.005", |seed| boxed(Kswin::new(0.005, 100, 30, seed)?)).slow(10),
        numbers("always alarm", |_| boxed(Always)),
        subject("betting on a bounded mean, alpha 0.05", Kind::Bounded, |_| {
            boxed(Stop::new(BoundedMeanE::new(0.0, Sides::Both)?, 0.05)?)
        })
        .at_once(),
    ]
}

fn watching_arms() -> Vec<Subject> {
    let errors = |name, build| subject(name, Kind::ArmBits, build).at_once().for_any();
    let values = |name, build| subject(name, Kind::ArmValues, build).at_once().for_any();
    vec![
        subject("McNemar e-process, alpha 0.05", Kind::Pairs, |_| boxed(Stop::new(McNemarE::new(Sides::Both), 0.05)?))
            .at_once(),
        errors("coin, alpha 0.05", |_| boxed(Stop::new(Errors(Coin::default()), 0.05)?)),
        subject("difference of arms by betting, alpha 0.05", Kind::ArmBits, |_| {
            boxed(Stop::new(Difference::new()?, 0.05)?)
        })
        .at_once(),
        subject("promotion, twice as bad excluded, beta 0.05", Kind::WorseArmBits, |_| {
            boxed(Stop::new(Promoted(Promotion::new(2.0)?), 0.05)?)
        })
        .at_once()
        .for_any(),
        values("tail coin, alpha 0.05", |_| {
            // The median, p90, p99 and p99.9 of the baseline.
            let thresholds = [1.0, 1.898, 3.200, 4.688];
            boxed(Stop::new(Tail(TailCoin::new(&thresholds, 1.0)?), 0.05)?)
        }),
        values("distribution coin, alpha 0.05", |_| {
            let upper = [1.0, 1.401, 1.898, 3.200];
            let lower = upper.map(|value: f64| value.recip());
            boxed(Stop::new(Distribution(DistributionCoin::new(&upper, &lower)?), 0.05)?)
        }),
    ]
}
