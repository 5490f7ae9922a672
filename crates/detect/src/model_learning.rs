//! How a model's learning goes: sampling, choosing codes, ending.

use wardline_domain::{Learning as LearningSettings, Span, Timestamp};

use crate::{
    coding::{CODES, Coding},
    groups::WHOLE,
    learned::Learning,
    measure::Measure,
    model_state::{ModelState, Phase},
    slice_windows::SliceWindows,
    thinned::Thinned,
    window::{LEAST_WINDOWS, Table, scales_for},
};

/// Codes are chosen from this many events, or from fewer when a quarter of the learning is over.
const EVENTS_SAMPLED: u64 = 1_000;
const LEAST_SAMPLED: u64 = 100;
/// A code that holds more than this share on a larger sample was badly chosen.
const MOST_SHARE_OF_CODE: f64 = 0.15;
/// How long learning waits for windows.
const LONGEST_WAIT: Span = 14 * Timestamp::DAY;
/// Windows that learning waits for.
const WINDOWS_WANTED: usize = LEAST_WINDOWS + 3;

impl ModelState {
    /// Chooses codes and thresholds once the sample suffices.
    pub(crate) fn try_coding(&mut self, now: Timestamp) {
        let Some(started) = self.started else { return };
        let is_late = now.since(started) >= self.learning_span(started) / 4;
        let events = self.events;
        if events >= EVENTS_SAMPLED || (is_late && events >= LEAST_SAMPLED) {
            self.choose_codes(now);
        }
    }

    fn choose_codes(&mut self, now: Timestamp) {
        let Some(started) = self.started else { return };
        let state = &mut *self;
        state.measures.iter_mut().for_each(Measure::set_coding);
        if let Some(&latency) = state.measure_index.get("latency_ms") {
            let histogram = &state.measures[latency].histogram;
            for (threshold, p) in state.thresholds.iter_mut().zip([0.5, 0.9, 0.99]) {
                *threshold = histogram.quantile(p).unwrap_or(f64::INFINITY);
            }
        }
        let elapsed = (now.since(started) as f64 / Timestamp::SECOND as f64).max(1.0);
        let left = state.learning_ends(started).0.since(now).max(0);
        state.scales = scales_for(state.events as f64 / elapsed, left);
        state.base = Table::default();
        state.learning.forget_codes();
        state.slices = SliceWindows::default();
        state.sampled_events = state.events;
        state.phase = Phase::Learning;
        self.open_windows(now);
    }

    /// Learning ends, or its codes are chosen anew where they turn out not to fit.
    pub(crate) fn try_finish_learning(&mut self, now: Timestamp) {
        let Some(started) = self.started else { return };
        let (until, least_events) = self.learning_ends(started);
        let is_quarter = now.since(started) >= until.since(started) / 4;
        if is_quarter && !self.resampled && self.events >= 4 * self.sampled_events {
            self.resampled = true;
            if self.codes_do_not_fit() {
                self.choose_codes(now);
                return;
            }
        }
        if now >= until && self.events >= least_events.max(LEAST_SAMPLED) && self.knows_windows(now, until) {
            // Learning that waited for events or windows ends now; else at the moment that was set, however late the next event.
            let longest = self.scales.first().map_or(0, |scale| scale.span);
            let waited = now.since(until) > longest;
            self.finish_learning(started, if waited { now } else { now.min(until).max(started) });
        }
    }

    /// Whether enough windows were learned to know how they vary. Where nobody said when learning must end, it goes on for
    /// that: the windows of a model with little traffic take a day each.
    fn knows_windows(&self, now: Timestamp, until: Timestamp) -> bool {
        let LearningSettings::For { span, .. } = self.settings.learning else { return true };
        let is_known = self.scales.first().is_none_or(|scale| scale.learned.kept().len() >= WINDOWS_WANTED);
        is_known || now.since(until) >= LONGEST_WAIT.max(3 * span)
    }

    fn codes_do_not_fit(&self) -> bool {
        let mut reference = self.learning.reference.clone();
        reference.add(&self.base);
        self.measures.iter().enumerate().any(|(index, measure)| {
            let Some(Coding::Numeric(coding)) = &measure.coding else { return measure.coding.is_none() };
            let counts = reference.of(index, WHOLE);
            let n: u32 = counts[..CODES - 1].iter().sum();
            let most = counts[..CODES - 1].iter().copied().max().unwrap_or(0);
            coding.inner_edges().len() >= 20 && f64::from(most) > MOST_SHARE_OF_CODE * f64::from(n)
        })
    }

    fn finish_learning(&mut self, started: Timestamp, until: Timestamp) {
        let state = &mut *self;
        // What is still open counts for the reference, but is no whole window.
        state.learning.reference.add(&state.base);
        state.base.clear();
        let learned = state.learning.finish(started, until, &state.measures, &state.scales, &state.groups);
        state.slices.finish(&learned.reference, &state.measures);
        state.learned = Some(learned);
        state.learning = Learning::default();
        state.measures.iter_mut().for_each(Measure::close);
        for scale in &mut state.scales {
            scale.learned = Thinned::default();
            scale.table.clear();
            // Windows of the watching begin where the learning ends.
            scale.open = Some(until.floor(scale.span));
        }
        state.phase = Phase::Watching;
    }

    /// Opens the windows that hold a moment.
    pub(crate) fn open_windows(&mut self, now: Timestamp) {
        for scale in &mut self.scales {
            if scale.open.is_none() {
                scale.open = Some(now.floor(scale.span));
            }
        }
    }
}
