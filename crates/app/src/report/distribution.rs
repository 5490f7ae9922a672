//! Values of what an alert names, before its onset and after it: read in a second pass over the events,
//! because nobody knows in the first one what will be wrong.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array as _;
use wardline_domain::{Alert, AlertStatus, EventBatch, RecordKind, TextColumn, Timestamp, column};

use super::{
    input::{Histogram, HistogramBin},
    reading::digits,
};

/// Most distributions that one alert shows.
const MOST_OF_ONE_ALERT: usize = 3;
/// Most values of one side that are kept; beyond it every second one is let go, again and again.
const MOST_VALUES: usize = 16_384;
/// Share of missing values from which on they have a bar: failed predictions have no score, for example.
const MISSING_IS_SHOWN: f64 = 0.005;
/// Bins between the ends of what was usual.
const BINS: usize = 8;

/// Distributions that are being read.
#[derive(Debug, Default)]
pub(crate) struct Distributions {
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
struct Wanted {
    alert: String,
    model: String,
    version: Option<String>,
    name: String,
    onset: Timestamp,
    until: Option<Timestamp>,
    before: Side,
    after: Side,
}

#[derive(Debug)]
struct Side {
    numbers: Vec<f64>,
    stride: u64,
    n_numbers: u64,
    names: BTreeMap<String, u64>,
    n_missing: u64,
    n: u64,
}

/// A column of a batch, as it is read here.
enum Values<'a> {
    Numbers(&'a arrow::array::Float64Array),
    Integers(&'a arrow::array::Int64Array),
    Flags(&'a arrow::array::BooleanArray),
    Names(TextColumn<'a>),
}

impl Distributions {
    /// What a report's alerts want to show.
    pub(crate) fn of(alerts: &[Alert]) -> Self {
        let wanted = alerts.iter().flat_map(|alert| {
            let mut seen = BTreeSet::new();
            let names = alert.features.iter().map(|carrier| &carrier.name).filter(move |name| seen.insert(*name));
            names.take(MOST_OF_ONE_ALERT).map(|name| Wanted::new(alert, name.clone()))
        });
        Self { wanted: wanted.collect() }
    }

    /// Whether there is nothing to read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Reads a batch.
    pub(crate) fn observe(&mut self, batch: &EventBatch) {
        if batch.kind != RecordKind::Inference {
            return;
        }
        for wanted in self.wanted.iter_mut().filter(|wanted| batch.model.as_deref() == Some(wanted.model.as_str())) {
            wanted.observe(batch);
        }
    }

    /// The distributions by alert id; those with too little to show are left out.
    pub(crate) fn finish(self) -> BTreeMap<String, Vec<Histogram>> {
        let mut finished: BTreeMap<String, Vec<Histogram>> = BTreeMap::new();
        for wanted in self.wanted {
            if wanted.before.n > 0 && wanted.after.n > 0 {
                finished.entry(wanted.alert.clone()).or_default().push(wanted.histogram());
            }
        }
        finished
    }
}

impl Wanted {
    fn new(alert: &Alert, name: String) -> Self {
        Self {
            alert: alert.id.clone(),
            model: alert.model.clone(),
            version: alert.version.clone(),
            name,
            onset: alert.onset,
            until: (alert.status == AlertStatus::Closed).then_some(alert.updated),
            before: Side::new(),
            after: Side::new(),
        }
    }

    fn observe(&mut self, batch: &EventBatch) {
        let feature = format!("{}{}", column::FEATURE_PREFIX, self.name);
        let Some(values) = Values::of(batch, &feature).or_else(|| Values::of(batch, &self.name)) else { return };
        let Ok(times) = batch.times() else { return };
        let versions = batch.text(column::VERSION);
        for (row, &time) in times.values().iter().enumerate() {
            let time = Timestamp::from_micros(time);
            if time < self.onset {
                values.add(row, &mut self.before);
                continue;
            }
            // What another version does after the onset is neither.
            let is_its =
                self.version.as_deref().is_none_or(|own| versions.as_ref().and_then(|text| text.get(row)) == Some(own));
            if is_its && self.until.is_none_or(|until| time <= until) {
                values.add(row, &mut self.after);
            }
        }
    }

    fn histogram(self) -> Histogram {
        let (n_before, n_after) = (self.before.n, self.after.n);
        let mut bins = if self.before.numbers.is_empty() && self.after.numbers.is_empty() {
            bins_of_names(&self.before, &self.after)
        } else {
            bins_of_numbers(&self.before, &self.after)
        };
        let share = |side: &Side| side.n_missing as f64 / side.n.max(1) as f64;
        if share(&self.before).max(share(&self.after)) >= MISSING_IS_SHOWN {
            bins.push(HistogramBin {
                label: "missing".to_owned(),
                before: share(&self.before),
                after: share(&self.after),
            });
        }
        Histogram { title: self.name, bins, n_before, n_after }
    }
}

impl<'a> Values<'a> {
    fn of(batch: &'a EventBatch, name: &str) -> Option<Self> {
        let numbers = || batch.number(name).map(Self::Numbers);
        let integers = || batch.integer(name).map(Self::Integers);
        let flags = || batch.boolean(name).map(Self::Flags);
        numbers().or_else(integers).or_else(flags).or_else(|| batch.text(name).map(Self::Names))
    }

    fn add(&self, row: usize, side: &mut Side) {
        side.n += 1;
        let known = match self {
            Self::Numbers(array) => array.is_valid(row).then(|| side.add_number(array.value(row))),
            Self::Integers(array) => array.is_valid(row).then(|| side.add_number(array.value(row) as f64)),
            Self::Flags(array) => {
                array.is_valid(row).then(|| side.add_name(if array.value(row) { "true" } else { "false" }))
            }
            Self::Names(text) => text.get(row).map(|name| side.add_name(name)),
        };
        side.n_missing += u64::from(known.is_none());
    }
}

impl Side {
    const fn new() -> Self {
        Self { numbers: Vec::new(), stride: 1, n_numbers: 0, names: BTreeMap::new(), n_missing: 0, n: 0 }
    }

    fn add_number(&mut self, number: f64) {
        if self.n_numbers.is_multiple_of(self.stride) {
            if self.numbers.len() >= MOST_VALUES {
                let mut index = 0;
                self.numbers.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride *= 2;
            }
            self.numbers.push(number);
        }
        self.n_numbers += 1;
    }

    fn add_name(&mut self, name: &str) {
        // A column of free text has no distribution that a page could show.
        const MOST_NAMES: usize = 4_096;
        if let Some(count) = self.names.get_mut(name) {
            *count += 1;
        } else if self.names.len() < MOST_NAMES {
            self.names.insert(name.to_owned(), 1);
        }
    }

    /// Share of all events, the missing ones included, whose number holds.
    fn share(&self, holds: impl Fn(f64) -> bool) -> f64 {
        let known = (self.n - self.n_missing) as f64 / self.n.max(1) as f64;
        let held = self.numbers.iter().filter(|number| holds(**number)).count();
        known * held as f64 / self.numbers.len().max(1) as f64
    }

    fn share_of(&self, name: &str) -> f64 {
        self.names.get(name).copied().unwrap_or(0) as f64 / self.n.max(1) as f64
    }
}

fn bins_of_names(before: &Side, after: &Side) -> Vec<HistogramBin> {
    let names: BTreeSet<&String> = before.names.keys().chain(after.names.keys()).collect();
    let mut bins: Vec<HistogramBin> = names
        .into_iter()
        .map(|name| HistogramBin { label: name.clone(), before: before.share_of(name), after: after.share_of(name) })
        .collect();
    bins.sort_by(|a, b| b.before.max(b.after).total_cmp(&a.before.max(a.after)).then(a.label.cmp(&b.label)));
    if bins.len() > BINS {
        let rest = bins.split_off(BINS - 1);
        let sum = |share: fn(&HistogramBin) -> f64| rest.iter().map(share).sum();
        bins.push(HistogramBin {
            label: "others".to_owned(),
            before: sum(|bin| bin.before),
            after: sum(|bin| bin.after),
        });
    }
    bins
}

/// Equal bins over what was usual, and one at each end for what was not: a feature in the wrong unit
/// lands in an end, and what it looked like before stays readable.
fn bins_of_numbers(before: &Side, after: &Side) -> Vec<HistogramBin> {
    let mut sorted = if before.numbers.is_empty() { after.numbers.clone() } else { before.numbers.clone() };
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.extend(&after.numbers);
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let bin = |label: String, holds: &dyn Fn(f64) -> bool| HistogramBin {
        label,
        before: before.share(holds),
        after: after.share(holds),
    };
    if distinct.len() <= BINS {
        return distinct
            .into_iter()
            .map(|value| bin(digits(value), &|number| number.total_cmp(&value).is_eq()))
            .collect();
    }
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let (low, mut high) = (at(0.02), at(0.98));
    if high <= low {
        high = low + low.abs().max(1.0);
    }
    let edge = |index: usize| low + (high - low) * index as f64 / BINS as f64;
    let mut bins = vec![bin("under".to_owned(), &|number| number < low)];
    for index in 0..BINS {
        bins.push(bin(digits(edge(index)), &|number| edge(index) <= number && number < edge(index + 1)));
    }
    bins.push(bin("over".to_owned(), &|number| high <= number));
    bins
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
        datatypes::{DataType, Field, Schema},
    };
    use wardline_domain::schema;

    use super::super::tests::sample;
    use super::*;

    /// Events a minute apart: incomes and kinds, all of one version.
    fn batch(from: Timestamp, incomes: Vec<Option<f64>>, kind: &str, version: &str) -> EventBatch {
        let n = incomes.len();
        let times = (0..n as i64).map(|minute| from.plus(minute * Timestamp::MINUTE).micros());
        let columns: Vec<Arc<dyn arrow::array::Array>> = vec![
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
            Arc::new(StringArray::from(vec![version; n])),
            Arc::new(Float64Array::from(incomes)),
            Arc::new(StringArray::from(vec![kind; n])),
        ];
        let fields = vec![
            Field::new("time", schema::timestamp(), false),
            Field::new("version", DataType::Utf8, true),
            Field::new("feature_income_eur", DataType::Float64, true),
            Field::new("decision", DataType::Utf8, true),
        ];
        let records = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        EventBatch { kind: RecordKind::Inference, model: Some("credit-limit".into()), records }
    }

    fn alert() -> Alert {
        let mut alert = sample::alerts().remove(2);
        alert.features[1].name = "decision".to_owned();
        alert
    }

    #[test]
    fn a_wrong_unit_lands_beyond_what_was_usual() {
        let alert = alert();
        let mut distributions = Distributions::of(std::slice::from_ref(&alert));
        let before = (0..1_000).map(|index| (index % 50 > 0).then(|| 1_000.0 + f64::from(index))).collect();
        distributions.observe(&batch(alert.onset.plus(-Timestamp::DAY), before, "keep", "5.0"));
        distributions.observe(&batch(alert.onset, vec![Some(150_000.0); 40], "raise", "5.1"));
        // Another version's events after the onset are neither before nor after.
        distributions.observe(&batch(alert.onset, vec![Some(1_500.0); 40], "keep", "5.0"));
        let finished = distributions.finish();
        let [income, decision] = finished[&alert.id].as_slice() else { panic!("two histograms were expected") };
        assert_eq!((income.n_before, income.n_after), (1_000, 40));
        let over = income.bins.iter().find(|bin| bin.label == "over").unwrap();
        assert!(over.after == 1.0 && over.before < 0.03, "{over:?}");
        let missing = income.bins.last().unwrap();
        assert_eq!((missing.label.as_str(), missing.before, missing.after), ("missing", 0.02, 0.0));
        assert!((income.bins.iter().map(|bin| bin.before).sum::<f64>() - 1.0).abs() < 1e-9);
        let labels: Vec<&str> = decision.bins.iter().map(|bin| bin.label.as_str()).collect();
        assert_eq!(labels, ["keep", "raise"]);
    }

    #[test]
    fn many_values_are_thinned_evenly_and_counted_exactly() {
        let mut side = Side::new();
        for index in 0..100_000 {
            side.n += 1;
            side.add_number(f64::from(index));
        }
        assert!(side.numbers.len() <= MOST_VALUES);
        assert!((side.share(|number| number < 25_000.0) - 0.25).abs() < 0.001);
        assert_eq!(side.n, 100_000);
    }

    #[test]
    fn alerts_that_name_no_feature_need_no_second_pass() {
        assert!(Distributions::of(&sample::alerts()[..2]).is_empty());
    }
}
