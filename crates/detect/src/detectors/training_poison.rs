//! One channel feeds the model bad training rows.
//!
//! - **Method:** what the rows are is told from the first 400: ratings of items by users, rows with a class, or
//!   both. *Ratings:* users by item and channel who praise or run down, against the other channels' share, with
//!   the difference of tastes learned (`channel_lift` of the statistics, negative binomial; Bhaumik et al. 2006),
//!   over the last 7 and 28 days, and against the channel's own past (Fisher's exact test); what a channel did before
//!   is its taste. Beside the count: users who push several of the
//!   items, users whom nobody knew, ratings that are all alike. *Classes:* the seven nearest rows of other channels
//!   (Peri et al. 2020): pairs of classes that a channel confuses three times as often as before and as the others
//!   (Fisher's exact test), or, without a past, more than channels differ; values that are new, come by one channel and force one
//!   class beyond what the neighbours say (Gu et al. 2017). It is judged when a day of the rows' own clock
//!   ends, when a data set gets a new version and at the end of the stream. Kept: 200,000 ratings, or half of the items
//!   with all of theirs; 16,000 rows with a class, the same number of each channel, sampled by their id.
//! - **Fields:** `training_row` with `channel` (or `source`), and an item (`item`, `movie_id`, `sku`, …, or a text that
//!   repeats) with `user` and a rating, or `label` with numeric features, an `embedding` or texts. `dataset_version`.
//! - **False alarms:** each look is a false-discovery rate far below the weekly budget, and corrected over items,
//!   channels and pairs; what is unusual when the learning ends is never told as new. Ratings without any other
//!   mark stay on record: an item that only one channel sells looks the same.
//! - **Least effect:** five users and twice the expected ones; one row in a hundred of a class, and three times as many.
//! - **Blind spots:** poison through all channels alike or by most rows of a channel from the start; labels that are
//!   right (clean-label attacks); fewer than four channels without a past.
//! - **ATLAS:** AML.T0020 (poison training data), AML.T0010.002 (supply chain: data), AML.T0059 (erode dataset
//!   integrity), AML.T0043.004 (backdoor trigger).

mod labels;
mod ratings;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Slice, Timestamp};
use wardline_stats::poisoning::Push;

use self::{
    labels::{Labels, Mislabelled, Wrong},
    ratings::{Pushed, Ratings},
    shape::{Shape, shape_of},
};
use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    clock::StreamClock,
    draft::{draft, sealed},
    evidence,
    model_state::ModelState,
    training_record::{Columns, Names, Record},
    wording::{clock_time, number, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "training_poison",
    budget_share: 0.1,
    method: "items that one channel pushes, labels that other channels would not give, and triggers, in training rows",
    atlas: &["AML.T0020", "AML.T0010.002", "AML.T0059", "AML.T0043.004"],
    build: |budget: &DetectorBudget| Box::new(TrainingPoison::new(budget.weekly)),
};

/// Rows that tell what rows are.
const ROWS_THAT_TELL: usize = 400;
/// Most channels and versions that are told apart.
const MOST_CHANNELS: usize = 256;
const MOST_VERSIONS: usize = 4_096;
/// Beyond so many rows since the last look, it does not wait for the day to end.
const ROWS_OF_A_LOOK: u64 = 100_000;
/// A new version of a data set is no reason to look at fewer rows than this.
const LEAST_ROWS: u64 = 100;
/// Looks in a week that share the false alarms of a week: each day, at two kinds of rows.
const LOOKS_A_WEEK: f64 = 14.0;
/// Most that a title or an alert names.
const MOST_NAMED: usize = 4;

#[derive(Serialize, Deserialize)]
struct TrainingPoison {
    /// Level of one look.
    alpha: f64,
    clock: StreamClock,
    started: Option<Timestamp>,
    /// The day of the rows' clock that is open.
    day: Option<Timestamp>,
    is_learned: bool,
    /// Rows since the last look.
    fresh: u64,
    channels: Names,
    versions: Names,
    /// The first rows, until they tell what rows are.
    first: Vec<Record>,
    is_shaped: bool,
    ratings: Option<Ratings>,
    labels: Option<Labels>,
    told: BTreeMap<String, Told>,
}

/// What was told of a channel.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    severity: Severity,
    onset: Timestamp,
    named: BTreeSet<String>,
    versions: BTreeSet<u16>,
}

impl Detector for TrainingPoison {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::TrainingRow {
            return;
        }
        let Some(columns) = Columns::of(rows.batch) else { return };
        for record in rows.range.clone().filter_map(|row| columns.record(row)) {
            self.take(state, record, findings);
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        // Rows that came in one go are judged without waiting for the next.
        let is_over = self.day.is_some_and(|day| now >= day.plus(Timestamp::DAY + Timestamp::HOUR));
        if self.fresh > 0 && is_over {
            self.look(state, now, findings);
            self.day = Some(now.floor(Timestamp::DAY));
        }
    }

    fn on_end(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        if let Some(now) = self.clock.now().filter(|_| self.fresh > 0) {
            self.look(state, now, findings);
        }
    }

    saved_whole!();
}

impl TrainingPoison {
    fn new(weekly: f64) -> Self {
        Self {
            alpha: (weekly / LOOKS_A_WEEK).clamp(1e-6, 0.01),
            clock: StreamClock::default(),
            started: None,
            day: None,
            is_learned: false,
            fresh: 0,
            channels: Names::default(),
            versions: Names::default(),
            first: Vec::new(),
            is_shaped: false,
            ratings: None,
            labels: None,
            told: BTreeMap::new(),
        }
    }

    fn take(&mut self, state: &ModelState, mut record: Record, findings: &mut Vec<Finding>) {
        record.time = self.clock.arrive(record.time);
        let now = record.time;
        self.started.get_or_insert(now);
        let day = now.floor(Timestamp::DAY);
        let is_new_version = !self.versions.knows(&record.dataset_version);
        let is_over = self.day.is_some_and(|open| day > open)
            || (is_new_version && self.fresh >= LEAST_ROWS)
            || self.fresh >= ROWS_OF_A_LOOK;
        if is_over {
            self.look(state, now, findings);
        }
        self.day = Some(self.day.map_or(day, |open| open.max(day)));
        self.fresh += 1;
        if self.is_shaped {
            self.keep(&record);
            return;
        }
        let _ = self.versions.number(&record.dataset_version, MOST_VERSIONS);
        self.first.push(record);
        if self.first.len() >= ROWS_THAT_TELL {
            self.take_shape();
        }
    }

    fn take_shape(&mut self) {
        let Shape { ratings, labels } = shape_of(&self.first);
        self.ratings = ratings.map(Ratings::new);
        self.labels = labels.map(Labels::new);
        self.is_shaped = true;
        for record in std::mem::take(&mut self.first) {
            self.keep(&record);
        }
    }

    fn keep(&mut self, record: &Record) {
        let Some(channel) = self.channels.number(&record.channel, MOST_CHANNELS) else { return };
        let version = self.versions.number(&record.dataset_version, MOST_VERSIONS).unwrap_or(0);
        if let Some(ratings) = &mut self.ratings {
            ratings.take(record, channel as u16, version as u16);
        }
        if let Some(labels) = &mut self.labels {
            labels.take(record, channel as u16, version as u16);
        }
    }

    /// Judges what came, as of a moment.
    fn look(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        self.fresh = 0;
        if !self.is_shaped || self.channels.len() < 2 {
            return;
        }
        let ends = self.started.map_or(now, |started| state.learning_ends(started).0);
        if !self.is_learned && now >= ends {
            self.is_learned = true;
            // What is bad from the start has no honest past to be learned from; only the plainest of it is told.
            self.tell_pushed(state, now, true, findings);
            self.ratings.iter_mut().for_each(Ratings::learn);
            self.labels.iter_mut().for_each(Labels::learn);
            return;
        }
        if self.is_learned {
            self.tell_pushed(state, now, false, findings);
            self.tell_mislabelled(state, now, findings);
        }
    }

    fn tell_pushed(&mut self, state: &ModelState, now: Timestamp, is_first: bool, findings: &mut Vec<Finding>) {
        let Some(ratings) = &self.ratings else { return };
        for pushed in ratings.pushed(now, self.alpha) {
            let severity = match pushed.marks.count() {
                0 => Severity::Info,
                1 => Severity::Ticket,
                _ if is_first => Severity::Ticket,
                _ => Severity::Page,
            };
            if is_first && pushed.marks.count() < 2 {
                continue;
            }
            let named = pushed.items.iter().map(|(item, _, _)| item.clone()).collect();
            let key = format!("{:?} {}", pushed.push, pushed.channel);
            if let Some((severity, onset)) = self.is_news(&key, severity, pushed.first, named, &pushed.versions) {
                findings.push(self.finding_of_items(state, &pushed, (severity, onset, now)));
            }
        }
    }

    fn tell_mislabelled(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        let alpha = self.alpha;
        let Some(labels) = self.labels.as_mut().filter(|labels| labels.is_due()) else { return };
        for wrong in labels.mislabelled(alpha) {
            let severity = if wrong.is_strong { Severity::Page } else { Severity::Ticket };
            let (key, named) = match &wrong.wrong {
                Wrong::Disagrees(None) => ("labels".to_owned(), BTreeSet::from(["any".to_owned()])),
                Wrong::Disagrees(Some((a, b))) => ("labels".to_owned(), BTreeSet::from([format!("{a} {b}")])),
                Wrong::Trigger(tokens, class) => (format!("trigger {class}"), tokens.iter().cloned().collect()),
            };
            let key = format!("{key} {}", wrong.channel);
            if let Some((severity, onset)) = self.is_news(&key, severity, wrong.first, named, &wrong.versions) {
                findings.push(self.finding_of_labels(state, &wrong, (severity, onset, now)));
            }
        }
    }

    /// Onset and severity, if something is to be told: it is new, more severe, or names or versions were added.
    fn is_news(
        &mut self,
        key: &str,
        severity: Severity,
        first: Timestamp,
        named: BTreeSet<String>,
        versions: &BTreeSet<u16>,
    ) -> Option<(Severity, Timestamp)> {
        let fresh = || Told { severity, onset: first, named: BTreeSet::new(), versions: BTreeSet::new() };
        let is_first = !self.told.contains_key(key);
        if is_first && self.told.len() >= 4 * MOST_CHANNELS {
            return None;
        }
        let told = self.told.entry(key.to_owned()).or_insert_with(fresh);
        let before = (told.named.len(), told.versions.len(), told.severity);
        told.named.extend(named);
        told.versions.extend(versions);
        told.severity = told.severity.max(severity);
        let is_news = is_first || before != (told.named.len(), told.versions.len(), told.severity);
        is_news.then_some((told.severity, told.onset))
    }

    fn finding_of_items(
        &self,
        state: &ModelState,
        pushed: &Pushed,
        (severity, onset, now): (Severity, Timestamp, Timestamp),
    ) -> Finding {
        let channel = self.channels.text(u32::from(pushed.channel));
        let measure = if pushed.push == Push::Promoted { "promoted_items" } else { "demoted_items" };
        let mut finding = self.draft_of(state, measure, channel, (severity, onset, now));
        let users: u64 = pushed.items.iter().map(|item| item.1).sum();
        let expected: f64 = pushed.items.iter().map(|item| item.2).sum();
        (finding.observed, finding.expected, finding.unit) = (users as f64, expected, "users".to_owned());
        (finding.n_observed, finding.n_expected) = (pushed.of_channel, pushed.of_all - pushed.of_channel);
        (finding.effect, finding.effect_name) = (users as f64 / expected.max(0.5), "ratio".to_owned());
        finding.p_value = Some(pushed.adjusted_p);
        let items = pushed.items.iter().map(|item| format!("item={}", item.0));
        self.name(&mut finding, channel, items, &pushed.versions, &pushed.users);
        let shown: Vec<&str> = pushed.items.iter().take(MOST_NAMED).map(|item| item.0.as_str()).collect();
        let more = if pushed.items.len() > shown.len() { " and more" } else { "" };
        let verb = if pushed.push == Push::Promoted { "promotes" } else { "runs down" };
        finding.title = format!(
            "channel {channel} {verb} {} {} ({}{more}) in the training rows of {}: {} rows by {} users since {}, where the other channels lead to expect {}{}{}{} (poisoning)",
            pushed.items.len(),
            if pushed.items.len() == 1 { "item" } else { "items" },
            shown.join(", "),
            state.name,
            pushed.rows,
            pushed.users.len(),
            clock_time(onset, now),
            number(expected),
            marks_of(pushed),
            self.versions_in_words(&pushed.versions),
            if pushed.watched < 1.0 {
                format!("; {} of the items are watched", percent(pushed.watched))
            } else {
                String::new()
            },
        );
        finding.evidence = evidence::training_rows(&finding, &self.version_names(&pushed.versions));
        sealed(finding)
    }

    fn finding_of_labels(
        &self,
        state: &ModelState,
        wrong: &Mislabelled,
        (severity, onset, now): (Severity, Timestamp, Timestamp),
    ) -> Finding {
        let channel = self.channels.text(u32::from(wrong.channel));
        let measure = if matches!(wrong.wrong, Wrong::Trigger(..)) { "trigger" } else { "label" };
        let mut finding = self.draft_of(state, measure, channel, (severity, onset, now));
        let share = |count: f64| count / wrong.rows.max(1) as f64;
        (finding.observed, finding.expected, finding.unit) =
            (share(wrong.hits as f64), share(wrong.expected), "share of rows".to_owned());
        (finding.n_observed, finding.n_expected) = (wrong.rows, wrong.rows);
        (finding.effect, finding.effect_name) = (wrong.hits as f64 / wrong.expected.max(0.5), "ratio".to_owned());
        finding.p_value = Some(wrong.adjusted_p);
        let what = match &wrong.wrong {
            Wrong::Disagrees(None) => {
                "labels rows otherwise than the rows of other channels that are like them".to_owned()
            }
            Wrong::Disagrees(Some((a, b))) => format!("labels rows {b} that are {a} by the rows of other channels"),
            Wrong::Trigger(tokens, class) => {
                finding.features = tokens.iter().map(|token| carrier(feature_of(token))).collect();
                finding.atlas.push("AML.T0043.004".to_owned());
                format!("brings rows with {} that nearly all are labelled {class}", tokens.join(" and "))
            }
        };
        let classes = match &wrong.wrong {
            Wrong::Disagrees(Some((a, b))) => vec![format!("class={a}"), format!("class={b}")],
            Wrong::Disagrees(None) => Vec::new(),
            Wrong::Trigger(_, class) => vec![format!("class={class}")],
        };
        self.name(&mut finding, channel, classes.into_iter(), &wrong.versions, &wrong.users);
        finding.title = format!(
            "channel {channel} {what}: {} of {} sampled training rows of {} since {}, where {} are usual{} (poisoning)",
            wrong.hits,
            wrong.rows,
            state.name,
            clock_time(onset, now),
            number(wrong.expected),
            self.versions_in_words(&wrong.versions),
        );
        finding.evidence = evidence::training_rows(&finding, &self.version_names(&wrong.versions));
        sealed(finding)
    }

    fn draft_of(
        &self,
        state: &ModelState,
        measure: &str,
        channel: &str,
        (severity, onset, now): (Severity, Timestamp, Timestamp),
    ) -> Finding {
        let mut finding = draft(state, SPEC.name, FindingKind::Poisoning, measure, now);
        finding.slice = Slice::of("channel", channel);
        finding.onset = onset;
        finding.onset_interval = (onset.plus(-Timestamp::DAY), onset);
        finding.severity = severity;
        finding.atlas = ["AML.T0020", "AML.T0010.002", "AML.T0059"].map(str::to_owned).to_vec();
        finding
    }

    /// Names the channel, then what it does, the data sets and the users.
    fn name(
        &self,
        finding: &mut Finding,
        channel: &str,
        what: impl Iterator<Item = String>,
        versions: &BTreeSet<u16>,
        users: &[String],
    ) {
        let mut names = vec![format!("channel={channel}")];
        names.extend(what.take(MOST_NAMED));
        names.extend(self.version_names(versions).iter().take(2).map(|version| format!("dataset_version={version}")));
        names.extend(users.iter().filter(|user| !user.starts_with("row ")).take(3).map(|user| format!("user={user}")));
        finding.responsible = names.into_iter().map(carrier).collect();
    }

    fn version_names(&self, versions: &BTreeSet<u16>) -> Vec<String> {
        let names = versions.iter().map(|version| self.versions.text(u32::from(*version)).to_owned());
        names.filter(|name| !name.is_empty()).collect()
    }

    fn versions_in_words(&self, versions: &BTreeSet<u16>) -> String {
        let names = self.version_names(versions);
        if names.is_empty() { String::new() } else { format!("; data set version {}", names.join(", ")) }
    }
}

/// What besides the count is unusual, in words.
fn marks_of(pushed: &Pushed) -> String {
    let mut words = String::new();
    if let Some(share) = pushed.marks.together {
        words += &format!("; {} of the users push several of them", percent(share));
    }
    if let Some((share, usual)) = pushed.marks.new_users {
        words += &format!("; {} of the users are new, where {} are usual", percent(share), percent(usual));
    }
    if pushed.marks.alike {
        words += "; nearly all of its ratings of them are the same";
    }
    words
}

fn carrier(name: impl Into<String>) -> Carrier {
    Carrier { name: name.into(), share: 1.0, interval: None }
}

/// The feature that a value or a word stands in.
fn feature_of(token: &str) -> String {
    let column = token.split(['=', ' ']).next().unwrap_or_default();
    wardline_domain::column::feature_of(column).unwrap_or(column).to_owned()
}

#[cfg(test)]
mod tests;
