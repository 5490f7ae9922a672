//! Changes as they come, kept for as long as they may explain something.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use wardline_domain::{BatchError, EventBatch, Finding, RecordKind, Span, Timestamp};

use super::{Change, ChangeKind, changes, traffic_change};

/// How long changes are kept.
const KEPT: Span = 35 * Timestamp::DAY;
/// Most changes that are kept: the latest ones.
const MAX_KEPT: usize = 20_000;

/// Changes, in the order in which they came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ChangeFeed {
    kept: VecDeque<Change>,
    /// Contents of datasets that came in before: only the first row of each is a change.
    known: BTreeSet<(String, String)>,
}

impl ChangeFeed {
    /// Takes in the changes that events tell of.
    ///
    /// # Errors
    /// [`BatchError`] where the batch breaks the event schema.
    pub fn observe(&mut self, batch: &EventBatch) -> Result<(), BatchError> {
        if matches!(batch.kind, RecordKind::Inference | RecordKind::Outcome) {
            return Ok(());
        }
        for change in changes(batch)? {
            let is_known = change.kind == ChangeKind::Data
                && MAX_KEPT > self.known.len()
                && !self.known.insert((change.node.clone(), change.what.clone()));
            if !is_known {
                self.push(change);
            }
        }
        Ok(())
    }

    /// Takes in a finding, which is a change for everything else where it is about traffic.
    pub fn observe_finding(&mut self, finding: &Finding) {
        traffic_change(finding).into_iter().for_each(|change| self.push(change));
    }

    fn push(&mut self, change: Change) {
        let oldest = change.time.plus(-KEPT);
        while self.kept.front().is_some_and(|front| front.time < oldest) || MAX_KEPT <= self.kept.len() {
            self.kept.pop_front();
        }
        self.kept.push_back(change);
    }

    /// Every change that is kept.
    pub fn changes(&mut self) -> &[Change] {
        self.kept.make_contiguous()
    }
}
