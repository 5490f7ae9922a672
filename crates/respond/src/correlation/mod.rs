//! Joins alerts of several systems to groups of one cause, and names the origin.
//!
//! **Method.** Alerts are taken as a branching process: each is either the start of something, which happens on its node
//! at a background rate, or it follows from an earlier alert. For a new alert `a` on node `v` and an alert `b` on node
//! `u` the odds that `a` follows from `b` are
//!
//! ```text
//! odds = p(u, v) * d(onset of a - onset of b | lags on the way) * e(entities that both name) / background rate of v
//! ```
//!
//! `p` is the chance that trouble crosses the edges between them (most likely path), `d` the density of the sum of
//! their lags, blurred by how well the onsets are known, `e` how rare it is that two alerts name the same entities.
//! What went on for more than a day can have consequences meanwhile: half of them are spread evenly over that time.
//! Where `b` lies downstream of `a`, the roles change: detectors upstream may be slower. Where neither reaches the
//! other, both may follow from a node upstream that raised no alert. The best odds win if they exceed 1: the group is
//! then more likely than chance. No alert is joined for being near in time alone.
//!
//! An alert that explains the root of another group merges the two; one that explains an alert better than its present
//! parent does, by a margin, takes it over with everything that follows from it (a split and a merge).
//!
//! **Invariant:** the answer depends on the alerts, their order and their times, and on nothing else; state is bounded.
//!
//! Reference: Zhuang, Ogata, Vere-Jones, "Stochastic declustering of space-time earthquake occurrences", JASA 97 (2002).

mod background;
mod correlator;
mod forest;
mod origin;
mod related;
mod settings;
mod signal;
mod spread;

#[cfg(test)]
mod tests;

pub use correlator::{Correlator, GroupChange};
pub use origin::{Candidate, Origin};
pub(crate) use related::chances_upstream;
pub use settings::{CorrelationSettings, SettingsError};
pub use signal::Signal;
