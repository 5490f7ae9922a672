//! Service level objectives: exact budgets, burn rates, and the files in which other tools write them.
//!
//! **Invariant:** text in, text out; no file is opened here.

mod budget_watch;
mod burn;
mod document;
mod duration;
mod export;
mod import;
mod ledger;
mod metric;
mod openslo_export;
mod openslo_import;
mod pyrra_import;
mod pyrra_rules;
mod service_watch;
mod sloth_import;
mod sloth_rules;
mod status;

pub use document::SloFileProblem;
pub use export::{SloFormat, export};
pub use import::{ImportedSlos, import};
pub use metric::{BAD_EVENTS_METRIC, EVENTS_METRIC};
pub use status::{SloStatus, WindowStatus};

pub(crate) use budget_watch::{Asked, BudgetWatch};
pub(crate) use burn::Burn;
pub(crate) use service_watch::{ServiceWatch, is_bad};

/// What was counted for an objective since the beginning, as Prometheus scrapes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SloCount {
    /// The service, or the model.
    pub service: String,
    /// The objective.
    pub slo: String,
    /// Events.
    pub events: u64,
    /// How many of them were bad.
    pub bad: u64,
}
