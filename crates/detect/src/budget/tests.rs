use wardline_domain::{Finding, FindingKind, Severity, Timestamp};

use super::{BudgetSettings, FalseAlerts};
use crate::{
    budget::ledger::{BudgetLedger, Watched},
    settings::WatchSettings,
};

fn finding(model: &str, day: i64, p_value: Option<f64>, severity: Severity) -> Finding {
    let time = Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(day * Timestamp::DAY);
    Finding {
        id: format!("f-{model}-{day}"),
        observed: 1.0,
        n_observed: 1,
        n_expected: 1,
        effect: 1.0,
        p_value,
        severity,
        ..Finding::draft(model, "data_drift", FindingKind::DataDrift, "feature_age", time)
    }
}

fn settings(pages: f64, tickets: f64) -> WatchSettings {
    let budget = BudgetSettings { all: FalseAlerts { pages, tickets }, ..BudgetSettings::default() };
    WatchSettings { budget, ..WatchSettings::default() }
}

fn admit(ledger: &mut BudgetLedger, finding: &Finding, settings: &WatchSettings, n_models: f64) -> Option<Severity> {
    let parts = (settings.budget.all.pages / n_models, settings.budget.all.tickets / n_models);
    ledger.admit(finding, &Watched { settings, told: None, parts })
}

/// Goal: of findings whose chances hold, at most the budget is admitted, over any number of models; of uniform ones the
/// expectation is reached.
/// Method: each of 200 models makes as many false findings as its detector may in 100 months, with chances that are uniform
/// below the detector's limit.
#[test]
fn the_budget_is_kept_over_many_models() {
    let settings = settings(1.0, 1_000.0);
    let mut ledger = BudgetLedger::default();
    let mut dice = crate::stream::Dice(3);
    let weight = super::DETECTORS.iter().find(|spec| spec.name == "data_drift").unwrap().budget_share
        / super::DETECTORS.iter().map(|spec| spec.budget_share).sum::<f64>();
    // A small search budget of 1,000 tickets: 0.5 a week of 2,000 models are 4,286 in a month.
    let n_models = 2_000;
    let monthly = 0.5 * 30.0 / 7.0 * weight;
    let months = 40;
    let mut admitted = 0.0;
    for day in 0..30 * months {
        for model in 0..n_models {
            if dice.next() < monthly / 30.0 {
                let chance = 1e-4 * dice.next();
                let told = finding(&format!("m{model}"), day, Some(chance), Severity::Ticket);
                admitted += f64::from(u8::from(admit(&mut ledger, &told, &settings, n_models as f64).is_some()));
            }
        }
    }
    let promised = 1_000.0 * weight * months as f64;
    // The limit is a lower bound that is learned, so that a little less than the promise is admitted.
    assert!(admitted <= promised + 3.0 * promised.sqrt(), "{admitted} {promised}");
    assert!(admitted > 0.2 * promised, "{admitted} {promised}");
}

/// Goal: what is just at the limit is held back when there are many models, and what is surer passes.
#[test]
fn surer_findings_pass() {
    let settings = settings(1.0, 10.0);
    let mut ledger = BudgetLedger::default();
    let unsure = finding("a", 0, Some(1e-6), Severity::Ticket);
    assert_eq!(admit(&mut ledger, &unsure, &settings, 50.0), None);
    let surer = finding("a", 1, Some(1e-8), Severity::Ticket);
    assert_eq!(admit(&mut ledger, &surer, &settings, 50.0), Some(Severity::Ticket));
    // The earlier finding of its cause comes with it.
    assert_eq!(ledger.release("a", surer.time, |_| true).len(), 1);
    assert!(ledger.release("a", surer.time, |_| true).is_empty());
}

/// Goal: however many unsure findings there are, the cap holds, and a plain fault passes it.
#[test]
fn the_cap_needs_no_chances() {
    let settings = settings(2.0, 5.0);
    let mut ledger = BudgetLedger::default();
    let mut raised = 0;
    for day in 0..29 {
        let told = finding("a", day, None, Severity::Ticket);
        raised += usize::from(admit(&mut ledger, &told, &settings, 1.0).is_some());
    }
    assert_eq!(raised, 5);
    let plain = finding("a", 29, Some(1e-30), Severity::Page);
    assert_eq!(admit(&mut ledger, &plain, &settings, 1.0), Some(Severity::Page));
    let late = finding("a", 31, None, Severity::Ticket);
    assert_eq!(admit(&mut ledger, &late, &settings, 1.0), Some(Severity::Ticket));
}

/// Goal: a page that has no room is told as a ticket; a budget of nothing holds all back but what operators set.
#[test]
fn pages_are_lowered() {
    let mut ledger = BudgetLedger::default();
    let page = finding("a", 0, Some(1e-6), Severity::Page);
    assert_eq!(admit(&mut ledger, &page, &settings(0.01, 20.0), 1.0), Some(Severity::Ticket));
    assert_eq!(ledger.lines()[0].counts.lowered, 1);
    let mut burning = finding("a", 1, Some(1e-6), Severity::Page);
    assert_eq!(admit(&mut ledger, &burning, &settings(0.0, 0.0), 1.0), None);
    burning.detector = "burn_rate".to_owned();
    assert_eq!(admit(&mut ledger, &burning, &settings(0.0, 0.0), 1.0), Some(Severity::Page));
}

/// Goal: parts add up to the whole, with and without own parts.
#[test]
fn parts_add_up() {
    let mut budget = BudgetSettings::default();
    let names = ["a", "b", "c", "d"];
    let sum = |budget: &BudgetSettings| -> f64 {
        names.iter().map(|name| budget.part(name, Severity::Ticket, names.into_iter())).sum()
    };
    assert!((sum(&budget) - 20.0).abs() < 1e-9);
    budget.models.insert("a".to_owned(), FalseAlerts { pages: 0.0, tickets: 15.0 });
    assert!((sum(&budget) - 20.0).abs() < 1e-9);
    budget.models.insert("b".to_owned(), FalseAlerts { pages: 0.0, tickets: 15.0 });
    assert!((sum(&budget) - 20.0).abs() < 1e-9);
}

/// Names that the budget treats in a way of their own are detectors' names.
#[test]
fn names_are_detectors() {
    for name in super::BY_ROLL_OUT.iter().chain(&super::SET).chain(&["errors", "latency", "accuracy", "feedback"]) {
        assert!(super::DETECTORS.iter().any(|spec| spec.name == *name), "{name}");
    }
}
