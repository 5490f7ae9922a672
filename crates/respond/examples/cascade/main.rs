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
    let (mut ours, mut usual) = (score::Score::default(), score::Score::default());
    for seed in first..first + n_runs {
        let estate = estate::estate(seed);
        ours.add(&estate, &score::correlated(&estate));
        usual.add(&estate, &score::fifteen_minutes_same_service(&estate));
    }
    println!(
        "| method | B-cubed F1 | precision | recall | F1 of cascades alone | origin first | of silent origins | groups |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    println!("{}", ours.row("correlation"));
    println!("{}", usual.row("15 minutes and same service"));
}
