//! Who is told of what.

use std::collections::BTreeSet;

use wardline_detect::Silence;
use wardline_domain::{Alert, Finding, FindingKind, Notice, NoticeChange, NoticeSubject, Severity};
use wardline_respond::incident::{AlertFacts, Class};

use crate::settings::Route;

/// What routes look at.
#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    pub(super) about: NoticeSubject,
    pub(super) models: BTreeSet<&'a str>,
    pub(super) kinds: BTreeSet<FindingKind>,
    pub(super) classes: BTreeSet<Class>,
}

impl<'a> Facts<'a> {
    pub(super) fn of_alert(alert: &'a Alert) -> Self {
        Self {
            about: NoticeSubject::Alert,
            models: BTreeSet::from([alert.model.as_str()]),
            kinds: alert.findings.iter().map(|finding| finding.kind).chain([alert.kind]).collect(),
            classes: BTreeSet::from([Class::from(alert.kind)]),
        }
    }

    /// Whether a route lets it through at a severity.
    fn fit(&self, route: &Route, severity: Severity) -> bool {
        route.about.contains(&self.about)
            && route.least_severity <= severity
            && (route.models.is_empty() || self.models.iter().any(|model| route.models.contains(*model)))
            && (route.kinds.is_empty() || !route.kinds.is_disjoint(&self.kinds))
            && (route.classes.is_empty() || !route.classes.is_disjoint(&self.classes))
    }
}

/// A receiver of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receiver {
    pub(super) name: String,
    /// Whether it would have been told already when this was less severe.
    pub(super) knows_less_severe: bool,
}

/// Everybody who is told of a notice, each once.
pub(super) fn receivers(routes: &[Route], facts: &Facts<'_>, notice: &Notice) -> Vec<Receiver> {
    let less_severe = match notice.severity {
        Severity::Page => Some(Severity::Ticket),
        Severity::Ticket => Some(Severity::Info),
        Severity::Info => None,
    };
    let to = |severity: Severity| -> BTreeSet<&str> {
        let fitting = routes.iter().filter(|route| facts.fit(route, severity));
        fitting.flat_map(|route| route.to.iter().map(String::as_str)).collect()
    };
    let knowing = less_severe.map(to).unwrap_or_default();
    // Who was told hears the end, whatever somebody made of the severity since: see `Letter::only_after`.
    let is_opening = matches!(notice.change, NoticeChange::Opened | NoticeChange::Changed);
    let all = to(if is_opening { notice.severity } else { Severity::Page }).into_iter();
    all.map(|name| Receiver { name: name.to_owned(), knows_less_severe: knowing.contains(name) }).collect()
}

/// Whether all that an alert tells is silenced. Detection asks the same before there is an alert; what a rollout tells
/// is asked here.
pub(super) fn is_silenced(silences: &[Silence], alert: &Alert) -> bool {
    let silenced = |finding: &Finding| silences.iter().any(|silence| silence.fits(finding));
    !alert.findings.is_empty() && alert.findings.iter().all(silenced)
}

/// Whether a silence covers what an incident keeps of an alert; one of a detector cannot be told from it.
pub(super) fn silences_facts(silence: &Silence, alert: &AlertFacts) -> bool {
    let is_in_slice = |(dimension, value): &(String, String)| {
        alert.entities.contains(&format!("{dimension}={value}"))
            || dimension == "version" && alert.version.as_ref() == Some(value)
    };
    silence.detector.is_none()
        && silence.model.as_ref().is_none_or(|model| *model == alert.model)
        && silence.kind.is_none_or(|kind| kind == alert.kind)
        && silence.slice.as_ref().is_none_or(is_in_slice)
        && silence.from.is_none_or(|from| from <= alert.time)
        && silence.until.is_none_or(|until| alert.time < until)
}
