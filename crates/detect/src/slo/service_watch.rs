//! Objectives of services: several models whose predictions are counted together.
//!
//! **Invariant:** minutes are judged when the stream's clock has passed them, so that it does not matter in which order
//! the models' batches of a minute come.

use std::collections::BTreeMap;

use arrow::array::Array as _;
use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, EventBatch, Finding, Indicator, Severity, Slo, Timestamp};

use super::{
    SloCount,
    budget_watch::{Asked, BudgetWatch},
    ledger::Ledger,
};
use crate::{clock::StreamClock, draft::sealed_as, evidence, model_watch::failures};

/// The name under which findings of services are told: they are of the same kind as a model's own.
const DETECTOR: &str = "burn_rate";

/// The watch over objectives of services.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ServiceWatch {
    clock: StreamClock,
    /// The last minute that was judged.
    judged: Option<Timestamp>,
    /// By service and name.
    budgets: BTreeMap<(String, String), ServiceBudget>,
}

#[derive(Default, Serialize, Deserialize)]
struct ServiceBudget {
    watch: BudgetWatch,
    /// The minute that is open: events and bad ones.
    open: (u32, u32),
    /// Which model the bad events came from.
    models: BTreeMap<String, Ledger>,
}

impl ServiceWatch {
    /// Takes a batch of a model's predictions.
    pub(crate) fn observe(&mut self, slos: &[Slo], model: &str, batch: &EventBatch) -> Vec<Finding> {
        let mut findings = Vec::new();
        let concerned: Vec<&Slo> = slos.iter().filter(|slo| slo.models.iter().any(|name| name == model)).collect();
        if concerned.is_empty() {
            return findings;
        }
        let Ok(times) = batch.times() else { return findings };
        let failed = failures(batch);
        let latency = batch.number("latency_ms");
        for (row, &has_failed) in failed.iter().enumerate() {
            let time = Timestamp::from_micros(times.value(row));
            let now = self.clock.arrive(time).floor(Timestamp::MINUTE);
            self.pass(slos, now, &mut findings);
            let latency_ms = latency.filter(|array| array.is_valid(row)).map(|array| array.value(row));
            for slo in &concerned {
                let Some(is_bad) = is_bad(slo.indicator, has_failed, latency_ms) else { continue };
                let key = (slo.service.clone(), slo.name.clone());
                let budget = self.budgets.entry(key).or_default();
                budget.take(model, time.floor(Timestamp::MINUTE).min(now), now, is_bad);
            }
        }
        findings
    }

    /// The stream's clock moves on.
    pub(crate) fn advance(&mut self, slos: &[Slo], now: Timestamp) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.clock.now().is_some() {
            self.clock.advance(now);
            self.pass(slos, now.floor(Timestamp::MINUTE), &mut findings);
        }
        findings
    }

    /// No more predictions come: the minute that is open is judged.
    pub(crate) fn finish(&mut self, slos: &[Slo]) -> Vec<Finding> {
        let next = self.clock.now().map(|now| now.floor(Timestamp::MINUTE).plus(Timestamp::MINUTE));
        next.map(|next| self.advance(slos, next)).unwrap_or_default()
    }

    /// What was counted since the beginning.
    pub(crate) fn counts(&self) -> impl Iterator<Item = SloCount> {
        self.budgets.iter().map(|((service, name), budget)| {
            let (events, bad) = budget.watch.ledger.total();
            let (open, open_bad) = (u64::from(budget.open.0), u64::from(budget.open.1));
            SloCount { service: service.clone(), slo: name.clone(), events: events + open, bad: bad + open_bad }
        })
    }

    /// Judges the minute that has ended.
    fn pass(&mut self, slos: &[Slo], minute: Timestamp, findings: &mut Vec<Finding>) {
        let Some(ended) = self.judged.replace(minute).filter(|ended| *ended < minute) else { return };
        for slo in slos {
            if let Some(budget) = self.budgets.get_mut(&(slo.service.clone(), slo.name.clone()))
                && let Some(finding) = budget.close(slo, ended)
            {
                findings.push(finding);
            }
        }
    }
}

/// Whether an event is bad; none where it is not counted.
pub(crate) fn is_bad(indicator: Indicator, failed: bool, latency_ms: Option<f64>) -> Option<bool> {
    match indicator {
        Indicator::Success => Some(failed),
        Indicator::Latency { within_ms } => latency_ms.filter(|ms| !ms.is_nan()).map(|ms| ms > within_ms),
    }
}

impl ServiceBudget {
    fn take(&mut self, model: &str, minute: Timestamp, now: Timestamp, is_bad: bool) {
        let bad = u32::from(is_bad);
        if minute == now {
            (self.open.0, self.open.1) = (self.open.0 + 1, self.open.1 + bad);
        } else {
            self.watch.ledger.add(minute, 1, bad);
        }
        if is_bad {
            self.models.entry(model.to_owned()).or_default().add(minute, 1, 1);
        }
    }

    fn close(&mut self, slo: &Slo, ended: Timestamp) -> Option<Finding> {
        let (events, bad) = std::mem::take(&mut self.open);
        self.watch.count(ended, events, bad);
        self.watch.ledger.forget(ended, slo.window());
        self.models.values_mut().for_each(|ledger| ledger.forget(ended, slo.window()));
        if bad == 0 {
            return None;
        }
        let asked = Asked { now: ended, mean_rate: None, normal: slo.budget() };
        let burn = self.watch.judge(slo, &asked)?;
        let long = slo.burn_rules().get(burn.rule)?.long;
        let carriers = self.carriers(ended, long);
        let model = carriers.first().map(|(name, _)| name.clone())?;
        let measure = match slo.indicator {
            Indicator::Success => "status",
            Indicator::Latency { .. } => "latency_ms",
        };
        let mut finding = Finding::draft(
            &model,
            DETECTOR,
            wardline_domain::FindingKind::SloBurn,
            measure,
            ended.plus(Timestamp::MINUTE),
        );
        self.watch.fill(&mut finding, slo, &burn, Severity::Page, &format!("service {}", slo.service));
        finding.responsible = carriers
            .into_iter()
            .take(3)
            .map(|(name, share)| Carrier { name: format!("model={name}"), share, interval: None })
            .collect();
        finding.evidence = if measure == "status" { evidence::errors(&finding) } else { evidence::latency(&finding) };
        Some(sealed_as(finding, &format!("{} {}", slo.service, slo.name)))
    }

    /// Models by their share of the bad events of a stretch, the largest first.
    fn carriers(&self, now: Timestamp, long: wardline_domain::Span) -> Vec<(String, f64)> {
        let bad: Vec<(&String, u64)> = self
            .models
            .iter()
            .map(|(name, ledger)| (name, ledger.within(now, long).1))
            .filter(|(_, bad)| *bad > 0)
            .collect();
        let all = bad.iter().map(|(_, bad)| bad).sum::<u64>().max(1) as f64;
        let mut carriers: Vec<(String, f64)> =
            bad.into_iter().map(|(name, bad)| (name.clone(), bad as f64 / all)).collect();
        carriers.sort_by(|left, right| right.1.total_cmp(&left.1));
        carriers
    }
}
