//! What one update costs: `cargo bench -p wardline-stats`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wardline_stats::classic::{Adwin, PageHinkley};
use wardline_stats::robust::RollingMedian;
use wardline_stats::sequential::{BernoulliE, Direction, EDetector};
use wardline_stats::sketch::{
    CategoryCounts, Covariance, Decayed, Distinct, FixedBins, HeavyHitters, Kll, LogHistogram, Moments, SlidingWindow,
    WeightedMoments,
};
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
    group.bench_function("kll", |bencher| {
        let mut sketch = Kll::default();
        bencher.iter(|| sketch.insert_slice(black_box(&values)));
    });
    group.bench_function("sliding_log_histogram", |bencher| {
        let mut window = SlidingWindow::new(LogHistogram::new(), 60, 100).unwrap_or_else(|| unreachable!());
        let mut at = 0;
        bencher.iter(|| {
            for value in black_box(&values) {
                at += 1;
                window.pane(at).map(|pane| pane.insert(*value));
            }
        });
    });
    group.bench_function("decayed_moments", |bencher| {
        let mut level = Decayed::new(WeightedMoments::new(), 1_000.0).unwrap_or_else(|| unreachable!());
        let mut at = 0.0;
        bencher.iter(|| {
            for value in black_box(&values) {
                at += 1.0;
                level.insert(value, at);
            }
        });
    });
    for capacity in [100, 10_000] {
        group.bench_function(format!("rolling_median_{capacity}"), |bencher| {
            let mut rolling = RollingMedian::new(capacity).unwrap_or_else(|| unreachable!());
            bencher.iter(|| values.iter().filter(|value| rolling.insert(black_box(**value))).count());
        });
    }
    group.bench_function("covariance_row_of_10", |bencher| {
        let mut covariance = Covariance::new(10).unwrap_or_else(|| unreachable!());
        bencher.iter(|| values.windows(10).filter(|row| covariance.insert(black_box(row))).count());
    });
    group.finish();
}

/// Texts of 10 to 20 bytes, `different` of them, the first ones more often.
fn texts(different: usize) -> Vec<String> {
    let name = |rank: usize| format!("{}-{rank:06}", ["product", "country", "segment-of-it"][rank % 3]);
    values().iter().map(|value| name((value.log(1_000.0).powi(2) * different as f64) as usize)).collect()
}

fn categories(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("insert_text");
    group.throughput(Throughput::Elements(N as u64));
    for different in [5, 200] {
        let texts = texts(different);
        group.bench_function(format!("category_counts_of_{different}"), |bencher| {
            let mut counts = CategoryCounts::<String>::default();
            bencher.iter(|| texts.iter().for_each(|text| counts.insert(black_box(text.as_str()))));
        });
    }
    for different in [200, 5_000] {
        let texts = texts(different);
        group.bench_function(format!("heavy_hitters_of_{different}"), |bencher| {
            let mut hitters = HeavyHitters::<String>::default();
            bencher.iter(|| texts.iter().for_each(|text| hitters.insert(black_box(text.as_str()))));
        });
    }
    for different in [200, 5_000] {
        let texts = texts(different);
        group.bench_function(format!("distinct_of_{different}"), |bencher| {
            let mut distinct = Distinct::new();
            bencher.iter(|| texts.iter().for_each(|text| distinct.insert_bytes(black_box(text.as_bytes()))));
        });
    }
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

criterion_group!(benches, sketches, categories, detectors, comparisons);
criterion_main!(benches);
