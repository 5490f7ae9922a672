//! Evidence is frozen before anything changes.

use futures::future::BoxFuture;
use wardline_domain::ActionError;

/// The action that freezes evidence: carried out by [`Freeze`] where there is one.
pub(crate) const FREEZE_EVIDENCE: &str = "freeze_evidence";

/// Freezes the evidence of an incident.
pub(crate) trait Freeze: Send + Sync {
    /// Freezes it before the first action of a run, and says what was frozen. Asking twice freezes once.
    ///
    /// # Errors
    /// [`ActionError`], which says whether another attempt may do better; no action of the run is carried out then.
    fn before_first_action<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<String, ActionError>>;
}
