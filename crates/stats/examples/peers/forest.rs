//! Isolation forests: scoring a table, learning a stream, and how well they rank.

use std::error::Error;
use std::path::Path;

use serde_json::{Map, Value, json};
use wardline_stats::learn::Features;
use wardline_stats::outlier::{ForestSettings, IsolationForest, OnlineForest, OnlineForestSettings};
use wardline_stats::performance::area_under_roc;

use crate::data::{codes, numbers, numeric};
use crate::measure::{measured, told};

/// The first events of a stream, which are learned and not judged.
const UNJUDGED: usize = 500;
const EVENTS: usize = 20_000;

/// Scores 1,000,000 rows of 20 columns with 100 trees.
pub(crate) fn score(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let columns = numeric(folder, "reference")?;
    let rows = whole(&columns)?;
    let forest = IsolationForest::fit(&rows, &ForestSettings::default()).ok_or("too little data")?;
    let (scores, cost) = measured(|| forest.score(&rows));
    let scores = scores.ok_or("another number of columns")?;
    let rate = scores.len() as f64 / 1e6 / cost["cpu_s"].as_f64().unwrap_or(f64::NAN);
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    Ok(told("forest", cost, json!({"mean": mean, "million_updates_per_s": {"rows": rate}})))
}

/// Scores and learns events one by one.
pub(crate) fn learn(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let columns = numeric(folder, "reference")?;
    let rows: Vec<Vec<f64>> = (0..EVENTS).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
    let mut forest = OnlineForest::new(20, &OnlineForestSettings::default()).ok_or("settings")?;
    let (scored, cost) = measured(|| rows.iter().filter(|row| forest.observe(row).flatten().is_some()).count());
    let rate = EVENTS as f64 / 1e6 / cost["cpu_s"].as_f64().unwrap_or(f64::NAN);
    Ok(told("online_forest", cost, json!({"scored": scored, "million_updates_per_s": {"events": rate}})))
}

/// The area under the curve on each labelled set, the mean over seeds.
pub(crate) fn rank(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let sets = std::fs::read_to_string(folder.join("sets.txt"))?;
    let (areas, cost) = measured(|| sets.lines().map(|line| area_of(folder, line)).collect::<Result<Map<_, _>, _>>());
    Ok(told("forest_auc", cost, json!({"auc": areas?})))
}

/// The same for streams, each row scored before it is learned.
pub(crate) fn rank_streams(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let streams = std::fs::read_to_string(folder.join("streams.txt"))?;
    let (areas, cost) =
        measured(|| streams.lines().map(|line| area_of_stream(folder, line)).collect::<Result<Map<_, _>, _>>());
    Ok(told("online_forest_auc", cost, json!({"auc": areas?})))
}

/// Labelled rows, column by column.
struct Labelled {
    name: String,
    width: usize,
    /// Forests whose areas are averaged.
    seeds: u64,
    values: Vec<f64>,
    is_odd: Vec<bool>,
}

impl Labelled {
    fn read(folder: &Path, kind: &str, line: &str) -> Result<Self, Box<dyn Error>> {
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or("a set without its width and seeds");
        let (name, width, seeds) = (word()?, word()?.parse()?, word()?.parse()?);
        let values = numbers(folder, &format!("{kind}-{name}"))?;
        let is_odd = codes(folder, &format!("{kind}-{name}"))?.iter().map(|code| *code == 1).collect();
        Ok(Self { name: name.to_owned(), width, seeds, values, is_odd })
    }

    fn columns(&self) -> Vec<&[f64]> {
        self.values.chunks_exact(self.is_odd.len()).take(self.width).collect()
    }
}

fn area_of_stream(folder: &Path, line: &str) -> Result<(String, Value), Box<dyn Error>> {
    let stream = Labelled::read(folder, "stream", line)?;
    let columns = stream.columns();
    let mut sum = 0.0;
    for seed in 1..=stream.seeds {
        let settings = OnlineForestSettings { seed, ..OnlineForestSettings::default() };
        let mut forest = OnlineForest::new(stream.width, &settings).ok_or("settings")?;
        let mut scores = Vec::with_capacity(stream.is_odd.len());
        for row in 0..stream.is_odd.len() {
            let row: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            scores.push(forest.observe(&row).ok_or("a row that does not fit")?.unwrap_or(0.0));
        }
        let area = area_under_roc(&scores[UNJUDGED..], &stream.is_odd[UNJUDGED..]);
        sum += area.ok_or("one class only")?.value;
    }
    Ok((stream.name, json!(sum / stream.seeds as f64)))
}

fn area_of(folder: &Path, line: &str) -> Result<(String, Value), Box<dyn Error>> {
    let set = Labelled::read(folder, "set", line)?;
    let rows = Features::new(set.columns()).ok_or("not a table")?;
    let mut sum = 0.0;
    for seed in 1..=set.seeds {
        let forest = IsolationForest::fit(&rows, &ForestSettings { seed, ..ForestSettings::default() });
        let scores = forest.and_then(|forest| forest.score(&rows)).ok_or("too little data")?;
        sum += area_under_roc(&scores, &set.is_odd).ok_or("one class only")?.value;
    }
    Ok((set.name, json!(sum / set.seeds as f64)))
}

fn whole(columns: &[Vec<f64>]) -> Result<Features<'_>, Box<dyn Error>> {
    Ok(Features::new(columns.iter().map(Vec::as_slice).collect()).ok_or("not a table")?)
}
