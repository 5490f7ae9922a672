//! Two-sample tests: how often they alarm at a stated 5 % when nothing changed, and how often they see three shifts.

use serde_json::{Value, json};
use wardline_stats::learn::Features;
use wardline_stats::resample::block_permutation_test;
use wardline_stats::two_sample::{
    ClassifierSettings, Distance, KernelReference, KernelSettings, Rows, aggregated_discrepancy, anderson_darling,
    chi_square, classifier_test, cramer_von_mises, density_difference, energy_test, epps_singleton, g_test, hellinger,
    jensen_shannon, kolmogorov_smirnov, l_infinity, mann_whitney, noise_floor, population_stability, student_t,
    wasserstein_normalised, welch_t,
};

use crate::effort::Effort;
use crate::random::Random;
use crate::streams::{Kind, SHAPES, Shape, Stream};
use crate::table::Table;

const ALPHA: f64 = 0.05;
/// Values a side.
const VALUES: usize = 500;
/// Shifts of the mean, in standard deviations.
const SHIFTS: [f64; 3] = [0.1, 0.25, 0.5];

/// Whether a test alarms: both samples as they came, and a seed.
type Alarms = fn(&[f64], &[f64], u64) -> Option<bool>;

struct Subject {
    name: &'static str,
    alarms: Alarms,
    /// How many times fewer pairs, for the slow ones.
    thrift: usize,
    /// Whether a false-alarm rate of 5 % is promised, for independent values.
    promised: bool,
    /// Whether the same is promised for autocorrelated values.
    for_autocorrelated: bool,
}

fn quick(name: &'static str, alarms: Alarms) -> Subject {
    Subject { name, alarms, thrift: 1, promised: true, for_autocorrelated: false }
}

fn slow(name: &'static str, thrift: usize, alarms: Alarms) -> Subject {
    Subject { thrift, ..quick(name, alarms) }
}

fn subjects() -> Vec<Subject> {
    let mut all = on_sorted_values();
    all.extend(on_bins());
    all.extend(by_resampling());
    let rule = |name, alarms| Subject { promised: false, ..quick(name, alarms) };
    all.push(rule("rule of Evidently: Wasserstein / deviation >= 0.1", |a, b, _| {
        Some(wasserstein_normalised(&sorted(a), &sorted(b))? >= 0.1)
    }));
    all.push(rule("rule of Evidently and NannyML: Jensen-Shannon >= 0.1", |a, b, _| {
        let (a, b) = deciles(a, b)?;
        Some(jensen_shannon(&a, &b)? >= 0.1)
    }));
    all.push(rule("folklore: PSI >= 0.2", |a, b, _| {
        let (a, b) = deciles(a, b)?;
        Some(population_stability(&a, &b, 1e-4)? >= 0.2)
    }));
    all.push(rule("always alarm", |_, _, _| Some(true)));
    all
}

fn on_sorted_values() -> Vec<Subject> {
    vec![
        quick("Kolmogorov-Smirnov", |a, b, _| Some(kolmogorov_smirnov(&sorted(a), &sorted(b))?.p_value <= ALPHA)),
        quick("Cramér-von Mises", |a, b, _| Some(cramer_von_mises(&sorted(a), &sorted(b))?.p_value <= ALPHA)),
        quick("Anderson-Darling", |a, b, _| Some(anderson_darling(&sorted(a), &sorted(b))?.p_value <= ALPHA)),
        quick("Mann-Whitney", |a, b, _| Some(mann_whitney(&sorted(a), &sorted(b))?.p_value <= ALPHA)),
        quick("Epps-Singleton", |a, b, _| Some(epps_singleton(a, b)?.p_value <= ALPHA)),
        quick("Welch's t", |a, b, _| Some(welch_t(a, b)?.p_value <= ALPHA)),
        quick("Student's t", |a, b, _| Some(student_t(a, b)?.p_value <= ALPHA)),
    ]
}

fn on_bins() -> Vec<Subject> {
    vec![
        quick("chi-square, deciles", |a, b, _| {
            let (a, b) = deciles(a, b)?;
            Some(chi_square(&a, &b, 5.0)?.p_value <= ALPHA)
        }),
        quick("G, deciles", |a, b, _| {
            let (a, b) = deciles(a, b)?;
            Some(g_test(&a, &b, 5.0)?.p_value <= ALPHA)
        }),
        quick("PSI above its noise floor", |a, b, _| {
            above(a, b, Distance::PopulationStability, |a, b| population_stability(a, b, 1e-4))
        }),
        quick("Jensen-Shannon above its noise floor", |a, b, _| above(a, b, Distance::JensenShannon, jensen_shannon)),
        quick("Hellinger above its noise floor", |a, b, _| above(a, b, Distance::Hellinger, hellinger)),
        quick("L-infinity above its noise floor", |a, b, _| above(a, b, Distance::LInfinity, l_infinity)),
    ]
}

fn by_resampling() -> Vec<Subject> {
    let by_blocks: Alarms = |a, b, seed| {
        let difference = |a: &[f64], b: &[f64]| Some((mean(a) - mean(b)).abs());
        Some(block_permutation_test(a, b, None, 199, seed, difference)?.p_value <= ALPHA)
    };
    vec![
        slow("energy, 199 permutations", 5, |a, b, seed| {
            Some(energy_test(&sorted(a), &sorted(b), 199, seed)?.p_value <= ALPHA)
        }),
        slow("kernels together, 199 permutations, 200 values", 20, |a, b, seed| {
            let (a, b) = (Rows::new(&a[..200], 1)?, Rows::new(&b[..200], 1)?);
            Some(aggregated_discrepancy(a, b, 199, seed)?.p_value <= ALPHA)
        }),
        slow("density difference, 199 permutations", 20, |a, b, seed| {
            Some(density_difference(Rows::new(a, 1)?, Rows::new(b, 1)?, 199, seed)?.p_value <= ALPHA)
        }),
        slow("random features", 5, |a, b, seed| {
            let settings = KernelSettings { seed, ..KernelSettings::default() };
            let reference = KernelReference::new(Rows::new(a, 1)?, &settings)?;
            let mut window = reference.window();
            window.insert(Rows::new(b, 1)?);
            Some(reference.compare(&window)?.p_value <= ALPHA)
        }),
        slow("classifier", 5, |a, b, seed| {
            let settings = ClassifierSettings { seed, ..ClassifierSettings::default() };
            let side = |values| Features::new(vec![values]);
            Some(classifier_test(&side(a)?, &side(b)?, &settings)?.p_value <= ALPHA)
        }),
        Subject { for_autocorrelated: true, ..slow("difference of means by blocks, 199 permutations", 5, by_blocks) },
    ]
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Counts between the deciles of both samples together.
fn deciles(a: &[f64], b: &[f64]) -> Option<(Vec<u64>, Vec<u64>)> {
    let pooled = sorted(&[a, b].concat());
    let edges: Vec<f64> = (1..10).map(|decile| pooled[decile * pooled.len() / 10]).collect();
    let count = |values: &[f64]| {
        let mut counts = vec![0; 10];
        values.iter().for_each(|value| counts[edges.partition_point(|edge| edge <= value)] += 1);
        counts
    };
    Some((count(a), count(b)))
}

fn above(a: &[f64], b: &[f64], distance: Distance, of: fn(&[u64], &[u64]) -> Option<f64>) -> Option<bool> {
    let (a, b) = deciles(a, b)?;
    Some(of(&a, &b)? > noise_floor(distance, &a, &b, ALPHA)?.threshold)
}

/// The share of pairs at which a test alarms, and how many pairs there were.
fn rate(subject: &Subject, shape: Shape, shift: f64, effort: &Effort) -> (f64, usize) {
    let pairs = (effort.pairs / subject.thrift).max(20);
    let mut seeds = Random::new(99);
    let alarms = (0..pairs)
        .filter(|_| {
            let mut stream = Stream::new(Kind::Numbers, shape, seeds.next());
            let reference: Vec<f64> = (0..VALUES).map(|_| stream.next()).collect();
            stream.parameter = shift;
            let current: Vec<f64> = (0..VALUES).map(|_| stream.next()).collect();
            (subject.alarms)(&reference, &current, seeds.next()).unwrap_or(false)
        })
        .count();
    (alarms as f64 / pairs as f64, pairs)
}

pub(crate) fn report(effort: &Effort, broken: &mut Vec<String>) -> Value {
    let mut table =
        Table::new(&["test", "independent", "autocorrelated", "seasonal", "", "shift 0.1", "shift 0.25", "shift 0.5"]);
    let mut all = Vec::new();
    for subject in subjects().iter().filter(|subject| effort.wants(subject.name)) {
        let mut verdict = "-";
        let false_alarms = SHAPES.map(|shape| {
            let (rate, pairs) = rate(subject, shape, 0.0, effort);
            let promised = match shape {
                Shape::Independent => subject.promised,
                Shape::Autocorrelated => subject.for_autocorrelated,
                Shape::Seasonal => false,
            };
            // Three standard errors; the level of a block permutation is only near what is stated.
            let slack = if shape == Shape::Independent { 0.0 } else { 0.03 };
            let most = ALPHA + slack + 3.0 * (ALPHA * (1.0 - ALPHA) / pairs as f64).sqrt();
            if promised && rate > most {
                verdict = "BROKEN";
                broken.push(format!("{}, {}: {rate:.3} at a stated {ALPHA}", subject.name, shape.name()));
            } else if promised && verdict == "-" {
                verdict = "kept";
            }
            (rate, if promised { "" } else { "*" })
        });
        let power = SHIFTS.map(|shift| rate(subject, Shape::Independent, shift, effort).0);
        let percent = |rate: f64| format!("{:.1} %", 100.0 * rate);
        let [independent, autocorrelated, seasonal] = false_alarms.map(|(rate, mark)| percent(rate) + mark);
        let [small, middle, large] = power.map(percent);
        let name = subject.name.to_owned();
        table.row([name, independent, autocorrelated, seasonal, verdict.to_owned(), small, middle, large]);
        all.push(json!({
            "test": subject.name, "alpha": ALPHA, "values_a_side": VALUES,
            "false_alarms": {"independent": false_alarms[0].0, "autocorrelated": false_alarms[1].0,
                             "seasonal": false_alarms[2].0},
            "shifts": SHIFTS, "found": power, "verdict": verdict,
        }));
    }
    println!(
        "Two samples of {VALUES}, at a stated 5 %: alarms without a change (* nothing promised), and with one\n\n{table}"
    );
    Value::Array(all)
}
