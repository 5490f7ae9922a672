//! Releases from files: which form it is, and whether its facts hold together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Atlas, AtlasError, Mitigation, Tactic, Technique, stix, yaml};

/// Several times the largest release.
const MOST_BYTES: usize = 8 << 20;

/// Facts as a file has them.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) tactics: Vec<Tactic>,
    pub(super) techniques: Vec<Technique>,
    pub(super) mitigations: Vec<Mitigation>,
}

impl Atlas {
    /// Reads a release from the bytes of `ATLAS.yaml` (4.x and 5.x) or of a STIX 2.x bundle (`stix-atlas.json`).
    ///
    /// Descriptions and case studies are not kept. Mitigations may link to techniques of other releases; such
    /// links are left out.
    ///
    /// # Errors
    /// [`AtlasError`] says what is not as in a release.
    pub fn read(bytes: &[u8]) -> Result<Self, AtlasError> {
        if bytes.len() > MOST_BYTES {
            return Err(AtlasError::TooLarge { bytes: bytes.len(), most: MOST_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| AtlasError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let facts = if text.trim_start().starts_with('{') { stix::read(text) } else { yaml::read(text) };
        checked(facts?)
    }
}

/// The catalogue of facts that hold together.
fn checked(facts: Facts) -> Result<Atlas, AtlasError> {
    let Facts { version, tactics, techniques, mitigations } = facts;
    let tactics = each_once(tactics, |tactic| &tactic.id, ids("TA", false, "a tactic", "AML.TA0002"))?;
    let techniques = techniques.into_iter().map(|mut technique| {
        technique.tactics.dedup();
        technique
    });
    let mut techniques =
        each_once(techniques.collect(), |technique| &technique.id, ids("T", true, "a technique", "AML.T0051.000"))?;
    let mut mitigations =
        each_once(mitigations, |mitigation| &mitigation.id, ids("M", false, "a mitigation", "AML.M0015"))?;
    for (what, is_missing) in [("tactic", tactics.is_empty()), ("technique", techniques.is_empty())] {
        if is_missing {
            return Err(AtlasError::Empty { what });
        }
    }
    techniques.sort_by(|left, right| left.id.cmp(&right.id));
    mitigations.sort_by(|left, right| left.id.cmp(&right.id));
    inherit_tactics(&mut techniques)?;
    let known: BTreeSet<&str> = tactics.iter().map(|tactic| tactic.id.as_str()).collect();
    for technique in &techniques {
        if let Some(to) = technique.tactics.iter().find(|tactic| !known.contains(tactic.as_str())) {
            return Err(AtlasError::Unknown { from: technique.id.clone(), to: to.clone() });
        }
    }
    let known: BTreeSet<&str> = techniques.iter().map(|technique| technique.id.as_str()).collect();
    for mitigation in &mut mitigations {
        let mut seen = BTreeSet::new();
        mitigation.techniques.retain(|id| known.contains(id.as_str()) && seen.insert(id.clone()));
    }
    Ok(Atlas { version, tactics, techniques, mitigations })
}

/// A sub-technique serves what its parent serves; releases write that down once.
fn inherit_tactics(techniques: &mut [Technique]) -> Result<(), AtlasError> {
    let parents: BTreeMap<String, (bool, Vec<String>)> = techniques
        .iter()
        .map(|technique| (technique.id.clone(), (technique.parent.is_some(), technique.tactics.clone())))
        .collect();
    for technique in techniques {
        let Some(parent) = &technique.parent else { continue };
        match parents.get(parent) {
            None => return Err(AtlasError::Unknown { from: technique.id.clone(), to: parent.clone() }),
            Some((true, _)) => {
                return Err(AtlasError::Nested { id: technique.id.clone(), parent: parent.clone() });
            }
            Some((false, tactics)) => technique.tactics.clone_from(tactics),
        }
    }
    Ok(())
}

/// Every object once; a release may be cut together from matrices that share some.
fn each_once<T: PartialEq>(
    objects: Vec<T>,
    id_of: impl Fn(&T) -> &String,
    check: impl Fn(&str) -> Result<(), AtlasError>,
) -> Result<Vec<T>, AtlasError> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<T> = Vec::new();
    for object in objects {
        check(id_of(&object))?;
        match places.get(id_of(&object)) {
            Some(place) if kept.get(*place) == Some(&object) => {}
            Some(_) => return Err(AtlasError::Twice { id: id_of(&object).clone() }),
            None => {
                places.insert(id_of(&object).clone(), kept.len());
                kept.push(object);
            }
        }
    }
    Ok(kept)
}

/// Checks ids: a prefix in capitals (`AML`), the letters of the kind, four digits, and three more of a sub-technique.
fn ids(
    letters: &'static str,
    may_be_sub: bool,
    what: &'static str,
    like: &'static str,
) -> impl Fn(&str) -> Result<(), AtlasError> {
    move |id| {
        if is_id(id, letters, may_be_sub) { Ok(()) } else { Err(AtlasError::Id { id: id.to_owned(), what, like }) }
    }
}

fn is_id(id: &str, letters: &str, may_be_sub: bool) -> bool {
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = id.split('.');
    let prefix = parts.next().is_some_and(|part| {
        part.starts_with(|first: char| first.is_ascii_uppercase())
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    let number = parts.next().and_then(|part| part.strip_prefix(letters)).is_some_and(|number| digits(number, 4));
    let sub = parts.next().is_none_or(|part| may_be_sub && digits(part, 3));
    prefix && number && sub && parts.next().is_none()
}
