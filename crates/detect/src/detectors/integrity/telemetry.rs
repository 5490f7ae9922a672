//! Telemetry that was rewritten: ids that come again with something else, and events from long ago.

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::{Deserialize, Serialize};
use wardline_domain::{Span, TextColumn, Timestamp};
use wardline_stats::distribution::binomial;

use crate::{
    detectors::EventRows,
    model_state::{ModelState, Phase},
    training_record::mixed,
};

/// One id in so many is remembered, in two generations of so many ids.
const ONE_IN: u64 = 16;
const MOST_IDS: usize = 4_096;
/// Ids that came again with something else, among those sampled, that are told.
const LEAST_REWRITTEN: u64 = 5;
/// Where so many did while the normal was learned, ids are not names of single predictions.
const USUAL_REWRITTEN: f64 = 0.002;
/// An event from longer ago is late.
const LATE: Span = Timestamp::HOUR;
/// Late events of a day that are told. A stream that is read again from its beginning has fewer.
const LEAST_LATE: u64 = 200;
/// So many times the worst day that was learned.
const UNUSUAL: f64 = 5.0;

/// Events of a day, and how many of them were late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Day {
    events: u64,
    late: u64,
    first: Option<Timestamp>,
    earliest: Option<Timestamp>,
}

/// Sampled ids and late events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Telemetry {
    recent: BTreeMap<u64, u64>,
    older: BTreeMap<u64, u64>,
    /// Sampled ids, and those that came again with something else, while learning.
    learned: (u64, u64),
    /// The same of the day that is open.
    rewritten: (u64, u64),
    first_rewritten: Option<Timestamp>,
    day: Option<Timestamp>,
    today: Day,
    worst: f64,
    told_day: Option<Timestamp>,
}

/// What was rewritten.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rewritten {
    /// Ids, or times.
    pub(super) measure: &'static str,
    pub(super) events: u64,
    pub(super) of: u64,
    pub(super) usual: f64,
    pub(super) since: Timestamp,
    /// The earliest time of a late event.
    pub(super) earliest: Option<Timestamp>,
    pub(super) p_value: f64,
}

impl Telemetry {
    pub(super) fn observe(&mut self, state: &ModelState, rows: &EventRows<'_, '_>) {
        let Ok(times) = rows.batch.times() else { return };
        let now = state.second.start;
        let limit = now.plus(-LATE).micros();
        let times = times.values();
        self.today.events += rows.range.len() as u64;
        for time in times.get(rows.range.clone()).unwrap_or_default().iter().filter(|time| **time < limit) {
            self.today.late += 1;
            self.today.first.get_or_insert(now);
            let time = Timestamp::from_micros(*time);
            self.today.earliest = Some(self.today.earliest.map_or(time, |earliest| earliest.min(time)));
        }
        let Some(ids) = rows.batch.text("id") else { return };
        let (score, decision) = (rows.batch.number("score"), rows.batch.text("decision"));
        for row in rows.range.clone() {
            let Some(key) = ids.get(row).map(short_hash).filter(|key| key.is_multiple_of(ONE_IN)) else { continue };
            let number = score.filter(|score| score.is_valid(row)).map_or(0, |score| score.value(row).to_bits());
            let answer = decision.and_then(|text: TextColumn<'_>| text.get(row)).map_or(0, short_hash);
            let content = mixed(times[row] as u64 ^ mixed(number ^ answer));
            self.note(state, key, content, now);
        }
    }

    fn note(&mut self, state: &ModelState, key: u64, content: u64, now: Timestamp) {
        let before = self.recent.get(&key).or_else(|| self.older.get(&key)).copied();
        if before.is_none() {
            if self.recent.len() >= MOST_IDS {
                self.older = std::mem::take(&mut self.recent);
            }
            self.recent.insert(key, content);
        }
        // The same again was only delivered twice.
        let is_other = before.is_some_and(|before| before != content);
        let counts = if state.phase == Phase::Watching { &mut self.rewritten } else { &mut self.learned };
        counts.0 += 1;
        counts.1 += u64::from(is_other);
        if is_other && state.phase == Phase::Watching {
            self.first_rewritten.get_or_insert(now);
        }
    }

    /// What was rewritten by now; each is told once a day.
    pub(super) fn on_time(&mut self, state: &ModelState, now: Timestamp) -> Vec<Rewritten> {
        let day = now.floor(Timestamp::DAY);
        let mut found = Vec::new();
        if state.phase == Phase::Watching && self.told_day != Some(day) {
            found.extend(self.judge_ids());
        }
        if !found.is_empty() {
            self.told_day = Some(day);
        }
        if self.day.replace(day).is_some_and(|open| open != day) {
            if state.phase == Phase::Watching {
                found.extend(self.judge_late());
            }
            let share = self.today.late as f64 / self.today.events.max(1) as f64;
            self.worst = self.worst.max(share);
            (self.today, self.rewritten, self.first_rewritten) = (Day::default(), (0, 0), None);
        }
        found
    }

    fn judge_ids(&self) -> Option<Rewritten> {
        let (n, k) = self.rewritten;
        let usual = (self.learned.1 as f64 + 0.5) / (self.learned.0 as f64 + 1.0);
        let is_usual = self.learned.0 < 50 || self.learned.1 as f64 > USUAL_REWRITTEN * self.learned.0 as f64;
        if is_usual || k < LEAST_REWRITTEN {
            return None;
        }
        let p_value = binomial::at_least(k, n, (UNUSUAL * usual).min(1.0)).filter(|p| *p <= 1e-6)?;
        let since = self.first_rewritten?;
        Some(Rewritten {
            measure: "rewritten_ids",
            events: k * ONE_IN,
            of: n * ONE_IN,
            usual,
            since,
            earliest: None,
            p_value,
        })
    }

    fn judge_late(&self) -> Option<Rewritten> {
        let Day { events, late, first, earliest } = self.today;
        let usual = self.worst.max(1e-3);
        if late < LEAST_LATE || (late as f64) < UNUSUAL * usual * events as f64 {
            return None;
        }
        let p_value = binomial::at_least(late, events, (UNUSUAL * usual).min(1.0)).filter(|p| *p <= 1e-3)?;
        Some(Rewritten {
            measure: "backdated",
            events: late,
            of: events,
            usual: self.worst,
            since: first?,
            earliest,
            p_value,
        })
    }
}

/// Eight bytes at a time: ids are read for every prediction.
fn short_hash(text: &str) -> u64 {
    let mut hash = text.len() as u64;
    let mut chunks = text.as_bytes().chunks_exact(8);
    for chunk in &mut chunks {
        let bytes: [u8; 8] = chunk.try_into().unwrap_or_default();
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(bytes)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    for byte in chunks.remainder() {
        hash = (hash.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    mixed(hash)
}
