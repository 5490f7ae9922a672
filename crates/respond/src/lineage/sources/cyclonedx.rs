//! Reads a CycloneDX bill of materials (JSON, 1.5 or later) with models in it.
//!
//! A component of type `machine-learning-model` is a version of a model; datasets of its card, ancestors of its
//! pedigree and what the bill's dependencies name flow into it. A bill says that something is so and not when: its
//! edges are used from its timestamp on, or always where it has none.

use std::collections::BTreeMap;

use serde::Deserialize;
use wardline_domain::Timestamp;

use super::text::{Format, versioned};
use crate::lineage::{Edge, EdgeKind, Lineage, LineageError, Node, NodeKind, Uses};

const FORMAT: Format = Format { name: "CycloneDX", expected: "a bill of materials in JSON, version 1.5 or later" };
/// Deepest nesting of components and ancestors.
const MAX_DEPTH: usize = 32;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    timestamp: Option<Timestamp>,
    component: Option<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    name: Option<String>,
    #[serde(default)]
    version: String,
    #[serde(default)]
    model_card: ModelCard,
    #[serde(default)]
    pedigree: Pedigree,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelCard {
    #[serde(default)]
    model_parameters: ModelParameters,
}

#[derive(Default, Deserialize)]
struct ModelParameters {
    #[serde(default)]
    datasets: Vec<DatasetChoice>,
}

/// A dataset is written out, or named by the reference of a component.
#[derive(Deserialize)]
struct DatasetChoice {
    #[serde(rename = "ref")]
    reference: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Pedigree {
    #[serde(default)]
    ancestors: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// A graph of the bill: datasets, versions of models, and models.
///
/// # Errors
/// [`LineageError`], which says what is wrong where.
pub fn cyclonedx(bytes: &[u8]) -> Result<Lineage, LineageError> {
    let bill: Bill = FORMAT.document(bytes)?;
    if bill.bom_format.as_deref() != Some("CycloneDX") {
        return Err(FORMAT.not_read("`bomFormat` is not `CycloneDX`"));
    }
    let uses =
        bill.metadata.timestamp.map_or_else(Uses::always, |time| Uses::between(time, Timestamp::from_micros(i64::MAX)));
    let mut reader = Reader { graph: Lineage::default(), references: BTreeMap::new(), uses };
    let components = || bill.metadata.component.iter().chain(&bill.components);
    for component in components() {
        reader.name(component, 0)?;
    }
    for component in components() {
        reader.connect(component, 0)?;
    }
    for dependency in &bill.dependencies {
        reader.depend(dependency)?;
    }
    Ok(reader.graph)
}

struct Reader {
    graph: Lineage,
    references: BTreeMap<String, Node>,
    uses: Uses,
}

impl Reader {
    /// Makes nodes of components, so that references in any order find them.
    fn name(&mut self, component: &Component, depth: usize) -> Result<(), LineageError> {
        check_depth(depth)?;
        let node = self.node(component)?;
        if let (Some(node), Some(reference)) = (node, component.reference.clone()) {
            self.references.insert(reference, node);
        }
        component.components.iter().try_for_each(|inner| self.name(inner, depth + 1))
    }

    /// The node of a component; nothing where it is neither a model nor data.
    fn node(&mut self, component: &Component) -> Result<Option<Node>, LineageError> {
        let kind = match component.kind.as_str() {
            "machine-learning-model" => NodeKind::Version,
            "data" => NodeKind::Dataset,
            _ => return Ok(None),
        };
        let name = component.name.as_deref();
        let name = name.ok_or_else(|| FORMAT.missing(format!("a component of type {}", component.kind), "name"))?;
        let node = versioned(kind, name, &component.version)?;
        self.graph.add_node(node.clone())?;
        if kind == NodeKind::Version {
            self.flow(node.clone(), Node::new(NodeKind::Model, name)?, EdgeKind::Part)?;
        }
        Ok(Some(node))
    }

    fn connect(&mut self, component: &Component, depth: usize) -> Result<(), LineageError> {
        check_depth(depth)?;
        if let Some(node) = self.node(component)? {
            for dataset in &component.model_card.model_parameters.datasets {
                let source = match (&dataset.reference, &dataset.name) {
                    (Some(reference), _) => match self.references.get(reference) {
                        Some(node) => node.clone(),
                        None => Node::new(NodeKind::Dataset, reference.clone())?,
                    },
                    (None, Some(name)) => Node::new(NodeKind::Dataset, name.clone())?,
                    (None, None) => return Err(FORMAT.missing(format!("a dataset of {node}"), "name")),
                };
                self.flow(source, node.clone(), EdgeKind::Trained)?;
            }
            for ancestor in &component.pedigree.ancestors {
                self.connect(ancestor, depth + 1)?;
                if let Some(source) = self.node(ancestor)? {
                    self.flow(source, node.clone(), EdgeKind::Derived)?;
                }
            }
        }
        component.components.iter().try_for_each(|inner| self.connect(inner, depth + 1))
    }

    fn depend(&mut self, dependency: &Dependency) -> Result<(), LineageError> {
        let Some(target) = self.references.get(&dependency.reference).cloned() else { return Ok(()) };
        for reference in &dependency.depends_on {
            if let Some(source) = self.references.get(reference).cloned() {
                self.flow(source, target.clone(), EdgeKind::Derived)?;
            }
        }
        Ok(())
    }

    fn flow(&mut self, from: Node, to: Node, kind: EdgeKind) -> Result<(), LineageError> {
        self.graph.add_edge(from, to, Edge::new(kind, self.uses.clone()))
    }
}

fn check_depth(depth: usize) -> Result<(), LineageError> {
    if MAX_DEPTH < depth {
        return Err(FORMAT.not_read(format!("components lie more than {MAX_DEPTH} deep in each other")));
    }
    Ok(())
}
