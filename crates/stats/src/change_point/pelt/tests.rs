use proptest::prelude::*;

use super::*;
use crate::random::SplitMix;
use crate::sequential::tests_stream::Lcg;

fn single(values: &[f64]) -> Vec<MeanCell> {
    values.iter().map(|x| MeanCell { n: 1, sum: *x, sum_of_squares: x * x }).collect()
}

fn ends(found: &Segmentation) -> Vec<usize> {
    found.segments.iter().map(|segment| segment.end).collect()
}

fn fixed(price: f64, least_cells: usize) -> PeltSettings {
    PeltSettings { penalty: Penalty::Fixed(price), least_cells }
}

/// ruptures 1.1.10 `Pelt(model="l2", min_size=1, jump=1).predict(pen=1.0)`: its cost is the sum of
/// squares, ours that over the variance, so the penalty is divided by it.
#[test]
fn agrees_with_ruptures_on_means() {
    let mut stream = Lcg::exactly(42);
    let values: Vec<f64> = (0..600)
        .map(|t| stream.next() + if t >= 200 { 0.5 } else { 0.0 } - if (400..450).contains(&t) { 1.0 } else { 0.0 })
        .collect();
    let cells = single(&values);
    let (sums, _) = mean_sums(&cells).unwrap();
    let variance = -0.5 / Model::of(Law::Mean, &sums).unwrap().log_likelihood([1.0, 0.0, 1.0]);
    let found = changes_of_mean(&cells, &fixed(1.0 / variance, 1)).unwrap();
    assert_eq!(ends(&found), [193, 400, 450, 600]);
    assert!(found.changes.iter().all(|change| change.earliest <= change.cell && change.cell <= change.latest));
    assert!(found.changes[0].earliest <= 200 && 200 <= found.changes[0].latest);
}

/// ruptures 1.1.10 `Pelt(custom_cost=CostNormal(add_small_diag=False), min_size=5, jump=1)` at 20;
/// ours asks for ten values a segment, and ruptures' segments are longer.
#[test]
fn agrees_with_ruptures_on_variances() {
    let mut stream = Lcg::exactly(7);
    let values: Vec<f64> = (0..600)
        .map(|t| (stream.next() - 0.5) * if t >= 300 { 3.0 } else { 1.0 } + if t >= 450 { 2.0 } else { 0.0 })
        .collect();
    let found = changes_of_mean_and_variance(&single(&values), &fixed(20.0, 1)).unwrap();
    assert_eq!(ends(&found), [300, 450, 600]);
    assert!((found.segments[1].deviation / found.segments[0].deviation - 3.0).abs() < 0.5);
}

/// Goal: both sides. An unchanged series shows a change in at most alpha of the runs, and changes that
/// stand out are found, each within its interval. Method: 400 series at 5 %; 33 is three deviations
/// above 20.
#[test]
fn keeps_its_false_alarms_and_finds_changes() {
    let settings = PeltSettings { penalty: Penalty::FalseAlarm(0.05), ..PeltSettings::default() };
    let normal = |seed: u64, shift: f64, scale: f64| -> Vec<MeanCell> {
        let mut random = SplitMix::new(seed);
        let at = |t: usize| if (60..120).contains(&t) { (shift, scale) } else { (0.0, 1.0) };
        single(&(0..200).map(|t| at(t).0 + at(t).1 * random.normal()).collect::<Vec<f64>>())
    };
    let share = |seed: u64, after: f64| -> Vec<ShareCell> {
        let mut random = SplitMix::new(seed);
        let cell = |t: usize| {
            let share = if t < 60 { 0.05 } else { after };
            let mut events = || (0..200).filter(|_| random.unit() < share).count() as u64;
            ShareCell { n: 200, successes: events() }
        };
        (0..100).map(cell).collect()
    };
    let rate = |seed: u64, after: f64| -> Vec<CountCell> {
        let cells = share(seed, after);
        cells.iter().map(|cell| CountCell { exposure: 200.0, events: cell.successes }).collect()
    };
    type Found = Option<Segmentation>;
    let runs: [&dyn Fn(u64, bool) -> Found; 4] = [
        &|seed, changed| changes_of_mean(&normal(seed, if changed { 2.0 } else { 0.0 }, 1.0), &settings),
        &|seed, changed| changes_of_mean_and_variance(&normal(seed, 0.0, if changed { 3.0 } else { 1.0 }), &settings),
        &|seed, changed| changes_of_share(&share(seed, if changed { 0.12 } else { 0.05 }), &settings),
        &|seed, changed| changes_of_rate(&rate(seed, if changed { 0.12 } else { 0.05 }), &settings),
    ];
    for (law, run) in runs.iter().enumerate() {
        let alarms = (0..400).filter(|seed| !run(*seed, false).unwrap().changes.is_empty()).count();
        assert!(alarms <= 33, "law {law}: {alarms} of 400 unchanged series");
        let held = (0..100).filter(|seed| {
            let changes = run(*seed, true).unwrap().changes;
            changes.iter().any(|change| change.earliest <= 60 && 60 <= change.latest)
        });
        let held = held.count();
        assert!(held >= 90, "law {law}: {held} of 100 changes within an interval");
    }
}

#[test]
fn what_says_nothing_gives_nothing() {
    let settings = PeltSettings::default();
    assert_eq!(changes_of_share(&[], &settings), None);
    assert_eq!(changes_of_share(&[ShareCell { n: 1, successes: 2 }; 5], &settings), None);
    assert_eq!(changes_of_rate(&[CountCell { exposure: f64::NAN, events: 1 }; 5], &settings), None);
    assert_eq!(changes_of_mean(&single(&[7.1; 50]), &settings), None);
    assert_eq!(changes_of_mean(&single(&[1.0, f64::NAN, 2.0]), &settings), None);
    assert_eq!(changes_of_mean(&single(&[1e300; 20]), &settings), None);
    assert_eq!(changes_of_share(&[ShareCell { n: 5, successes: 1 }; 20_001], &settings), None);
    let none = changes_of_share(&[ShareCell { n: 5, successes: 0 }; 30], &settings).unwrap();
    assert!(none.changes.is_empty() && none.segments[0].level == 0.0);
    for penalty in [Penalty::Fixed(0.0), Penalty::FalseAlarm(1.0), Penalty::Fixed(f64::NAN)] {
        let refused = PeltSettings { penalty, least_cells: 1 };
        assert_eq!(changes_of_share(&[ShareCell { n: 5, successes: 1 }; 30], &refused), None);
    }
}

#[test]
fn a_change_in_a_gap_has_the_gap_in_its_interval() {
    let mut cells = vec![ShareCell { n: 200, successes: 2 }; 10];
    cells.extend([ShareCell::default(); 5]);
    cells.extend([ShareCell { n: 200, successes: 60 }; 10]);
    let found = changes_of_share(&cells, &PeltSettings::default()).unwrap();
    assert_eq!(found.changes.len(), 1);
    assert!(found.changes[0].earliest <= 10 && 15 <= found.changes[0].latest, "{found:?}");
}

proptest! {
    /// Pruning loses nothing: the cost is that of the full search, for any least length.
    #[test]
    fn pruning_keeps_the_least_cost(
        counts in proptest::collection::vec((1..9_u64, 0.0..1.0_f64), 2..40), price in 0.1..8.0_f64, least in 1..5_usize
    ) {
        let cells: Vec<ShareCell> = counts.iter()
            .map(|(n, share)| ShareCell { n: *n, successes: (*n as f64 * share) as u64 }).collect();
        let found = changes_of_share(&cells, &fixed(price, least)).unwrap();
        let sums: Vec<Sums> = cells.iter().map(|cell| [cell.n as f64, cell.successes as f64, 0.0]).collect();
        let model = Model::of(Law::Share, &sums).unwrap();
        let cost = |first: usize, end: usize| {
            -2.0 * model.log_likelihood(sums[first..end].iter().copied().fold([0.0; 3], add))
        };
        let mut best = vec![f64::INFINITY; cells.len() + 1];
        best[0] = -price;
        for end in least..=cells.len() {
            best[end] = (0..=end - least).map(|start| best[start] + cost(start, end) + price).fold(f64::INFINITY, f64::min);
        }
        let expected = if best[cells.len()].is_finite() { best[cells.len()] } else { cost(0, cells.len()) };
        prop_assert!((found.cost - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{} {}", found.cost, expected);
        prop_assert!(found.segments.iter().all(|segment| found.segments.len() == 1 || segment.end - segment.first >= least));
    }
}
