//! One second of a model's events, counted by group: how many, failed, slow.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use crate::groups::LEFT_OUT;

/// Bits of an operation code: latency level (0 none, 1 to 4 by learned thresholds exceeded),
/// over the objective's latency, failed.
const LEVEL: u8 = 0b0_0111;
const OVER_OBJECTIVE: u8 = 0b0_1000;
const FAILED: u8 = 0b1_0000;
const CODES: usize = 32;

/// A fact about an event that is counted as yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Fact {
    /// It failed.
    Failed,
    /// It took longer than the baseline's median.
    OverP50,
    /// It took longer than the baseline's 90th percentile.
    OverP90,
    /// It took longer than the baseline's 99th percentile.
    OverP99,
    /// It took longer than the objective allows.
    OverObjective,
}

impl Fact {
    /// Every fact.
    pub(crate) const ALL: [Self; 5] = [Self::Failed, Self::OverP50, Self::OverP90, Self::OverP99, Self::OverObjective];
}

/// The operation code of an event.
#[inline]
pub(crate) fn code(failed: bool, latency_ms: f64, thresholds: &[f64; 3], objective_ms: f64) -> u8 {
    let level = if latency_ms.is_nan() {
        0
    } else {
        1 + thresholds.iter().map(|&threshold| u8::from(latency_ms > threshold)).sum::<u8>()
    };
    level | (u8::from(latency_ms > objective_ms) * OVER_OBJECTIVE) | (u8::from(failed) * FAILED)
}

/// Events counted by operation code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperationCounts([u32; CODES]);

impl OperationCounts {
    /// Counts one event.
    #[inline]
    pub(crate) fn count(&mut self, code: u8) {
        self.0[(code as usize) & (CODES - 1)] += 1;
    }

    /// How many events.
    #[inline]
    pub(crate) fn events(&self) -> u32 {
        self.0.iter().sum()
    }

    /// How many events a fact can be true of, and of how many it is.
    #[inline]
    pub(crate) fn share(&self, fact: Fact) -> (u32, u32) {
        let (applies, holds) = &MASKS[fact as usize];
        let mut out_of = 0;
        let mut yes = 0;
        for ((&n, &applies), &holds) in self.0.iter().zip(applies).zip(holds) {
            out_of += n & applies;
            yes += n & holds;
        }
        (out_of, yes)
    }
}

/// By fact: which operation codes it applies to and of which it holds, as bit masks of counts.
const MASKS: [([u32; CODES], [u32; CODES]); Fact::ALL.len()] = masks();

const fn masks() -> [([u32; CODES], [u32; CODES]); Fact::ALL.len()] {
    let mut masks = [([0; CODES], [0; CODES]); Fact::ALL.len()];
    let mut fact = 0;
    while fact < Fact::ALL.len() {
        let mut code = 0;
        while code < CODES {
            let level = code as u8 & LEVEL;
            let (applies, holds) = match Fact::ALL[fact] {
                Fact::Failed => (true, code as u8 & FAILED != 0),
                Fact::OverP50 => (level > 0, level > 1),
                Fact::OverP90 => (level > 0, level > 2),
                Fact::OverP99 => (level > 0, level > 3),
                Fact::OverObjective => (level > 0, code as u8 & OVER_OBJECTIVE != 0),
            };
            masks[fact].0[code] = if applies { u32::MAX } else { 0 };
            masks[fact].1[code] = if holds { u32::MAX } else { 0 };
            code += 1;
        }
        fact += 1;
    }
    masks
}

/// Counts of the second that is open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
    /// When it began.
    pub(crate) start: Timestamp,
    /// All traffic.
    pub(crate) whole: OperationCounts,
    groups: Vec<OperationCounts>,
    /// Groups that have events in it.
    pub(crate) touched: Vec<u16>,
    marks: Vec<bool>,
}

impl Second {
    /// Begins a second.
    pub(crate) fn begin(&mut self, start: Timestamp, n_groups: usize) {
        for &group in &self.touched {
            self.groups[group as usize] = OperationCounts::default();
            self.marks[group as usize] = false;
        }
        self.touched.clear();
        self.whole = OperationCounts::default();
        self.start = start;
        self.grow(n_groups);
    }

    /// Makes room for groups.
    pub(crate) fn grow(&mut self, n_groups: usize) {
        if self.groups.len() < n_groups {
            self.groups.resize(n_groups, OperationCounts::default());
            self.marks.resize(n_groups, false);
        }
    }

    /// Counts one event in the whole.
    #[inline]
    pub(crate) fn count_whole(&mut self, code: u8) {
        self.whole.count(code);
    }

    /// Counts one event in a group.
    #[inline]
    pub(crate) fn count(&mut self, group: u16, code: u8) {
        if group == LEFT_OUT {
            return;
        }
        let index = group as usize;
        self.groups[index].count(code);
        if !self.marks[index] {
            self.marks[index] = true;
            self.touched.push(group);
        }
    }

    /// A group's counts.
    pub(crate) fn of(&self, group: u16) -> OperationCounts {
        self.groups.get(group as usize).copied().unwrap_or_default()
    }

    /// Whether it holds no event.
    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty() && self.whole.events() == 0
    }
}
