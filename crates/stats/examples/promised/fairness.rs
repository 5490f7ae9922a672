//! Groups decided alike or not: do intervals hold the truth, and how often is an adverse impact false?

use serde_json::{Value, json};
use wardline_stats::fairness::{
    CalibrationRules, GroupCounts, GroupMetric, ImpactRules, ReferenceGroup, ScoredRows, Selection, Verdict, impact,
};
use wardline_stats::performance::Confusion;

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

/// People of the reference and of the other group, and the reference's rate.
const SIZES: [(u64, u64); 5] = [(30, 30), (100, 100), (1_000, 50), (1_000, 1_000), (200, 5_000)];
const RATES: [f64; 3] = [0.05, 0.2, 0.5];
const ALPHA: f64 = 0.05;
/// An interval that is close to its confidence on average may be off by so much at one rate and size.
const ABOUT: f64 = 0.02;

fn drawn(random: &mut Random, n: u64, rate: f64) -> u64 {
    (0..n).filter(|_| random.unit() < rate).count() as u64
}

fn error_of(rate: f64, runs: usize) -> f64 {
    (rate * (1.0 - rate) / runs.max(1) as f64).sqrt()
}

/// What was stated of an event, and in how many runs it came.
struct Stated {
    what: String,
    promise: &'static str,
    /// At least (or at most) this share.
    limit: f64,
    at_least: bool,
    hits: usize,
    runs: usize,
}

struct Report<'a> {
    table: Table,
    all: Vec<Value>,
    broken: &'a mut Vec<String>,
}

impl Report<'_> {
    fn tell(&mut self, stated: Stated) {
        let Stated { what, promise, limit, at_least, hits, runs } = stated;
        let observed = hits as f64 / runs.max(1) as f64;
        let error = error_of(limit, runs);
        let kept = if at_least { observed >= limit - 3.0 * error } else { observed <= limit + 3.0 * error };
        let verdict = if kept { "kept" } else { "BROKEN" };
        let shown = format!("{:.2} % +- {:.2}", 100.0 * observed, 100.0 * error_of(observed, runs));
        self.table.row([what.clone(), promise.to_owned(), shown, runs.to_string(), verdict.to_owned()]);
        self.all.push(json!({
            "what": what, "promises": promise, "limit": limit, "observed": observed, "runs": runs, "verdict": verdict,
        }));
        if !kept {
            self.broken.push(format!("fairness, {what}: {observed:.4} where {promise} is stated"));
        }
    }
}

/// Ratio, shortfall and verdict of two groups whose true ratio is `ratio`; who has no ratio is counted as not said.
fn pairs(report: &mut Report<'_>, runs: usize, ratio: f64) {
    let (mut all_ratios, mut all_shortfalls, mut all_runs) = (0, 0, 0);
    for (n_reference, n_current) in SIZES {
        for rate in RATES {
            let mut random = Random::new(n_reference * 31 + n_current + (rate * 1e4) as u64 + (ratio * 1e6) as u64);
            let rules = ImpactRules::default();
            let (mut said, mut ratios, mut shortfalls, mut adverse) = (0, 0, 0, 0);
            for _ in 0..runs {
                let reference = Selection { selected: drawn(&mut random, n_reference, rate), count: n_reference };
                let current = Selection { selected: drawn(&mut random, n_current, ratio * rate), count: n_current };
                let Some(found) = impact(reference, current, &rules) else { continue };
                said += 1;
                ratios += usize::from(found.ratio_interval.contains(ratio));
                let shortfall = n_current as f64 * rate * (1.0 - ratio);
                // Where the truth is zero, the last digit of an end at zero must not decide.
                let interval = found.shortfall_interval;
                shortfalls += usize::from(interval.low - 1e-9 <= shortfall && shortfall <= interval.high + 1e-9);
                adverse += usize::from(found.verdict == Verdict::AdverseImpact);
            }
            all_ratios += ratios;
            all_shortfalls += shortfalls;
            all_runs += said;
            let case = format!("{n_reference} and {n_current} people, rate {rate}, true ratio {ratio}");
            let mut tell = |what: &str, promise, limit, at_least, hits| {
                let what = format!("{what}: {case}");
                report.tell(Stated { what, promise, limit, at_least, hits, runs: said });
            };
            tell("ratio interval holds", "about 95 %", 0.95 - ABOUT, true, ratios);
            tell("shortfall interval holds", "about 95 %", 0.95 - ABOUT, true, shortfalls);
            // At the floor itself, where a false one is likeliest.
            tell("false adverse impact", "about 2.5 % at most", 0.025 + ABOUT, false, adverse);
        }
    }
    let mut tell = |what: &str, hits| {
        let what = format!("{what}, all sizes and rates, true ratio {ratio}");
        report.tell(Stated { what, promise: "95 % on average", limit: 0.945, at_least: true, hits, runs: all_runs });
    };
    tell("ratio interval holds", all_ratios);
    tell("shortfall interval holds", all_shortfalls);
}

/// Twelve groups of different sizes: decided alike, or in even steps of the selection rate.
fn twelve(random: &mut Random, people: u64, rates: (f64, f64)) -> Option<GroupCounts> {
    let table = |group: u64| {
        let n = people * (1 + group % 4);
        let rate = rates.0 + (rates.1 - rates.0) * group as f64 / 11.0;
        let mut table = Confusion::default();
        for _ in 0..n {
            let label = random.unit() < 0.4;
            table.observe(random.unit() < rate, label);
        }
        table
    };
    GroupCounts::try_from((0..12).map(table).collect::<Vec<_>>()).ok()
}

fn gaps(report: &mut Report<'_>, runs: usize) {
    for people in [10, 50, 400] {
        for rates in [(0.2, 0.2), (0.1, 0.4)] {
            let mut random = Random::new(people + (rates.1 * 1e3) as u64);
            let (mut gaps, mut ratios, mut odds) = (0, 0, 0);
            for _ in 0..runs {
                let Some(counts) = twelve(&mut random, people, rates) else { continue };
                let gap = counts.gap(GroupMetric::SelectionRate, 0.95);
                gaps += usize::from(gap.is_some_and(|gap| gap.difference_interval.contains(rates.1 - rates.0)));
                ratios += usize::from(gap.is_some_and(|gap| gap.ratio_interval.contains(rates.0 / rates.1)));
                let both = counts.equalized_odds(0.95);
                odds += usize::from(both.is_some_and(|both| both.difference_interval.contains(rates.1 - rates.0)));
            }
            let case = format!("12 groups of {people} to {} people, rates {} to {}", 4 * people, rates.0, rates.1);
            for (what, hits) in [("gap", gaps), ("ratio of a gap", ratios), ("gap of equalised odds", odds)] {
                let what = format!("{what} interval holds: {case}");
                report.tell(Stated { what, promise: ">= 95 %", limit: 0.95, at_least: true, hits, runs });
            }
        }
    }
}

/// Tables of twelve equal groups: how often there is any finding, and any verdict.
fn findings(report: &mut Report<'_>, runs: usize) {
    for (name, reference) in [("chosen", ReferenceGroup::Group(0)), ("most favoured", ReferenceGroup::MostFavoured)] {
        for people in [30, 200] {
            let mut random = Random::new(7_000 + people);
            let (mut found, mut alarms, mut judged) = (0, 0, 0);
            for _ in 0..runs {
                let counts = twelve(&mut random, people, (0.2, 0.2));
                let Some(table) = counts.and_then(|counts| counts.impacts(reference, &ImpactRules::default())) else {
                    continue;
                };
                found += usize::from(table.rows.iter().any(|row| row.adjusted_p_value.is_some_and(|p| p <= ALPHA)));
                alarms += usize::from(table.adverse(ALPHA).next().is_some());
                judged += usize::from(table.rows.iter().any(|row| row.impact.verdict == Verdict::AdverseImpact));
            }
            let case = format!("among 12 equal groups of {people} people and more, reference {name}");
            for (name, hits) in [("adjusted p <= 5 %", found), ("alarm", alarms)] {
                let what = format!("any {name} {case}");
                report.tell(Stated { what, promise: "<= 5 %", limit: ALPHA, at_least: false, hits, runs });
            }
            // Each is for one group; the chosen reference's share of 11 is what Bonferroni allows.
            let what = format!("any adverse impact {case}");
            let (promise, limit) = match reference {
                ReferenceGroup::Group(_) => ("11 times 2.5 % at most", 11.0 * 0.025),
                ReferenceGroup::MostFavoured => ("nothing", 1.0),
            };
            report.tell(Stated { what, promise, limit, at_least: false, hits: judged, runs });
        }
    }
}

/// Scores that are right: the p-value, and the intervals of excess and of expected error.
fn calibration(report: &mut Report<'_>, runs: usize) {
    for people in [10_usize, 100, 1_500] {
        for power in [1, 4] {
            let mut random = Random::new((people * 10) as u64 + power as u64);
            let (mut false_ones, mut held, mut errors) = (0, 0, 0);
            for _ in 0..runs {
                let scores: Vec<f64> = (0..people).map(|_| random.unit().powi(power)).collect();
                let labels: Vec<bool> = scores.iter().map(|score| random.unit() < *score).collect();
                let groups = vec![0; people];
                let found = ScoredRows::new(&groups, &scores, &labels, 1)
                    .and_then(|rows| rows.calibration(&CalibrationRules::default()).pop().flatten());
                let Some(found) = found else { continue };
                false_ones += usize::from(found.p_value <= ALPHA);
                held += usize::from(found.excess_interval.contains(0.0));
                errors += usize::from(found.expected_error_interval.contains(0.0));
            }
            let case = format!("{people} people, mean score {:.1}", 1.0 / f64::from(power + 1));
            let mut tell = |what: &str, promise, limit, at_least, hits| {
                let what = format!("{what}: {case}");
                report.tell(Stated { what, promise, limit, at_least, hits, runs });
            };
            tell("calibrated, p <= 5 %", "<= 5 %", ALPHA, false, false_ones);
            tell("excess interval holds", ">= 95 %", 0.95, true, held);
            tell("interval of expected error holds", ">= 95 %", 0.95, true, errors);
        }
    }
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let table = Table::new(&["what", "promises", "observed", "runs", ""]);
    let mut report = Report { table, all: Vec::new(), broken };
    for ratio in [0.8, 1.0] {
        pairs(&mut report, 10 * effort.pairs, ratio);
    }
    gaps(&mut report, 2 * effort.pairs);
    findings(&mut report, 2 * effort.pairs);
    calibration(&mut report, 10 * effort.pairs);
    println!("Fairness: intervals, verdicts and findings of groups\n\n{}", report.table);
    Value::Array(report.all)
}
