//! What detectors read of a batch, looked up once for all of them.

use std::{cell::OnceCell, ops::Range};

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, RecordKind};

use crate::{
    client_gate::ClientGate,
    client_rows::UsageColumns,
    clients::{ClientColumns, ClientName},
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
    clients: Vec<Option<ClientName<'a>>>,
    sessions: Vec<Option<ClientName<'a>>>,
    queries: OnceCell<Vec<Option<Query>>>,
}

/// Which clients and sessions of a model ask often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gates {
    clients: ClientGate,
    sessions: ClientGate,
}

fn named<'a>(
    columns: Option<&ClientColumns<'a>>,
    range: &Range<usize>,
    gate: &mut ClientGate,
) -> Vec<Option<ClientName<'a>>> {
    let Some(columns) = columns else { return Vec::new() };
    let name = |row| {
        let mut name = columns.client(row)?;
        name.is_frequent = gate.ask(name.key);
        Some(name)
    };
    range.clone().map(name).collect()
}

/// What each of some rows asks.
pub(crate) struct Queries<'r, 'a> {
    columns: &'r QueryColumns<'a>,
    first: usize,
    of_rows: &'r [Option<Query>],
}

impl<'a, 's> EventRows<'a, 's> {
    /// Rows of which nothing was counted yet.
    pub(crate) fn new(
        batch: &'a EventBatch,
        range: Range<usize>,
        shared: &'s SharedColumns<'a>,
        gates: &mut Gates,
    ) -> Self {
        let mut rows =
            Self { batch, range, shared, clients: Vec::new(), sessions: Vec::new(), queries: OnceCell::new() };
        if batch.kind == RecordKind::Inference {
            rows.clients = named(rows.clients(), &rows.range, &mut gates.clients);
            rows.sessions = named(rows.sessions(), &rows.range, &mut gates.sessions);
        }
        rows
    }

    /// Who asked in a row.
    #[inline]
    pub(crate) fn client(&self, row: usize) -> Option<ClientName<'a>> {
        self.clients.get(row.checked_sub(self.range.start)?).copied().flatten()
    }

    /// `None` where no row of the batch says who asked.
    pub(crate) fn clients(&self) -> Option<&'s ClientColumns<'a>> {
        self.shared.clients.get_or_init(|| ClientColumns::of(self.batch)).as_ref()
    }

    /// The session of a row, in the place of a client.
    #[inline]
    pub(crate) fn session(&self, row: usize) -> Option<ClientName<'a>> {
        self.sessions.get(row.checked_sub(self.range.start)?).copied().flatten()
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
