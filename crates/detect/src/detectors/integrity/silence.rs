//! Instances and channels whose telemetry stops while the others' goes on.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use crate::{
    groups::LEFT_OUT,
    model_state::{ModelState, Phase},
};

/// Dimensions that should not fall silent one value at a time.
const WATCHED: [&str; 2] = ["instance", "channel"];
/// The least predictions of a group while learning, and of the model.
const LEAST_LEARNED: u64 = 200;
/// Chance of no event of the group among so many.
const SURE: f64 = 1e-9;
/// So many times the longest pause that was ever seen, or more where less than a week is known.
const LONGER: u64 = 4;
const LONGER_UNSURE: u64 = 12;
const LEAST_SILENCE: Span = 15 * Timestamp::MINUTE;
/// A replica that starts so close to another's end takes its place.
const REPLACED: Span = 2 * Timestamp::HOUR;

/// One group; pauses are counted in events of the whole model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Pulse {
    events: u64,
    /// Events of the model when it was last seen, and the time.
    last: u64,
    last_time: Timestamp,
    longest: u64,
    told: bool,
}

/// The pulse of every group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Silences {
    /// By group.
    pulses: Vec<Pulse>,
    total: u64,
    learned: Option<u64>,
    next: Option<Timestamp>,
    /// Dimensions in which values end as a matter of course.
    churning: Vec<String>,
}

/// A group that fell silent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Silent {
    pub(super) group: u16,
    pub(super) since: Timestamp,
    /// Events of the model since, and its share of them before.
    pub(super) missed: u64,
    pub(super) share: f64,
    pub(super) p_value: f64,
}

impl Silences {
    pub(super) fn on_second(&mut self, state: &ModelState) {
        let second = &state.second;
        let events = u64::from(second.whole.events());
        self.total += events;
        if self.learned.is_none() && state.phase == Phase::Watching {
            self.learned = Some(self.total);
        }
        self.pulses.resize(state.groups.len(), Pulse::default());
        for &group in &second.touched {
            if group <= LEFT_OUT || !WATCHED.contains(&state.groups.get(group).dimension.as_str()) {
                continue;
            }
            let pulse = &mut self.pulses[usize::from(group)];
            if pulse.events > 0 {
                pulse.longest = pulse.longest.max(self.total - events - pulse.last.min(self.total - events));
            }
            if self.learned.is_none() {
                pulse.events += u64::from(second.of(group).events());
            }
            (pulse.last, pulse.last_time, pulse.told) = (self.total, second.start, false);
        }
    }

    /// Groups that are silent by now; each is told once.
    pub(super) fn on_time(&mut self, state: &ModelState, now: Timestamp) -> Vec<Silent> {
        let Some(learned) = self.learned.filter(|_| self.next.is_none_or(|next| now >= next)) else {
            return Vec::new();
        };
        let is_first = self.next.is_none();
        self.next = Some(now.floor(Timestamp::MINUTE).plus(Timestamp::MINUTE));
        let span = state.learned.as_ref().map_or(0, |learned| learned.until.since(learned.from));
        let factor = if span >= 7 * Timestamp::DAY { LONGER } else { LONGER_UNSURE };
        let mut silent = Vec::new();
        for dimension in WATCHED {
            let of_dimension = |group: &u16| state.groups.get(*group).dimension == dimension;
            let mut groups: Vec<u16> = (LEFT_OUT + 1..state.groups.len() as u16).filter(of_dimension).collect();
            // Numbers of groups depend on how batches were cut, names do not.
            groups.sort_by_key(|group| &state.groups.get(*group).value);
            if is_first && groups.iter().any(|group| self.judge(*group, learned, LONGER, now).is_some()) {
                self.churning.push(dimension.to_owned());
            }
            if self.churning.iter().any(|churning| churning == dimension) {
                continue;
            }
            let is_silent = |group: &u16| self.judge(*group, learned, factor, now);
            let found: Vec<Silent> = groups.iter().filter_map(is_silent).collect();
            let alive = groups.iter().filter(|group| {
                self.pulses.get(usize::from(**group)).is_some_and(|pulse| now.since(pulse.last_time) < LEAST_SILENCE)
            });
            // Where nothing of a dimension goes on, it is the dimension that ended.
            let goes_on = alive.count() > 0;
            for found in found {
                let is_replaced = dimension == "instance"
                    && groups.iter().filter_map(|group| state.groups.get(*group).first_seen).any(|first| {
                        first.since(found.since).abs() <= REPLACED
                            && state.learned.as_ref().is_some_and(|learned| first > learned.until)
                    });
                if let Some(pulse) = self.pulses.get_mut(usize::from(found.group)) {
                    pulse.told = goes_on || is_replaced;
                }
                if goes_on && !is_replaced {
                    silent.push(found);
                }
            }
        }
        silent
    }

    fn judge(&self, group: u16, learned: u64, factor: u64, now: Timestamp) -> Option<Silent> {
        let pulse = self.pulses.get(usize::from(group)).filter(|pulse| !pulse.told && pulse.events >= LEAST_LEARNED)?;
        let missed = self.total - pulse.last.min(self.total);
        let share = pulse.events as f64 / learned.max(1) as f64;
        let p_value = (missed as f64 * (-share.min(0.999_999)).ln_1p()).exp();
        let is_silent =
            p_value <= SURE && missed >= factor * pulse.longest.max(1) && now.since(pulse.last_time) >= LEAST_SILENCE;
        is_silent.then_some(Silent { group, since: pulse.last_time, missed, share, p_value })
    }
}
