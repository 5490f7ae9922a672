//! Data sets that change after they were used, and rows from where none came before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, Span, Timestamp};

use crate::{
    clock::StreamClock,
    detectors::EventRows,
    model_state::ModelState,
    training_record::{Columns, hashed},
};

/// Rows that were on their way when a data set was used.
const GRACE: Span = Timestamp::HOUR;
/// The least rows that are told.
const LEAST_LATE: u64 = 10;
const LEAST_NEW: u64 = 20;
const LEAST_REWRITTEN: u64 = 3;
/// With fewer rows or days the usual is not known.
const LEAST_LEARNED: u64 = 200;
const LEAST_DAYS: usize = 5;
const MOST_VERSIONS: usize = 256;
/// Contributors that are told apart; who has more has no fixed ones.
const MOST_CHANNELS: usize = 200;
const MOST_USERS: usize = 20;
/// Rows whose content is remembered.
const MOST_REMEMBERED: usize = 4_096;
/// An unusual hour is told again after so long.
const AGAIN: Span = 7 * Timestamp::DAY;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Dataset {
    rows: u64,
    /// When a deployment said that it was trained on it, and which version.
    used: Option<(Timestamp, String)>,
    /// Rows of a later version have come.
    is_closed: bool,
    late: u64,
    first_late: Timestamp,
    rewritten: u64,
    told_late: bool,
    told_rewritten: bool,
}

/// Who brings rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Contributors {
    /// Rows by name; the place in all rows at which it first came.
    known: BTreeMap<String, (u64, u64)>,
    has_overflowed: bool,
    /// Names that came after the learning: rows, since when, told.
    new: BTreeMap<String, (u64, Timestamp, bool)>,
}

/// What is known of a model's training rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Datasets {
    clock: StreamClock,
    started: Option<Timestamp>,
    rows: u64,
    learned_rows: Option<u64>,
    datasets: BTreeMap<String, Dataset>,
    channels: Contributors,
    users: Contributors,
    /// Rows by hour of the day, and days with rows, while learning.
    hours: Vec<u64>,
    days: usize,
    day: Option<Timestamp>,
    odd_hour: (u64, Timestamp),
    told_hour: Option<Timestamp>,
    /// A sample of rows: what they held. Rows are sampled by their number, so that the same come again.
    remembered: BTreeMap<u64, u64>,
    halvings: u32,
}

/// What is wrong with a data set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Odd {
    pub(super) measure: &'static str,
    pub(super) dataset_version: String,
    /// `channel` or `user`, and its name; or the hour.
    pub(super) who: Option<(&'static str, String)>,
    pub(super) by: Option<String>,
    pub(super) rows: u64,
    pub(super) of: u64,
    pub(super) since: Timestamp,
    pub(super) time: Timestamp,
}

impl Datasets {
    pub(super) fn deploy(&mut self, batch: &EventBatch, row: usize, time: Timestamp) {
        let of = |name: &str| batch.text(name).and_then(|text| text.get(row));
        let (Some(dataset), Some(version)) = (of("dataset_version"), of("version")) else { return };
        if self.datasets.len() < MOST_VERSIONS || self.datasets.contains_key(dataset) {
            let dataset = self.datasets.entry(dataset.to_owned()).or_default();
            dataset.used.get_or_insert((time, version.to_owned()));
        }
    }

    pub(super) fn observe(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, found: &mut Vec<Odd>) {
        let Ok(times) = rows.batch.times() else { return };
        let text = |name: &str| rows.batch.text(name);
        let (versions, channels, users, ids) = (text("dataset_version"), text("channel"), text("user"), text("row_id"));
        let columns = Columns::of(rows.batch);
        for row in rows.range.clone() {
            let time = self.clock.arrive(Timestamp::from_micros(times.value(row)));
            let started = *self.started.get_or_insert(time);
            let dataset = versions.and_then(|text| text.get(row)).unwrap_or_default();
            self.rows += 1;
            if self.learned_rows.is_none() && time >= state.learning_ends(started).0 {
                self.learned_rows = Some(self.rows);
            }
            self.note_dataset(dataset, time, found);
            if let Some(id) = ids.and_then(|ids| ids.get(row)) {
                let content =
                    || columns.as_ref().and_then(|columns| columns.record(row)).map(|record| content_of(&record));
                self.note_content(dataset, id, time, content, found);
            }
            let learned = self.learned_rows;
            let place = (self.rows, time, dataset);
            if let Some(channel) = channels.and_then(|text| text.get(row)) {
                found.extend(self.channels.note(channel, place, learned, ("channel", MOST_CHANNELS)));
            }
            if let Some(user) = users.and_then(|text| text.get(row)) {
                found.extend(self.users.note(user, place, learned, ("user", MOST_USERS)));
            }
            found.extend(self.note_hour(dataset, time));
        }
    }

    fn note_dataset(&mut self, name: &str, time: Timestamp, found: &mut Vec<Odd>) {
        if name.is_empty() || (self.datasets.len() >= MOST_VERSIONS && !self.datasets.contains_key(name)) {
            return;
        }
        if self.datasets.get(name).is_none_or(|dataset| dataset.rows == 0) {
            // A later version has begun: what was used is complete.
            self.datasets.values_mut().filter(|dataset| dataset.rows > 0).for_each(|dataset| dataset.is_closed = true);
        }
        let others = self.datasets.iter().filter(|(other, dataset)| other.as_str() != name && dataset.used.is_some());
        let usual = others.map(|(_, dataset)| dataset.late as f64 / dataset.rows.max(1) as f64).fold(0.0, f64::max);
        let dataset = self.datasets.entry(name.to_owned()).or_default();
        dataset.rows += 1;
        let Some((used, version)) = dataset.used.clone() else { return };
        if !dataset.is_closed || time.since(used) <= GRACE {
            return;
        }
        dataset.late += 1;
        if dataset.late == 1 {
            dataset.first_late = time;
        }
        let share = dataset.late as f64 / dataset.rows as f64;
        if dataset.late >= LEAST_LATE && share >= 5.0 * usual && !std::mem::replace(&mut dataset.told_late, true) {
            found.push(Odd {
                measure: "late_rows",
                dataset_version: name.to_owned(),
                who: None,
                by: Some(version),
                rows: dataset.late,
                of: dataset.rows,
                since: dataset.first_late,
                time,
            });
        }
    }

    /// Whether a row that was seen before holds something else now.
    fn note_content(
        &mut self,
        name: &str,
        id: &str,
        time: Timestamp,
        content: impl Fn() -> Option<u64>,
        found: &mut Vec<Odd>,
    ) {
        let key = hashed(id) ^ hashed(name).rotate_left(17);
        if key & ((1 << self.halvings) - 1) != 0 {
            return;
        }
        let Some(content) = content() else { return };
        let before = self.remembered.insert(key, content);
        if self.remembered.len() > MOST_REMEMBERED {
            self.halvings += 1;
            let mask = (1_u64 << self.halvings) - 1;
            self.remembered.retain(|key, _| key & mask == 0);
        }
        let Some(dataset) = self.datasets.get_mut(name) else { return };
        if before.is_none_or(|before| before == content) {
            return;
        }
        dataset.rewritten += 1;
        if let Some((_, version)) = dataset.used.clone()
            && dataset.rewritten >= LEAST_REWRITTEN
            && !std::mem::replace(&mut dataset.told_rewritten, true)
        {
            found.push(Odd {
                measure: "rewritten_rows",
                dataset_version: name.to_owned(),
                who: None,
                by: Some(version),
                rows: dataset.rewritten << self.halvings,
                of: dataset.rows,
                since: time,
                time,
            });
        }
    }

    /// Rows at hours of the day at which no job ever brought any.
    fn note_hour(&mut self, dataset: &str, time: Timestamp) -> Option<Odd> {
        let hour = time.hour_of_day();
        self.hours.resize(24, 0);
        if self.learned_rows.is_none() {
            self.hours[hour] += 1;
            let day = time.floor(Timestamp::DAY);
            if self.day.replace(day) != Some(day) {
                self.days += 1;
            }
            return None;
        }
        let near = [(hour + 23) % 24, hour, (hour + 1) % 24];
        let busy = self.hours.iter().filter(|rows| **rows > 0).count();
        let is_usual = near.iter().any(|hour| self.hours[*hour] > 0);
        if self.days < LEAST_DAYS || busy > 8 || is_usual {
            return None;
        }
        if self.odd_hour.0 == 0 || time.since(self.odd_hour.1) > Timestamp::DAY {
            self.odd_hour = (0, time);
        }
        self.odd_hour.0 += 1;
        let is_told = self.told_hour.is_some_and(|told| time.since(told) < AGAIN);
        if self.odd_hour.0 < LEAST_NEW || is_told {
            return None;
        }
        self.told_hour = Some(time);
        let (rows, since) = self.odd_hour;
        let dataset_version = dataset.to_owned();
        Some(Odd { measure: "odd_hour", dataset_version, who: None, by: None, rows, of: self.rows, since, time })
    }
}

impl Contributors {
    fn note(
        &mut self,
        name: &str,
        (place, time, dataset): (u64, Timestamp, &str),
        learned: Option<u64>,
        (what, most): (&'static str, usize),
    ) -> Option<Odd> {
        if let Some((rows, _)) = self.known.get_mut(name) {
            *rows += 1;
            return None;
        }
        let Some(learned) = learned else {
            self.has_overflowed |= self.known.len() >= most;
            if !self.has_overflowed {
                self.known.insert(name.to_owned(), (1, place));
            }
            return None;
        };
        // Who still met new ones in the second half of the learning will meet more.
        let is_settled = self.known.values().all(|(_, first)| 2 * first <= learned);
        if self.has_overflowed || !is_settled || learned < LEAST_LEARNED || self.known.is_empty() {
            return None;
        }
        if self.new.len() >= most && !self.new.contains_key(name) {
            return None;
        }
        let (rows, since, told) = self.new.entry(name.to_owned()).or_insert((0, time, false));
        *rows += 1;
        if *rows < LEAST_NEW || std::mem::replace(told, true) {
            return None;
        }
        Some(Odd {
            measure: if what == "channel" { "new_channel" } else { "new_contributor" },
            dataset_version: dataset.to_owned(),
            who: Some((what, name.to_owned())),
            by: None,
            rows: *rows,
            of: place,
            since: *since,
            time,
        })
    }
}

fn content_of(record: &crate::training_record::Record) -> u64 {
    let values = record
        .values
        .iter()
        .fold(0, |hash: u64, (name, value)| hash.rotate_left(7) ^ hashed(&format!("{name}={value:?}")));
    values ^ record.label.as_deref().map_or(0, hashed).rotate_left(3)
}
