//! What our own events tell: channels feed datasets, datasets make versions, versions serve, services answer.
//!
//! Observed edges are the best ones: they know when they were used. Uses are kept by the hour.

use std::collections::BTreeMap;

use wardline_domain::{EventBatch, RecordKind, TextColumn, Timestamp};

use super::text::versioned;
use crate::lineage::{Edge, EdgeKind, Lineage, LineageError, Node, NodeKind, Uses};

/// Edges of a batch, each with the hours in which it was used.
type Seen = BTreeMap<(Node, Node, EdgeKindOrder), Uses>;

/// Edge kinds in an order, to be a key.
type EdgeKindOrder = (u8, EdgeKind);

/// A graph of one batch of events; graphs of several are joined with [`Lineage::absorb`].
///
/// # Errors
/// [`LineageError`] where the batch breaks the event schema, or a name cannot be one.
pub fn events(batch: &EventBatch) -> Result<Lineage, LineageError> {
    let mut seen = Seen::new();
    let times = batch.times()?;
    let columns = Columns::of(batch);
    for row in 0..batch.len() {
        let hour = Timestamp::from_micros(times.value(row)).floor(Timestamp::HOUR);
        let uses = Uses::between(hour, hour.plus(Timestamp::HOUR - 1));
        for (from, to, kind) in columns.edges(batch.kind, row)? {
            seen.entry((from, to, (kind as u8, kind))).or_default().add(&uses);
        }
    }
    let mut graph = Lineage::default();
    for ((from, to, (_, kind)), uses) in seen {
        graph.add_edge(from, to, Edge::new(kind, uses))?;
    }
    Ok(graph)
}

struct Columns<'a> {
    one_model: Option<&'a str>,
    model: Option<TextColumn<'a>>,
    version: Option<TextColumn<'a>>,
    dataset: Option<TextColumn<'a>>,
    dataset_version: Option<TextColumn<'a>>,
    channel: Option<TextColumn<'a>>,
    service: Option<TextColumn<'a>>,
    instance: Option<TextColumn<'a>>,
}

type Flow = (Node, Node, EdgeKind);

impl<'a> Columns<'a> {
    fn of(batch: &'a EventBatch) -> Self {
        Self {
            one_model: batch.model.as_deref(),
            model: batch.text("model"),
            version: batch.text("version"),
            dataset: batch.text("dataset"),
            dataset_version: batch.text("dataset_version"),
            channel: batch.text("channel"),
            service: batch.text("service"),
            instance: batch.text("instance"),
        }
    }

    fn edges(&self, kind: RecordKind, row: usize) -> Result<Vec<Flow>, LineageError> {
        let text = |column: &Option<TextColumn<'a>>| column.as_ref().and_then(|column| column.get(row));
        let text = |column| text(column).filter(|text| !text.is_empty());
        let model = text(&self.model).or(self.one_model);
        match kind {
            RecordKind::TrainingRow => {
                training(model, text(&self.dataset), text(&self.dataset_version), text(&self.channel))
            }
            RecordKind::Deployment => deployment(model, text(&self.version), text(&self.dataset_version)),
            RecordKind::Inference => serving(model, text(&self.version), text(&self.channel), text(&self.service)),
            RecordKind::Metric | RecordKind::Log => match (text(&self.instance), text(&self.service)) {
                (Some(instance), Some(service)) => {
                    let from = Node::new(NodeKind::Endpoint, format!("{service}/{instance}"))?;
                    Ok(vec![(from, Node::new(NodeKind::Endpoint, service)?, EdgeKind::Part)])
                }
                _ => Ok(Vec::new()),
            },
            RecordKind::Outcome => Ok(Vec::new()),
        }
    }
}

/// The node of a dataset's version; a dataset without a name is called as its model.
fn dataset_version(model: &str, dataset: Option<&str>, version: &str) -> Result<Node, LineageError> {
    versioned(NodeKind::Dataset, dataset.unwrap_or(model), version)
}

fn training(
    model: Option<&str>,
    dataset: Option<&str>,
    version: Option<&str>,
    channel: Option<&str>,
) -> Result<Vec<Flow>, LineageError> {
    let Some(model) = model else { return Ok(Vec::new()) };
    let whole = Node::new(NodeKind::Dataset, dataset.unwrap_or(model))?;
    let mut flows = Vec::new();
    if let Some(channel) = channel {
        flows.push((Node::new(NodeKind::Channel, channel)?, whole.clone(), EdgeKind::Written));
    }
    match version {
        Some(version) => {
            let content = dataset_version(model, dataset, version)?;
            flows.push((whole, content.clone(), EdgeKind::Part));
            if dataset.is_some_and(|dataset| dataset != model) {
                // Deployments name the version without the dataset.
                flows.push((content.clone(), dataset_version(model, None, version)?, EdgeKind::Part));
            }
            flows.push((content, Node::new(NodeKind::Model, model)?, EdgeKind::Trained));
        }
        None => flows.push((whole, Node::new(NodeKind::Model, model)?, EdgeKind::Trained)),
    }
    Ok(flows)
}

fn deployment(model: Option<&str>, version: Option<&str>, data: Option<&str>) -> Result<Vec<Flow>, LineageError> {
    let (Some(model), Some(version)) = (model, version) else { return Ok(Vec::new()) };
    let node = versioned(NodeKind::Version, model, version)?;
    let mut flows = vec![(node.clone(), Node::new(NodeKind::Model, model)?, EdgeKind::Part)];
    if let Some(data) = data {
        flows.push((dataset_version(model, None, data)?, node, EdgeKind::Trained));
    }
    Ok(flows)
}

fn serving(
    model: Option<&str>,
    version: Option<&str>,
    channel: Option<&str>,
    service: Option<&str>,
) -> Result<Vec<Flow>, LineageError> {
    let Some(model) = model else { return Ok(Vec::new()) };
    let node = Node::new(NodeKind::Model, model)?;
    let mut flows = Vec::new();
    if let Some(version) = version {
        flows.push((versioned(NodeKind::Version, model, version)?, node.clone(), EdgeKind::Part));
    }
    if let Some(channel) = channel {
        flows.push((Node::new(NodeKind::Channel, channel)?, node.clone(), EdgeKind::Read));
    }
    if let Some(service) = service {
        flows.push((node, Node::new(NodeKind::Endpoint, service)?, EdgeKind::Serves));
    }
    Ok(flows)
}
