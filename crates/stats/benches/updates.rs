//! What one update costs: `cargo bench -p wardline-stats`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wardline_stats::classic::{Adwin, PageHinkley};
use wardline_stats::sequential::{BernoulliE, Direction, EDetector};
use wardline_stats::sketch::{Distinct, FixedBins, LogHistogram, Moments};
use wardline_stats::two_sample;

const N: usize = 10_000;

/// Latency-like numbers over three orders of magnitude, the same in every run.
fn values() -> Vec<f64> {
    let mut state = 42_u64;
    (0..N)
        .map(|_| {
            state = (1_103_515_245 * state + 12_345) & 0x7fff_ffff;
            1_000.0_f64.powf(state as f64 / 2_147_483_648.0)
        })
        .collect()
}

fn sketches(criterion: &mut Criterion) {
    let values = values();
    let mut group = criterion.benchmark_group("insert");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("log_histogram", |bencher| {
        let mut sketch = LogHistogram::new();
        bencher.iter(|| sketch.insert_slice(black_box(&values)));
    });
    group.bench_function("moments", |bencher| {
        let mut moments = Moments::new();
        bencher.iter(|| moments.insert_slice(black_box(&values)));
    });
    group.bench_function("fixed_bins", |bencher| {
        let mut reference = LogHistogram::new();
        reference.insert_slice(&values);
        let mut bins = FixedBins::from_reference(&reference, 20).unwrap_or_else(|| unreachable!());
        bencher.iter(|| bins.insert_slice(black_box(&values)));
    });
    group.bench_function("distinct", |bencher| {
        let mut distinct = Distinct::new();
        bencher.iter(|| {
            values.iter().for_each(|value| distinct.insert_bytes(&value.to_bits().to_le_bytes()));
        });
    });
    group.finish();
}

fn detectors(criterion: &mut Criterion) {
    let values = values();
    let bad: Vec<bool> = values.iter().map(|value| *value > 700.0).collect();
    let mut group = criterion.benchmark_group("detect");
    group.throughput(Throughput::Elements(N as u64));
    group.bench_function("e_detector", |bencher| {
        let mut detector = EDetector::new(0.05, Direction::Increase).unwrap_or_else(|| unreachable!());
        bencher.iter(|| {
            bad.iter().for_each(|bad| detector.observe(black_box(*bad)));
            detector.value()
        });
    });
    group.bench_function("bernoulli_e", |bencher| {
        let mut process = BernoulliE::new(0.05, Direction::Increase).unwrap_or_else(|| unreachable!());
        bencher.iter(|| {
            bad.iter().for_each(|bad| process.observe(black_box(*bad)));
            process.log_e()
        });
    });
    group.bench_function("adwin", |bencher| {
        let mut detector = Adwin::new(0.002).unwrap_or_else(|| unreachable!());
        bencher.iter(|| values.iter().filter(|value| detector.observe(black_box(**value))).count());
    });
    group.bench_function("page_hinkley", |bencher| {
        let mut detector = PageHinkley::new(0.005, 50.0).unwrap_or_else(|| unreachable!());
        bencher.iter(|| values.iter().filter(|value| detector.observe(black_box(**value))).count());
    });
    group.finish();
}

fn comparisons(criterion: &mut Criterion) {
    let values = values();
    let (mut reference, mut current) = (LogHistogram::new(), LogHistogram::new());
    reference.insert_slice(&values);
    values.iter().for_each(|value| {
        current.insert(value * 1.1);
    });
    let mut group = criterion.benchmark_group("compare");
    group.bench_function("kolmogorov_smirnov_sketches", |bencher| {
        bencher.iter(|| two_sample::kolmogorov_smirnov_sketches(&reference, &current));
    });
    group.bench_function("wasserstein_clipped", |bencher| {
        bencher.iter(|| two_sample::wasserstein_clipped(&reference, &current, 0.005));
    });
    group.bench_function("merge", |bencher| {
        let mut sum = LogHistogram::new();
        bencher.iter(|| sum.merge(black_box(&current)));
    });
    group.finish();
}

criterion_group!(benches, sketches, detectors, comparisons);
criterion_main!(benches);
