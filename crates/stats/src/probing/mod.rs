//! Clients that copy a model or search its borders: what their queries look like beside honest clients'.
//!
//! | type | finds |
//! | --- | --- |
//! | [`ClientProbe`], [`HonestClients`] | one client that probes: distances, coverage, lattices, chains; with a false-alarm rate |
//! | [`QueryChains`] | near queries that walk to another decision, over all accounts |
//! | [`account_groups`] | accounts that share more rare fingerprints than chance gives |
//! | [`Templates`] | texts that are one template filled in again and again |
//! | [`shapiro_wilk`] | is a sample normal |

mod account_graph;
mod client_probe;
mod honest_clients;
mod query_chains;
mod shapiro_wilk;
mod templates;

pub use account_graph::{AccountGroup, SharingSettings, account_groups};
pub use client_probe::{CHECKPOINTS, ClientProbe, ProbeError, ProbeScore, ProbeScores, ProbeSettings};
pub use honest_clients::{HonestClients, ProbeVerdict};
pub use query_chains::{ChainLink, QueryChains};
pub use shapiro_wilk::{ShapiroWilk, shapiro_wilk};
pub use templates::{TemplateShare, Templates};
