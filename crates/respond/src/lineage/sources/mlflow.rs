//! Reads what an MLflow server answers about runs and versions of models.
//!
//! Accepts `runs/get` (`run`), `runs/search` (`runs`), `model-versions/get` (`model_version`), and
//! `model-versions/search` and `registered-models/get-latest-versions` (`model_versions`), one document or one a line.
//! A run is a job that reads its dataset inputs; a version of a model is written by its run.

use serde::Deserialize;
use wardline_domain::Timestamp;

use super::text::{Format, versioned};
use crate::lineage::{Edge, EdgeKind, Lineage, LineageError, Node, NodeFacts, NodeKind, Uses};

const FORMAT: Format =
    Format { name: "MLflow", expected: "an answer of `runs/get`, `runs/search` or `model-versions/search`" };

#[derive(Deserialize)]
struct Answer {
    run: Option<Run>,
    #[serde(default)]
    runs: Vec<Run>,
    model_version: Option<ModelVersion>,
    #[serde(default)]
    model_versions: Vec<ModelVersion>,
}

#[derive(Deserialize)]
struct Run {
    info: Info,
    #[serde(default)]
    inputs: Inputs,
}

#[derive(Deserialize)]
struct Info {
    run_id: Option<String>,
    run_uuid: Option<String>,
    start_time: Option<Moment>,
    end_time: Option<Moment>,
}

#[derive(Default, Deserialize)]
struct Inputs {
    #[serde(default)]
    dataset_inputs: Vec<DatasetInput>,
}

#[derive(Deserialize)]
struct DatasetInput {
    dataset: Dataset,
}

#[derive(Deserialize)]
struct Dataset {
    name: Option<String>,
    digest: Option<String>,
}

#[derive(Deserialize)]
struct ModelVersion {
    name: Option<String>,
    version: Option<Number>,
    run_id: Option<String>,
    creation_timestamp: Option<Moment>,
}

/// Milliseconds, as a number or as text: protocol buffers write long numbers as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Number(i64),
    Text(String),
}

impl Moment {
    fn time(&self) -> Option<Timestamp> {
        let milliseconds = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.parse().ok()?,
        };
        (0 < milliseconds).then(|| Timestamp::from_micros(milliseconds.saturating_mul(1_000)))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i64),
    Text(String),
}

/// A graph of the answers: dataset, run, version of a model, model.
///
/// # Errors
/// [`LineageError`], which says what is wrong where.
pub fn mlflow(bytes: &[u8]) -> Result<Lineage, LineageError> {
    let mut graph = Lineage::default();
    let mut n_read = 0;
    for answer in FORMAT.documents::<Answer>(bytes)? {
        for run in answer.run.iter().chain(&answer.runs) {
            add_run(&mut graph, run)?;
            n_read += 1;
        }
        for version in answer.model_version.iter().chain(&answer.model_versions) {
            add_version(&mut graph, version)?;
            n_read += 1;
        }
    }
    if n_read == 0 {
        return Err(FORMAT.not_read("it holds no run and no version of a model"));
    }
    Ok(graph)
}

fn add_run(graph: &mut Lineage, run: &Run) -> Result<(), LineageError> {
    let id = run.info.run_id.as_ref().or(run.info.run_uuid.as_ref());
    let id = id.ok_or_else(|| FORMAT.missing("a run", "info.run_id"))?;
    let job = Node::new(NodeKind::Job, format!("mlflow/{id}"))?;
    let start = run.info.start_time.as_ref().and_then(Moment::time);
    let start = start.ok_or_else(|| FORMAT.missing(format!("run {id}"), "info.start_time"))?;
    let end = run.info.end_time.as_ref().and_then(Moment::time).unwrap_or(start);
    graph.add_node(job.clone())?;
    for input in &run.inputs.dataset_inputs {
        let name = input.dataset.name.as_deref();
        let name = name.ok_or_else(|| FORMAT.missing(format!("an input of run {id}"), "dataset.name"))?;
        let digest = input.dataset.digest.as_deref().unwrap_or("");
        let dataset = Node::new(NodeKind::Dataset, name)?;
        let content = versioned(NodeKind::Dataset, name, digest)?;
        let uses = Uses::between(start, end);
        if !digest.is_empty() {
            let index = graph.add_node(content.clone())?;
            graph.set_facts(index, NodeFacts { digest: Some(digest.to_owned()), ..NodeFacts::default() });
            graph.add_edge(dataset, content.clone(), Edge::new(EdgeKind::Part, uses.clone()))?;
        }
        graph.add_edge(content, job.clone(), Edge::new(EdgeKind::Read, uses))?;
    }
    Ok(())
}

fn add_version(graph: &mut Lineage, version: &ModelVersion) -> Result<(), LineageError> {
    let name = version.name.as_deref().ok_or_else(|| FORMAT.missing("a version of a model", "name"))?;
    let number = match version.version.as_ref() {
        Some(Number::Number(number)) => number.to_string(),
        Some(Number::Text(text)) => text.clone(),
        None => return Err(FORMAT.missing(format!("a version of {name}"), "version")),
    };
    let created = version.creation_timestamp.as_ref().and_then(Moment::time);
    let created = created.ok_or_else(|| FORMAT.missing(format!("{name}@{number}"), "creation_timestamp"))?;
    let node = versioned(NodeKind::Version, name, &number)?;
    // From then on the model may serve it.
    let serves = Uses::between(created, Timestamp::from_micros(i64::MAX));
    graph.add_edge(node.clone(), Node::new(NodeKind::Model, name)?, Edge::new(EdgeKind::Part, serves))?;
    if let Some(run) = version.run_id.as_deref().filter(|run| !run.is_empty()) {
        let job = Node::new(NodeKind::Job, format!("mlflow/{run}"))?;
        graph.add_edge(job, node, Edge::new(EdgeKind::Written, Uses::at(created)))?;
    }
    Ok(())
}
