//! Which fields of telemetry a technique leaves traces in.

use std::sync::OnceLock;

use super::built_in::rows;

/// A way in which a technique shows, and the fields without which it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The technique.
    pub technique: String,
    /// What shows.
    pub shows: String,
    /// Every field that is needed, as `table.column`; `table.feature_*` is any feature.
    pub fields: Vec<String>,
}

const TRACES: &str = include_str!("data/telemetry.tsv");

/// Every way that is known. A technique without one leaves no traces in telemetry of models.
pub fn traces() -> &'static [Trace] {
    static KNOWN: OnceLock<Vec<Trace>> = OnceLock::new();
    KNOWN.get_or_init(|| rows(TRACES).filter_map(trace).collect())
}

fn trace(row: Vec<&str>) -> Option<Trace> {
    let [technique, fields, shows] = row.as_slice() else { return None };
    Some(Trace {
        technique: (*technique).to_owned(),
        shows: (*shows).to_owned(),
        fields: fields.split(' ').map(str::to_owned).collect(),
    })
}
