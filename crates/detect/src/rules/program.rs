//! All tests of one kind of record, each made once for a batch: once for each value of a dictionary, and
//! once for all rules that share it.

use arrow::array::Array;
use rustc_hash::FxHashMap;
use wardline_domain::{EventBatch, TextColumn};

use super::{
    cells::{self, Cell, Cells},
    condition::{Condition, Rows},
    field::{Field, FieldType},
    predicate::{Compare, Predicate, Test, TimePart},
    text_matcher::TextMatcher,
    text_pattern::{Place, folded},
};

/// The tests of one kind of record.
#[derive(Debug, Default)]
pub(crate) struct Program {
    predicates: FxHashMap<Predicate, u32>,
    fields: Vec<FieldTests>,
    /// Comparisons of two fields.
    same: Vec<(u32, Predicate)>,
}

/// The tests of one field.
#[derive(Debug)]
struct FieldTests {
    field: Field,
    text: TextMatcher,
    numbers: Vec<(u32, Compare, f64)>,
    booleans: Vec<(u32, bool)>,
    parts: Vec<(u32, TimePart, Compare, i64)>,
    exists: Vec<u32>,
    null: Vec<u32>,
}

/// Which rows pass which test.
#[derive(Debug)]
pub(crate) struct Passed {
    n_rows: usize,
    rows: Vec<Rows>,
}

impl Passed {
    fn set(&mut self, predicate: u32, row: usize) {
        let rows = &mut self.rows[predicate as usize];
        if matches!(rows, Rows::Nothing) {
            *rows = Rows::Some(vec![0; self.n_rows.div_ceil(64)]);
        }
        if let Rows::Some(bits) = rows {
            bits[row / 64] |= 1 << (row % 64);
        }
    }

    /// Rows for which a condition holds.
    pub(crate) fn rows_of(&self, condition: &Condition<u32>) -> Rows {
        condition.rows(self.n_rows, &|&predicate| &self.rows[predicate as usize])
    }
}

impl Program {
    /// The number of a predicate; the same for the same one.
    pub(crate) fn intern(&mut self, predicate: &Predicate) -> u32 {
        let next = self.predicates.len() as u32;
        if let Some(&known) = self.predicates.get(predicate) {
            return known;
        }
        self.predicates.insert(predicate.clone(), next);
        if let Test::Same { .. } = predicate.test {
            self.same.push((next, predicate.clone()));
            return next;
        }
        let place = self.fields.iter().position(|tests| tests.field == predicate.field).unwrap_or_else(|| {
            self.fields.push(FieldTests::new(predicate.field.clone()));
            self.fields.len() - 1
        });
        self.fields[place].add(next, &predicate.test);
        next
    }

    /// Makes what is needed to run, once all predicates are known.
    pub(crate) fn finish(&mut self) {
        self.fields.iter_mut().for_each(|tests| tests.text.finish());
    }

    /// How many different tests there are.
    pub(crate) fn n_predicates(&self) -> usize {
        self.predicates.len()
    }

    /// Makes every test over a batch.
    pub(crate) fn run(&self, batch: &EventBatch) -> Passed {
        let mut passed =
            Passed { n_rows: batch.len(), rows: (0..self.predicates.len()).map(|_| Rows::Nothing).collect() };
        let (json, plain): (Vec<&FieldTests>, Vec<&FieldTests>) =
            self.fields.iter().partition(|tests| tests.field.holds == FieldType::Json);
        plain.into_iter().for_each(|tests| tests.run(batch, &mut passed));
        if !json.is_empty() {
            run_json(&json, batch, &mut passed);
        }
        for (number, predicate) in &self.same {
            run_same(*number, predicate, batch, &mut passed);
        }
        passed
    }
}

impl FieldTests {
    fn new(field: Field) -> Self {
        Self {
            field,
            text: TextMatcher::default(),
            numbers: Vec::new(),
            booleans: Vec::new(),
            parts: Vec::new(),
            exists: Vec::new(),
            null: Vec::new(),
        }
    }

    fn add(&mut self, predicate: u32, test: &Test) {
        self.text.add(predicate, test);
        match test {
            Test::Null => self.null.push(predicate),
            Test::Exists => self.exists.push(predicate),
            Test::Equal { number, boolean, .. } => {
                self.numbers.extend(number.map(|number| (predicate, Compare::Equal, number.get())));
                self.booleans.extend(boolean.map(|value| (predicate, value)));
            }
            Test::Compare(compare, number) => self.numbers.push((predicate, *compare, number.get())),
            Test::TimePart(part, compare, value) => self.parts.push((predicate, *part, *compare, *value)),
            Test::Text { .. } | Test::Regex(_) | Test::Network(..) | Test::Same { .. } => {}
        }
    }

    /// Predicates that hold for a value.
    fn matches(&self, cell: &Cell<'_>, found: &mut Vec<u32>) {
        if matches!(cell, Cell::Missing) {
            found.extend_from_slice(&self.null);
            return;
        }
        found.extend_from_slice(&self.exists);
        match cell {
            Cell::Missing => {}
            Cell::Text(text) => self.text.matches(text, found),
            Cell::Float(number) => self.number_matches(*number, found),
            Cell::Integer(number) => {
                self.number_matches(*number as f64, found);
                if self.text.has_patterns() {
                    self.text.pattern_matches(&number.to_string(), found);
                }
            }
            Cell::Boolean(value) => {
                found.extend(
                    self.booleans.iter().filter(|(_, wanted)| wanted == value).map(|(predicate, _)| *predicate),
                );
            }
            Cell::Time(micros) => {
                self.number_matches(*micros as f64, found);
                let hold = self
                    .parts
                    .iter()
                    .filter(|(_, part, compare, value)| compare.holds(part.of(*micros) as f64, *value as f64));
                found.extend(hold.map(|(predicate, ..)| *predicate));
            }
        }
    }

    fn number_matches(&self, number: f64, found: &mut Vec<u32>) {
        let hold = self.numbers.iter().filter(|(_, compare, limit)| compare.holds(number, *limit));
        found.extend(hold.map(|(predicate, ..)| *predicate));
    }

    fn run(&self, batch: &EventBatch, passed: &mut Passed) {
        let cells = Cells::of(batch, &self.field);
        let mut found = Vec::new();
        match &cells {
            Cells::Absent | Cells::Constant(_) => {
                let cell = if batch.is_empty() { Cell::Missing } else { cells.get(0) };
                self.matches(&cell, &mut found);
                found.iter().for_each(|&predicate| passed.rows[predicate as usize] = Rows::Everything);
            }
            Cells::Text(text @ TextColumn::Dictionary(_, values)) => self.run_coded(text, values.len(), batch, passed),
            _ => {
                for row in 0..batch.len() {
                    found.clear();
                    self.matches(&cells.get(row), &mut found);
                    found.iter().for_each(|&predicate| passed.set(predicate, row));
                }
            }
        }
    }

    /// Each value of the dictionary is tested when a row first has it.
    fn run_coded(&self, text: &TextColumn<'_>, n_values: usize, batch: &EventBatch, passed: &mut Passed) {
        let mut of_code: Vec<Option<(u32, u32)>> = vec![None; n_values];
        let mut lists: Vec<u32> = Vec::new();
        let mut found = Vec::new();
        for row in 0..batch.len() {
            let Some(code) = text.code(row) else {
                self.null.iter().for_each(|&predicate| passed.set(predicate, row));
                continue;
            };
            let (from, until) = *of_code[code].get_or_insert_with(|| {
                found.clear();
                let cell = text.get(row).map_or(Cell::Missing, |text| Cell::Text(text.into()));
                self.matches(&cell, &mut found);
                let from = lists.len() as u32;
                lists.extend_from_slice(&found);
                (from, lists.len() as u32)
            });
            lists[from as usize..until as usize].iter().for_each(|&predicate| passed.set(predicate, row));
        }
    }
}

/// Fields of the JSON in `attributes`: each row's text is read once for all of them.
fn run_json(fields: &[&FieldTests], batch: &EventBatch, passed: &mut Passed) {
    let text = fields.first().and_then(|tests| batch.text(&tests.field.column));
    let mut found = Vec::new();
    for row in 0..batch.len() {
        let object = cells::object(text.and_then(|text| text.get(row)));
        found.clear();
        for tests in fields {
            let key = tests.field.key.as_deref().unwrap_or_default();
            let cell = object.as_ref().map_or(Cell::Missing, |object| cells::json_cell(object, key));
            tests.matches(&cell, &mut found);
        }
        found.iter().for_each(|&predicate| passed.set(predicate, row));
    }
}

fn run_same(number: u32, predicate: &Predicate, batch: &EventBatch, passed: &mut Passed) {
    let Test::Same { other, place, cased } = &predicate.test else { return };
    let (left, right) = (Cells::of(batch, &predicate.field), Cells::of(batch, other));
    if matches!(left, Cells::Absent) || matches!(right, Cells::Absent) {
        return;
    }
    for row in 0..batch.len() {
        if is_same(&left.get(row), &right.get(row), *place, *cased) {
            passed.set(number, row);
        }
    }
}

/// Whether one value is, or holds, the other.
fn is_same(left: &Cell<'_>, right: &Cell<'_>, place: Place, cased: bool) -> bool {
    match (left, right) {
        (Cell::Missing, _) | (_, Cell::Missing) => false,
        (Cell::Text(left), Cell::Text(right)) => {
            let (left, right) =
                if cased { (left.to_string(), right.to_string()) } else { (folded(left), folded(right)) };
            match place {
                Place::Whole => left == right,
                Place::Start => left.starts_with(&right),
                Place::End => left.ends_with(&right),
                Place::Within => left.contains(&right),
            }
        }
        (Cell::Boolean(left), Cell::Boolean(right)) => left == right,
        (Cell::Text(_) | Cell::Boolean(_), _) | (_, Cell::Text(_) | Cell::Boolean(_)) => false,
        _ => place == Place::Whole && left.number() == right.number(),
    }
}
