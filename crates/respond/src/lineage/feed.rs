//! Lineage from events as they come, without looking at the same flow twice in an hour.

use std::hash::{Hash as _, Hasher as _};

use rustc_hash::{FxHashSet, FxHasher};
use serde::{Deserialize, Serialize};
use wardline_domain::{BatchError, EventBatch, RecordKind, Timestamp};

use super::{Edge, Lineage, LineageError, Node, Uses, sources};

/// Most flows of an hour that are remembered; beyond it some are looked at again.
const MAX_SEEN: usize = 200_000;

/// What names a flow, in the columns of its record.
const fn names(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Inference => &["model", "version", "channel", "service"],
        RecordKind::TrainingRow => &["model", "dataset", "dataset_version", "channel"],
        RecordKind::Deployment => &["model", "version", "dataset_version"],
        RecordKind::Metric | RecordKind::Log => &["service", "instance"],
        RecordKind::Outcome => &[],
    }
}

/// A graph that grows with events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LineageFeed {
    graph: Lineage,
    #[serde(skip)]
    seen: FxHashSet<u64>,
    #[serde(skip)]
    hour: Timestamp,
    /// Edges of the graph that [`LineageFeed::news`] has told.
    told: usize,
}

/// An edge, without its uses: what a correlation needs to know.
pub type Flow = (Node, Node, Edge);

impl LineageFeed {
    /// What is known so far.
    pub const fn graph(&self) -> &Lineage {
        &self.graph
    }

    /// Takes in events. A batch in which nothing is new costs a hash a row.
    ///
    /// # Errors
    /// [`LineageError`] where the batch breaks the event schema, or there are too many nodes. Names that cannot be one
    /// are left out.
    pub fn observe(&mut self, batch: &EventBatch) -> Result<(), LineageError> {
        if batch.kind == RecordKind::Outcome {
            return Ok(());
        }
        let fresh = self.fresh_rows(batch)?;
        for row in fresh {
            let one = EventBatch { records: batch.records.slice(row, 1), ..batch.clone() };
            match sources::events(&one) {
                Ok(graph) => self.graph.absorb(graph)?,
                Err(LineageError::Name(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Rows whose flow was not seen in their hour.
    fn fresh_rows(&mut self, batch: &EventBatch) -> Result<Vec<usize>, BatchError> {
        let times = batch.times()?;
        let columns: Vec<_> = names(batch.kind).iter().map(|name| batch.text(name)).collect();
        let mut fresh = Vec::new();
        for row in 0..batch.len() {
            let hour = Timestamp::from_micros(times.value(row)).floor(Timestamp::HOUR);
            if self.hour < hour || MAX_SEEN < self.seen.len() {
                self.seen.clear();
                self.hour = self.hour.max(hour);
            }
            let mut hasher = FxHasher::default();
            (hour.micros(), batch.kind as u8, &batch.model).hash(&mut hasher);
            columns.iter().for_each(|column| column.as_ref().and_then(|column| column.get(row)).hash(&mut hasher));
            if self.seen.insert(hasher.finish()) {
                fresh.push(row);
            }
        }
        Ok(fresh)
    }

    /// Takes in single edges.
    ///
    /// # Errors
    /// [`LineageError::Full`] where there are too many nodes or edges.
    pub fn add(&mut self, flows: Vec<Flow>) -> Result<(), LineageError> {
        flows.into_iter().try_for_each(|(from, to, edge)| self.graph.add_edge(from, to, edge))
    }

    /// Takes in a graph that another system tells. All edges are news then: it may know better how long they take.
    ///
    /// # Errors
    /// [`LineageError::Full`] where there are too many nodes or edges.
    pub fn absorb(&mut self, graph: Lineage) -> Result<(), LineageError> {
        self.graph.absorb(graph)?;
        self.told = 0;
        Ok(())
    }

    /// Edges that were not told yet.
    pub fn news(&mut self) -> Vec<Flow> {
        let edges = self.graph.edges();
        let from = self.told.min(edges.len());
        self.told = edges.len();
        let flow = |(from, to, edge): &(u32, u32, Edge)| {
            let edge = Edge { uses: Uses::default(), ..edge.clone() };
            Some((self.graph.node(*from)?.clone(), self.graph.node(*to)?.clone(), edge))
        };
        edges[from..].iter().filter_map(flow).collect()
    }
}
