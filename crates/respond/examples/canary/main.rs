//! How soon a bad version is sent back, and how often a good one is: the judge beside the rules of other tools, on the
//! same streams. `cargo run --release -p wardline-respond --example canary -- [runs] [part of a row's group]`

mod chance;
mod errors;
mod latency;
mod quality;
mod rules;
mod table;

use errors::Errors;
use latency::Slow;
use quality::Shape;
use table::print;

/// 100,000 requests of the version on trial, in seconds.
const LONG: f64 = 10_000.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let n: u64 = arguments.first().and_then(|runs| runs.parse().ok()).unwrap_or(2_000);
    let group = arguments.get(1).cloned().unwrap_or_default();
    let wanted = |name: &str| name.contains(&group);
    println!("| stream | rule | sent back | median | p90 | runs |");
    println!("| --- | --- | --- | --- | --- | --- |");
    if wanted("errors") {
        let base = Errors::default();
        print(errors::row("errors 0.1 to 1 %", Errors { standing: 0.001, canary: 0.01, cut: 0.005, ..base }, n));
        print(errors::row("errors 1 to 5 %", Errors { canary: 0.05, ..base }, n));
        print(errors::row("errors 0.01 to 20 %", Errors { standing: 0.0001, canary: 0.2, cut: 0.01, ..base }, n));
        let tight = Errors { standing: 0.0001, canary: 0.001, cut: 0.0005, seconds: LONG, ..base };
        print(errors::row("errors 0.01 to 0.1 %", tight, n));
    }
    if wanted("nothing") {
        let base = Errors { seconds: LONG, ..Errors::default() };
        for (name, rate, cut) in [("0.1 %", 0.001, 0.005), ("1 %", 0.01, 0.03), ("0.01 %", 0.0001, 0.0005)] {
            let errors = Errors { standing: rate, canary: rate, cut, ..base };
            print(errors::row(&format!("no change, errors {name}, 100,000 canary requests"), errors, n));
        }
    }
    if wanted("guards") {
        let base = Errors { standing: 0.001, canary: 0.001, cut: 0.005, ..Errors::default() };
        let outage = Errors { outage: Some((600.0, 1_200.0, 0.049)), ..base };
        print(errors::row("outage of both, 5 % errors for 10 min", outage, n));
        for share in [0.11, 0.12, 0.15] {
            let name = format!("{:.0} % of the traffic where 10 % were asked for", share * 100.0);
            print(errors::row(&name, Errors { share, seconds: LONG, ..base }, n));
        }
        print(errors::row("no share asked for", Errors { asked: None, seconds: LONG, ..base }, n));
    }
    if wanted("clumps") {
        print(errors::clumps(n, 1_000_000));
    }
    if wanted("latency") {
        print(latency::row("p99 150 to 300 ms, all twice as slow", Slow::Twice, 1_260.0, n));
        print(latency::row("p99 150 to 300 ms, the tail only", Slow::Tail, 1_260.0, n));
    }
    if wanted("still") {
        print(latency::row("no change, latency, 100,000 canary requests", Slow::Not, LONG, n));
    }
    if wanted("quality") {
        [0.03, 0.04, 0.08].into_iter().for_each(|share| print(quality::flips(share, 20_000, n)));
        print(quality::flips(0.02, 100_000, n));
        [0.87, 0.85].into_iter().for_each(|accuracy| print(quality::labels(accuracy, 20_000, n)));
        print(quality::labels(0.9, 20_000, n));
        print(quality::scores("narrower, same mean", Shape::Narrower, 20_000, n));
        print(quality::scores("10 % above 0.9", Shape::Bimodal, 20_000, n));
        print(quality::scores("no change", Shape::Same, 20_000, n));
    }
    if wanted("fairness") {
        print(quality::fairness(0.26, 40_000, n));
        print(quality::fairness(0.2, 40_000, n));
    }
}
