//! What a report is made from: alerts as they are, and plain series.

use std::collections::BTreeMap;

use wardline_domain::{Alert, Timestamp};

/// Everything on one page.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReportInput {
    /// Version of the program that made it.
    pub(crate) version: String,
    /// What was read.
    pub(crate) read: ReadSummary,
    /// Every model that was seen.
    pub(crate) models: Vec<ModelReport>,
    /// Every alert, in any order.
    pub(crate) alerts: Vec<Alert>,
    /// Distributions before and after an alert's onset, by alert id.
    pub(crate) distributions: BTreeMap<String, Vec<Histogram>>,
    /// Records that could not be taken in, by reason.
    pub(crate) dead_letters: Vec<DeadLetterCount>,
}

/// What was read, and how fast.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadSummary {
    /// Files and folders as they were named.
    pub(crate) sources: Vec<String>,
    /// Bytes read.
    pub(crate) bytes: u64,
    /// Records of every kind.
    pub(crate) records: u64,
    /// Time taken.
    pub(crate) seconds: f64,
    /// Earliest event.
    pub(crate) from: Option<Timestamp>,
    /// Latest event.
    pub(crate) until: Option<Timestamp>,
}

/// One model over the whole time.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModelReport {
    /// Its name.
    pub(crate) name: String,
    /// Versions that were seen.
    pub(crate) versions: Vec<String>,
    /// Predictions.
    pub(crate) events: u64,
    /// When its baseline was complete; `None` while it still learns.
    pub(crate) learned_until: Option<Timestamp>,
    /// What is normal for it, such as `latency p99` and `184 ms`.
    pub(crate) normal: Vec<Fact>,
    /// Its plots, in the order in which they are shown.
    pub(crate) plots: Vec<LinePlot>,
}

/// A name and a value, both ready to be read.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// What it is.
    pub(crate) name: String,
    /// What it is worth, with its unit.
    pub(crate) value: String,
}

/// What a plot is about: an alert shows the plots that tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Predictions an hour.
    Volume,
    /// Share of failures.
    ErrorRate,
    /// Latency quantiles.
    Latency,
    /// Scores.
    Score,
    /// Shares of decisions.
    DecisionMix,
    /// How far features have moved from the baseline.
    FeatureShift,
}

/// Values over time.
#[derive(Clone, Debug)]
pub(crate) struct LinePlot {
    /// What it is about.
    pub(crate) subject: Subject,
    /// Its heading, such as `Latency`.
    pub(crate) title: String,
    /// Unit of the values: `ms`, `share`, or a plain word such as `events/h`.
    pub(crate) unit: String,
    /// One to six lines, the most important first.
    pub(crate) lines: Vec<Line>,
    /// What was normal.
    pub(crate) band: Option<Band>,
}

/// One line of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its name, such as `p99`.
    pub(crate) name: String,
    /// Times and values, in order of time; a gap is left where values are NaN.
    pub(crate) points: Vec<(Timestamp, f64)>,
}

/// The range that was normal at each moment.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    /// What it is, such as `normal for the hour of the week`.
    pub(crate) name: String,
    /// Time, low end, high end.
    pub(crate) points: Vec<(Timestamp, f64, f64)>,
}

/// A distribution before and after an onset.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    /// What is distributed, such as `income_eur`.
    pub(crate) title: String,
    /// Bins in order.
    pub(crate) bins: Vec<HistogramBin>,
    /// Events before.
    pub(crate) n_before: u64,
    /// Events after.
    pub(crate) n_after: u64,
}

/// One bin.
#[derive(Clone, Debug)]
pub(crate) struct HistogramBin {
    /// Its range or category.
    pub(crate) label: String,
    /// Share before, 0 to 1.
    pub(crate) before: f64,
    /// Share after, 0 to 1.
    pub(crate) after: f64,
}

/// Records that could not be taken in, for one reason.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetterCount {
    /// The reason's name, such as `bad_time`.
    pub(crate) reason: String,
    /// How many.
    pub(crate) count: u64,
    /// What one of them says.
    pub(crate) example: String,
    /// Where that one is: its source and offset.
    pub(crate) place: String,
}
