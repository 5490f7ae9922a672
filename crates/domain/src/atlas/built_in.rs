//! The facts that are built in, from tab-separated files.

use super::{Atlas, Mitigation, Tactic, Technique};

const VERSION: &str = "5.6.0";
const TACTICS: &str = include_str!("data/tactics.tsv");
const TECHNIQUES: &str = include_str!("data/techniques.tsv");
const MITIGATIONS: &str = include_str!("data/mitigations.tsv");

/// Rows of a file: neither its notes nor its heading.
pub(super) fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .skip(1)
        .map(|line| line.split('\t').collect())
}

pub(super) fn list(text: Option<&&str>) -> Vec<String> {
    text.into_iter().flat_map(|text| text.split(',')).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

pub(super) fn read() -> Atlas {
    let text = |row: &[&str], place: usize| row.get(place).copied().unwrap_or_default().to_owned();
    let tactics = rows(TACTICS).map(|row| Tactic { id: text(&row, 0), name: text(&row, 1) }).collect();
    let mut techniques: Vec<Technique> = rows(TECHNIQUES)
        .map(|row| Technique {
            id: text(&row, 0),
            name: text(&row, 1),
            tactics: list(row.get(2)),
            parent: row.get(3).filter(|parent| !parent.is_empty()).map(|parent| (*parent).to_owned()),
        })
        .collect();
    techniques.sort_by(|left, right| left.id.cmp(&right.id));
    let mitigations = rows(MITIGATIONS)
        .map(|row| Mitigation { id: text(&row, 0), name: text(&row, 1), techniques: list(row.get(2)) })
        .collect();
    Atlas { version: VERSION.to_owned(), tactics, techniques, mitigations }
}
