//! `ATLAS.yaml` of a release.

use serde::Deserialize;

use super::{
    AtlasError, Mitigation, Tactic, Technique,
    bounded::{Bounded, Link, Short},
    read::Facts,
};

/// The document; before matrices there were, their lists stood at its top.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    version: Option<Short>,
    #[serde(default, rename = "format-version")]
    format_version: Option<Short>,
    #[serde(default)]
    matrices: Option<Bounded<Lists, 4>>,
    #[serde(default)]
    tactics: Bounded<WrittenTactic, 200>,
    #[serde(default)]
    techniques: Bounded<WrittenTechnique, 5_000>,
    #[serde(default)]
    mitigations: Bounded<WrittenMitigation, 500>,
}

#[derive(Default, Deserialize)]
struct Lists {
    #[serde(default)]
    tactics: Bounded<WrittenTactic, 200>,
    #[serde(default)]
    techniques: Bounded<WrittenTechnique, 5_000>,
    #[serde(default)]
    mitigations: Bounded<WrittenMitigation, 500>,
}

#[derive(Deserialize)]
struct WrittenTactic {
    id: Short,
    name: Short,
}

#[derive(Deserialize)]
struct WrittenTechnique {
    id: Short,
    name: Short,
    #[serde(default)]
    tactics: Bounded<Short, 50>,
    #[serde(default, rename = "subtechnique-of")]
    parent: Option<Short>,
}

#[derive(Deserialize)]
struct WrittenMitigation {
    id: Short,
    name: Short,
    #[serde(default)]
    techniques: Bounded<Link, 500>,
    /// Stages, among which one release has links by mistake.
    #[serde(default, rename = "ml-lifecycle")]
    stages: Bounded<Link, 500>,
}

/// Lists within lists; a release has six.
const MOST_LEVELS: usize = 500;

/// Whether lists nest so deep that the reader, whose time grows with the square of that, would take for ever.
/// Brackets within texts count as well, and a few of those without a partner do no harm.
fn nests_too_deep(text: &str) -> bool {
    let mut brackets = 0usize;
    text.lines().any(|line| {
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => brackets += 1,
                b']' | b'}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if MOST_LEVELS < brackets {
                return true;
            }
        }
        let marks =
            line.split(' ').take_while(|part| matches!(*part, "" | "-" | "?" | ":")).filter(|part| !part.is_empty());
        MOST_LEVELS < marks.count()
    })
}

pub(super) fn read(text: &str) -> Result<Facts, AtlasError> {
    if nests_too_deep(text) {
        return Err(AtlasError::Yaml { message: format!("its lists nest deeper than {MOST_LEVELS} levels") });
    }
    let document: Document = yaml_serde::from_str(text).map_err(|error| AtlasError::Yaml { message: short(&error) })?;
    if let Some(version) = document.format_version {
        return Err(AtlasError::Format { version: version.0 });
    }
    let top = Lists { tactics: document.tactics, techniques: document.techniques, mitigations: document.mitigations };
    let mut facts = Facts { version: document.version.unwrap_or_default().0, ..Facts::default() };
    for lists in document.matrices.unwrap_or_default().0.into_iter().chain([top]) {
        facts
            .tactics
            .extend(lists.tactics.0.into_iter().map(|written| Tactic { id: written.id.0, name: written.name.0 }));
        facts.techniques.extend(lists.techniques.0.into_iter().map(technique));
        facts.mitigations.extend(lists.mitigations.0.into_iter().map(mitigation));
    }
    Ok(facts)
}

fn technique(written: WrittenTechnique) -> Technique {
    Technique {
        id: written.id.0,
        name: written.name.0,
        tactics: written.tactics.0.into_iter().map(|tactic| tactic.0).collect(),
        parent: written.parent.map(|parent| parent.0),
    }
}

fn mitigation(written: WrittenMitigation) -> Mitigation {
    let linked = written.techniques.0.into_iter().filter_map(|link| match link {
        Link::Text(id) | Link::Object(id) => Some(id),
        Link::Other => None,
    });
    let misplaced = written.stages.0.into_iter().filter_map(|link| match link {
        Link::Object(id) => Some(id),
        Link::Text(_) | Link::Other => None,
    });
    Mitigation { id: written.id.0, name: written.name.0, techniques: linked.chain(misplaced).collect() }
}

/// The message without the text of the file that it may quote.
pub(super) fn short(error: &dyn std::fmt::Display) -> String {
    error.to_string().chars().take(300).collect()
}
