//! Tests of two arms, driven by one stream of both.

use wardline_stats::sequential::{
    Arm, ArmDifference, BoundedMeanE, Coin, DistributionCoin, EProcess, Promotion, Sides, TailCoin,
};

use crate::streams::CANARY_SHARE;

/// The arm of a value of the stream, and the value.
fn split(value: f64) -> (Arm, f64) {
    (if value < 0.0 { Arm::Canary } else { Arm::Baseline }, value.abs())
}

pub(crate) struct Errors(pub(crate) Coin);

impl EProcess for Errors {
    fn take(&mut self, value: f64) {
        if let (arm, 2.0) = split(value) {
            self.0.observe(arm, CANARY_SHARE);
        }
    }

    fn log_e(&self) -> f64 {
        self.0.log_e()
    }
}

pub(crate) struct Promoted(pub(crate) Promotion);

impl EProcess for Promoted {
    fn take(&mut self, value: f64) {
        if let (arm, 2.0) = split(value) {
            self.0.observe(arm, CANARY_SHARE);
        }
    }

    fn log_e(&self) -> f64 {
        self.0.log_e()
    }
}

pub(crate) struct Tail(pub(crate) TailCoin);

impl EProcess for Tail {
    fn take(&mut self, value: f64) {
        let (arm, latency) = split(value);
        self.0.observe(latency, arm, CANARY_SHARE);
    }

    fn log_e(&self) -> f64 {
        self.0.log_e()
    }
}

pub(crate) struct Distribution(pub(crate) DistributionCoin);

impl EProcess for Distribution {
    fn take(&mut self, value: f64) {
        let (arm, latency) = split(value);
        self.0.observe(latency, arm, CANARY_SHARE);
    }

    fn log_e(&self) -> f64 {
        self.0.log_e()
    }
}

/// The difference of the arms' mean scores, with the error as the score.
pub(crate) struct Difference {
    scores: ArmDifference,
    process: BoundedMeanE,
}

impl Difference {
    pub(crate) fn new() -> Option<Self> {
        Some(Self { scores: ArmDifference::new(), process: BoundedMeanE::new(0.0, Sides::Both)? })
    }
}

impl EProcess for Difference {
    fn take(&mut self, value: f64) {
        let (arm, grade) = split(value);
        match arm {
            Arm::Baseline => self.scores.baseline(grade - 1.0),
            Arm::Canary => {
                if let Some(difference) = self.scores.canary(grade - 1.0) {
                    self.process.observe(difference);
                }
            }
        }
    }

    fn log_e(&self) -> f64 {
        self.process.log_e()
    }
}
