//! Findings of one cause become one alert.
//!
//! A finding joins an open alert of its model when both are of one family of causes (how the model is
//! served; what it is fed and answers; how much it is asked; each kind of attack by itself), their versions do not contradict each
//! other, and no more time lies between them than the grouping gap, or four of the finding's windows.

use serde::{Deserialize, Serialize};
use wardline_domain::{Alert, AlertChange, AlertStatus, Carrier, Finding, FindingKind, Severity, Span, Timestamp};

/// Windows without a finding after which a cause counts as gone.
const QUIET_WINDOWS: i64 = 4;
/// What comes back at the same hour of the next day is the same cause.
const SAME_HOUR: Span = 26 * Timestamp::HOUR;
/// Most slices and features that an alert names.
const MOST_NAMED: usize = 10;

/// A cause's family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Serving,
    Data,
    Traffic,
    /// A cause of its own, which nothing else is a symptom of.
    Own(FindingKind),
}

const fn family(kind: FindingKind) -> Family {
    match kind {
        FindingKind::Errors | FindingKind::SloBurn | FindingKind::Latency | FindingKind::Saturation => Family::Serving,
        FindingKind::DataDrift | FindingKind::PredictionDrift | FindingKind::DataQuality => Family::Data,
        FindingKind::Traffic => Family::Traffic,
        FindingKind::Performance
        | FindingKind::Fairness
        | FindingKind::Adversarial
        | FindingKind::Poisoning
        | FindingKind::Extraction
        | FindingKind::Injection
        | FindingKind::Cost
        | FindingKind::Integrity
        | FindingKind::Cascade
        | FindingKind::Rollback
        | FindingKind::Promote => Family::Own(kind),
    }
}

/// Most closed alerts that are remembered.
const MOST_CLOSED: usize = 64;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OpenAlert {
    alert: Alert,
    quiet: Span,
}

/// Open alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grouping {
    gap: Span,
    open: Vec<OpenAlert>,
    /// The latest that were closed: metrics of the serving stack may arrive later than the predictions.
    closed: Vec<OpenAlert>,
}

impl Grouping {
    pub(crate) const fn new(gap: Span) -> Self {
        Self { gap, open: Vec::new(), closed: Vec::new() }
    }

    /// Takes a finding; `window` is the length of what it was seen in.
    pub(crate) fn take(&mut self, finding: &Finding, window: Span) -> Vec<AlertChange> {
        let mut changes = self.close_quiet(&finding.model, finding.time);
        let least = if finding.kind == FindingKind::Traffic { SAME_HOUR } else { self.gap };
        let quiet = least.max(QUIET_WINDOWS * window);
        let found = self.open.iter().position(|open| belongs(&open.alert, finding));
        match found {
            Some(index) if self.open[index].alert.severity == Severity::Info && finding.severity > Severity::Info => {
                // What was only on record becomes an alert now: it is raised now, with what was known.
                let mut before = self.open.remove(index).alert;
                before.status = AlertStatus::Closed;
                let mut alert = raise(finding);
                for earlier in &before.findings {
                    extend(&mut alert, earlier);
                }
                alert.updated = finding.time;
                changes.push(AlertChange::Closed(before));
                self.open.push(OpenAlert { alert: alert.clone(), quiet });
                changes.push(AlertChange::Raised(alert));
            }
            Some(index) => {
                let open = &mut self.open[index];
                extend(&mut open.alert, finding);
                open.quiet = open.quiet.max(quiet);
                changes.push(AlertChange::Extended(open.alert.clone()));
            }
            None if finding.kind == FindingKind::Saturation && self.joins_closed(finding, &mut changes) => {}
            None => {
                let alert = raise(finding);
                self.open.push(OpenAlert { alert: alert.clone(), quiet });
                changes.push(AlertChange::Raised(alert));
            }
        }
        changes
    }

    /// Adds a late metric to the closed alert that it belongs to by its time.
    fn joins_closed(&mut self, finding: &Finding, changes: &mut Vec<AlertChange>) -> bool {
        let gap = self.gap;
        let is_of_it = |closed: &OpenAlert| {
            let alert = &closed.alert;
            alert.onset.plus(-gap) <= finding.time
                && finding.time <= alert.updated.plus(closed.quiet)
                && belongs(alert, finding)
        };
        let found = self.closed.iter_mut().rev().find(|closed| is_of_it(closed));
        let Some(closed) = found else { return false };
        extend(&mut closed.alert, finding);
        changes.push(AlertChange::Extended(closed.alert.clone()));
        true
    }

    /// Closes the alerts of a model to which nothing was added for a while.
    pub(crate) fn close_quiet(&mut self, model: &str, now: Timestamp) -> Vec<AlertChange> {
        let mut closed = Vec::new();
        let kept = &mut self.closed;
        self.open.retain_mut(|open| {
            let is_over = open.alert.model == model && now.since(open.alert.updated) > open.quiet;
            if is_over {
                open.alert.status = AlertStatus::Closed;
                closed.push(AlertChange::Closed(open.alert.clone()));
                kept.push(open.clone());
            }
            !is_over
        });
        let surplus = kept.len().saturating_sub(MOST_CLOSED);
        kept.drain(..surplus);
        closed
    }

    /// The severity of the open alert that a finding would join.
    pub(crate) fn told_of(&self, finding: &Finding) -> Option<Severity> {
        let joins =
            |open: &&OpenAlert| finding.time.since(open.alert.updated) <= open.quiet && belongs(&open.alert, finding);
        self.open.iter().find(joins).map(|open| open.alert.severity)
    }

    /// Open alerts, the oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Alert> {
        self.open.iter().map(|open| &open.alert)
    }
}

fn belongs(alert: &Alert, finding: &Finding) -> bool {
    let versions_agree = match (&alert.version, &finding.version) {
        (Some(left), Some(right)) => left == right,
        _ => true,
    };
    alert.model == finding.model
        && family(alert.kind) == family(finding.kind)
        && versions_agree
        && same_direction(alert, finding)
}

/// Whether two findings would be in one alert.
pub(crate) fn are_of_one_cause(left: &Finding, right: &Finding) -> bool {
    belongs(&raise(left), right)
}

/// A surge is one cause, and a drop or a silence another.
fn same_direction(alert: &Alert, finding: &Finding) -> bool {
    let is_surge = |finding: &Finding| finding.measure == "surge";
    finding.kind != FindingKind::Traffic || alert.findings.iter().any(|known| is_surge(known) == is_surge(finding))
}

fn raise(finding: &Finding) -> Alert {
    let mut alert = Alert {
        id: alert_id(finding),
        time: finding.time,
        updated: finding.time,
        status: AlertStatus::Open,
        kind: finding.kind,
        severity: finding.severity,
        model: finding.model.clone(),
        version: finding.version.clone(),
        slice: finding.slice.clone(),
        onset: finding.onset,
        title: String::new(),
        atlas: Vec::new(),
        responsible: Vec::new(),
        features: Vec::new(),
        n_findings: 0,
        findings: Vec::new(),
    };
    extend(&mut alert, finding);
    alert
}

/// A cause that comes back after its alert was closed is another alert, so the moment is part of the id.
fn alert_id(finding: &Finding) -> String {
    let version = finding.version.as_deref();
    Finding::identify("alert", &finding.id, &finding.model, version, &finding.slice, finding.time)
        .replacen("f-", "a-", 1)
}

/// Adds a finding, and tells the alert anew from all of its findings.
fn extend(alert: &mut Alert, finding: &Finding) {
    alert.n_findings += 1;
    alert.updated = alert.updated.max(finding.time);
    alert.onset = alert.onset.min(finding.onset);
    match alert.findings.iter().position(|known| known.id == finding.id) {
        Some(index) => alert.findings[index] = finding.clone(),
        None if alert.findings.len() < Alert::MAX_FINDINGS => alert.findings.push(finding.clone()),
        None => {}
    }
    let leading = leading(&alert.findings);
    alert.findings.swap(0, leading);
    // Whatever else there is keeps the order in which it was found.
    if let Some(rest) = alert.findings.get_mut(1..) {
        rest.sort_by_key(|finding| (finding.onset, finding.id.clone()));
    }
    let lead = alert.findings[0].clone();
    alert.kind = lead.kind;
    alert.severity = alert.severity.max(lead.severity);
    alert.version = alert.findings.iter().find_map(|finding| finding.version.clone());
    alert.slice = lead.slice.clone();
    alert.title = title(&alert.findings);
    alert.atlas = distinct(alert.findings.iter().flat_map(|finding| finding.atlas.iter().cloned()));
    alert.responsible = named(alert.findings.iter().flat_map(|finding| &finding.responsible));
    alert.features = named(alert.findings.iter().flat_map(|finding| &finding.features));
}

/// The finding that an alert is told by: the most severe, then the widest, then the first.
fn leading(findings: &[Finding]) -> usize {
    let key = |finding: &Finding| {
        let is_symptom = finding.kind != FindingKind::Saturation;
        (finding.severity, is_symptom, std::cmp::Reverse(finding.slice.conditions().len()))
    };
    let mut best = 0;
    for index in 1..findings.len() {
        if key(&findings[index]) > key(&findings[best]) {
            best = index;
        }
    }
    best
}

fn title(findings: &[Finding]) -> String {
    let lead = &findings[0];
    let mut title = lead.title.clone();
    let instances: Vec<&str> =
        lead.responsible.iter().filter_map(|carrier| carrier.name.strip_prefix("instance=")).collect();
    let mut metrics: Vec<(&str, Option<&str>)> = Vec::new();
    let mut also: Vec<&str> = Vec::new();
    for finding in &findings[1..] {
        if finding.kind == FindingKind::Saturation {
            let conditions = finding.slice.conditions();
            let instance =
                conditions.iter().find(|(dimension, _)| dimension == "instance").map(|(_, value)| value.as_str());
            let is_at_carrier = instances.is_empty() || instance.is_none_or(|instance| instances.contains(&instance));
            let metric = (finding.measure.as_str(), instance);
            if is_at_carrier && metrics.len() < 3 && !metrics.contains(&metric) {
                metrics.push(metric);
                title = format!("{title}; {}", finding.title);
            }
        } else if finding.kind != lead.kind && !also.contains(&finding.kind.name()) {
            also.push(finding.kind.name());
            title = format!("{title}; also {}", finding.title);
        }
    }
    title
}

fn named<'a>(carriers: impl Iterator<Item = &'a Carrier>) -> Vec<Carrier> {
    let mut named: Vec<Carrier> = Vec::new();
    for carrier in carriers {
        if named.len() < MOST_NAMED && !named.iter().any(|known| known.name == carrier.name) {
            named.push(carrier.clone());
        }
    }
    named
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}
