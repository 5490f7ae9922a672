//! Reads OpenLineage events: one, a list, or one a line.
//!
//! A run event says which datasets a job read and wrote, and when. The facet of column lineage gives the columns.
//! Facets that are not known are left alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use wardline_domain::Timestamp;

use super::text::{Format, spaced};
use crate::lineage::{Edge, EdgeKind, Lineage, LineageError, Node, NodeKind, Uses};

const FORMAT: Format = Format { name: "OpenLineage", expected: "one run event, a JSON list of them, or one a line" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunEvent {
    event_time: Option<Timestamp>,
    event_type: Option<String>,
    job: Option<Named>,
    #[serde(default)]
    inputs: Vec<Dataset>,
    #[serde(default)]
    outputs: Vec<Dataset>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    namespace: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Dataset {
    #[serde(flatten)]
    named: Named,
    #[serde(default)]
    facets: Facets,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facets {
    column_lineage: Option<ColumnLineage>,
}

#[derive(Deserialize)]
struct ColumnLineage {
    #[serde(default)]
    fields: BTreeMap<String, Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Column {
    #[serde(default)]
    input_fields: Vec<InputField>,
}

#[derive(Deserialize)]
struct InputField {
    #[serde(flatten)]
    named: Named,
    field: Option<String>,
}

/// A graph of the events: datasets, jobs, and columns where a facet tells them.
///
/// # Errors
/// [`LineageError`], which says what is wrong where.
pub fn openlineage(bytes: &[u8]) -> Result<Lineage, LineageError> {
    let mut graph = Lineage::default();
    for (number, event) in FORMAT.documents::<RunEvent>(bytes)?.iter().enumerate() {
        let place = format!("event {}", number + 1);
        let job = event.job.as_ref().ok_or_else(|| FORMAT.missing(&place, "job"))?;
        let job = node(NodeKind::Job, job, &place)?;
        let time = event.event_time.ok_or_else(|| FORMAT.missing(&place, "eventTime"))?;
        // A run that failed or was called off may have read, and has written nothing that anybody should use.
        let wrote = !matches!(event.event_type.as_deref(), Some("FAIL" | "ABORT"));
        graph.add_node(job.clone())?;
        for input in &event.inputs {
            let dataset = node(NodeKind::Dataset, &input.named, &place)?;
            graph.add_edge(dataset, job.clone(), Edge::new(EdgeKind::Read, Uses::at(time)))?;
        }
        for output in event.outputs.iter().filter(|_| wrote) {
            let dataset = node(NodeKind::Dataset, &output.named, &place)?;
            graph.add_edge(job.clone(), dataset.clone(), Edge::new(EdgeKind::Written, Uses::at(time)))?;
            add_columns(&mut graph, &dataset, output, time, &place)?;
        }
    }
    Ok(graph)
}

fn add_columns(
    graph: &mut Lineage,
    dataset: &Node,
    output: &Dataset,
    time: Timestamp,
    place: &str,
) -> Result<(), LineageError> {
    let Some(columns) = &output.facets.column_lineage else { return Ok(()) };
    let used = |kind| Edge::new(kind, Uses::at(time));
    for (name, column) in &columns.fields {
        let target = Node::new(NodeKind::Feature, format!("{}#{name}", dataset.name))?;
        graph.add_edge(dataset.clone(), target.clone(), used(EdgeKind::Part))?;
        for input in &column.input_fields {
            let source = node(NodeKind::Dataset, &input.named, place)?;
            let field = input.field.as_deref().ok_or_else(|| FORMAT.missing(place, "inputFields.field"))?;
            let column = Node::new(NodeKind::Feature, format!("{}#{field}", source.name))?;
            graph.add_edge(source, column.clone(), used(EdgeKind::Part))?;
            graph.add_edge(column, target.clone(), used(EdgeKind::Derived))?;
        }
    }
    Ok(())
}

fn node(kind: NodeKind, named: &Named, place: &str) -> Result<Node, LineageError> {
    let name = named.name.as_deref().ok_or_else(|| FORMAT.missing(place, "name"))?;
    spaced(kind, &named.namespace, name)
}
