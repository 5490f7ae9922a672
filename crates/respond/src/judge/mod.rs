//! Whether a version on trial is worse than the one that serves beside it, asked at every event.
//!
//! Everything rests on one idea: *given that something bad happened, whose was it?* While the version on trial is
//! no worse, a bad event is its own with the chance of its share of the traffic, whatever the common rate is and
//! however it moves. The evidence against that ([`wardline_stats::sequential::Coin`]) may be looked at after every
//! event, and a decision at `E >= 1/alpha` is wrong with a chance of at most `alpha` over the whole trial.
//!
//! | state | when |
//! | --- | --- |
//! | [`State::Observe`] | nothing is known |
//! | [`State::Hold`] | `E >= 20`; or the version on trial alone breaks an objective, a segment is worse off, the split is off |
//! | [`State::RollBack`] | `E >= 1/alpha` |
//! | [`State::Promote`] | every guardrail excludes the ratio or the margin with `E >= 1/beta` |
//!
//! [`Trial`] is the core that sees one event at a time; [`Judge`] feeds it from batches; [`replay()`] computes a
//! [`DecisionRecord`] again. Each measure has its part of `alpha` ([`Measure::ALL`]), and inside each measure are
//! thresholds, directions and starting times, all averaged, so nothing need be chosen.
//!
//! What is guarded against: a share that is not what was asked for (it is counted), sessions that stay on one version
//! (one vote each), retries (dropped), replicas that warm up (their first latencies do not count), outages of both
//! (the coin is fair then), versions that turn bad late (fresh coins start at each doubling).

mod announce;
mod baseline;
mod event;
mod fairness;
mod guard;
mod judging;
mod key;
mod latency;
mod order;
mod outputs;
mod predictions;
mod reading;
mod record;
mod replay;
mod requests;
mod settings;
mod share;
#[cfg(test)]
mod tests;
mod trace;
mod trial;
mod trials;
mod verdict;

pub use baseline::{Frozen, Learning};
pub use event::{JudgedEvent, JudgedOutcome, MOST_SEGMENTS, Role};
pub use guard::{Count, Counts};
pub use judging::{Beginning, Judge};
pub use key::Key;
pub use reading::{Deployed, Versions};
pub use record::{BadEvent, DecisionRecord, MeasureRecord, RateOf, SegmentRecord};
pub use replay::{Replayed, replay};
pub use settings::{Audience, Guardrail, JudgeSettings, Measure, SettingError};
pub use share::{CountedShare, ShareBounds};
pub use trace::TracePoint;
pub use trial::{BadIn, Trial};
pub use trials::Trials;
pub use verdict::{Change, Hold, State};
