//! What an incident did to people and to money, as far as somebody stated it.

use serde::{Deserialize, Serialize};

/// What an incident did, stated by somebody, with what the statement rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// How many people it affected.
    pub people: Option<u64>,
    /// How many decisions were wrong or missing.
    pub decisions: Option<u64>,
    /// What it cost, in hundredths of the currency: whole numbers, so that no reader rounds it differently.
    pub cost_hundredths: Option<i64>,
    /// The currency, such as `EUR`.
    pub currency: Option<String>,
    /// How it is known: a query, a count, an estimate.
    pub basis: String,
}
