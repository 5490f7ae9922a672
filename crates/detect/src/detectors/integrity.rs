//! What serves, or what it was made from, is not what was recorded.
//!
//! - **Method:** six checks. *Versions:* one that begins to serve after the learning without a deployment on record for an hour,
//!   where other versions have one; one that serves on an hour after it was retired. *Data sets:* rows of a version that was complete and
//!   that a deployment had used; rows whose content changed after that (a sample of row ids); a channel or user that
//!   brings rows for the first time, where none was new in the second half of the learning; rows at an hour of the day
//!   at which no job ran in five days or more. *Silence:* an instance or channel without an event while the model has so many that
//!   the chance of none is below 1e-9, and four times as many as in its longest pause. *Ids:* predictions whose id comes again with another
//!   time, score or decision (one id in 16, the latest 130,000). *Times:* a day with five times the worst learned
//!   share of events from more than an hour ago. *Answers:* inputs that come again and get another score from the same version, where that
//!   hardly ever happened (binomial tail at 2 %; one input in eight, the latest 8,000 of them).
//! - **Fields:** `version`, `deployment` records, `training_row` with `dataset_version`, `row_id`, `channel`, `user`; `instance`, `channel`, `id`,
//!   `features`, `score` or `prediction`.
//! - **False alarms:** each check waits until the learning shows that its fields are kept as they should be, and tells each thing once.
//! - **Least effect:** 20 predictions, 10 late rows, 20 rows of a newcomer, 8 changed answers; a page for 20 of them.
//! - **Blind spots:** whoever also writes the deployment record; replicas that are renamed at each start; models whose
//!   answers depend on more than their features.
//! - **ATLAS:** AML.T0010 (supply chain), AML.T0018 (manipulate the model), AML.T0059 (erode dataset integrity).

mod answers;
mod datasets;
mod silence;
mod telemetry;
mod versions;

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Slice, Timestamp};

use self::{
    answers::{Answers, Swapped},
    datasets::{Datasets, Odd},
    silence::{Silences, Silent},
    telemetry::{Rewritten, Telemetry},
    versions::{Stray, Versions},
};
use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    draft::{draft, sealed},
    evidence,
    model_state::ModelState,
    wording::{clock_time, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "integrity",
    budget_share: 0.05,
    method: "versions, data sets, telemetry and answers against what was recorded of them",
    atlas: &["AML.T0010.002", "AML.T0010.003", "AML.T0018", "AML.T0020", "AML.T0059"],
    build: |_: &DetectorBudget| Box::<Integrity>::default(),
};

#[derive(Default, Serialize, Deserialize)]
struct Integrity {
    versions: Versions,
    datasets: Datasets,
    silences: Silences,
    telemetry: Telemetry,
    answers: Answers,
}

impl Detector for Integrity {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, findings: &mut Vec<Finding>) {
        match rows.batch.kind {
            RecordKind::Inference => {
                self.telemetry.observe(state, rows);
                self.answers.observe(state, rows);
            }
            RecordKind::TrainingRow => {
                let mut found = Vec::new();
                self.datasets.observe(state, rows, &mut found);
                findings.extend(found.iter().map(|odd| of_dataset(state, odd)));
            }
            RecordKind::Deployment => {
                let Ok(times) = rows.batch.times() else { return };
                for row in rows.range.clone() {
                    let time = Timestamp::from_micros(times.value(row));
                    self.versions.deploy(rows.batch, row, time);
                    self.datasets.deploy(rows.batch, row, time);
                }
            }
            _ => {}
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        self.silences.on_second(state);
        let mut strays = Vec::new();
        self.versions.on_second(state, &mut strays);
        findings.extend(strays.iter().map(|stray| of_version(state, stray)));
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        findings.extend(self.silences.on_time(state, now).iter().map(|silent| of_silence(state, silent, now)));
        findings.extend(self.telemetry.on_time(state, now).iter().map(|rewritten| of_telemetry(state, rewritten, now)));
        findings.extend(self.answers.on_time(now).iter().map(|swapped| of_answers(state, swapped, now)));
    }

    saved_whole!();
}

fn begun(state: &ModelState, measure: &str, since: Timestamp, now: Timestamp) -> Finding {
    let mut finding = draft(state, SPEC.name, FindingKind::Integrity, measure, now);
    finding.onset = since;
    finding.onset_interval = (since, now);
    finding
}

fn carrier(name: String) -> Carrier {
    Carrier { name, share: 1.0, interval: None }
}

fn names(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn of_version(state: &ModelState, stray: &Stray) -> Finding {
    let now = state.second.start;
    let measure = if stray.is_retired { "retired_version" } else { "unrecorded_version" };
    let mut finding = begun(state, measure, stray.since, now);
    finding.version = Some(stray.version.clone());
    (finding.observed, finding.expected, finding.unit) = (stray.events as f64, 0.0, "predictions".to_owned());
    (finding.n_observed, finding.n_expected) = (stray.events, 0);
    (finding.effect, finding.effect_name) = (stray.events as f64, "predictions".to_owned());
    finding.atlas = names(&["AML.T0010.003", "AML.T0018"]);
    finding.responsible = vec![carrier(format!("version={}", stray.version))];
    let since = clock_time(stray.since, now);
    finding.title = if stray.is_retired {
        format!(
            "version {} of {} still serves after it was retired at {since}: {} predictions (integrity)",
            stray.version, state.name, stray.events
        )
    } else {
        format!(
            "version {} of {} serves since {since} without a deployment on record: {} predictions; {} other versions have one (integrity)",
            stray.version, state.name, stray.events, stray.deployed
        )
    };
    finding.evidence = evidence::traffic(&finding);
    sealed(finding)
}

fn of_dataset(state: &ModelState, odd: &Odd) -> Finding {
    let mut finding = begun(state, odd.measure, odd.since, odd.time);
    (finding.observed, finding.expected, finding.unit) = (odd.rows as f64, 0.0, "rows".to_owned());
    (finding.n_observed, finding.n_expected) = (odd.rows, odd.of);
    (finding.effect, finding.effect_name) = (odd.rows as f64, "rows".to_owned());
    finding.atlas = names(&["AML.T0010.002", "AML.T0020", "AML.T0059"]);
    if let Some((dimension, name)) = &odd.who {
        finding.slice = Slice::of(*dimension, name);
        finding.responsible.push(carrier(format!("{dimension}={name}")));
    }
    let dataset = &odd.dataset_version;
    if !dataset.is_empty() {
        finding.responsible.push(carrier(format!("dataset_version={dataset}")));
    }
    let (rows, since, by) = (odd.rows, clock_time(odd.since, odd.time), odd.by.clone().unwrap_or_default());
    let what = match (odd.measure, &odd.who) {
        ("late_rows", _) => format!(
            "{rows} rows entered data set version {dataset} since {since}, after version {by} had been trained on it"
        ),
        ("rewritten_rows", _) => format!(
            "about {rows} rows of data set version {dataset} hold something else since {since} than when version {by} was trained on them"
        ),
        (_, Some((dimension, name))) => {
            format!("{dimension} {name}, which brought none before, brought {rows} training rows since {since}")
        }
        _ => format!("{rows} training rows came since {since}, at an hour at which no job brought any before"),
    };
    finding.title = format!("{what}, of {} (integrity)", state.name);
    let versions: Vec<String> = if dataset.is_empty() { Vec::new() } else { vec![dataset.clone()] };
    finding.evidence = evidence::training_rows(&finding, &versions);
    sealed(finding)
}

fn of_silence(state: &ModelState, silent: &Silent, now: Timestamp) -> Finding {
    let mut finding = begun(state, "silence", silent.since, now);
    finding.slice = state.groups.slice(silent.group);
    let expected = silent.share * silent.missed as f64;
    (finding.observed, finding.expected, finding.unit) = (0.0, expected, "events".to_owned());
    (finding.n_observed, finding.n_expected) = (silent.missed, silent.missed);
    (finding.effect, finding.effect_name) = (expected, "missing events".to_owned());
    finding.p_value = Some(silent.p_value);
    finding.responsible = vec![carrier(finding.slice.to_string())];
    finding.title = format!(
        "{} of {} sent nothing since {}, while {} predictions came from the others: about {expected:.0} are missing (integrity)",
        finding.slice.to_string().replacen('=', " ", 1),
        state.name,
        clock_time(silent.since, now),
        silent.missed,
    );
    finding.evidence = evidence::traffic(&finding);
    sealed(finding)
}

fn of_telemetry(state: &ModelState, rewritten: &Rewritten, now: Timestamp) -> Finding {
    let mut finding = begun(state, rewritten.measure, rewritten.since, now);
    let share = rewritten.events as f64 / rewritten.of.max(1) as f64;
    (finding.observed, finding.expected, finding.unit) = (share, rewritten.usual, "share".to_owned());
    (finding.n_observed, finding.n_expected) = (rewritten.of, rewritten.of);
    (finding.effect, finding.effect_name) = (share, "share".to_owned());
    finding.p_value = Some(rewritten.p_value);
    let since = clock_time(rewritten.since, now);
    finding.title = match rewritten.earliest {
        Some(earliest) => format!(
            "{} predictions of {} ({}) came more than an hour late since {since}, back to {}, where {} did at worst (integrity)",
            rewritten.events,
            state.name,
            percent(share),
            clock_time(earliest, now),
            percent(rewritten.usual),
        ),
        None => format!(
            "about {} ids of predictions of {} came again since {since} with another time or answer: telemetry is rewritten (integrity)",
            rewritten.events, state.name,
        ),
    };
    finding.evidence = evidence::traffic(&finding);
    sealed(finding)
}

fn of_answers(state: &ModelState, swapped: &Swapped, now: Timestamp) -> Finding {
    let mut finding = begun(state, "answers", swapped.since, now);
    finding.version = Some(swapped.version.clone()).filter(|version| !version.is_empty());
    let share = swapped.other as f64 / swapped.all.max(1) as f64;
    (finding.observed, finding.expected, finding.unit) = (share, 0.0, "share of repeated inputs".to_owned());
    (finding.n_observed, finding.n_expected) = (swapped.all, swapped.all);
    (finding.effect, finding.effect_name) = (share, "share".to_owned());
    finding.p_value = Some(swapped.p_value);
    finding.severity = if swapped.is_sure { Severity::Page } else { Severity::Ticket };
    finding.atlas = names(&["AML.T0018", "AML.T0010.003"]);
    if let [place] = swapped.places.as_slice() {
        finding.slice = Slice::of("instance", place);
    }
    finding.responsible = swapped.places.iter().take(5).map(|place| carrier(format!("instance={place}"))).collect();
    let at = if swapped.places.is_empty() { String::new() } else { format!(" at {}", swapped.places.join(", ")) };
    finding.title = format!(
        "{} answers the same inputs otherwise than before{at}: {} of {} inputs that came again since {}, as if another model served (integrity)",
        crate::wording::model_and_version(&state.name, finding.version.as_deref()),
        swapped.other,
        swapped.all,
        clock_time(swapped.since, now),
    );
    finding.evidence = evidence::traffic(&finding);
    sealed(finding)
}

#[cfg(test)]
mod tests;
