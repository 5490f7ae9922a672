//! Does our half of `benches/peers/run`: one job on the data in a folder, and one line of JSON.
//!
//! ```sh
//! cargo run --release -p wardline-stats --example peers -- JOB FOLDER
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its job is to print")]

mod data;
mod domain;
mod drift;
mod estimate;
mod explain;
mod fairness;
mod forest;
mod kernel;
mod measure;
mod outlier_models;
#[path = "../promised/random.rs"]
mod random;
mod slices;
mod streams;
mod text;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

type Job = fn(&Path) -> Result<Value, Box<dyn Error>>;

const JOBS: &[(&str, Job)] = &[
    ("drift_keep", drift::keep),
    ("drift", drift::judge),
    ("estimate", estimate::judge),
    ("adwin_bits", streams::adwin_bits),
    ("adwin_normal", streams::adwin_normal),
    ("page_hinkley_bits", streams::page_hinkley_bits),
    ("page_hinkley_normal", streams::page_hinkley_normal),
    ("sequential", streams::sequential),
    ("kernel", kernel::judge),
    ("kernel_power", kernel::judge_power),
    ("domain", domain::judge),
    ("domain_power", domain::judge_power),
    ("forest", forest::score),
    ("online_forest", forest::learn),
    ("forest_auc", forest::rank),
    ("one_class", outlier_models::one_class),
    ("linear_one_class", outlier_models::linear_one_class),
    ("local_outlier_factor", outlier_models::local_outlier_factor),
    ("nearest", outlier_models::nearest),
    ("histograms", outlier_models::histograms),
    ("ecod", outlier_models::ecod),
    ("copod", outlier_models::copod),
    ("robust_distance", outlier_models::robust_distance),
    ("online_forest_auc", forest::rank_streams),
    ("slices", slices::judge),
    ("shap_path_dependent", explain::path_dependent),
    ("shap_interventional", explain::interventional),
    ("shap_interactions", explain::interactions),
    ("trees_predict", explain::predict),
    ("fairness", fairness::judge),
    ("fairness_sweep", fairness::sweep),
    ("text", text::judge),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder] = &words[..] else {
        eprintln!("peers JOB FOLDER");
        return ExitCode::from(2);
    };
    let Some((_, job)) = JOBS.iter().find(|(job, _)| job == name) else {
        eprintln!("no job `{name}`");
        return ExitCode::from(2);
    };
    match job(Path::new(folder)) {
        Ok(found) => {
            println!("{found}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(2)
        }
    }
}
