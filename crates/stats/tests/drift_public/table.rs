//! A table as a whole: what moved is named, halves are the whole, what does not fit is refused.

use wardline_stats::drift::{Column, DriftError, Measures, Policy, Reference};
use wardline_stats::two_sample::Rows;

use super::Numbers;

struct Data {
    numbers: Vec<f64>,
    codes: Vec<u32>,
    rows: Vec<f64>,
    texts: Vec<String>,
}

fn data(seed: u64, rows: usize, moved: bool) -> Data {
    let mut numbers = Numbers::new(seed);
    let shift = if moved { 0.4 } else { 0.0 };
    let words = ["loan", "card", "refund", "limit", "please", "help", "account", "transfer", "crypto", "urgent"];
    let texts = (0..rows).map(|_| {
        let known = if moved { 10 } else { 8 };
        let text: Vec<&str> = (0..12).map(|_| words[(numbers.unit() * f64::from(known)) as usize]).collect();
        text.join(" ")
    });
    let texts = texts.collect();
    let mut codes = numbers.categories(rows, 30);
    if moved {
        codes.iter_mut().step_by(5).for_each(|code| *code = 7);
    }
    Data { numbers: numbers.normals(rows, shift), codes, rows: numbers.normals(rows * 6, shift), texts }
}

fn check(data: &Data, visit: impl FnOnce(&[Column<'_>])) {
    let texts: Vec<&str> = data.texts.iter().map(String::as_str).collect();
    let rows = Rows::new(&data.rows, 6).unwrap();
    let columns = [
        Column::Numeric(&data.numbers),
        Column::Codes(&data.codes),
        Column::Labels(&texts),
        Column::Rows(rows),
        Column::Embeddings(rows),
        Column::Texts(&texts),
    ];
    visit(&columns);
}

fn reference(data: &Data) -> Reference {
    let mut kept = None;
    check(data, |columns| kept = Some(Reference::new(columns).unwrap()));
    kept.unwrap()
}

/// Columns that drifted. Labels are whole texts, each of which occurs once: with all values new on both
/// sides nothing recurs, and that is no change.
fn drifted(reference: &Reference, data: &Data) -> Vec<usize> {
    let mut window = reference.window();
    check(data, |columns| window.observe(columns).unwrap());
    reference.compare(&window, &Policy::default()).unwrap().drifted().collect()
}

#[test]
fn names_what_moved_and_nothing_else() {
    let reference = reference(&data(1, 1_500, false));
    assert_eq!(drifted(&reference, &data(2, 800, false)), [] as [usize; 0]);
    let found = drifted(&reference, &data(3, 800, true));
    for column in [0, 1, 3, 4, 5] {
        assert!(found.contains(&column), "{column} is missing from {found:?}");
    }
}

#[test]
fn halves_merge_and_a_cleared_window_starts_again() {
    let reference = reference(&data(1, 600, false));
    let (left, right) = (data(2, 300, false), data(3, 200, true));
    let (mut merged, mut other, mut whole) = (reference.window(), reference.window(), reference.window());
    check(&left, |columns| merged.observe(columns).unwrap());
    check(&right, |columns| other.observe(columns).unwrap());
    merged.merge(&other).unwrap();
    check(&left, |columns| whole.observe(columns).unwrap());
    check(&right, |columns| whole.observe(columns).unwrap());
    let policy = Policy::default();
    let found = reference.compare(&merged, &policy).unwrap();
    let expected = reference.compare(&whole, &policy).unwrap();
    for (found, expected) in found.columns.iter().zip(&expected.columns) {
        assert_eq!(found.outcome, expected.outcome);
    }
    whole.clear();
    check(&left, |columns| whole.observe(columns).unwrap());
    let mut fresh = reference.window();
    check(&left, |columns| fresh.observe(columns).unwrap());
    assert!(reference.compare(&whole, &policy) == reference.compare(&fresh, &policy));
}

#[test]
fn what_does_not_fit_is_refused() {
    let kept = reference(&data(1, 300, false));
    let mut window = kept.window();
    assert_eq!(window.observe(&[]), Err(DriftError::ColumnCount { expected: 6, found: 0 }));
    let numbers = [1.0];
    let five = Rows::new(&[0.0; 5], 5).unwrap();
    let columns = [Column::Numeric(&numbers); 6];
    assert_eq!(window.observe(&columns), Err(DriftError::ColumnKind { column: 1 }));
    let mut wrong =
        [Column::Numeric(&numbers), Column::Codes(&[1]), Column::Labels(&["a"]), Column::Rows(five)].to_vec();
    wrong.extend([Column::Embeddings(five), Column::Texts(&["a"])]);
    assert_eq!(window.observe(&wrong), Err(DriftError::ColumnKind { column: 3 }));
    let other = reference(&data(9, 300, false));
    assert_eq!(window.merge(&other.window()), Err(DriftError::OtherReference));
    check(&data(2, 50, false), |columns| window.observe(columns).unwrap());
    assert_eq!(other.compare(&window, &Policy::default()), Err(DriftError::OtherReference));
    for policy in [
        Policy { alpha: 0.0, ..Policy::default() },
        Policy { alpha: f64::NAN, ..Policy::default() },
        Policy { least_effect: 2.0, ..Policy::default() },
    ] {
        assert_eq!(kept.compare(&window, &policy), Err(DriftError::Policy));
    }
    assert_eq!(Reference::new(&[Column::Numeric(&[f64::NAN])]), Err(DriftError::UnusableReference { column: 0 }));
    assert_eq!(Reference::new(&[Column::Codes(&[])]), Err(DriftError::UnusableReference { column: 0 }));
    assert_eq!(Reference::new(&[Column::Texts(&["a"; 5])]), Err(DriftError::UnusableReference { column: 0 }));
}

/// Goal: empty windows, one row, constants and missing values say "too little data", never a number.
#[test]
fn too_little_data_is_said() {
    let constant = [5.0; 100];
    let reference = Reference::new(&[Column::Numeric(&constant), Column::Labels(&["a"; 100])]).unwrap();
    let mut window = reference.window();
    let empty = reference.compare(&window, &Policy::default()).unwrap();
    assert!(empty.columns.iter().all(|column| column.outcome.is_none() && column.measures.is_none()));
    window.observe(&[Column::Numeric(&[f64::NAN]), Column::Labels(&["b"])]).unwrap();
    let one = reference.compare(&window, &Policy::default()).unwrap();
    assert!(one.columns.iter().all(|column| column.outcome.is_none() && !column.drifted));
    window.observe(&[Column::Numeric(&constant), Column::Labels(&["a"; 100])]).unwrap();
    let same = reference.compare(&window, &Policy::default()).unwrap();
    assert_eq!(same.drifted().count(), 0);
    let Some(Measures::Numeric(measures)) = same.columns[0].measures else { panic!("{same:?}") };
    assert!(measures.welch_t.is_none() && measures.distances.is_none());
    assert!(measures.refused.is_some(), "the missing value is counted");
}

/// Goal: a column that was constant and is no longer, and one whose values are all new, have drifted.
#[test]
fn new_values_are_a_change() {
    let reference = Reference::new(&[Column::Numeric(&[5.0; 200]), Column::Labels(&["a"; 200])]).unwrap();
    let mut window = reference.window();
    window.observe(&[Column::Numeric(&[6.0; 50]), Column::Labels(&["b"; 50])]).unwrap();
    let found = reference.compare(&window, &Policy::default()).unwrap();
    assert_eq!(found.drifted().collect::<Vec<_>>(), [0, 1]);
}

/// Goal: a million different categories cost bounded memory and answer something sensible.
#[test]
fn a_million_categories_are_bounded() {
    let many: Vec<u32> = (0..1_000_000).collect();
    let reference = Reference::new(&[Column::Codes(&many)]).unwrap();
    let mut window = reference.window();
    window.observe(&[Column::Codes(&many[500_000..])]).unwrap();
    let found = reference.compare(&window, &Policy::default()).unwrap();
    assert!(serde_json::to_string(&reference).unwrap().len() < 1 << 20);
    assert!(found.columns[0].outcome.is_some());
}
