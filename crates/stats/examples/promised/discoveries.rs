//! Many hypotheses: what share of the findings is false, all at once and one after the other.

use serde_json::{Value, json};
use wardline_stats::multiple::{benjamini_hochberg, benjamini_yekutieli, bonferroni, e_benjamini_hochberg, holm};
use wardline_stats::sequential::{ELond, ESaffron, Lord};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const ALPHA: f64 = 0.05;
const HYPOTHESES: usize = 1_000;
/// One in so many is real, by so many standard deviations.
const ONE_IN: usize = 10;
const EFFECT: f64 = 4.0;

struct Evidence {
    real: Vec<bool>,
    p: Vec<f64>,
    log_e: Vec<f64>,
}

/// One-sided normal evidence; the e-value is the likelihood ratio.
fn draw(random: &mut Random) -> Evidence {
    let real: Vec<bool> = (0..HYPOTHESES).map(|at| at % ONE_IN == 0).collect();
    let z: Vec<f64> = real.iter().map(|real| random.normal() + if *real { EFFECT } else { 0.0 }).collect();
    let p = z.iter().map(|z| wardline_stats::distribution::normal::sf(*z)).collect();
    let log_e = z.iter().map(|z| EFFECT * z - 0.5 * EFFECT * EFFECT).collect();
    Evidence { real, p, log_e }
}

/// Which hypotheses a rule calls findings.
type Rule = fn(&Evidence) -> Option<Vec<bool>>;

fn at_most(adjusted: Option<Vec<f64>>) -> Option<Vec<bool>> {
    Some(adjusted?.iter().map(|p| *p <= ALPHA).collect())
}

fn rules() -> Vec<(&'static str, Rule)> {
    vec![
        ("Bonferroni", |evidence| at_most(bonferroni(&evidence.p))),
        ("Holm", |evidence| at_most(holm(&evidence.p))),
        ("Benjamini-Hochberg", |evidence| at_most(benjamini_hochberg(&evidence.p))),
        ("Benjamini-Yekutieli", |evidence| at_most(benjamini_yekutieli(&evidence.p))),
        ("e-BH", |evidence| {
            let mut found = vec![false; HYPOTHESES];
            e_benjamini_hochberg(&evidence.log_e, ALPHA).into_iter().for_each(|index| found[index] = true);
            Some(found)
        }),
        ("e-LOND, one after the other", |evidence| {
            let mut rule = ELond::new(ALPHA)?;
            Some(evidence.log_e.iter().map(|log_e| rule.test(*log_e)).collect())
        }),
        ("e-SAFFRON, one after the other", |evidence| {
            let mut rule = ESaffron::new(ALPHA)?;
            Some(evidence.log_e.iter().map(|log_e| rule.test(*log_e)).collect())
        }),
        ("LORD, one after the other", |evidence| {
            let mut rule = Lord::new(ALPHA)?;
            Some(evidence.p.iter().map(|p| rule.test(*p)).collect())
        }),
        ("each at 0.05", |evidence| Some(evidence.p.iter().map(|p| *p <= ALPHA).collect())),
    ]
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut table = Table::new(&["rule", "promises", "false among the findings", "real ones found", ""]);
    let mut all = Vec::new();
    for (name, rule) in rules() {
        let mut random = Random::new(31);
        let (mut shares, mut found_real) = (Vec::new(), 0);
        for _ in 0..effort.pairs / 2 {
            let evidence = draw(&mut random);
            let found = rule(&evidence).unwrap_or_default();
            let count = |real| found.iter().zip(&evidence.real).filter(|(found, is)| **found && **is == real).count();
            let (hits, misses) = (count(true), count(false));
            shares.push(misses as f64 / (hits + misses).max(1) as f64);
            found_real += hits;
        }
        let runs = shares.len() as f64;
        let rate = shares.iter().sum::<f64>() / runs;
        let variance = shares.iter().map(|share| (share - rate).powi(2)).sum::<f64>() / (runs - 1.0);
        let promised = name != "each at 0.05";
        let kept = rate <= ALPHA + 3.0 * (variance / runs).sqrt();
        let verdict = if !promised {
            "-"
        } else if kept {
            "kept"
        } else {
            "BROKEN"
        };
        if verdict == "BROKEN" {
            broken.push(format!("{name}: {rate:.3} of the findings are false at a stated {ALPHA}"));
        }
        let power = found_real as f64 * ONE_IN as f64 / (runs * HYPOTHESES as f64);
        table.row([
            name.to_owned(),
            if promised { format!("<= {ALPHA}") } else { "nothing".to_owned() },
            format!("{:.1} %", 100.0 * rate),
            format!("{:.1} %", 100.0 * power),
            verdict.to_owned(),
        ]);
        all.push(json!({"rule": name, "alpha": ALPHA, "false": rate, "found": power, "verdict": verdict}));
    }
    println!("{HYPOTHESES} hypotheses, one in {ONE_IN} real by {EFFECT} standard deviations\n\n{table}");
    Value::Array(all)
}
