//! While labels lag, the model's own scores tell that it must be right less often.
//!
//! - **Method:** scores of the learning period are calibrated on its labels (isotonic regression; without 200 labels they
//!   are taken as they are). Expected accuracy and area under the ROC curve follow for each chunk of time (CBPE: Kivimäki et
//!   al., JAIR 82, 2025). The mean of the last one, two, four and eight chunks is compared with the chunks of the learning
//!   period by Student's t, with their spread from chunk to chunk and the likeness of neighbours.
//! - **Fields:** `score` with `decision`; labels where they come. With `positive_class` set, `score` is its probability,
//!   else that of the decision.
//! - **False alarms:** the weekly budget is shared by all chunks, lengths and both figures (Bonferroni).
//! - **Least effect:** half a point; six chunks of 100 predictions while learning.
//!   A fall that is gone without one client's requests is not told: it asks odd things.
//! - **Blind spots:** a change of what scores mean (concept drift): only labels show that; the accuracy detector's fact on
//!   probabilities watches it. Days unlike those of the learning period are told for information only.
//! - **ATLAS:** AML.T0031 (erode model integrity).

use std::collections::VecDeque;

use arrow::array::Array;
use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Span, Timestamp};
use wardline_stats::performance::Isotonic;

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    draft::{draft, sealed},
    entities::SLOTS,
    evidence, judged_finding,
    model_state::ModelState,
    outcomes::{JudgedPrediction, text_hash},
    score_chunks::{BinProbabilities, Doubt, Doubts, Expected, ScoreChunk},
    tails::student_above,
    thinned::Thinned,
    wording::{clock_time, model_and_version},
};

/// A figure of a chunk, where it has one.
type Figure = fn(&Expected) -> Option<f64>;

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "estimated_performance",
    budget_share: 0.08,
    method: "expected accuracy and AUC from calibrated scores, by Student's t on chunks of time",
    atlas: &["AML.T0031"],
    build: |budget: &DetectorBudget| Box::new(EstimatedPerformance::new(budget.weekly)),
};

/// The learning period is cut into so many chunks, none shorter than an hour nor longer than two days.
const CHUNKS: Span = 14;
const LEAST_SPAN: Span = Timestamp::HOUR;
const MOST_SPAN: Span = 2 * Timestamp::DAY;
/// Most chunks of the learning period; beyond, neighbours are joined.
const MOST_CHUNKS: usize = 64;
const LEAST_CHUNKS: usize = 6;
/// A chunk with fewer predictions is joined with the next.
const LEAST_ROWS: u64 = 100;
const LEAST_LABELS: usize = 200;
const MOST_LABELS: usize = 4_096;
/// Lengths whose mean is compared, in chunks.
const LENGTHS: [usize; 4] = [1, 2, 4, 8];
const LEAST_EFFECT: f64 = 0.005;
/// Dimensions whose values are clients, and the part of a rise of doubt that is left where one of them makes it.
const CLIENTS: [&str; 3] = ["user", "api_key", "tenant"];
const LEFT_WITHOUT: f64 = 0.4;
/// Neighbouring chunks are taken to be alike no more than this.
const MOST_LIKENESS: f64 = 0.7;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Labelled {
    score: f32,
    /// Positive, or right where there is no positive class.
    yes: bool,
}

/// What chunks of the learning period were like.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Usual {
    mean: f64,
    variance: f64,
    /// Of the mean of each chunk by chance alone.
    by_chance: f64,
    chunks: f64,
    likeness: f64,
}

#[derive(Serialize, Deserialize)]
struct EstimatedPerformance {
    weekly_budget: f64,
    span: Span,
    open: Option<ScoreChunk>,
    learned: Vec<ScoreChunk>,
    labels: Thinned<Labelled, MOST_LABELS>,
    recent: VecDeque<ScoreChunk>,
    /// How unsure scores were while learning, those of the open chunk by client, and those of the recent ones.
    usual_doubt: Doubt,
    doubts: Doubts,
    recent_doubts: VecDeque<Doubts>,
}

impl Detector for EstimatedPerformance {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference {
            return;
        }
        let Some(scores) = rows.batch.number("score") else { return };
        let now = state.second.start;
        self.close_before(state, now, findings);
        let positive = state.settings.positive_class.as_deref();
        let decisions = rows.batch.text("decision");
        let open = self.open.get_or_insert_with(|| ScoreChunk::new(now.floor(self.span.max(1))));
        let clients: [bool; SLOTS] = std::array::from_fn(|slot| CLIENTS.contains(&state.entities.dimension(slot)));
        for row in rows.range.clone() {
            if !scores.is_valid(row) {
                continue;
            }
            let score = scores.value(row);
            if !(0.0..=1.0).contains(&score) {
                continue;
            }
            let decision = decisions.and_then(|text| text.get(row));
            let is_decided = match (positive, decision) {
                (Some(positive), Some(decision)) => positive == decision,
                (Some(_), None) => score >= 0.5,
                (None, _) => true,
            };
            open.add(score, is_decided);
            self.doubts.add(score.min(1.0 - score), &state.entities.of(row), &clients);
        }
    }

    fn on_outcomes(&mut self, state: &ModelState, judged: &[JudgedPrediction], _findings: &mut Vec<Finding>) {
        let Some(learning_ends) = judged_finding::learning_ends(state) else { return };
        let positive = state.settings.positive_class.as_deref().map(text_hash);
        for one in judged.iter().filter(|one| one.predicted < learning_ends && (0.0..=1.0).contains(&one.score)) {
            let yes = match positive {
                Some(positive) => (one.label != 0).then_some(one.label == positive),
                None => one.is_right(),
            };
            if let Some(yes) = yes {
                self.labels.push(|| Labelled { score: one.score as f32, yes });
            }
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        self.close_before(state, now, findings);
    }

    saved_whole!();
}

impl EstimatedPerformance {
    fn new(weekly_budget: f64) -> Self {
        Self {
            weekly_budget,
            span: 0,
            open: None,
            learned: Vec::new(),
            labels: Thinned::default(),
            recent: VecDeque::new(),
            usual_doubt: Doubt::default(),
            doubts: Doubts::default(),
            recent_doubts: VecDeque::new(),
        }
    }

    /// Whether the doubt of the last chunks is gone without one client: then it asks odd things, and the model is as good as
    /// it was. Who probes or copies a model is the subject of other detectors.
    fn is_of_one_client(&self, length: usize) -> bool {
        let mut sum = Doubts::default();
        self.recent_doubts.iter().rev().take(length).for_each(|doubts| sum.join(doubts));
        let usual = self.usual_doubt.mean();
        let rise = sum.whole.mean() - usual;
        let is_rest_usual = |client: &Doubt| {
            let rest = Doubt { n: sum.whole.n - client.n, sum: sum.whole.sum - client.sum };
            rest.mean() - usual <= LEFT_WITHOUT * rise
        };
        rise > 0.0 && sum.clients.iter().flatten().any(|client| client.n < 0.5 * sum.whole.n && is_rest_usual(client))
    }

    /// Closes the open chunk where its time is over.
    fn close_before(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        if self.span == 0 {
            let Some(started) = state.started else { return };
            self.span = (state.learning_span(started) / CHUNKS).clamp(LEAST_SPAN, MOST_SPAN);
        }
        let Some(learning_ends) = judged_finding::learning_ends(state) else { return };
        let Some(open) = &self.open else { return };
        let is_learning = open.start < learning_ends && state.learned.is_none();
        // What is learned ends where the learning does.
        let end = open.start.plus(self.span);
        let end = if open.start < learning_ends { end.min(learning_ends) } else { end };
        if now < end || open.n() < LEAST_ROWS {
            return;
        }
        let Some(chunk) = self.open.take() else { return };
        let doubts = std::mem::take(&mut self.doubts);
        if is_learning || chunk.start < learning_ends {
            self.usual_doubt.join(&doubts.whole);
            self.learn(chunk);
            return;
        }
        self.recent_doubts.push_back(doubts);
        if self.recent_doubts.len() > LENGTHS[LENGTHS.len() - 1] {
            self.recent_doubts.pop_front();
        }
        self.recent.push_back(chunk);
        if self.recent.len() > LENGTHS[LENGTHS.len() - 1] {
            self.recent.pop_front();
        }
        findings.extend(self.judge(state, now));
    }

    fn learn(&mut self, chunk: ScoreChunk) {
        self.learned.push(chunk);
        if self.learned.len() > MOST_CHUNKS {
            let joined = self.learned.chunks(2).filter_map(|pair| {
                let mut first = pair.first()?.clone();
                pair.get(1).into_iter().for_each(|next| first.join(next));
                Some(first)
            });
            self.learned = joined.collect();
            self.span *= 2;
        }
    }

    /// Probabilities by score, and how many labels they rest on.
    fn probabilities(&self) -> (BinProbabilities, usize) {
        let labels = self.labels.kept();
        if labels.len() >= LEAST_LABELS {
            let scores: Vec<f64> = labels.iter().map(|one| f64::from(one.score)).collect();
            let yes: Vec<bool> = labels.iter().map(|one| one.yes).collect();
            if let Some(calibrated) = Isotonic::fit(&scores, &yes) {
                return (BinProbabilities::of(|score| calibrated.probability(score)), labels.len());
            }
        }
        (BinProbabilities::of(Some), 0)
    }

    fn judge(&self, state: &ModelState, now: Timestamp) -> Option<Finding> {
        if self.learned.len() < LEAST_CHUNKS {
            return None;
        }
        let has_positive_class = state.settings.positive_class.is_some();
        let (probabilities, n_labels) = self.probabilities();
        let expected = |chunk: &ScoreChunk| chunk.expected(&probabilities, has_positive_class);
        let learned: Vec<Expected> = self.learned.iter().filter_map(expected).collect();
        let recent: Vec<Expected> = self.recent.iter().filter_map(expected).collect();
        let figures: [(&str, Figure); 2] = [("accuracy", |chunk| Some(chunk.accuracy)), ("auc", |chunk| chunk.area)];
        let weeks = self.span as f64 / (7 * Timestamp::DAY) as f64;
        let level = self.weekly_budget * weeks.min(1.0) / (LENGTHS.len() * figures.len()) as f64;
        let mut best: Option<(f64, &str, usize, f64, Usual)> = None;
        for (name, figure) in figures {
            let Some(usual) = Usual::of(&learned, figure) else { continue };
            for length in LENGTHS.into_iter().filter(|&length| length <= recent.len()) {
                let last = &recent[recent.len() - length..];
                let Some(mean) = mean_of(last, figure) else { continue };
                let p_value = usual.p_value(mean, last);
                let is_told = p_value <= level && usual.mean - mean >= LEAST_EFFECT;
                if is_told && best.is_none_or(|(least, ..)| p_value < least) {
                    best = Some((p_value, name, length, mean, usual));
                }
            }
        }
        let (p_value, name, length, mean, usual) = best?;
        if self.is_of_one_client(length) {
            return None;
        }
        let since = self.recent.get(self.recent.len() - length)?.start;
        let n = recent[recent.len() - length..].iter().map(|chunk| chunk.n).sum();
        let n_learned = learned.iter().map(|chunk| chunk.n).sum();
        let fall = Fall { p_value, name, mean, usual: usual.mean, since, n, n_learned, n_labels };
        Some(finding(state, &fall, now))
    }
}

/// The mean over chunks, each by its number of predictions.
fn mean_of(chunks: &[Expected], figure: impl Fn(&Expected) -> Option<f64>) -> Option<f64> {
    let mut sums = (0.0, 0.0);
    for chunk in chunks {
        sums = (sums.0 + figure(chunk)? * chunk.n as f64, sums.1 + chunk.n as f64);
    }
    (sums.1 > 0.0).then(|| sums.0 / sums.1)
}

impl Usual {
    fn of(learned: &[Expected], figure: impl Fn(&Expected) -> Option<f64>) -> Option<Self> {
        let values: Vec<f64> = learned.iter().filter_map(figure).collect();
        if values.len() < LEAST_CHUNKS {
            return None;
        }
        let chunks = values.len() as f64;
        let mean = values.iter().sum::<f64>() / chunks;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let neighbours: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let likeness = if squares > 0.0 { (neighbours / squares).clamp(0.0, MOST_LIKENESS) } else { 0.0 };
        let by_chance = learned.iter().map(|chunk| chunk.variance).sum::<f64>() / learned.len() as f64;
        // Chunks that happened to be alike are not taken at their word.
        let variance = (squares / (chunks - 1.0)).max(by_chance).max(1e-8);
        Some(Self { mean, variance, by_chance, chunks, likeness })
    }

    /// Chance that so many chunks have so low a mean.
    fn p_value(&self, mean: f64, last: &[Expected]) -> f64 {
        let length = last.len() as f64;
        let by_chance = last.iter().map(|chunk| chunk.variance).sum::<f64>() / length;
        // Smaller chunks than those that were learned from vary more.
        let more = (by_chance - self.by_chance).max(0.0);
        let alike = (1.0 + self.likeness) / (1.0 - self.likeness);
        let stretched = (alike / length).min(1.0);
        let variance = (self.variance + more) * (stretched + alike / self.chunks);
        student_above((self.mean - mean) / variance.sqrt(), self.chunks - 1.0)
    }
}

struct Fall<'a> {
    p_value: f64,
    name: &'a str,
    mean: f64,
    usual: f64,
    since: Timestamp,
    n: u64,
    n_learned: u64,
    n_labels: usize,
}

fn finding(state: &ModelState, fall: &Fall<'_>, now: Timestamp) -> Finding {
    let mut finding = draft(state, SPEC.name, FindingKind::Performance, &format!("estimated_{}", fall.name), now);
    finding.onset = fall.since.min(now);
    finding.onset_interval = (finding.onset, now);
    (finding.observed, finding.expected, finding.unit) = (fall.mean, fall.usual, fall.name.to_owned());
    (finding.n_observed, finding.n_expected) = (fall.n, fall.n_learned);
    (finding.effect, finding.effect_name) = (fall.usual - fall.mean, "fall".to_owned());
    finding.p_value = Some(fall.p_value);
    finding.severity = if state.knows_kind_of_day(fall.since) { Severity::Ticket } else { Severity::Info };
    finding.atlas = vec!["AML.T0031".to_owned()];
    finding.version = state.sole_version();
    if let Some(version) = &finding.version {
        finding.responsible = vec![Carrier { name: format!("version={version}"), share: 1.0, interval: None }];
    }
    let digits =
        |value: f64| if fall.name == "auc" { format!("{value:.3}") } else { format!("{:.1} %", 100.0 * value) };
    let basis = if fall.n_labels == 0 {
        "scores as they are, as too few labels came".to_owned()
    } else {
        format!("scores calibrated on {} labels", fall.n_labels)
    };
    finding.title = format!(
        "{}: estimated {} fell from {} to {} since {} (n={} predictions without labels; {basis})",
        model_and_version(&state.name, finding.version.as_deref()),
        if fall.name == "auc" { "AUC" } else { fall.name },
        digits(fall.usual),
        digits(fall.mean),
        clock_time(finding.onset, now),
        fall.n,
    );
    finding.evidence = evidence::distribution(&finding, "score", true);
    sealed(finding)
}

#[cfg(test)]
mod tests;
