//! The course of one series: learning, then sums of scores that tell a lasting shift from chance.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::{Learning, Timestamp};
use wardline_stats::change_point::{MeanCell, onset_of_mean};

use super::normal::{Hour, LEAST_SHIFT, MOST_HOURS, Normal, Unsettled, WEEK};

/// Hours that are kept to say since when.
const MOST_KEPT: usize = 2 * WEEK as usize;
/// A shift has gone where the last so many hours are less than half of it away from normal.
const GONE: usize = 12;
/// So many values in a row from before the open hour say that its time was wrong.
const MOST_LATE: u32 = 16;

/// An hour that was judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Judged {
    hour: Hour,
    expected: f64,
    score: f64,
}

/// A shift that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Going {
    onset: i64,
    interval: (i64, i64),
    /// Sums since the onset: values, what was expected of them, hours.
    observed: f64,
    expected: f64,
    hours: u32,
    values: u64,
    /// Hours when it was last told.
    told: u32,
}

/// A shift, as it is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    pub(super) onset: Timestamp,
    pub(super) interval: (Timestamp, Timestamp),
    pub(super) observed: f64,
    pub(super) expected: f64,
    pub(super) spread: f64,
    pub(super) n_observed: u64,
    pub(super) n_expected: u64,
    pub(super) p_value: f64,
    pub(super) p_limit: f64,
}

/// The course of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Course {
    first: Option<Timestamp>,
    open: Option<Hour>,
    late: u32,
    learning: Vec<Hour>,
    /// The hour from which on it tries again to learn.
    next_try: i64,
    normal: Option<Normal>,
    before: Option<(i64, f64)>,
    up: f64,
    down: f64,
    kept: VecDeque<Judged>,
    going: Option<Going>,
}

impl Course {
    /// Takes a value; answers a shift where an hour ends with it that tells one.
    pub(super) fn observe(&mut self, time: Timestamp, value: f64, learning: Learning) -> Option<Shift> {
        let first = *self.first.get_or_insert(time);
        let at = time.micros().div_euclid(Timestamp::HOUR);
        let is_learning = match learning {
            Learning::Until(until) if until > first => time < until,
            Learning::Until(_) => false,
            Learning::For { span, .. } => time < first.plus(span),
        };
        let fresh = Hour { at, mean: value, n: 1 };
        let Some(open) = self.open.as_mut() else {
            self.open = Some(fresh);
            return None;
        };
        if at < open.at {
            self.late += 1;
            if MOST_LATE <= self.late {
                (self.open, self.late) = (Some(fresh), 0);
            }
            return None;
        }
        self.late = 0;
        if at == open.at {
            open.n = open.n.saturating_add(1);
            open.mean += (value - open.mean) / f64::from(open.n);
            return None;
        }
        let ended = std::mem::replace(open, fresh);
        self.end(ended, is_learning)
    }

    /// No more values come.
    pub(super) fn finish(&mut self) -> Option<Shift> {
        let ended = self.open.take()?;
        self.normal.is_some().then(|| self.end(ended, false)).flatten()
    }

    fn end(&mut self, hour: Hour, is_learning: bool) -> Option<Shift> {
        if self.normal.is_some() {
            return self.judge(hour);
        }
        // A clock that was believed too early may have ended later hours.
        if self.learning.last().is_none_or(|last| last.at < hour.at) {
            let is_new_day = self.learning.last().is_none_or(|last| last.at.div_euclid(24) < hour.at.div_euclid(24));
            if is_new_day && !is_learning && self.next_try <= hour.at {
                self.try_to_learn();
            }
            if self.normal.is_some() {
                return self.judge(hour);
            }
            self.learning.push(hour);
        }
        if MOST_HOURS < self.learning.len() {
            self.learning.drain(..24);
        }
        None
    }

    fn try_to_learn(&mut self) {
        let span = self.learning.first().zip(self.learning.last()).map(|(first, last)| (last.at, last.at - first.at));
        match Normal::learn(&self.learning) {
            Ok(normal) => {
                self.normal = Some(normal);
                self.learning = Vec::new();
            }
            Err(unsettled) => {
                // Learning takes time, so it waits until there is an eighth more.
                self.next_try = span.map_or(self.next_try, |(last, span)| last.saturating_add(span / 8));
                if unsettled == Unsettled::Moves {
                    // It forgets what it began with, and learns on.
                    let a_tenth = self.learning.len() / 10;
                    self.learning.drain(..a_tenth);
                }
            }
        }
    }

    fn judge(&mut self, hour: Hour) -> Option<Shift> {
        let normal = self.normal.as_mut()?;
        let expected = normal.expected(hour.at);
        let residual = hour.mean - expected;
        let score = normal.score(self.before, (hour.at, residual));
        self.before = Some((hour.at, residual));
        self.up = (self.up + score - normal.slack).max(0.0);
        self.down = (self.down - score - normal.slack).max(0.0);
        let sum = self.up.max(self.down);
        if self.going.is_none() && sum < normal.threshold / 2.0 {
            normal.follow(residual);
        }
        if self.kept.len() == MOST_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Judged { hour, expected, score });
        match self.going {
            Some(going) => self.go_on(going, hour, expected),
            None if sum < normal.threshold => None,
            None => self.begin(),
        }
    }

    /// A sum passed its threshold: a shift that is large enough is told.
    fn begin(&mut self) -> Option<Shift> {
        let normal = self.normal.as_ref()?;
        let cells: Vec<MeanCell> = self
            .kept
            .iter()
            .map(|judged| MeanCell { n: 1, sum: judged.score, sum_of_squares: judged.score * judged.score })
            .collect();
        let (cell, earliest, latest) = match onset_of_mean(&cells) {
            Some(onset) => (onset.cell, onset.earliest, onset.latest),
            None => (0, 0, 0),
        };
        let since = self.kept.iter().skip(cell);
        let hours = since.clone().count();
        let observed: f64 = since.clone().map(|judged| judged.hour.mean).sum();
        let expected: f64 = since.clone().map(|judged| judged.expected).sum();
        let moved = (observed - expected) / hours as f64;
        let is_same_way = (moved > 0.0) == (self.up > self.down);
        if moved.abs() < LEAST_SHIFT * normal.spread || !is_same_way {
            // What is told later shall rest on what comes, not on what was too small.
            (self.up, self.down) = (self.up.min(normal.threshold), self.down.min(normal.threshold));
            return None;
        }
        let at = |cell: usize| self.kept.get(cell).map_or(0, |judged| judged.hour.at);
        // It began after the last hour that was as usual, and at the latest in the hour that shows it.
        let interval = (earliest.checked_sub(1).map_or_else(|| at(0), |before| at(before) + 1), at(latest) + 1);
        let going = Going {
            onset: at(cell),
            interval: (interval.0.min(at(cell)), interval.1.max(at(cell))),
            observed,
            expected,
            hours: hours as u32,
            values: since.map(|judged| u64::from(judged.hour.n)).sum(),
            told: hours as u32,
        };
        self.going = Some(going);
        Some(self.told(&going, normal))
    }

    /// A shift goes on, ends, or has lasted for so long that it is normal.
    fn go_on(&mut self, mut going: Going, hour: Hour, expected: f64) -> Option<Shift> {
        going.observed += hour.mean;
        going.expected += expected;
        going.hours = going.hours.saturating_add(1);
        going.values += u64::from(hour.n);
        let moved = (going.observed - going.expected) / f64::from(going.hours);
        let last = self.kept.iter().rev().take(GONE);
        let n_last = last.len().max(1) as f64;
        let lately = last.map(|judged| judged.hour.mean - judged.expected).sum::<f64>() / n_last;
        let has_gone = lately * moved.signum() < 0.5 * moved.abs();
        let normal = self.normal.as_mut()?;
        let is_old = WEEK.max(normal.n_hours as i64) <= i64::from(going.hours);
        if has_gone || is_old {
            if is_old {
                normal.settle(lately);
            }
            (self.up, self.down, self.going) = (0.0, 0.0, None);
            self.before = None;
            self.kept.clear();
            return None;
        }
        let tells = going.hours >= 2 * going.told;
        if tells {
            going.told = going.hours;
        }
        self.going = Some(going);
        let normal = self.normal.as_ref()?;
        tells.then(|| self.told(&going, normal))
    }

    fn told(&self, going: &Going, normal: &Normal) -> Shift {
        let moment = |hour: i64| Timestamp::from_micros(hour.saturating_mul(Timestamp::HOUR));
        let hours = f64::from(going.hours);
        Shift {
            onset: moment(going.onset),
            interval: (moment(going.interval.0), moment(going.interval.1)),
            observed: going.observed / hours,
            expected: going.expected / hours,
            spread: normal.spread,
            n_observed: going.values,
            n_expected: normal.n_values,
            p_value: normal.weekly_chance(self.up.max(self.down).max(normal.threshold)),
            p_limit: normal.weekly_chance(normal.threshold),
        }
    }
}
