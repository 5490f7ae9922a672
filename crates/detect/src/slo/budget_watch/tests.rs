//! Months of traffic through one objective's watch: when it fires, and how seldom falsely.

use wardline_domain::{BurnRule, Indicator};

use super::*;
use crate::{slo::burn::burn_rate, stream::Dice};

fn slo(target: f64) -> Slo {
    Slo {
        name: Slo::SUCCESS.into(),
        service: "fraud".into(),
        description: String::new(),
        models: vec!["fraud".into()],
        indicator: Indicator::Success,
        target,
        window_days: 30,
        rules: Vec::new(),
        metric: None,
    }
}

fn start() -> Timestamp {
    Timestamp::parse("2026-11-01T00:00:00Z").unwrap()
}

/// Takes a second's counts; answers the rule that is told.
fn second(watch: &mut BudgetWatch, slo: &Slo, now: Timestamp, events: u32, bad: u32) -> Option<Burn> {
    watch.count(now, events, bad);
    watch.ledger.forget(now, slo.window());
    if bad == 0 {
        return None;
    }
    watch.judge(slo, &Asked { now, mean_rate: None, normal: slo.budget() })
}

/// How long after a clean month at 100 events a second a share of failures pages, in seconds.
fn seconds_to_page(share: f64) -> Option<i64> {
    let slo = slo(0.9999);
    let mut watch = BudgetWatch::default();
    let month = 30 * 86_400;
    for at in 0..month {
        assert_eq!(second(&mut watch, &slo, start().plus(at * Timestamp::SECOND), 100, 0), None);
    }
    let mut owed = 0.0;
    (1..=6 * 3_600).find(|after| {
        owed += 100.0 * share;
        let bad = owed as u32;
        owed -= f64::from(bad);
        let now = start().plus((month + after - 1) * Timestamp::SECOND);
        second(&mut watch, &slo, now, 100, bad)
            .is_some_and(|burn| slo.burn_rules()[burn.rule].severity == Severity::Page)
    })
}

/// Goal: from a clean month at 99.99 % the page comes when the formula says: burn x budget x window / share.
#[test]
fn a_month_at_four_nines_pages_when_the_formula_says() {
    for share in [16.0 * 1e-4, 0.02, 0.2] {
        let formula = 14.4 * 1e-4 * 3_600.0 / share;
        let measured = seconds_to_page(share).unwrap() as f64;
        println!("{share}: {measured} s, formula {formula:.1} s");
        // The window's oldest minute counts whole, and a second is the least step.
        assert!((measured - formula).abs() <= 2.0 + 0.01 * formula, "{share}: {measured} s, formula {formula:.1} s");
    }
    assert_eq!(seconds_to_page(4e-4), None, "a burn of 4 is a ticket");
}

/// False pages of a month at one event in ten seconds, and those of the windows alone.
fn low_traffic(seed: u64, share: f64) -> (u32, u32) {
    let slo = slo(0.9999);
    let mut watch = BudgetWatch::default();
    let mut dice = Dice(seed);
    let (mut pages, mut unguarded, mut quiet_until) = (0, 0, start());
    for step in 0..30 * 8_640 {
        let now = start().plus(step * 10 * Timestamp::SECOND);
        let bad = u32::from(dice.next() < share);
        let told = second(&mut watch, &slo, now, 1, bad);
        pages += u32::from(told.is_some_and(|burn| slo.burn_rules()[burn.rule].severity == Severity::Page));
        let burns = |rule: &BurnRule| {
            [rule.long, rule.short]
                .iter()
                .all(|&span| burn_rate(watch.ledger.within(now, span), slo.budget()) >= rule.burn)
        };
        if bad > 0 && quiet_until <= now && BurnRule::usual()[..2].iter().any(burns) {
            unguarded += 1;
            quiet_until = now.plus(Timestamp::HOUR);
        }
    }
    (pages, unguarded)
}

/// Goal: at 0.1 events a second within the budget, no more than one false page a month; where the windows alone page at
/// every single failure. Method: twenty months, at half the budget and at all of it.
#[test]
fn stays_quiet_at_low_traffic() {
    for share in [5e-5, 1e-4] {
        let months: Vec<(u32, u32)> = (1..=20).map(|seed| low_traffic(seed, share)).collect();
        let pages: u32 = months.iter().map(|month| month.0).sum();
        let unguarded: u32 = months.iter().map(|month| month.1).sum();
        println!("{share}: {pages} pages in 20 months, {unguarded} without the guard");
        assert!(months.iter().all(|month| month.0 <= 1), "{months:?}");
        assert!(unguarded > 100, "{unguarded}");
    }
}

/// Goal: low traffic does page where it truly fails.
#[test]
fn alerts_at_low_traffic() {
    assert!((1..=2).all(|seed| low_traffic(seed, 0.01).0 >= 1));
}

/// Goal: while a fast pair of windows fires, the slow ones are silent.
#[test]
fn stays_quiet_in_slow_windows_while_a_fast_one_burns() {
    let slo = slo(0.999);
    let mut watch = BudgetWatch::default();
    let mut rules = std::collections::BTreeSet::new();
    for at in 0..8 * 3_600 {
        let bad = if at < 3_600 { 0 } else { 5 };
        rules.extend(second(&mut watch, &slo, start().plus(at * Timestamp::SECOND), 100, bad).map(|burn| burn.rule));
    }
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), [0], "only the fastest pair was told");
}

/// Goal: minutes and hours without traffic change nothing, and nothing is NaN.
#[test]
fn idle_windows_burn_nothing() {
    let slo = slo(0.999);
    let mut watch = BudgetWatch::default();
    for at in 0..600 {
        second(&mut watch, &slo, start().plus(at * Timestamp::SECOND), 10, u32::from(at % 100 == 0));
    }
    let later = start().plus(5 * Timestamp::DAY);
    assert_eq!(burn_rate(watch.ledger.within(later, Timestamp::HOUR), slo.budget()), 0.0);
    assert_eq!(watch.ledger.within(later, slo.window()), (6_000, 6));
    assert_eq!(second(&mut watch, &slo, later, 1, 1), None, "one event after days of silence");
}

/// Goal: the first failure ever counts, though nothing was counted before it.
#[test]
fn the_first_failure_counts() {
    let slo = slo(0.9);
    let mut watch = BudgetWatch::default();
    second(&mut watch, &slo, start(), 1, 1);
    assert_eq!(watch.ledger.total(), (1, 1));
}
