//! What changed before something went wrong: deployments, data, traffic, configuration, infrastructure.
//!
//! Each change before the onset gets a weight, and weights become shares beside the share of "none of these":
//!
//! ```text
//! weight = prior(kind of change, kind of trouble) * density of the delay * chance that it reaches the node
//!        * evidence of what both name
//! ```
//!
//! A change after the onset (later than its interval allows) explains nothing and is not listed. A share is no proof:
//! it says where to look first, and each change comes with the SQL that shows it.

mod change;
mod collect;
mod feed;
mod rank;

#[cfg(test)]
mod tests;

pub use change::{Change, ChangeKind, Onset};
pub use collect::{changes, traffic_change};
pub use feed::ChangeFeed;
pub use rank::{Ranking, Suspect, rank};
