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

#[cfg(test)]
mod tests {
    use wardline_domain::Timestamp;

    use super::*;

    fn notice(change: NoticeChange, severity: Severity) -> Notice {
        let time = Timestamp::from_micros(0);
        Notice {
            id: "a-1/page".to_owned(),
            key: "wardline-a-1".to_owned(),
            subject: NoticeSubject::Alert,
            subject_id: "a-1".to_owned(),
            change,
            severity,
            kind: "latency".to_owned(),
            models: vec!["fraud".to_owned()],
            title: "slow".to_owned(),
            text: String::new(),
            time,
            began: time,
            ended: None,
            lasts: true,
            links: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn facts() -> Facts<'static> {
        Facts {
            about: NoticeSubject::Alert,
            models: BTreeSet::from(["fraud"]),
            kinds: BTreeSet::from([FindingKind::Latency]),
            classes: BTreeSet::from([Class::Performance]),
        }
    }

    fn route(to: &str) -> Route {
        Route {
            to: vec![to.to_owned()],
            about: BTreeSet::from([NoticeSubject::Alert]),
            models: BTreeSet::new(),
            least_severity: Severity::Ticket,
            kinds: BTreeSet::new(),
            classes: BTreeSet::new(),
        }
    }

    fn names(routes: &[Route], change: NoticeChange, severity: Severity) -> Vec<(String, bool)> {
        let told = receivers(routes, &facts(), &notice(change, severity));
        told.into_iter().map(|receiver| (receiver.name, receiver.knows_less_severe)).collect()
    }

    #[test]
    fn a_receiver_of_several_routes_is_told_once() {
        let routes = [
            route("all"),
            route("all"),
            Route { models: BTreeSet::from(["churn".to_owned()]), ..route("other model") },
            Route { kinds: BTreeSet::from([FindingKind::Errors]), ..route("other kind") },
            Route { classes: BTreeSet::from([Class::Fairness]), ..route("other class") },
            Route { about: BTreeSet::from([NoticeSubject::Incident]), ..route("other subject") },
            Route { kinds: BTreeSet::from([FindingKind::Errors, FindingKind::Latency]), ..route("this kind") },
        ];
        let told = names(&routes, NoticeChange::Opened, Severity::Ticket);
        assert_eq!(told, [("all".to_owned(), false), ("this kind".to_owned(), false)]);
        assert_eq!(names(&routes, NoticeChange::Opened, Severity::Info), []);
    }

    #[test]
    fn who_only_wants_pages_hears_of_none_before_and_of_every_end() {
        let routes = [route("tickets"), Route { least_severity: Severity::Page, ..route("pages") }];
        let told = names(&routes, NoticeChange::Changed, Severity::Page);
        assert_eq!(told, [("pages".to_owned(), false), ("tickets".to_owned(), true)]);
        assert_eq!(names(&routes, NoticeChange::Opened, Severity::Ticket).len(), 1);
        assert_eq!(names(&routes, NoticeChange::Resolved, Severity::Ticket).len(), 2);
    }

    #[test]
    fn a_silence_covers_what_an_incident_keeps_of_an_alert() {
        let alert = AlertFacts {
            id: "a-1".to_owned(),
            time: Timestamp::from_micros(50),
            onset: Timestamp::from_micros(40),
            model: "fraud".to_owned(),
            version: Some("2.1".to_owned()),
            kind: FindingKind::Rollback,
            severity: Severity::Page,
            title: String::new(),
            atlas: BTreeSet::new(),
            entities: BTreeSet::from(["channel=web".to_owned()]),
        };
        let of = |change: fn(&mut Silence)| {
            let mut silence = Silence { name: "s".to_owned(), model: Some("fraud".to_owned()), ..Silence::default() };
            change(&mut silence);
            silences_facts(&silence, &alert)
        };
        assert!(of(|_| ()));
        assert!(of(|silence| silence.until = Some(Timestamp::from_micros(51))));
        assert!(!of(|silence| silence.until = Some(Timestamp::from_micros(50))));
        assert!(of(|silence| silence.slice = Some(("version".to_owned(), "2.1".to_owned()))));
        assert!(of(|silence| silence.slice = Some(("channel".to_owned(), "web".to_owned()))));
        assert!(!of(|silence| silence.slice = Some(("channel".to_owned(), "app".to_owned()))));
        assert!(!of(|silence| silence.kind = Some(FindingKind::Latency)));
        assert!(!of(|silence| silence.detector = Some("judge".to_owned())));
    }
}
