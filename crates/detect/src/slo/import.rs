//! Objectives from the files of OpenSLO, Sloth and Pyrra.

use std::{cell::RefCell, rc::Rc};

use wardline_domain::Slo;

use super::{
    document::{Node, Problems, SloFileProblem, objects},
    openslo_import, pyrra_import, sloth_import,
};

/// What came of reading files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportedSlos {
    /// The objectives that could be read.
    pub slos: Vec<Slo>,
    /// What could not.
    pub problems: Vec<SloFileProblem>,
    /// What was left out or taken for granted.
    pub notes: Vec<SloFileProblem>,
}

/// Reads files of OpenSLO v1 and v1alpha, of Sloth and of Pyrra, as pairs of a name and a text. Objects may refer to each
/// other across documents and files.
pub fn import(files: &[(&str, &str)]) -> ImportedSlos {
    let problems: Problems = Rc::new(RefCell::new(Vec::new()));
    let mut all = Vec::new();
    for (name, text) in files {
        let found = objects(name, text, &problems);
        if found.is_empty() && problems.borrow().iter().all(|problem| problem.file != *name) {
            problems.borrow_mut().push(nothing_in(name));
        }
        all.extend(found);
    }
    let mut imported = ImportedSlos::default();
    let mut open_slo = Vec::new();
    for object in all {
        let version = object.get("apiVersion").text().unwrap_or_default();
        match version.as_str() {
            "openslo/v1" | "openslo/v1alpha" => open_slo.push(object),
            "pyrra.dev/v1alpha1" => pyrra_import::import(&object, &mut imported),
            "sloth.slok.dev/v1" => sloth_import::import(&object.get("spec"), &mut imported),
            "" if object.get("version").is_there() => sloth_import::import_file(&object, &mut imported),
            other => refuse(&object, other),
        }
    }
    openslo_import::import(&open_slo, &mut imported);
    imported.problems = problems.take();
    tell_doubles(&mut imported);
    imported
}

fn nothing_in(file: &str) -> SloFileProblem {
    SloFileProblem {
        file: file.to_owned(),
        line: None,
        path: String::new(),
        what: "holds no document".to_owned(),
        hint: "name a YAML file of OpenSLO, Sloth or Pyrra".to_owned(),
    }
}

fn refuse(object: &Node, version: &str) {
    match version {
        "" => object.get("apiVersion").problem(
            "is missing",
            "OpenSLO writes `apiVersion: openslo/v1`, Sloth `version: prometheus/v1`, Pyrra `apiVersion: pyrra.dev/v1alpha1`",
        ),
        version if version.starts_with("monitoring.coreos.com/") => object.problem(
            "is a set of generated rules, from which objectives cannot be read back",
            "import the file that the rules were generated from",
        ),
        version => object.get("apiVersion").problem(
            &format!("is `{version}`, which is not known"),
            "write openslo/v1, openslo/v1alpha, sloth.slok.dev/v1 or pyrra.dev/v1alpha1",
        ),
    }
}

/// Two objectives of one name in a service would be counted as one.
fn tell_doubles(imported: &mut ImportedSlos) {
    let mut seen = std::collections::BTreeSet::new();
    let slos = std::mem::take(&mut imported.slos);
    for slo in slos {
        if seen.insert((slo.service.clone(), slo.name.clone())) {
            imported.slos.push(slo);
        } else {
            imported.problems.push(SloFileProblem {
                file: "the files together".to_owned(),
                line: None,
                path: format!("{}/{}", slo.service, slo.name),
                what: "is there twice".to_owned(),
                hint: "give each objective of a service its own name".to_owned(),
            });
        }
    }
}

/// The target as a share, of a number that may be a percentage; problems are noted.
pub(super) fn target(node: &Node, is_percent: bool) -> Option<f64> {
    if !node.is_there() {
        node.problem(
            "is missing",
            if is_percent { "write a percentage such as 99.9" } else { "write a share such as 0.999" },
        );
        return None;
    }
    let number = node.number()?;
    // Digits as written: 99.99 / 100 is not 0.9999 in binary.
    let share = if is_percent { format!("{number}e-2").parse().unwrap_or(number / 100.0) } else { number };
    if 0.0 < share && share < 1.0 {
        return Some(share);
    }
    let hint =
        if is_percent { "write a percentage such as 99.9" } else { "write a share such as 0.999, not a percentage" };
    node.problem(&format!("is {number}, and must be more than nothing and less than everything"), hint);
    None
}

/// A budget's window in whole days.
pub(super) fn days(node: &Node, text: &str) -> Option<u32> {
    use wardline_domain::Timestamp;
    let span = super::duration::parse(text);
    match span {
        Some(span) if span % Timestamp::DAY == 0 && span <= 366 * Timestamp::DAY => {
            Some((span / Timestamp::DAY) as u32)
        }
        Some(_) => {
            node.problem(&format!("is {text}, and must be whole days, at most 366"), "write 7d, 4w or 30d");
            None
        }
        None => {
            node.problem(&format!("is `{text}`, which is no length of time"), "write 7d, 4w or 30d");
            None
        }
    }
}
