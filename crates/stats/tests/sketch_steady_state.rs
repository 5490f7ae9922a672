//! Update paths allocate nothing in steady state: sketches, windows and detectors of change.
//!
//! One test in a file of its own, because the allocator that counts is one for the whole program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use wardline_stats::classic::{Adwin, BernoulliCusum, Cusum, Ddm, Eddm, Ewma, HddmA, HddmW, Kswin, PageHinkley};
use wardline_stats::robust::RollingMedian;
use wardline_stats::season::{HourOfWeek, HourlyProfile};
use wardline_stats::sequential::{
    Arm, ArmDifference, BernoulliE, BernsteinMean, BettingMean, BoundedMeanE, Coin, ConformalRanks, ConformalWatch,
    Direction, DistributionBand, DistributionCoin, EAlarm, EDetector, ELond, ESaffron, HistogramBet, Lord, McNemarE,
    Monitor, NormalMixture, Promotion, RateWatch, Sides, SimpleJumper, Stop, TailCoin,
};
use wardline_stats::sketch::{
    CategoryCounts, Covariance, Decayed, Distinct, FixedBins, HeavyHitters, Kll, LogHistogram, Merge, Moments,
    SlidingWindow, WeightedBins, WeightedCounts, WeightedMoments,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Numbers below one that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Over three orders of magnitude, as latencies are.
    fn latency(&mut self) -> f64 {
        1_000.0_f64.powf(self.next())
    }
}

/// Who allocated, and how often, after having been warmed up.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    /// Updates `warm` times, and then counts allocations over a quarter as many.
    fn check(&mut self, name: &str, warm: u32, mut update: impl FnMut(&mut Numbers, u32)) {
        let mut numbers = Numbers(7);
        (0..warm).for_each(|i| update(&mut numbers, i));
        let region = Region::new(ALLOCATOR);
        (warm..warm + warm / 4).for_each(|i| update(&mut numbers, i));
        let change = region.change();
        let n = change.allocations + change.reallocations;
        if n > 0 {
            self.0.push(format!("{name}: {n} allocations"));
        }
    }

    fn check_monitor(&mut self, name: &str, warm: u32, detector: Option<impl Monitor>) {
        let mut detector = detector.unwrap_or_else(|| panic!("{name} is not built"));
        // One in twenty is bad, so that some detectors alarm now and then and go on.
        self.check(name, warm, |numbers, _| {
            detector.watch(f64::from(u8::from(numbers.next() < 0.05)));
        });
    }
}

#[test]
fn updates_allocate_nothing_in_steady_state() {
    let mut findings = Findings::default();
    sketches(&mut findings);
    texts(&mut findings);
    windows(&mut findings);
    sequential(&mut findings);
    martingales(&mut findings);
    confidence_sequences(&mut findings);
    online_discovery(&mut findings);
    classics(&mut findings);
    assert!(findings.0.is_empty(), "{:#?}", findings.0);
}

fn sketches(findings: &mut Findings) {
    let mut histogram = LogHistogram::new();
    findings.check("LogHistogram", 100_000, |numbers, _| assert!(histogram.insert(numbers.latency())));
    let mut bins = FixedBins::from_reference(&histogram, 20).unwrap();
    findings.check("FixedBins", 10_000, |numbers, _| assert!(bins.insert(numbers.latency())));
    // A level is added whenever the count has doubled: none between 2^20 and 2^20 + 2^18.
    let mut ranks = Kll::default();
    findings.check("Kll", 1 << 20, |numbers, _| assert!(ranks.insert(numbers.next())));
    let mut moments = Moments::new();
    findings.check("Moments", 10_000, |numbers, _| assert!(moments.insert(numbers.latency())));
    let mut covariance = Covariance::new(8).unwrap();
    findings.check("Covariance", 10_000, |numbers, _| {
        assert!(covariance.insert(&std::array::from_fn::<f64, 8, _>(|_| numbers.next())));
    });
    let mut few = Distinct::new();
    findings.check("Distinct, few values", 10_000, |_, i| few.insert_bytes(&(i % 100).to_le_bytes()));
    let mut many = Distinct::new();
    findings.check("Distinct, many values", 10_000, |_, i| many.insert_bytes(&i.to_le_bytes()));
    let mut numbers_hit = HeavyHitters::<u64>::new(64).unwrap();
    findings.check("HeavyHitters", 100_000, |numbers, _| numbers_hit.insert(&(numbers.latency() as u64)));
    let mut rolling = RollingMedian::new(500).unwrap();
    findings.check("RollingMedian", 10_000, |numbers, _| {
        assert!(rolling.insert(numbers.next()) && rolling.median().is_some());
        assert!(rolling.median_absolute_deviation().is_some());
    });
    let mut profile = HourlyProfile::new();
    findings.check("HourlyProfile", 10_000, |numbers, i| {
        assert!(profile.observe(HourOfWeek::from_unix_seconds(i64::from(i) * 3_600), numbers.next()));
    });
}

fn texts(findings: &mut Findings) {
    let texts: Vec<String> = (0..5_000).map(|i| format!("value-{i:06}")).collect();
    let pick = |numbers: &mut Numbers, of: usize| (numbers.next().powi(3) * of as f64) as usize;
    let mut counts = CategoryCounts::<String>::with_cap(256);
    findings.check("CategoryCounts", 100_000, |numbers, _| counts.insert(texts[pick(numbers, 5_000)].as_str()));
    let mut hitters = HeavyHitters::<String>::new(64).unwrap();
    findings.check("HeavyHitters of text", 100_000, |numbers, _| hitters.insert(texts[pick(numbers, 5_000)].as_str()));
    let mut window = SlidingWindow::new(CategoryCounts::<String>::with_cap(64), 4, 100).unwrap();
    findings.check("SlidingWindow of CategoryCounts", 100_000, |numbers, i| {
        if let Some(pane) = window.pane(i64::from(i)) {
            pane.insert(texts[pick(numbers, 500)].as_str());
        }
    });
}

fn windows(findings: &mut Findings) {
    let level = Decayed::new(WeightedMoments::new(), 50.0).unwrap();
    let mut moments = level;
    findings.check("Decayed moments", 10_000, |numbers, i| assert!(moments.insert(&numbers.next(), f64::from(i))));
    let edges = WeightedBins::new((1..20).map(|i| f64::from(i) / 20.0).collect::<Vec<_>>()).unwrap();
    let mut bins = Decayed::new(edges, 50.0).unwrap();
    findings.check("Decayed bins", 10_000, |numbers, i| assert!(bins.insert(&numbers.next(), f64::from(i))));
    let mut counts = Decayed::new(WeightedCounts::<u32>::with_cap(64), 50.0).unwrap();
    findings.check("Decayed counts", 10_000, |_, i| assert!(counts.insert(&(i % 40), f64::from(i))));
    sliding(findings, "LogHistogram", LogHistogram::new(), |pane, value| pane.insert(value));
    sliding(findings, "Kll", Kll::default(), |pane, value| pane.insert(value));
    sliding(findings, "Moments", Moments::new(), |pane, value| pane.insert(value));
    sliding(findings, "FixedBins", FixedBins::new(vec![10.0, 100.0]).unwrap(), |pane, value| pane.insert(value));
    sliding(findings, "Distinct", Distinct::new(), |pane, value| {
        pane.insert_bytes(&value.to_le_bytes());
        true
    });
    sliding(findings, "HeavyHitters", HeavyHitters::<u64>::new(32).unwrap(), |pane, value| {
        pane.insert(&(value as u64));
        true
    });
}

/// Panes of 1,000 positions, each of which is used again some thirty times before the counting.
fn sliding<S: Merge + Clone>(findings: &mut Findings, name: &str, sketch: S, insert: impl Fn(&mut S, f64) -> bool) {
    let mut window = SlidingWindow::new(sketch, 3, 1_000).unwrap();
    findings.check(&format!("SlidingWindow of {name}"), 100_000, |numbers, i| {
        let value = numbers.latency();
        assert!(window.pane(i64::from(i)).is_some_and(|pane| insert(pane, value)));
    });
}

fn sequential(findings: &mut Findings) {
    let increase = Direction::Increase;
    let arm = |numbers: &mut Numbers| if numbers.next() < 0.5 { Arm::Canary } else { Arm::Baseline };
    let mut coin = Coin::new(1.2).unwrap();
    findings.check("Coin", 10_000, |numbers, _| assert!(coin.observe(arm(numbers), 0.5)));
    let mut promotion = Promotion::new(2.0).unwrap();
    findings.check("Promotion", 10_000, |numbers, _| assert!(promotion.observe(arm(numbers), 0.5)));
    let mut tail = TailCoin::new(&[10.0, 100.0, 500.0], 1.2).unwrap();
    findings.check("TailCoin", 10_000, |numbers, _| assert!(tail.observe(numbers.latency(), arm(numbers), 0.5)));
    let mut distribution = DistributionCoin::new(&[10.0, 100.0], &[2.0, 5.0]).unwrap();
    findings.check("DistributionCoin", 10_000, |numbers, _| {
        assert!(distribution.observe(numbers.latency(), arm(numbers), 0.5));
    });
    let mut bounded = BoundedMeanE::new(0.05, Sides::Both).unwrap();
    findings.check("BoundedMeanE", 10_000, |numbers, _| assert!(bounded.observe(numbers.next() - 0.5)));
    let process = BernoulliE::new(0.06, increase).and_then(|process| Stop::new(process, 1e-6));
    findings.check_monitor("BernoulliE", 10_000, process);
    let alarm = EDetector::new(0.05, increase).and_then(|detector| EAlarm::new(detector, 1e6));
    findings.check_monitor("EDetector", 10_000, alarm);
    findings.check_monitor("RateWatch", 100_000, RateWatch::new(1e6, 7));
    let mut conformal = ConformalWatch::new(1e6, 7).unwrap();
    findings.check("ConformalWatch", 100_000, |numbers, _| {
        conformal.observe(numbers.next());
    });
    let mut difference = ArmDifference::new();
    findings.check("ArmDifference", 10_000, |numbers, _| {
        difference.baseline(numbers.next());
        assert!(difference.canary(numbers.next()).is_some());
    });
}

fn martingales(findings: &mut Findings) {
    let mut ranks = ConformalRanks::new(7);
    let (mut jumper, mut bet) = (SimpleJumper::new(0.01).unwrap(), HistogramBet::new());
    findings.check("conformal martingales", 100_000, |numbers, _| {
        if let Some(p) = ranks.observe(numbers.latency()) {
            assert!(jumper.observe(p) && bet.observe(p));
        }
    });
    let mut pairs = McNemarE::new(Sides::Both);
    findings.check("McNemarE", 10_000, |numbers, _| pairs.observe(numbers.next() < 0.9, numbers.next() < 0.9));
    let mut mixture = NormalMixture::new(0.5, 0.1, 0.01).unwrap();
    findings.check("NormalMixture", 10_000, |numbers, _| assert!(mixture.observe(numbers.next())));
}

fn confidence_sequences(findings: &mut Findings) {
    let mut betting = BettingMean::new(0.05, 100).unwrap();
    findings.check("BettingMean", 2_000, |numbers, _| {
        assert!(betting.observe(numbers.next()) && betting.interval().is_some());
    });
    let mut bernstein = BernsteinMean::new(0.05).unwrap();
    findings.check("BernsteinMean", 10_000, |numbers, _| {
        assert!(bernstein.observe(numbers.next()) && bernstein.interval().is_some());
    });
    let band = DistributionBand::new(0.05).unwrap();
    findings.check("DistributionBand", 10_000, |_, i| {
        std::hint::black_box(band.radius(u64::from(i)));
    });
}

fn online_discovery(findings: &mut Findings) {
    let (mut lond, mut saffron) = (ELond::new(0.05).unwrap(), ESaffron::new(0.05).unwrap());
    // Without an end of findings LORD remembers its last thousand, and then no more.
    let mut lord = Lord::new(0.05).unwrap();
    findings.check("ELond, ESaffron, Lord", 4_000, |numbers, _| {
        let found = numbers.next() < 0.5;
        lond.test(if found { 20.0 } else { -1.0 });
        saffron.test(if found { 20.0 } else { -1.0 });
        lord.test(if found { 1e-12 } else { 0.5 });
    });
}

fn classics(findings: &mut Findings) {
    // A row of five buckets is added whenever the window has doubled: at 164,000 and at 328,000.
    findings.check_monitor("Adwin", 200_000, Adwin::new(0.002));
    findings.check_monitor("PageHinkley", 10_000, PageHinkley::new(0.005, 50.0));
    findings.check_monitor("Cusum", 10_000, Cusum::new(0.05, 0.01, 10.0));
    findings.check_monitor("BernoulliCusum", 10_000, BernoulliCusum::new(0.05, 0.1, 1e4));
    findings.check_monitor("Ewma", 10_000, Ewma::new(0.05, 0.22, 0.05, 5.0));
    findings.check_monitor("Ddm", 10_000, Ddm::new(2.0, 3.0));
    findings.check_monitor("Eddm", 10_000, Eddm::new(0.95, 0.9));
    findings.check_monitor("HddmA", 10_000, HddmA::new(0.001, 0.005, true));
    findings.check_monitor("HddmW", 10_000, HddmW::new(0.001, 0.005, 0.05, true));
    findings.check_monitor("Kswin", 2_000, Kswin::new(0.005, 100, 30, 7));
}
