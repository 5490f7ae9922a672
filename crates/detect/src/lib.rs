//! From event batches to explained alerts: windows, baselines, detectors and grouping.
//!
//! **Invariant:** nothing here waits, reads, writes or looks at a clock. A [`Watch`] answers by the events
//! it was given, in their order of arrival and by their own times, however they were cut into batches; so
//! what runs live also runs over files, and gives the same answer.

mod baseline;
mod baseline_text;
mod blame;
mod budget;
mod carrier;
mod client_gate;
mod client_rows;
mod clients;
mod clock;
mod coding;
mod deployments;
mod detectors;
mod draft;
mod drift_watch;
mod drift_wording;
mod entities;
mod estimates;
mod event_rows;
mod evidence;
mod flag_watch;
mod grouping;
mod groups;
mod input_rows;
mod judged_finding;
mod judged_watch;
mod learned;
mod length_mix;
mod measure;
mod model_learning;
mod model_state;
mod model_watch;
mod noise;
mod odd_rows;
mod outcomes;
mod queries;
mod query_structure;
mod rate;
mod recent;
mod refusal;
mod repeats;
mod retirements;
mod rise_watch;
mod risk;
mod saturation;
mod score_chunks;
mod second;
mod secrets;
mod series;
mod settings;
mod silence;
mod slice_drift;
mod slice_windows;
mod tails;
pub mod text_attack;
mod text_rows;
#[cfg(test)]
mod text_stream;
mod thinned;
mod traffic_baseline;
mod training_record;
mod usage;
mod usual_scores;
mod version_judge;
mod version_pair;
mod watch;
mod window;
mod wording;

pub mod rules;
pub mod slo;

#[cfg(test)]
extern crate self as wardline_detect;
#[cfg(test)]
mod client_stream;
#[cfg(test)]
#[path = "../tests/it/stream.rs"]
mod stream;
#[cfg(test)]
#[path = "../tests/it/training_stream.rs"]
mod training_stream;

pub use baseline::{Baseline, LearnedMeasure, LearnedShare, Quantiles};
pub use budget::{BudgetCounts, BudgetLine, BudgetReport, BudgetSettings, FalseAlerts};
pub use detectors::{DETECTORS, DetectorSpec};
pub use estimates::{EstimatedChunks, PerformanceEstimates};
pub use risk::EntityRisk;
pub use series::{Series, SeriesCell, WindowPoint};
pub use settings::WatchSettings;
pub use silence::Silence;
pub use traffic_baseline::Season;
pub use watch::{Observed, RestoreError, Watch};
