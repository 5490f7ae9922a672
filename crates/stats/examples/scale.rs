//! What a monitored column costs, from ten columns to ten thousand:
//! `cargo run --release -p wardline-stats --example scale`.
//!
//! Four columns of five are numbers, each with a window and a reference histogram, rank quantiles,
//! moments and a detector of missing values; the fifth is text, with counts, frequent and distinct
//! values. Rows come in batches of 1,000, column by column. Prints the time for one value of one column and the
//! memory of one column, both of which should not depend on how many columns there are.

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wardline_stats::sequential::{RateWatch, default_detector};
use wardline_stats::sketch::{CategoryCounts, Distinct, FixedBins, HeavyHitters, Kll, LogHistogram, Moments};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROWS: usize = 1_000;
/// Batches before anything is measured: the sketches have grown to what they need.
const WARM: usize = 5;
/// Values of each column count are the same in all, so that each is measured as long.
const VALUES: usize = 40_000_000;

struct Numbers {
    window: LogHistogram,
    bins: FixedBins,
    ranks: Kll,
    moments: Moments,
    missing: RateWatch,
}

struct Texts {
    counts: CategoryCounts<String>,
    frequent: HeavyHitters<String>,
    distinct: Distinct,
}

enum Column {
    Numbers(Box<Numbers>),
    Texts(Box<Texts>),
}

/// Batches that all columns share, so that making them costs nothing in the measurement.
struct Batches {
    numbers: Vec<Vec<f64>>,
    texts: Vec<Vec<String>>,
}

impl Batches {
    fn new() -> Self {
        let mut state = 42_u64;
        let mut unit = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / 9_007_199_254_740_992.0
        };
        let numbers = (0..7).map(|_| (0..ROWS).map(|_| 1_000.0_f64.powf(unit())).collect()).collect();
        let text = |u: f64| format!("segment-{:05}", (u.powi(3) * 500.0) as u32);
        let texts = (0..7).map(|_| (0..ROWS).map(|_| text(unit())).collect()).collect();
        Self { numbers, texts }
    }
}

impl Column {
    fn new(number: usize, batches: &Batches) -> Self {
        if number % 5 == 4 {
            return Self::Texts(Box::new(Texts {
                counts: CategoryCounts::with_cap(256),
                frequent: HeavyHitters::new(64).unwrap_or_default(),
                distinct: Distinct::new(),
            }));
        }
        let reference = FixedBins::from_values(&batches.numbers[0], 20).unwrap_or_else(|| unreachable!());
        Self::Numbers(Box::new(Numbers {
            window: LogHistogram::new(),
            bins: reference.empty_like(),
            ranks: Kll::default(),
            moments: Moments::new(),
            missing: default_detector(number as u64),
        }))
    }

    fn observe(&mut self, batches: &Batches, batch: usize) {
        match self {
            Self::Numbers(column) => {
                let values = black_box(&batches.numbers[batch % batches.numbers.len()]);
                column.window.insert_slice(values);
                column.bins.insert_slice(values);
                column.ranks.insert_slice(values);
                column.moments.insert_slice(values);
                values.iter().for_each(|value| {
                    column.missing.observe(*value < 1.2);
                });
            }
            Self::Texts(column) => {
                for text in black_box(&batches.texts[batch % batches.texts.len()]) {
                    column.counts.insert(text.as_str());
                    column.frequent.insert(text.as_str());
                    column.distinct.insert_bytes(text.as_bytes());
                }
            }
        }
    }
}

fn main() {
    println!("{:>8} {:>16} {:>20} {:>12}", "columns", "ns for a value", "bytes for a column", "allocations");
    let batches = Batches::new();
    for columns in [10, 100, 1_000, 10_000] {
        let before = Region::new(ALLOCATOR);
        let mut all: Vec<Column> = (0..columns).map(|number| Column::new(number, &batches)).collect();
        for batch in 0..WARM {
            all.iter_mut().for_each(|column| column.observe(&batches, batch));
        }
        let held = before.change();
        let bytes = held.bytes_allocated as f64 - held.bytes_deallocated as f64;

        let rounds = (VALUES / columns / ROWS).max(1);
        let updates = Region::new(ALLOCATOR);
        // The least of several shares of the time: what the machine does besides is not ours.
        let least = (0..4)
            .map(|part| {
                let started = Instant::now();
                for batch in 0..rounds.div_ceil(4) {
                    all.iter_mut().for_each(|column| column.observe(&batches, WARM + part + batch));
                }
                started.elapsed().as_secs_f64() / (rounds.div_ceil(4) * columns * ROWS) as f64
            })
            .fold(f64::INFINITY, f64::min);
        let allocations = updates.change().allocations + updates.change().reallocations;
        println!("{columns:>8} {:>16.1} {:>20.0} {allocations:>12}", least * 1e9, bytes / columns as f64);
    }
}
