//! Tests that may be asked after every event and stopped at once, with the error rate kept.
//!
//! An **e-process** `E` has a mean of at most 1 at any stopping time while nothing changed, so
//! "stop when `E >= 1/alpha`" is wrong with a probability of at most `alpha` over the whole run
//! (Ville's inequality). Averages of e-processes are e-processes. An **e-detector** never ends: it
//! alarms at `A`, and the mean run to a false alarm is at least `A`.
//!
//! Everything here keeps logarithms, so no product can overflow.

mod arm;
mod bernoulli_e;
mod bounded_mean;
mod coin;
mod confidence_sequence;
mod conformal_martingale;
mod conformal_ranks;
mod conformal_watch;
mod distribution_coin;
mod e_detector;
mod mixture;
mod monitor;
mod promotion;
mod rate_watch;
mod tail_coin;

pub use arm::Arm;
pub use bernoulli_e::BernoulliE;
pub use bounded_mean::{ArmDifference, BoundedMeanE, Sides};
pub use coin::Coin;
pub use confidence_sequence::{bernoulli_confidence_sequence, hoeffding_mixture_radius};
pub use conformal_martingale::{HistogramBet, SimpleJumper};
pub use conformal_ranks::ConformalRanks;
pub use conformal_watch::ConformalWatch;
pub use distribution_coin::DistributionCoin;
pub use e_detector::{EAlarm, EDetector};
pub use mixture::{Direction, RATIOS, log_mean_exp, log_threshold};
pub(crate) use monitor::bit;
pub use monitor::{EProcess, Monitor, Promise, Stop};
pub use promotion::Promotion;
pub use rate_watch::{RateWatch, default_detector};
pub use tail_coin::TailCoin;

#[cfg(test)]
pub(crate) mod tests_stream;
