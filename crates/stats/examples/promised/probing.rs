//! Clients that probe a model: how many honest ones are flagged, and how soon those that copy it.

use serde_json::{Value, json};
use wardline_stats::probing::{ClientProbe, HonestClients, ProbeScores, ProbeSettings};

use crate::effort::Effort;
use crate::random::Random;
use crate::table::Table;

const WIDTH: usize = 4;
const ALPHA: f64 = 0.01;
/// Queries of an extraction, over all its accounts.
const EXTRACTION: usize = 2_000;

type Row = [f64; WIDTH];

fn class(row: &Row) -> u32 {
    u32::from(row.iter().sum::<f64>() > 0.0)
}

fn usual(random: &mut Random) -> Row {
    let shared = random.normal();
    std::array::from_fn(|_| 0.5 * shared + random.normal())
}

fn probe() -> Option<ClientProbe> {
    ClientProbe::new(&ProbeSettings { ranges: vec![(-2.5, 2.5); WIDTH], cells: 6, near: 0.05 })
}

/// Thirty days of an honest client of one of four kinds, with heavy-tailed volumes.
fn honest(random: &mut Random) -> Option<Vec<ProbeScores>> {
    let mut probe = probe()?;
    let n = (30.0 / (1e-9 + random.unit())).min(1_500.0) as usize;
    let centre = usual(random);
    let kind = (4.0 * random.unit()) as u32;
    for _ in 0..n {
        let row = match kind {
            // A narrow part of the world.
            0 => centre.map(|middle| middle + 0.3 * random.normal()),
            // Whole-number like entries in two features.
            1 => {
                let [a, b, c, d] = usual(random);
                [a, b, c.round(), d.round()]
            }
            _ => usual(random),
        };
        // A nightly batch asks all again on each of the 30 days; others retry.
        let times = if kind == 2 { 30 } else { 1 + usize::from(random.unit() < 0.2) };
        for _ in 0..times {
            probe.observe(class(&row), &row).ok()?;
        }
    }
    Some(probe.reached().to_vec())
}

/// The query of an extraction, by its number.
type Attack = fn(usize, &mut Random, &mut Row) -> Row;

const ATTACKS: [(&str, Attack); 4] = [
    ("grid, in order", |number, _, _| grid(number)),
    ("grid, shuffled", |_, random, _| grid((random.unit() * 7.0_f64.powi(4)) as usize)),
    ("chain of random perturbations", |number, random, at| {
        if number.is_multiple_of(200) {
            *at = usual(random);
        }
        *at = at.map(|value| value + 0.05 * random.normal());
        *at
    }),
    ("queries like honest ones", |_, random, _| usual(random)),
];

fn grid(number: usize) -> Row {
    std::array::from_fn(|column| (number / 7_usize.pow(column as u32) % 7) as f64 * 0.7 - 2.1)
}

/// How many queries all accounts had sent when the first was flagged.
fn until_flagged(attack: Attack, n_accounts: usize, honest: &HonestClients, random: &mut Random) -> Option<usize> {
    let mut accounts: Vec<(ClientProbe, Row)> =
        (0..n_accounts).map(|_| Some((probe()?, usual(random)))).collect::<Option<_>>()?;
    let each = EXTRACTION / n_accounts;
    for number in 0..each {
        for (account, (probe, at)) in accounts.iter_mut().enumerate() {
            let row = attack(account * each + number, random, at);
            let is_checkpoint = probe.observe(class(&row), &row).ok()?;
            if is_checkpoint && honest.judge(probe.reached()).is_some_and(|verdict| verdict.p_value <= ALPHA) {
                return Some(number * n_accounts + account + 1);
            }
        }
    }
    None
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut random = Random::new(77);
    let runs = effort.change_runs;
    let known: Option<Vec<Vec<ProbeScores>>> = (0..1_000).map(|_| honest(&mut random)).collect();
    let slices: Vec<&[ProbeScores]> = known.iter().flatten().map(Vec::as_slice).collect();
    let Some(calibrated) = HonestClients::new(&slices, 1) else {
        broken.push("probing: honest clients cannot be learned".to_owned());
        return Value::Null;
    };
    let n_judged = 20 * runs;
    let is_flagged = |reached: &Vec<ProbeScores>| calibrated.judge(reached).is_some_and(|said| said.p_value <= ALPHA);
    let flagged = (0..n_judged).filter_map(|_| honest(&mut random)).filter(is_flagged).count();
    let share = flagged as f64 / n_judged as f64;
    // The rate itself follows a beta law with 5 and 496; its deviation is added to that of the count.
    let deviation = (ALPHA / n_judged as f64 + ALPHA / 500.0).sqrt();
    if share > ALPHA + 3.0 * deviation {
        broken.push(format!("probing: {share:.4} of honest clients flagged, {ALPHA} asked"));
    }
    println!("\n## Probing: honest clients flagged in 30 days, asked 1 %: {:.2} % of {n_judged}\n", 100.0 * share);
    let mut table = Table::new(&["extraction of 2,000 queries", "accounts", "found", "median queries until found"]);
    let mut all = Vec::new();
    for (name, attack) in ATTACKS.into_iter().filter(|(name, _)| effort.wants(name)) {
        for n_accounts in [1, 5, 20] {
            let mut delays: Vec<usize> =
                (0..runs).filter_map(|_| until_flagged(attack, n_accounts, &calibrated, &mut random)).collect();
            delays.sort_unstable();
            let found = delays.len() as f64 / runs as f64;
            let median = delays.get(delays.len() / 2).copied();
            table.row([
                name.to_owned(),
                n_accounts.to_string(),
                format!("{:.0} %", 100.0 * found),
                median.map_or_else(String::new, |median| median.to_string()),
            ]);
            all.push(json!({ "attack": name, "accounts": n_accounts, "found": found, "median_queries": median }));
        }
    }
    println!("{table}");
    json!({ "honest_flagged": share, "honest_clients": n_judged, "asked": ALPHA, "attacks": all })
}
