//! Why something could not be done in another system.

/// Why a step failed, before the name of who took it is added.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It may be tried again.
    Unreachable(String),
    /// It would fail again.
    Refused(String),
}
