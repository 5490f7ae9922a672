//! What detectors read of a batch, looked up once for all of them.

use std::{cell::OnceCell, ops::Range};

use wardline_domain::EventBatch;

use crate::{
    client_rows::UsageColumns,
    clients::ClientColumns,
    model_state::{ModelState, Phase},
    queries::{Query, QueryColumns},
    text_rows::TextRows,
};

/// The columns of one batch, each looked up when a detector first asks for it.
#[derive(Default)]
pub(crate) struct SharedColumns<'a> {
    clients: OnceCell<Option<ClientColumns<'a>>>,
    sessions: OnceCell<Option<ClientColumns<'a>>>,
    usage: OnceCell<UsageColumns<'a>>,
    texts: OnceCell<Option<TextRows<'a>>>,
    queries: OnceCell<Option<QueryColumns<'a>>>,
    /// The codings that the queries' columns were looked up under.
    coded: Option<(Phase, bool)>,
}

impl SharedColumns<'_> {
    /// Forgets what rests on the model's codings, where these have changed since.
    pub(crate) fn follow(&mut self, state: &ModelState) {
        let coded = Some((state.phase, state.resampled));
        if self.coded != coded {
            self.coded = coded;
            self.queries = OnceCell::new();
        }
    }
}

/// Rows of one model that follow each other in a batch.
pub(crate) struct EventRows<'a, 's> {
    /// Its kind says what the rows are.
    pub(crate) batch: &'a EventBatch,
    pub(crate) range: Range<usize>,
    shared: &'s SharedColumns<'a>,
    queries: OnceCell<Vec<Option<Query>>>,
}

/// What each of some rows asks.
pub(crate) struct Queries<'r, 'a> {
    columns: &'r QueryColumns<'a>,
    first: usize,
    of_rows: &'r [Option<Query>],
}

impl<'a, 's> EventRows<'a, 's> {
    pub(crate) fn new(batch: &'a EventBatch, range: Range<usize>, shared: &'s SharedColumns<'a>) -> Self {
        Self { batch, range, shared, queries: OnceCell::new() }
    }

    /// `None` where no row of the batch says who asked.
    pub(crate) fn clients(&self) -> Option<&'s ClientColumns<'a>> {
        self.shared.clients.get_or_init(|| ClientColumns::of(self.batch)).as_ref()
    }

    /// Sessions in the place of clients; `None` where no row of the batch has one.
    pub(crate) fn sessions(&self) -> Option<&'s ClientColumns<'a>> {
        self.shared.sessions.get_or_init(|| ClientColumns::sessions(self.batch)).as_ref()
    }

    /// What requests use.
    pub(crate) fn usage(&self) -> &'s UsageColumns<'a> {
        self.shared.usage.get_or_init(|| UsageColumns::of(self.batch))
    }

    /// `None` where no row of the batch has a prompt or an output.
    pub(crate) fn texts(&self) -> Option<&'s TextRows<'a>> {
        self.shared.texts.get_or_init(|| TextRows::of(self.batch)).as_ref()
    }

    /// `None` where nothing was learned of what is asked so far, or the batch has nothing of it.
    pub(crate) fn queries(&self, state: &ModelState) -> Option<Queries<'_, 'a>> {
        let columns = self.shared.queries.get_or_init(|| QueryColumns::of(self.batch, state)).as_ref()?;
        let of_rows = || self.range.clone().map(|row| columns.query(state, row)).collect();
        Some(Queries { columns, first: self.range.start, of_rows: self.queries.get_or_init(of_rows) })
    }
}

impl Queries<'_, '_> {
    /// The query of a row; `None` where the row has none.
    #[inline]
    pub(crate) fn query(&self, row: usize) -> Option<Query> {
        self.of_rows.get(row.checked_sub(self.first)?).copied().flatten()
    }

    /// What requests that fill in one template have in common.
    pub(crate) fn template(&self, row: usize) -> Option<u64> {
        self.columns.template(row, || self.query(row))
    }
}
