//! A decision as an alert, so that people, notifiers and screens see it like any other.

use wardline_domain::{Alert, Carrier, Finding, FindingKind, Severity, Slice, Timestamp, sql_literal};

use super::{record::DecisionRecord, verdict::State};

impl DecisionRecord {
    /// The decision as an alert; `None` where nothing is decided.
    pub fn alert(&self) -> Option<Alert> {
        let (kind, severity) = match self.state {
            State::RollBack => (FindingKind::Rollback, Severity::Page),
            State::Promote => (FindingKind::Promote, Severity::Info),
            State::Observe | State::Hold => return None,
        };
        let time = self.time.unwrap_or(self.started);
        let leading =
            self.measures.iter().max_by(|left, right| (left.e * left.part).total_cmp(&(right.e * right.part)));
        let rate = |rate: Option<f64>| rate.unwrap_or(0.0);
        let version = &self.versions.canary;
        let model = &self.versions.model;
        let measure = leading.map_or("", |leading| leading.measure.name());
        Some(Alert::of_decision(Finding {
            id: Finding::identify("judge", kind.name(), model, Some(version), &Slice::whole(), self.started),
            version: Some(version.clone()),
            onset: self.started,
            onset_interval: (self.started, time),
            observed: leading.map_or(0.0, |leading| rate(leading.canary.rate)),
            expected: leading.map_or(0.0, |leading| rate(leading.standing.rate)),
            unit: "share".to_owned(),
            n_observed: leading.map_or(0, |leading| leading.canary.all),
            n_expected: leading.map_or(0, |leading| leading.standing.all),
            effect: self.e,
            effect_name: "e_value".to_owned(),
            p_value: Some((1.0 / self.e.max(1.0)).min(1.0)),
            severity,
            responsible: vec![Carrier { name: format!("version={version}"), share: 1.0, interval: None }],
            title: self.title(),
            evidence: self.evidence(time),
            ..Finding::draft(model, "judge", kind, measure, time)
        }))
    }

    fn title(&self) -> String {
        let what = if self.state == State::RollBack { "roll back" } else { "promote" };
        format!("{what} {}: {}", self.versions.canary, self.reason)
    }

    fn evidence(&self, until: Timestamp) -> String {
        format!(
            "SELECT version, count(*) AS requests, count(*) FILTER (WHERE status = 'error') AS errors, \
             avg(latency_ms) AS latency_ms FROM inference WHERE model = {} AND version IN ({}, {}) \
             AND time >= '{}' AND time <= '{}' GROUP BY version",
            sql_literal(&self.versions.model),
            sql_literal(&self.versions.standing),
            sql_literal(&self.versions.canary),
            self.started,
            until
        )
    }
}
