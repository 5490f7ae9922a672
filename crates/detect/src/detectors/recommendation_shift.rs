//! A recommender's new version shows some items far more often than the versions before it.
//!
//! - **Method:** users by item and version, the new one against each one before it, with the difference of versions learned from all
//!   other items (`channel_lift` of the statistics: negative binomial, averaged over a log-normal factor). Looked at when
//!   a version has shown 500 items, and at each half more; the level is spread over the looks. It is told where the items that
//!   rose are twice the share of what they were in every change of version before, or where training rows pushed them.
//! - **Fields:** `version`, and `items` (the first ten) or a `decision` of 30 values or more; `user`. The first 20,000
//!   exposures of a version are kept, of the last five versions.
//! - **False alarms:** `version_alpha` (0.01) for the items of one version; what honest retraining moves is learned from the
//!   versions before.
//! - **Least effect:** five users, twice as many as expected, and a hundredth of what the version shows.
//! - **Blind spots:** the first change of version, unless training rows were pushed; items that rise slowly within a version.
//! - **ATLAS:** AML.T0031 (erode model integrity), AML.T0020 (poison training data).

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, ListArray, StringArray};
use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, EventBatch, Finding, FindingKind, RecordKind, Severity, TextColumn, Timestamp, column};
use wardline_stats::poisoning::{ItemLift, ItemRatings, LiftSettings, Push, channel_lift};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole, training_poison};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    training_record::{Names, hashed},
    wording::{clock_time, number, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "recommendation_shift",
    budget_share: 0.05,
    method: "items that a new version of a recommender shows far more often, by users and version",
    atlas: &["AML.T0031", "AML.T0020"],
    build: |budget: &DetectorBudget| {
        Box::new(RecommendationShift { alpha: budget.version_alpha, ..RecommendationShift::default() })
    },
};

/// Exposures of a version that are kept, and versions.
const MOST_EXPOSURES: usize = 20_000;
const MOST_VERSIONS: usize = 5;
const MOST_ITEMS: usize = 50_000;
/// Items of one slate that count.
const MOST_OF_SLATE: usize = 10;
/// So many values of `decision` within so many events make a recommender.
const LEAST_VALUES: usize = 30;
const TRIAL_EVENTS: u64 = 2_000;
/// The first look at a version, and how many more exposures make the next.
const FIRST_LOOK: usize = 500;
const GROWTH: f64 = 1.5;
/// The least share of what a version shows that risen items have, and how many times as much as ever.
const LEAST_SHARE: f64 = 0.01;
const LEAST_RATIO: f64 = 2.0;
const MOST_NAMED: usize = 4;
const MOST_PUSHED: usize = 256;

#[derive(Default, Serialize, Deserialize)]
struct RecommendationShift {
    alpha: f64,
    source: Source,
    items: Names,
    versions: Vec<Shown>,
    next_look: Option<Timestamp>,
    /// The share of risen items in each change of version that was looked at.
    usual: Vec<f64>,
    /// Items that training rows pushed, and the channel.
    pushed: BTreeMap<String, String>,
}

/// Where the items stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Source {
    #[default]
    Unknown,
    /// Values of `decision` so far.
    Trial(u64, BTreeSet<String>),
    Decision,
    Slate,
    /// It recommends nothing.
    None,
}

/// What a version showed to whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shown {
    version: String,
    first: Timestamp,
    /// User and item.
    exposures: Vec<(u32, u32)>,
    /// While the model's normal was learned, nothing is told of it.
    is_usual: bool,
    looked: usize,
    looks: u32,
    risen: f64,
    told: BTreeSet<u32>,
}

/// Items that rose.
struct Risen {
    lifts: Vec<ItemLift>,
    share: f64,
    shown: usize,
    shown_before: usize,
}

impl Detector for RecommendationShift {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, findings: &mut Vec<Finding>) {
        self.note_pushed(findings);
        if rows.batch.kind == RecordKind::Inference && self.source != Source::None {
            self.take(state, rows);
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        self.note_pushed(findings);
        if self.versions.is_empty() || self.next_look.is_some_and(|next| now < next) {
            return;
        }
        self.next_look = Some(now.floor(Timestamp::HOUR).plus(Timestamp::HOUR));
        for place in 1..self.versions.len() {
            findings.extend(self.look(state, place, now));
        }
    }

    saved_whole!();
}

impl RecommendationShift {
    /// Findings of detectors before this one in the list are there to be read.
    fn note_pushed(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| finding.detector == training_poison::SPEC.name) {
            let channel = finding.slice.conditions().first().map(|(_, channel)| channel.clone());
            for item in finding.responsible.iter().filter_map(|carrier| carrier.name.strip_prefix("item=")) {
                if self.pushed.len() < MOST_PUSHED && finding.measure == "promoted_items" {
                    self.pushed.insert(item.to_owned(), channel.clone().unwrap_or_default());
                }
            }
        }
    }

    fn take(&mut self, state: &ModelState, rows: &EventRows<'_, '_>) {
        let slates = slates_of(rows.batch);
        let decisions = rows.batch.text("decision");
        let (versions, users) = (rows.batch.text(column::VERSION), rows.batch.text("user"));
        let now = state.second.start;
        for row in rows.range.clone() {
            let slate = slates.as_ref().filter(|(lists, _)| lists.is_valid(row));
            let decision = decisions.and_then(|text: TextColumn<'_>| text.get(row));
            if slate.is_some() {
                self.source = Source::Slate;
            } else if self.source != Source::Slate && !self.is_item(decision) {
                continue;
            }
            let version = versions.and_then(|text| text.get(row)).unwrap_or_default();
            let Some(place) = self.version(state, version, now) else { continue };
            let shown = &mut self.versions[place].exposures;
            if shown.len() >= MOST_EXPOSURES {
                continue;
            }
            // Nobody is named: each prediction is for someone.
            let user =
                users.and_then(|text| text.get(row)).map_or(shown.len() as u32, |user| (hashed(user) >> 32) as u32);
            let mut add = |item: &str, items: &mut Names| {
                if let Some(item) = items.number(item, MOST_ITEMS) {
                    shown.push((user, item));
                }
            };
            match (slate, decision) {
                (Some((lists, texts)), _) => {
                    let offsets = lists.value_offsets();
                    let (from, until) = (offsets[row] as usize, offsets[row + 1] as usize);
                    for at in (from..until).take(MOST_OF_SLATE).filter(|at| texts.is_valid(*at)) {
                        add(texts.value(at), &mut self.items);
                    }
                }
                (None, Some(item)) => add(item, &mut self.items),
                (None, None) => {}
            }
        }
    }

    /// Whether a decision is an item: there are many of them.
    fn is_item(&mut self, decision: Option<&str>) -> bool {
        let Some(decision) = decision else { return false };
        match &mut self.source {
            Source::Unknown => {
                self.source = Source::Trial(1, BTreeSet::from([decision.to_owned()]));
                false
            }
            Source::Trial(events, values) => {
                *events += 1;
                if !values.contains(decision) {
                    values.insert(decision.to_owned());
                }
                if values.len() >= LEAST_VALUES {
                    self.source = Source::Decision;
                    return true;
                }
                if *events >= TRIAL_EVENTS {
                    self.source = Source::None;
                }
                false
            }
            Source::Decision => true,
            Source::Slate | Source::None => false,
        }
    }

    fn version(&mut self, state: &ModelState, name: &str, now: Timestamp) -> Option<usize> {
        if let Some(place) = self.versions.iter().rposition(|shown| shown.version == name) {
            return Some(place);
        }
        if self.versions.len() >= MOST_VERSIONS {
            let oldest = self.versions.remove(0);
            drop(oldest);
            self.forget_items();
        }
        // What the change to a version moved is known when the next one begins.
        if self.versions.len() >= 2
            && let Some(last) = self.versions.last().filter(|last| last.looks > 0 && last.told.is_empty())
        {
            self.usual.push(last.risen);
            let surplus = self.usual.len().saturating_sub(32);
            self.usual.drain(..surplus);
        }
        let is_usual = state.phase != Phase::Watching;
        self.versions.push(Shown { version: name.to_owned(), first: now, is_usual, ..Shown::default() });
        Some(self.versions.len() - 1)
    }

    /// Only items of kept exposures keep their number.
    fn forget_items(&mut self) {
        let mut items = Names::default();
        for shown in &mut self.versions {
            shown.told =
                shown.told.iter().filter_map(|item| items.number(self.items.text(*item), MOST_ITEMS)).collect();
            for (_, item) in &mut shown.exposures {
                *item = items.number(self.items.text(*item), MOST_ITEMS).unwrap_or(0);
            }
        }
        self.items = items;
    }

    fn look(&mut self, state: &ModelState, place: usize, now: Timestamp) -> Option<Finding> {
        let shown = &self.versions[place];
        let n = shown.exposures.len();
        let least = (GROWTH * shown.looked as f64).max(FIRST_LOOK as f64).min(MOST_EXPOSURES as f64);
        if (n as f64) < least || n == shown.looked || state.retirements.is_retired(&shown.version, now) {
            return None;
        }
        let level = self.alpha * 0.6 / f64::from(shown.looks + 2).powf(1.5);
        let risen = self.risen(place, level)?;
        let shown = &mut self.versions[place];
        (shown.looked, shown.looks, shown.risen) = (n, shown.looks + 1, risen.share);
        if shown.is_usual || risen.lifts.is_empty() {
            return None;
        }
        let pushed: Vec<(String, String)> = risen
            .lifts
            .iter()
            .filter_map(|lift| self.pushed.get_key_value(self.items.text(lift.item)))
            .map(|(item, channel)| (item.clone(), channel.clone()))
            .collect();
        let usual = self.usual.iter().copied().fold(0.0, f64::max);
        let is_unusual = !self.usual.is_empty() && risen.share >= LEAST_SHARE && risen.share >= LEAST_RATIO * usual;
        let items: BTreeSet<u32> = risen.lifts.iter().map(|lift| lift.item).collect();
        let shown = &mut self.versions[place];
        let is_news = !items.is_subset(&shown.told);
        if !is_news || (!is_unusual && pushed.is_empty()) {
            return None;
        }
        shown.told.extend(items);
        Some(self.finding(state, place, &risen, &pushed, now))
    }

    /// Items that a version shows to more users than the versions before it lead to expect.
    fn risen(&self, place: usize, alpha: f64) -> Option<Risen> {
        let (mut users, mut items, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for (version, shown) in self.versions[..=place].iter().enumerate() {
            // A user counts in each version.
            let salt = (version as u32).wrapping_mul(0x9E37_79B9);
            for (user, item) in &shown.exposures {
                users.push(user ^ salt);
                items.push(*item);
                versions.push(version as u32);
            }
        }
        let ratings = vec![1.0; users.len()];
        let settings = LiftSettings { alpha, ..LiftSettings::new(0.0, 1.0) };
        let rows = ItemRatings { users: &users, items: &items, channels: &versions, ratings: &ratings };
        let found = channel_lift(rows, &settings)?.into_iter();
        let lifts: Vec<ItemLift> =
            found.filter(|lift| lift.channel == place as u32 && lift.push == Push::Promoted).collect();
        let risen: BTreeSet<u32> = lifts.iter().map(|lift| lift.item).collect();
        let exposures = &self.versions[place].exposures;
        let of_risen = exposures.iter().filter(|(_, item)| risen.contains(item)).count();
        let share = of_risen as f64 / exposures.len().max(1) as f64;
        Some(Risen { lifts, share, shown: exposures.len(), shown_before: users.len() - exposures.len() })
    }

    fn finding(
        &self,
        state: &ModelState,
        place: usize,
        risen: &Risen,
        pushed: &[(String, String)],
        now: Timestamp,
    ) -> Finding {
        let shown = &self.versions[place];
        let before = &self.versions[place - 1].version;
        let mut finding = draft(state, SPEC.name, FindingKind::PredictionDrift, "exposure", now);
        finding.version = Some(shown.version.clone()).filter(|version| !version.is_empty());
        finding.onset = shown.first;
        finding.onset_interval = (shown.first, now);
        let users: usize = risen.lifts.iter().map(|lift| lift.users.len()).sum();
        let expected: f64 = risen.lifts.iter().map(|lift| lift.expected).sum();
        (finding.observed, finding.expected) = (risen.share, expected / risen.shown.max(1) as f64);
        finding.unit = "share of what is shown".to_owned();
        (finding.n_observed, finding.n_expected) = (risen.shown as u64, risen.shown_before as u64);
        (finding.effect, finding.effect_name) = (users as f64 / expected.max(0.5), "ratio".to_owned());
        finding.p_value = risen.lifts.first().map(|lift| lift.adjusted_p);
        finding.severity = Severity::Ticket;
        finding.atlas = vec!["AML.T0031".to_owned()];
        // Those that were pushed are named first.
        let is_pushed = |item: &str| pushed.iter().any(|(known, _)| known == item);
        let mut items: Vec<&str> = risen.lifts.iter().map(|lift| self.items.text(lift.item)).collect();
        items.sort_by_key(|item| !is_pushed(item));
        let mut names = vec![format!("version={}", shown.version)];
        names.extend(items.iter().take(MOST_NAMED).map(|item| format!("item={item}")));
        let channels: BTreeSet<&str> = pushed.iter().map(|(_, channel)| channel.as_str()).collect();
        names.extend(channels.iter().map(|channel| format!("channel={channel}")));
        finding.responsible =
            names.into_iter().map(|name| Carrier { name, share: risen.share, interval: None }).collect();
        let mut cause = String::new();
        if !pushed.is_empty() {
            finding.atlas.push("AML.T0020".to_owned());
            let channels: Vec<&str> = channels.into_iter().collect();
            cause = format!("; training rows by channel {} pushed {} of them", channels.join(", "), pushed.len());
        }
        let items_shown: Vec<&str> = items.iter().take(MOST_NAMED).copied().collect();
        let more = if items.len() > items_shown.len() { " and more" } else { "" };
        finding.title = format!(
            "version {} of {} shows {} {} ({}{more}) to {users} users since {}, where {before} and the versions before it lead to expect {}: {} of what it shows{cause} (prediction drift)",
            shown.version,
            state.name,
            items.len(),
            if items.len() == 1 { "item" } else { "items" },
            items_shown.join(", "),
            clock_time(shown.first, now),
            number(expected),
            percent(risen.share),
        );
        finding.evidence =
            evidence::distribution(&finding, if self.source == Source::Slate { "items" } else { "decision" }, false);
        sealed(finding)
    }
}

fn slates_of(batch: &EventBatch) -> Option<(&ListArray, &StringArray)> {
    let lists = batch.column("items")?.as_list_opt::<i32>()?;
    if lists.null_count() == lists.len() {
        return None;
    }
    Some((lists, lists.values().as_string_opt::<i32>()?))
}

#[cfg(test)]
mod tests;
