use proptest::prelude::*;

use super::*;

fn normal_rows(rows: usize, width: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = SplitMix::new(seed);
    (0..width).map(|_| (0..rows).map(|_| random.normal()).collect()).collect()
}

fn features(columns: &[Vec<f64>]) -> Features<'_> {
    Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
}

/// Goal: the quick way through a tree and the plain one answer alike, whatever the width.
#[test]
fn wide_and_narrow_rows_walk_alike() {
    for width in [1, 2, 3, 20, 128, 129, 300] {
        let columns = normal_rows(300, width, 3);
        let forest =
            IsolationForest::fit(&features(&columns), &ForestSettings { trees: 7, ..ForestSettings::default() });
        let forest = forest.unwrap();
        let scores = forest.score(&features(&columns)).unwrap();
        for row in [0, 7, 127, 128, 299] {
            let sum: f64 = forest.trees.iter().map(|tree| slow_depth(tree, &columns, row)).sum();
            let expected = (-sum / (7.0 * mean_path_length(256))).exp2();
            assert!((scores[row] - expected).abs() < 1e-12, "width {width}, row {row}");
        }
    }
}

fn slow_depth(tree: &Tree, columns: &[Vec<f64>], row: usize) -> f64 {
    let mut place = 1;
    for _ in 0..tree.depth() {
        let split = tree.splits[place];
        place = 2 * place + usize::from(columns[split.feature as usize][row] as f32 > split.threshold);
    }
    tree.depths[place - tree.depths.len()]
}

#[test]
fn far_rows_stand_out_and_a_missing_value_does_not() {
    let columns = normal_rows(2_000, 4, 9);
    let forest = IsolationForest::fit(&features(&columns), &ForestSettings::default()).unwrap();
    let odd = [vec![0.0, 6.0, f64::NAN], vec![0.0, 6.0, 0.0], vec![0.0; 3], vec![0.0; 3]];
    let scores = forest.score(&features(&odd)).unwrap();
    let usual = forest.score(&features(&columns)).unwrap();
    assert!(scores[1] > 0.6 && usual.iter().filter(|score| **score > scores[1]).count() < 20);
    assert!((scores[2] - scores[0]).abs() < 0.02, "{scores:?}");
}

#[test]
fn the_same_seed_grows_the_same_forest_which_survives_storing() {
    let columns = normal_rows(500, 3, 2);
    let grow = |seed| IsolationForest::fit(&features(&columns), &ForestSettings { seed, ..ForestSettings::default() });
    let forest = grow(4).unwrap();
    assert_eq!(Some(&forest), grow(4).as_ref());
    assert_ne!(Some(&forest), grow(5).as_ref());
    let read: IsolationForest = postcard::from_bytes(&postcard::to_allocvec(&forest).unwrap()).unwrap();
    assert_eq!(read, forest);
    let mut text = serde_json::to_value(&forest).unwrap();
    text["trees"][0]["splits"][1]["feature"] = 3.into();
    assert!(serde_json::from_value::<IsolationForest>(text).is_err());
}

#[test]
fn too_little_or_nonsense_gives_nothing() {
    let one = [vec![1.0]];
    let settings = ForestSettings::default();
    assert!(IsolationForest::fit(&features(&one), &settings).is_none());
    assert!(IsolationForest::fit(&features(&[vec![f64::NAN; 9]]), &settings).is_none());
    let two = [vec![1.0, 2.0]];
    assert!(IsolationForest::fit(&features(&two), &ForestSettings { sample: 1, ..settings }).is_none());
    assert!(IsolationForest::fit(&features(&two), &ForestSettings { trees: 0, ..settings }).is_none());
    let forest = IsolationForest::fit(&features(&two), &settings).unwrap();
    assert!(forest.score(&features(&[vec![1.0], vec![1.0]])).is_none());
    // A constant column is never split, and all rows are alike.
    let constant = [vec![5.0; 300]];
    let scores = IsolationForest::fit(&features(&constant), &settings).unwrap().score(&features(&constant)).unwrap();
    assert!(scores.iter().all(|score| (score - 0.5).abs() < 1e-12));
}

#[test]
fn parts_that_lead_nowhere_are_refused() {
    let leaf = Part::Leaf { rows: 1 };
    let split = |left, right| Part::Split { feature: 0, threshold: 0.5, left, right };
    let build = |parts: &[Part]| IsolationForest::from_parts(&[parts.to_vec()], 4, 1);
    assert!(build(&[split(1, 2), leaf, leaf]).is_some());
    assert!(build(&[split(0, 0)]).is_none(), "a circle");
    assert!(build(&[split(1, 7), leaf]).is_none(), "a child that is not there");
    assert!(build(&[]).is_none());
    assert!(build(&[Part::Split { feature: 1, threshold: 0.5, left: 1, right: 2 }, leaf, leaf]).is_none());
    assert!(build(&[Part::Split { feature: 0, threshold: f64::NAN, left: 1, right: 2 }, leaf, leaf]).is_none());
}

proptest! {
    /// A threshold of double precision decides numbers of single precision as its rounded one does.
    #[test]
    fn thresholds_round_down(threshold in -1e9_f64..1e9, value in -1e9_f32..1e9) {
        let parts = [Part::Split { feature: 0, threshold, left: 1, right: 2 }, Part::Leaf { rows: 1 }, Part::Leaf { rows: 3 }];
        let forest = IsolationForest::from_parts(&[parts.to_vec()], 4, 1).unwrap();
        let near = threshold as f32;
        for value in [value, near, near.next_up(), near.next_down()] {
            let column = [f64::from(value)];
            let score = forest.score(&Features::new(vec![&column]).unwrap()).unwrap()[0];
            let goes_left = f64::from(value) <= threshold;
            let depth = if goes_left { 1.0 } else { 1.0 + mean_path_length(3) };
            prop_assert!((score - (-depth / mean_path_length(4)).exp2()).abs() < 1e-12);
        }
    }

    /// Rows in another order, or alone, score the same.
    #[test]
    fn rows_do_not_depend_on_each_other(rows in 2_usize..300, seed in 0_u64..50) {
        let columns = normal_rows(rows, 2, seed);
        let forest = IsolationForest::fit(&features(&columns), &ForestSettings { trees: 3, ..ForestSettings::default() }).unwrap();
        let together = forest.score(&features(&columns)).unwrap();
        let last = [vec![columns[0][rows - 1]], vec![columns[1][rows - 1]]];
        prop_assert_eq!(forest.score(&features(&last)).unwrap()[0], together[rows - 1]);
    }
}
