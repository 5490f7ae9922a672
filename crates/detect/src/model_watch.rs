//! Watches one model: events into seconds and windows, these to detectors.
//!
//! **Invariant:** everything changes at the boundary of a second of the stream's clock and nowhere else,
//! so that it does not matter how the stream was cut into batches.

use std::collections::VecDeque;

use arrow::array::Array;
use wardline_domain::{EventBatch, Finding, ModelSettings, Timestamp};

use crate::{
    coding::{CODES, Coding},
    detectors::{self, Detector},
    event_rows::{EventRows, SharedColumns},
    groups::{LEFT_OUT, RowGroups, WHOLE},
    measure::{MAX_MEASURES, Measure, MeasuredColumn, columns_of},
    model_state::{ModelState, Phase},
    outcomes::JudgedPrediction,
    second,
    series::WindowPoint,
    settings::WatchSettings,
    window::{Scale, Table},
};

/// A window that closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClosedWindow<'a> {
    /// Which of the model's lengths.
    pub(crate) scale: usize,
    pub(crate) start: Timestamp,
    /// When it closed.
    pub(crate) end: Timestamp,
    pub(crate) table: &'a Table,
}

/// One model under watch.
pub(crate) struct ModelWatch {
    pub(crate) state: ModelState,
    pub(crate) detectors: Vec<Box<dyn Detector>>,
    scratch: Scratch,
}

/// Space that is used again for every batch.
#[derive(Default)]
struct Scratch {
    groups: RowGroups,
    times: Vec<Timestamp>,
    codes: Vec<u8>,
    failed: Vec<bool>,
}

/// A batch while its rows are counted.
struct Rows<'a> {
    batch: &'a EventBatch,
    columns: Vec<(usize, MeasuredColumn<'a>)>,
    /// NaN where there is none.
    latency_ms: Vec<f64>,
    score: Vec<f64>,
}

impl ModelWatch {
    pub(crate) fn new(name: &str, settings: ModelSettings, watch: &WatchSettings) -> Self {
        let detectors = detectors::build_all(watch);
        Self { state: ModelState::new(name, settings), detectors, scratch: Scratch::default() }
    }

    /// Takes a batch of inferences. What rules found in a row is told before the second of a later row begins.
    pub(crate) fn observe(
        &mut self,
        batch: &EventBatch,
        told: &mut VecDeque<(usize, Finding)>,
        findings: &mut Vec<Finding>,
    ) {
        let Ok(times) = batch.times() else { return };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.times.clear();
        scratch
            .times
            .extend(times.values().iter().map(|&micros| self.state.clock.arrive(Timestamp::from_micros(micros))));
        self.state.groups.assign(batch, &mut scratch.groups);
        self.state.entities.assign(batch);
        self.note_services(batch);
        let rows = self.rows_of(batch, &mut scratch);
        self.state.second.grow(self.state.groups.len());

        let mut shared = SharedColumns::default();
        let (mut from, mut second_from) = (0, 0);
        for row in 0..batch.len() {
            let start = scratch.times[row].floor(Timestamp::SECOND);
            if self.state.started.is_none() {
                self.state.started = Some(scratch.times[row]);
                self.state.second.begin(start, self.state.groups.len());
            } else if start != self.state.second.start {
                self.show(batch, second_from..row, &shared, findings);
                while let Some((_, finding)) = told.pop_front_if(|(found_in, _)| *found_in < row) {
                    findings.push(finding);
                }
                second_from = row;
                for next in steps(self.state.second.start, start) {
                    if self.is_turning_point(next) {
                        self.flush(&rows, &mut scratch, from..row);
                        from = row;
                    }
                    self.pass(next, findings);
                }
                shared.follow(&self.state);
            }
            self.count_row(&rows, &scratch, row);
        }
        self.show(batch, second_from..batch.len(), &shared, findings);
        self.flush(&rows, &mut scratch, from..batch.len());
        drop(rows);
        self.scratch = scratch;
    }

    /// Takes predictions that were judged by what turned out to be true.
    pub(crate) fn judge(&mut self, judged: &[JudgedPrediction], findings: &mut Vec<Finding>) {
        for detector in &mut self.detectors {
            detector.on_outcomes(&self.state, judged, findings);
        }
    }

    /// Shows records to the detectors. Those that are no predictions, training rows or a deployment, do not move the clock.
    pub(crate) fn show_rows(&mut self, batch: &EventBatch, range: std::ops::Range<usize>, findings: &mut Vec<Finding>) {
        self.show(batch, range, &SharedColumns::default(), findings);
    }

    fn show<'a>(
        &mut self,
        batch: &'a EventBatch,
        range: std::ops::Range<usize>,
        shared: &SharedColumns<'a>,
        findings: &mut Vec<Finding>,
    ) {
        if range.is_empty() {
            return;
        }
        let rows = EventRows::new(batch, range, shared, &mut self.state.gates);
        for detector in &mut self.detectors {
            detector.on_rows(&self.state, &rows, findings);
        }
    }

    /// Time passed without events.
    pub(crate) fn advance(&mut self, now: Timestamp, findings: &mut Vec<Finding>) {
        if self.state.started.is_none() {
            return;
        }
        self.state.clock.advance(now);
        for next in steps(self.state.second.start, now.floor(Timestamp::SECOND)) {
            self.pass(next, findings);
        }
    }

    /// No more events come: judges what is still open.
    pub(crate) fn finish(&mut self, findings: &mut Vec<Finding>) {
        self.close(findings);
        for detector in &mut self.detectors {
            detector.on_end(&self.state, findings);
        }
    }

    fn close(&mut self, findings: &mut Vec<Finding>) {
        let Some(now) = self.state.clock.now() else { return };
        self.pass(now.floor(Timestamp::SECOND).plus(Timestamp::SECOND), findings);
        if self.state.phase == Phase::Sampling {
            return;
        }
        self.close_base(now, true, findings);
    }

    fn note_services(&mut self, batch: &EventBatch) {
        let Some(text) = batch.text("service") else { return };
        let mut last = None;
        for row in 0..batch.len() {
            let code = text.code(row);
            if code.is_some() && code == last {
                continue;
            }
            last = code;
            if let Some(service) = text.get(row)
                && !self.state.services.iter().any(|known| known == service)
                && self.state.services.len() < 16
            {
                self.state.services.push(service.to_owned());
            }
        }
    }

    fn rows_of<'a>(&mut self, batch: &'a EventBatch, scratch: &mut Scratch) -> Rows<'a> {
        let numbers = |name: &str| -> Vec<f64> {
            batch.number(name).map_or_else(
                || vec![f64::NAN; batch.len()],
                |array| {
                    (0..array.len()).map(|row| if array.is_valid(row) { array.value(row) } else { f64::NAN }).collect()
                },
            )
        };
        scratch.failed.clear();
        scratch.failed.resize(batch.len(), false);
        mark_failed(batch, &mut scratch.failed);
        let mut columns = Vec::new();
        for column in columns_of(batch) {
            let known = self.state.measure_index.get(&column.name).copied();
            let index = match known {
                Some(index) => index,
                None if self.state.measures.len() < MAX_MEASURES => {
                    let index = self.state.measures.len();
                    self.state.measures.push(Measure::new(&column.name, column.role, &column.values));
                    self.state.measure_index.insert(column.name.clone(), index);
                    index
                }
                None => continue,
            };
            columns.push((index, column));
        }
        Rows { batch, columns, latency_ms: numbers("latency_ms"), score: numbers("score") }
    }

    #[inline]
    fn count_row(&mut self, rows: &Rows<'_>, scratch: &Scratch, row: usize) {
        let state = &mut self.state;
        let latency = rows.latency_ms[row];
        let failed = scratch.failed[row];
        state.events += 1;
        let code = second::code(
            failed,
            latency,
            &state.thresholds,
            state.settings.objectives.and_then(|objectives| objectives.latency_p99_ms).unwrap_or(f64::INFINITY),
        );
        state.second.count_whole(code);
        for ids in &scratch.groups.ids {
            state.second.count(ids[row], code);
        }
        let time = scratch.times[row];
        let cell = state.series.at(time);
        cell.events += 1;
        cell.failures += u64::from(failed);
        if !rows.score[row].is_nan() {
            cell.score.0 += rows.score[row];
            cell.score.1 += 1;
        }
        if latency.is_finite() {
            cell.latency_ms.insert(latency);
            let version = scratch.groups.ids.first().map_or(LEFT_OUT, |ids| ids[row]);
            state.recent.insert(time.floor(Timestamp::MINUTE), version, latency);
        }
    }

    /// Counts the codes of rows, and learns from them.
    fn flush(&mut self, rows: &Rows<'_>, scratch: &mut Scratch, range: std::ops::Range<usize>) {
        if range.is_empty() {
            return;
        }
        let state = &mut self.state;
        if state.phase != Phase::Watching {
            for (measure, column) in &rows.columns {
                state.measures[*measure].learn(&column.values, range.clone());
            }
        }
        if state.phase == Phase::Sampling {
            return;
        }
        state.base.grow(state.measures.len(), state.groups.len());
        for row in range.clone() {
            state.base.count_event(WHOLE, scratch.failed[row]);
            for ids in &scratch.groups.ids {
                state.base.count_event(ids[row], scratch.failed[row]);
            }
        }
        for (measure, column) in &rows.columns {
            state.measures[*measure].encode(&column.values, &mut scratch.codes, range.clone());
            state.base.count_whole(*measure, &scratch.codes);
            for ids in &scratch.groups.ids {
                state.base.count_groups(*measure, &scratch.codes, &ids[range.clone()]);
            }
        }
        let _ = rows.batch;
    }

    /// Whether counted rows must be flushed before the clock moves to a second.
    fn is_turning_point(&self, next: Timestamp) -> bool {
        let Some(started) = self.state.started else { return false };
        match self.state.phase {
            Phase::Sampling => true,
            Phase::Learning if next >= self.state.learning_ends(started).0 => true,
            Phase::Learning
                if !self.state.resampled && next.since(started) >= self.state.learning_span(started) / 4 =>
            {
                true
            }
            _ => self.state.scales.first().is_some_and(|scale| scale.ends().is_none_or(|end| next >= end)),
        }
    }

    /// The clock moves to another second.
    fn pass(&mut self, next: Timestamp, findings: &mut Vec<Finding>) {
        if !self.state.second.is_empty() {
            self.close_second(findings);
        }
        self.state.second.begin(next, self.state.groups.len());
        match self.state.phase {
            Phase::Sampling => self.state.try_coding(next),
            Phase::Learning | Phase::Watching => {
                let is_over = self.state.scales.first().and_then(Scale::ends).is_some_and(|end| next >= end);
                if is_over {
                    self.close_base(next, false, findings);
                }
                self.state.open_windows(next);
                if self.state.phase == Phase::Learning {
                    self.state.try_finish_learning(next);
                }
            }
        }
        for detector in &mut self.detectors {
            detector.on_time(&self.state, next, findings);
        }
    }

    fn close_second(&mut self, findings: &mut Vec<Finding>) {
        let second = std::mem::take(&mut self.state.second);
        self.state.last_event = Some(second.start);
        for &group in &second.touched {
            self.state.groups.note_seen(group, second.start);
        }
        if self.state.phase != Phase::Watching {
            self.state.learning.observe(&second);
        }
        self.state.second = second;
        for detector in &mut self.detectors {
            detector.on_second(&self.state, findings);
        }
    }

    /// Closes the shortest window, and longer ones that end with it.
    fn close_base(&mut self, now: Timestamp, is_last: bool, findings: &mut Vec<Finding>) {
        let base = std::mem::take(&mut self.state.base);
        if let Some(scale) = self.state.scales.first_mut() {
            scale.table = base;
        }
        for index in 0..self.state.scales.len() {
            let ended = self.state.scales[index].ends().is_some_and(|end| now >= end);
            if !ended && !is_last {
                break;
            }
            self.close_scale(index, now, findings);
        }
        if let Some(scale) = self.state.scales.first_mut() {
            self.state.base = std::mem::take(&mut scale.table);
        }
    }

    fn add_to_slices(&mut self, table: &Table, start: Timestamp, end: Timestamp) {
        let state = &mut self.state;
        let is_learning = state.phase == Phase::Learning;
        if is_learning {
            state.slices.discover(&state.groups, &state.learning.reference, state.measures.len());
        }
        state.slices.add(table, start, end, is_learning);
    }

    fn close_scale(&mut self, index: usize, now: Timestamp, findings: &mut Vec<Finding>) {
        let mut table = std::mem::take(&mut self.state.scales[index].table);
        let start = self.state.scales[index].open.take();
        if let Some(start) = start {
            let end = start.plus(self.state.scales[index].span).min(now);
            if index == 0 {
                self.add_to_slices(&table, start, end);
            }
            let closed = ClosedWindow { scale: index, start, end, table: &table };
            if self.state.phase == Phase::Watching {
                if index == 0 {
                    let point = || window_point(&self.state, &closed);
                    let point = point();
                    self.state.series.push_window(|| point);
                }
                for detector in &mut self.detectors {
                    detector.on_window(&self.state, &closed, now, findings);
                }
            }
        }
        if self.state.phase == Phase::Learning {
            if index == 0 {
                self.state.learning.reference.add(&table);
            }
            self.state.scales[index].open = start;
            std::mem::swap(&mut self.state.scales[index].table, &mut table);
            self.state.scales[index].keep();
            std::mem::swap(&mut self.state.scales[index].table, &mut table);
            self.state.scales[index].open = None;
        }
        if let Some(longer) = self.state.scales.get_mut(index + 1) {
            longer.table.add(&table);
        }
        table.clear();
        self.state.scales[index].table = table;
    }
}

/// Which rows of a batch failed.
pub(crate) fn failures(batch: &EventBatch) -> Vec<bool> {
    let mut failed = vec![false; batch.len()];
    mark_failed(batch, &mut failed);
    failed
}

/// The seconds that the clock stops at on its way: the beginning of every minute, whatever else happens in it, and the
/// end. What other models do moves the clock to minutes too, so a model must not see a difference. Of a long way without
/// events only the last month is walked.
fn steps(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    const MOST: i64 = 31 * Timestamp::DAY;
    let first = from.max(to.plus(-MOST)).floor(Timestamp::MINUTE).plus(Timestamp::MINUTE);
    let minutes = std::iter::successors(Some(first), |minute| Some(minute.plus(Timestamp::MINUTE)));
    minutes.take_while(move |minute| *minute < to).chain((from < to).then_some(to))
}

fn mark_failed(batch: &EventBatch, failed: &mut [bool]) {
    let Some(status) = batch.text("status") else { return };
    let error_code = status.dictionary().map(|dictionary| {
        (0..dictionary.len())
            .filter(|&code| dictionary.is_valid(code) && dictionary.value(code) == "error")
            .collect::<Vec<_>>()
    });
    match error_code {
        Some(codes) if codes.is_empty() => {}
        Some(codes) => {
            for (row, failed) in failed.iter_mut().enumerate() {
                *failed = status.code(row).is_some_and(|code| codes.contains(&code));
            }
        }
        None => {
            for (row, failed) in failed.iter_mut().enumerate() {
                *failed = status.get(row) == Some("error");
            }
        }
    }
}

fn window_point(state: &ModelState, window: &ClosedWindow<'_>) -> WindowPoint {
    let mut shifts = Vec::new();
    let mut decisions = Vec::new();
    if let Some(learned) = &state.learned {
        for (index, measure) in state.measures_by_name() {
            let (reference, current) = (learned.reference.of(index, WHOLE), window.table.of(index, WHOLE));
            if let Some(shift) = crate::noise::shift(&reference, &current, measure.is_numeric()) {
                shifts.push((measure.label().to_owned(), shift.share));
            }
            if let (Some(Coding::Categorical(coding)), "decision") = (&measure.coding, measure.name.as_str()) {
                let n: u32 = current[..CODES - 1].iter().sum();
                let shown = (1..=8_u8).filter(|&code| current[code as usize] > 0 || reference[code as usize] > 0);
                decisions = shown
                    .map(|code| (coding.name(code).to_owned(), f64::from(current[code as usize]) / f64::from(n.max(1))))
                    .collect();
            }
        }
    }
    WindowPoint { start: window.start, shifts, decisions }
}
