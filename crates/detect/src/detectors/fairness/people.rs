//! Who was decided how, by version and group.

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, ModelSettings, TextColumn, Timestamp, column};

use crate::detectors::EventRows;

/// Most protected attributes, and values of one; people of further ones are left out.
const MOST_ATTRIBUTES: usize = 6;
const MOST_VALUES: usize = 24;
/// Most pairs of attributes that are crossed, and groups of one pair.
const MOST_CROSSED: usize = 3;
const MOST_CELLS: usize = 96;
/// Most versions; the oldest that served least goes first.
const MOST_VERSIONS: usize = 16;
/// Decisions that are told apart; the last stands for all others.
pub(super) const MOST_DECISIONS: usize = 8;

/// A protected attribute, or two of them crossed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Dimension {
    /// Columns: one, or two.
    pub(super) columns: Vec<String>,
    /// Places of the crossed attributes.
    crossed: Option<(usize, usize)>,
    /// Values by cell; of a crossed one the two values' places.
    values: Vec<String>,
    pairs: Vec<(u8, u8)>,
}

impl Dimension {
    pub(super) const fn is_crossed(&self) -> bool {
        self.crossed.is_some()
    }

    pub(super) const fn cells(&self) -> usize {
        if self.crossed.is_some() { self.pairs.len() } else { self.values.len() }
    }
}

/// Decisions by cell of one dimension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts(Vec<[u32; MOST_DECISIONS]>);

impl Counts {
    fn count(&mut self, cell: usize, decision: usize) {
        if self.0.len() <= cell {
            self.0.resize(cell + 1, [0; MOST_DECISIONS]);
        }
        self.0[cell][decision] = self.0[cell][decision].saturating_add(1);
    }

    /// People of a cell, and those of them with the decision.
    pub(super) fn of(&self, cell: usize, decision: usize) -> (u64, u64) {
        let counts = self.0.get(cell).copied().unwrap_or_default();
        (counts.iter().map(|n| u64::from(*n)).sum(), u64::from(counts[decision]))
    }

    /// The same of everyone else.
    pub(super) fn of_others(&self, cell: usize, decision: usize) -> (u64, u64) {
        let others = (0..self.0.len()).filter(|other| *other != cell).map(|other| self.of(other, decision));
        others.fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1))
    }

    fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), [0; MOST_DECISIONS]);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            mine.iter_mut().zip(theirs).for_each(|(sum, n)| *sum = sum.saturating_add(*n));
        }
    }
}

/// The people that a version decided on, by dimension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct VersionPeople {
    pub(super) name: String,
    pub(super) first: Timestamp,
    pub(super) people: u64,
    /// While the model's normal was learned, since then, and of that in the week that is open.
    learned: Vec<Counts>,
    since: Vec<Counts>,
    week: Vec<Counts>,
}

/// Which of a version's people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    Learned,
    Week,
    All,
}

impl VersionPeople {
    pub(super) fn counts(&self, dimension: usize, stretch: Stretch) -> Counts {
        let of = |counts: &[Counts]| counts.get(dimension).cloned().unwrap_or_default();
        match stretch {
            Stretch::Learned => of(&self.learned),
            Stretch::Week => of(&self.week),
            Stretch::All => {
                let mut all = of(&self.learned);
                all.add(&of(&self.since));
                all
            }
        }
    }

    pub(super) fn end_week(&mut self) {
        self.week.clear();
    }
}

/// All counts of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct People {
    pub(super) dimensions: Vec<Dimension>,
    /// In the order in which they first served.
    pub(super) versions: Vec<VersionPeople>,
    /// Decisions by code; with a favourable one, that is the first and all others the second.
    pub(super) decisions: Vec<String>,
}

impl People {
    /// Counts the people of some rows.
    pub(super) fn observe(
        &mut self,
        rows: &EventRows<'_, '_>,
        settings: &ModelSettings,
        is_learning: bool,
        now: Timestamp,
    ) {
        let Some(decisions) = rows.batch.text("decision") else { return };
        self.discover(rows.batch, settings);
        let columns: Vec<Option<TextColumn<'_>>> = self
            .dimensions
            .iter()
            .map(|dimension| if dimension.is_crossed() { None } else { rows.batch.text(&dimension.columns[0]) })
            .collect();
        if columns.iter().all(Option::is_none) {
            return;
        }
        let versions = rows.batch.text(column::VERSION);
        let mut cells = vec![None; columns.len()];
        for row in rows.range.clone() {
            let Some(decision) = decisions.get(row) else { continue };
            let decision = self.decision(decision, settings.favourable_decision.as_deref());
            for (place, text) in columns.iter().enumerate() {
                cells[place] = text.and_then(|text| text.get(row)).and_then(|value| self.cell(place, value));
            }
            self.cross(&mut cells);
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let version = versions.and_then(|versions| versions.get(row)).unwrap_or_default();
            let Some(version) = self.version(version, now) else { continue };
            let people = &mut self.versions[version];
            people.people += 1;
            for (place, cell) in cells.iter().enumerate() {
                let Some(cell) = *cell else { continue };
                let counted: [Option<&mut Vec<Counts>>; 2] = if is_learning {
                    [Some(&mut people.learned), None]
                } else {
                    [Some(&mut people.since), Some(&mut people.week)]
                };
                for counts in counted.into_iter().flatten() {
                    if counts.len() <= place {
                        counts.resize(place + 1, Counts::default());
                    }
                    counts[place].count(cell, decision);
                }
            }
        }
    }

    /// Protected attributes that the settings name, or all groups that events name.
    fn discover(&mut self, batch: &EventBatch, settings: &ModelSettings) {
        let known = |name: &str, people: &Self| people.dimensions.iter().any(|dimension| dimension.columns == [name]);
        let mut found: Vec<String> = Vec::new();
        if settings.protected.is_empty() {
            let groups = batch.prefixed(column::GROUP_PREFIX);
            found.extend(
                groups.map(|(name, _)| format!("{}{name}", column::GROUP_PREFIX)).filter(|name| !known(name, self)),
            );
        } else {
            for name in &settings.protected {
                let prefixes = [column::GROUP_PREFIX, column::ATTRIBUTE_PREFIX, column::FEATURE_PREFIX];
                let columns = prefixes.map(|prefix| format!("{prefix}{name}"));
                if !columns.iter().any(|name| known(name, self)) {
                    found.extend(columns.into_iter().find(|name| batch.text(name).is_some()));
                }
            }
        }
        for name in found {
            self.add_attribute(name);
        }
    }

    fn add_attribute(&mut self, name: String) {
        let singles: Vec<usize> =
            (0..self.dimensions.len()).filter(|place| !self.dimensions[*place].is_crossed()).collect();
        if singles.len() >= MOST_ATTRIBUTES {
            return;
        }
        let dimension =
            |columns: Vec<String>, crossed| Dimension { columns, crossed, values: Vec::new(), pairs: Vec::new() };
        let place = self.dimensions.len();
        self.dimensions.push(dimension(vec![name.clone()], None));
        for other in singles {
            if self.dimensions.iter().filter(|dimension| dimension.is_crossed()).count() < MOST_CROSSED {
                let columns = vec![self.dimensions[other].columns[0].clone(), name.clone()];
                self.dimensions.push(dimension(columns, Some((other, place))));
            }
        }
    }

    fn decision(&mut self, decision: &str, favourable: Option<&str>) -> usize {
        if let Some(favourable) = favourable {
            return usize::from(decision != favourable);
        }
        if let Some(code) = self.decisions.iter().position(|known| known == decision) {
            return code;
        }
        if self.decisions.len() < MOST_DECISIONS - 1 {
            self.decisions.push(decision.to_owned());
            return self.decisions.len() - 1;
        }
        MOST_DECISIONS - 1
    }

    fn cell(&mut self, place: usize, value: &str) -> Option<usize> {
        let values = &mut self.dimensions[place].values;
        if let Some(cell) = values.iter().position(|known| known == value) {
            return Some(cell);
        }
        if values.len() >= MOST_VALUES {
            return None;
        }
        values.push(value.to_owned());
        Some(values.len() - 1)
    }

    fn cross(&mut self, cells: &mut [Option<usize>]) {
        for (place, dimension) in self.dimensions.iter_mut().enumerate() {
            let Some((a, b)) = dimension.crossed else { continue };
            cells[place] = cells[a].zip(cells[b]).and_then(|(a, b)| {
                let pair = (a as u8, b as u8);
                if let Some(cell) = dimension.pairs.iter().position(|known| *known == pair) {
                    return Some(cell);
                }
                if dimension.pairs.len() >= MOST_CELLS {
                    return None;
                }
                dimension.pairs.push(pair);
                Some(dimension.pairs.len() - 1)
            });
        }
    }

    fn version(&mut self, name: &str, now: Timestamp) -> Option<usize> {
        // Nearly always the latest.
        if let Some(place) = self.versions.iter().rposition(|known| known.name == name) {
            return Some(place);
        }
        if self.versions.len() >= MOST_VERSIONS {
            let least = (0..self.versions.len() - 1).min_by_key(|place| (self.versions[*place].people, *place))?;
            self.versions.remove(least);
        }
        self.versions.push(VersionPeople { name: name.to_owned(), first: now, ..VersionPeople::default() });
        Some(self.versions.len() - 1)
    }

    /// A group as conditions: `group_sex` is `Female`.
    pub(super) fn conditions(&self, dimension: usize, cell: usize) -> Vec<(String, String)> {
        let of = &self.dimensions[dimension];
        let name = |column: &str| column.strip_prefix(column::ATTRIBUTE_PREFIX).unwrap_or(column).to_owned();
        match (of.crossed, of.pairs.get(cell)) {
            (Some((a, b)), Some(&(x, y))) => {
                [(a, x), (b, y)].iter().flat_map(|&(place, value)| self.conditions(place, usize::from(value))).collect()
            }
            _ => vec![(name(&of.columns[0]), of.values.get(cell).cloned().unwrap_or_default())],
        }
    }
}
