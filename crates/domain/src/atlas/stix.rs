//! A STIX 2.x bundle of ATLAS, as the navigator's data has it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    AtlasError, Mitigation, Tactic, Technique,
    bounded::{Bounded, Short},
    read::Facts,
    yaml::short,
};

/// What ATLAS calls itself in references and kill chains.
const SOURCE: &str = "mitre-atlas";

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "type")]
    kind: Short,
    #[serde(default)]
    objects: Bounded<Object, 50_000>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: Short,
    #[serde(default)]
    id: Short,
    #[serde(default)]
    name: Option<Short>,
    #[serde(default)]
    external_references: Bounded<Reference, 200>,
    #[serde(default)]
    kill_chain_phases: Bounded<Phase, 50>,
    #[serde(default)]
    x_mitre_shortname: Option<Short>,
    #[serde(default)]
    x_mitre_version: Option<Short>,
    #[serde(default)]
    tactic_refs: Bounded<Short, 200>,
    #[serde(default)]
    relationship_type: Option<Short>,
    #[serde(default)]
    source_ref: Option<Short>,
    #[serde(default)]
    target_ref: Option<Short>,
    #[serde(default)]
    revoked: bool,
    #[serde(default)]
    x_mitre_deprecated: bool,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    source_name: Option<Short>,
    #[serde(default)]
    external_id: Option<Short>,
}

#[derive(Deserialize)]
struct Phase {
    kill_chain_name: Short,
    phase_name: Short,
}

impl Object {
    /// Its ATLAS id. A bundle may hold objects of ATT&CK as well, which have none.
    fn atlas_id(&self) -> Option<&str> {
        let is_ours = |reference: &&Reference| reference.source_name.as_ref().is_some_and(|name| name.0 == SOURCE);
        self.external_references.0.iter().find(is_ours)?.external_id.as_ref().map(|id| id.0.as_str())
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.0 == kind && !self.revoked && !self.x_mitre_deprecated
    }

    fn name(&self) -> String {
        self.name.clone().unwrap_or_default().0
    }
}

pub(super) fn read(text: &str) -> Result<Facts, AtlasError> {
    let bundle: Bundle = serde_json::from_str(text).map_err(|error| AtlasError::Stix { message: short(&error) })?;
    if bundle.kind.0 != "bundle" {
        return Err(AtlasError::Stix { message: format!("its type is `{}`, not `bundle`", bundle.kind.0) });
    }
    let objects = bundle.objects.0;
    let of_kind = |kind: &'static str| {
        objects.iter().filter(move |object| object.is(kind)).filter_map(|object| Some((object.atlas_id()?, object)))
    };
    let atlas_ids: BTreeMap<&str, &str> = ["attack-pattern", "course-of-action"]
        .into_iter()
        .flat_map(of_kind)
        .map(|(atlas, object)| (object.id.0.as_str(), atlas))
        .collect();
    let links = |kind: &'static str| {
        let atlas_ids = &atlas_ids;
        objects.iter().filter(|object| object.is("relationship")).filter_map(move |object| {
            let is_it = object.relationship_type.as_ref().is_some_and(|name| name.0 == kind);
            let of = |reference: &Option<Short>| atlas_ids.get(reference.as_ref()?.0.as_str()).copied();
            is_it.then(|| Some((of(&object.source_ref)?, of(&object.target_ref)?))).flatten()
        })
    };
    let parents: BTreeMap<&str, &str> = links("subtechnique-of").collect();
    let mut helps: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (mitigation, technique) in links("mitigates") {
        helps.entry(mitigation).or_default().push(technique.to_owned());
    }
    let tactics = tactics(&objects);
    let tactic_ids = tactics.iter().map(|(short_name, tactic)| (short_name.as_str(), tactic.id.as_str())).collect();
    let techniques: Vec<Technique> =
        of_kind("attack-pattern").map(|(id, object)| technique(id, object, &parents, &tactic_ids)).collect();
    let mitigations = of_kind("course-of-action").map(|(id, object)| Mitigation {
        id: id.to_owned(),
        name: object.name(),
        techniques: helps.get(id).cloned().unwrap_or_default(),
    });
    Ok(Facts {
        version: version(&objects),
        techniques,
        mitigations: mitigations.collect(),
        tactics: tactics.into_iter().map(|(_, tactic)| tactic).collect(),
    })
}

/// Tactics with the names that kill chains know them by, in the order of the matrix.
fn tactics(objects: &[Object]) -> Vec<(String, Tactic)> {
    let order: BTreeMap<&str, usize> = objects
        .iter()
        .filter(|object| object.is("x-mitre-matrix"))
        .flat_map(|matrix| matrix.tactic_refs.0.iter().map(|reference| reference.0.as_str()))
        .zip(0..)
        .collect();
    let mut placed: Vec<(usize, String, Tactic)> = objects
        .iter()
        .filter(|object| object.is("x-mitre-tactic"))
        .filter_map(|object| {
            let tactic = Tactic { id: object.atlas_id()?.to_owned(), name: object.name() };
            let short_name = object.x_mitre_shortname.clone().map_or_else(|| tactic.short_name(), |name| name.0);
            let place = order.get(object.id.0.as_str()).copied().unwrap_or(usize::MAX);
            Some((place, short_name, tactic))
        })
        .collect();
    placed.sort_by_key(|(place, _, _)| *place);
    placed.into_iter().map(|(_, short_name, tactic)| (short_name, tactic)).collect()
}

fn technique(
    id: &str,
    object: &Object,
    parents: &BTreeMap<&str, &str>,
    tactic_ids: &BTreeMap<&str, &str>,
) -> Technique {
    let phases = object.kill_chain_phases.0.iter().filter(|phase| phase.kill_chain_name.0 == SOURCE);
    // A phase without its tactic keeps its name, so that the check can say what is missing.
    let tactic_of = |phase: &Phase| {
        let name = phase.phase_name.0.as_str();
        tactic_ids.get(name).copied().unwrap_or(name).to_owned()
    };
    // Older bundles have no relationship of a sub-technique, whose id says it all the same.
    let by_id = || id.rsplit_once('.').filter(|(parent, _)| parent.contains('.')).map(|(parent, _)| parent.to_owned());
    Technique {
        id: id.to_owned(),
        name: object.name(),
        tactics: phases.map(tactic_of).collect(),
        parent: parents.get(id).map(|parent| (*parent).to_owned()).or_else(by_id),
    }
}

/// The release, from the collection or from the matrix, which is called `ATLAS 5.6.0`.
fn version(objects: &[Object]) -> String {
    let of = |kind: &str| objects.iter().find(|object| object.is(kind));
    let collection =
        of("x-mitre-collection").and_then(|object| object.x_mitre_version.clone()).map(|version| version.0);
    let matrix = || {
        let name = of("x-mitre-matrix")?.name();
        name.split(' ').find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
    };
    collection.or_else(matrix).unwrap_or_default()
}
