//! Cascades over three systems among the noise of others: how well alerts are joined, beside what usual tools do.
//!
//! `cargo run --release -p wardline-respond --example cascade [first seed] [number of runs]`

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a tool of the repository"
)]

mod estate;
mod score;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let first = arguments.next().unwrap_or(1);
    let n_runs = arguments.next().unwrap_or(200);
    let [mut ours, mut informed, mut usual] = [(); 3].map(|()| score::Score::default());
    let mut longest = 0.0;
    for seed in first..first + n_runs {
        let estate = estate::estate(seed);
        longest = estate.cascades.iter().fold(longest, |longest: f64, cascade| longest.max(cascade.lasted));
        ours.add(&estate, &score::correlated(&estate));
        informed.add(&estate, &score::told_the_truth(&estate));
        usual.add(&estate, &score::fifteen_minutes_same_service(&estate));
    }
    println!(
        "| method | B-cubed F1 | precision | recall | F1 of cascades alone | origin first | of silent origins | mean confidence | groups |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    println!("{}", ours.row("correlation"));
    println!("{}", informed.row("told true lags and chances"));
    println!("{}", usual.row("15 minutes and same service"));
    println!("\nThe longest cascade took {:.1} days.", longest / 24.0);
}
