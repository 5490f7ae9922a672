//! A decision as an alert, so that people, notifiers and screens see it like any other.

use wardline_domain::{Alert, AlertStatus, Carrier, Finding, FindingKind, Severity, Slice, Timestamp};

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
        let finding = Finding {
            id: Finding::identify(
                "judge",
                kind.name(),
                &self.versions.model,
                Some(version),
                &Slice::whole(),
                self.started,
            ),
            time,
            kind,
            detector: "judge".to_owned(),
            measure: leading.map_or_else(String::new, |leading| leading.measure.name().to_owned()),
            model: self.versions.model.clone(),
            version: Some(version.clone()),
            slice: Slice::whole(),
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
            atlas: Vec::new(),
            responsible: vec![Carrier { name: format!("version={version}"), share: 1.0, interval: None }],
            features: Vec::new(),
            title: self.title(),
            evidence: self.evidence(time),
            p_limit: None,
            held_back: None,
        };
        Some(Alert {
            id: finding.id.replacen("f-", "a-", 1),
            time,
            updated: time,
            status: AlertStatus::Closed,
            kind,
            severity,
            model: finding.model.clone(),
            version: finding.version.clone(),
            slice: Slice::whole(),
            onset: self.started,
            title: finding.title.clone(),
            atlas: Vec::new(),
            responsible: finding.responsible.clone(),
            features: Vec::new(),
            n_findings: 1,
            findings: vec![finding],
        })
    }

    fn title(&self) -> String {
        let what = if self.state == State::RollBack { "roll back" } else { "promote" };
        format!("{what} {}: {}", self.versions.canary, self.reason)
    }

    fn evidence(&self, until: Timestamp) -> String {
        let quoted = |text: &str| text.replace('\'', "''");
        format!(
            "SELECT version, count(*) AS requests, count(*) FILTER (WHERE status = 'error') AS errors, \
             avg(latency_ms) AS latency_ms FROM inference WHERE model = '{}' AND version IN ('{}', '{}') \
             AND time >= '{}' AND time <= '{}' GROUP BY version",
            quoted(&self.versions.model),
            quoted(&self.versions.standing),
            quoted(&self.versions.canary),
            self.started,
            until
        )
    }
}
