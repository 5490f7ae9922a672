//! Tests that may be asked after every event and stopped at once, with the error rate kept.
//!
//! An **e-process** `E` has a mean of at most 1 at any stopping time while nothing changed, so
//! "stop when `E >= 1/alpha`" is wrong with a probability of at most `alpha` over the whole run
//! (Ville's inequality). Averages of e-processes are e-processes. An **e-detector** never ends: it
//! alarms at `A`, and the mean run to a false alarm is at least `A`.
//!
//! Everything here keeps logarithms or caps what it multiplies, so no product can overflow.
//!
//! | question | answer |
//! | --- | --- |
//! | does this stream of errors change, for ever and with nothing known | [`RateWatch`], [`default_detector`] |
//! | the same of numbers, of any law | [`ConformalWatch`] |
//! | does a share leave a limit that is known | [`EDetector`] for ever, [`BernoulliE`] once |
//! | is one version worse than the other, side by side | [`Coin`], [`TailCoin`], [`DistributionCoin`], [`BoundedMeanE`]; surely not worse: [`Promotion`]; worse since some later moment: [`Renewed`] |
//! | which of two models is right, on the same requests | [`McNemarE`] |
//! | was a finished or running stream exchangeable | [`ConformalRanks`] with [`SimpleJumper`] or [`HistogramBet`] |
//! | between which values does a share, a mean, a quantile, a distribution lie, at every look | [`bernoulli_confidence_sequence`]; [`BettingMean`], [`BernsteinMean`]; [`quantile_sequence`], [`DistributionBand`] |
//! | does a normal mean differ | [`NormalMixture`] |
//! | which of endlessly many hypotheses are findings | [`ELond`], [`ESaffron`], [`Lord`] |
//!
//! Each says what it promises about false alarms, and of those that are driven by one number at a
//! time [`Monitor::promise`] says it to programs.

mod arm;
mod bernoulli_e;
mod bernstein_mean;
mod betting_mean;
mod bounded_mean;
mod coin;
mod confidence_sequence;
mod conformal_martingale;
mod conformal_ranks;
mod conformal_watch;
mod distribution_coin;
mod e_detector;
mod mcnemar;
mod mixture;
mod monitor;
mod normal_mixture;
mod online_discovery;
mod promotion;
mod quantile_sequence;
mod rate_watch;
mod renewed;
mod tail_coin;

pub use arm::Arm;
pub use bernoulli_e::BernoulliE;
pub use bernstein_mean::BernsteinMean;
pub use betting_mean::BettingMean;
pub use bounded_mean::{ArmDifference, BoundedMeanE, Sides};
pub use coin::Coin;
pub use confidence_sequence::{bernoulli_confidence_sequence, hoeffding_mixture_radius};
pub use conformal_martingale::{HistogramBet, SimpleJumper};
pub use conformal_ranks::ConformalRanks;
pub use conformal_watch::ConformalWatch;
pub use distribution_coin::DistributionCoin;
pub use e_detector::{EAlarm, EDetector};
pub use mcnemar::McNemarE;
pub use mixture::{Direction, FINE_RATIOS, RATIOS, log_mean_exp, log_threshold};
pub(crate) use monitor::bit;
pub use monitor::{EProcess, Monitor, Promise, Stop};
pub use normal_mixture::NormalMixture;
pub use online_discovery::{ELond, ESaffron, Lord};
pub use promotion::Promotion;
pub use quantile_sequence::{DistributionBand, quantile_sequence, quantile_sequence_ranks};
pub use rate_watch::{RateWatch, default_detector};
pub use renewed::Renewed;
pub use tail_coin::TailCoin;

#[cfg(test)]
pub(crate) mod tests_stream;
