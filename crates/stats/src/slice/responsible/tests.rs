use super::*;

struct Drawn {
    columns: Vec<Vec<u32>>,
    failed: Vec<f64>,
}

/// Six attributes; the fifth is the first by another name, the sixth nearly always 0.
fn drawn(seed: u64, n: usize, rate: impl Fn(&[u32]) -> f64) -> Drawn {
    let mut random = SplitMix::new(seed);
    let mut columns = vec![Vec::with_capacity(n); 6];
    let mut failed = Vec::with_capacity(n);
    for _ in 0..n {
        let mut row: Vec<u32> = [4, 5, 3, 6].iter().map(|values| random.below(*values) as u32).collect();
        row.extend([row[0] + 1, u32::from(random.below(20) == 0)]);
        failed.push(f64::from(u8::from(random.unit() < rate(&row))));
        columns.iter_mut().zip(row).for_each(|(column, code)| column.push(code));
    }
    Drawn { columns, failed }
}

fn found(drawn: &Drawn, settings: Settings) -> Responsible {
    responsible_slices(&Attributes::new(&drawn.columns).unwrap(), &drawn.failed, settings).unwrap()
}

fn names(slice: &ResponsibleSlice) -> Vec<(usize, u32)> {
    slice.conditions.iter().map(|condition| (condition.attribute, condition.value)).collect()
}

#[test]
fn a_pair_is_named_with_its_share_and_its_other_name() {
    let drawn = drawn(1, 8_000, |row| if row[0] == 2 && row[1] == 3 { 0.3 } else { 0.05 });
    let baseline = Some(Baseline { mean: 0.05, standard_error: 0.0 });
    let found = found(&drawn, Settings { baseline, ..Settings::default() });
    assert_eq!(found.slices.iter().map(names).collect::<Vec<_>>(), [[(0, 2), (1, 3)]]);
    let slice = &found.slices[0];
    let share = slice.share.unwrap();
    assert!(share.interval.0 < 1.0 && 1.0 < share.interval.1 && slice.p_value < 1e-6, "{slice:?}");
    assert!(slice.difference.0 < 0.25 && 0.25 < slice.difference.1);
    assert_eq!(slice.aliases[0].other, Condition { attribute: 4, value: 3 });
}

#[test]
fn one_condition_is_enough_where_one_carries_it() {
    let drawn = drawn(2, 8_000, |row| if row[2] == 1 { 0.15 } else { 0.05 });
    assert_eq!(found(&drawn, Settings::default()).slices.iter().map(names).collect::<Vec<_>>(), [[(2, 1)]]);
}

#[test]
fn two_slices_divide_the_excess() {
    let drawn =
        drawn(3, 12_000, |row| if row[0] == 2 && row[1] == 3 || row[3] == 4 && row[2] == 0 { 0.3 } else { 0.05 });
    let found = found(&drawn, Settings::default());
    assert_eq!(found.slices.len(), 2);
    let sum: f64 = found.slices.iter().map(|slice| slice.share.unwrap().share).sum();
    assert!((sum - 1.0).abs() < 1e-9);
}

/// Goal: at 5 %, of 60 tables without a slice at most 8 name one (a chance of 0.5 % under the promise).
#[test]
fn an_even_effect_names_nobody() {
    let quiet = |seed: u64| found(&drawn(100 + seed, 1_500, |_| 0.1), Settings::default()).slices.is_empty();
    assert!((0..60_u64).filter(|seed| !quiet(*seed)).count() <= 8);
}

#[test]
fn too_few_rows_are_said() {
    let drawn = drawn(4, 100, |_| 0.5);
    let attributes = Attributes::new(&drawn.columns).unwrap();
    let error = responsible_slices(&attributes, &drawn.failed, Settings::default()).unwrap_err();
    assert_eq!(error.to_string(), "100 rows are too few to find a responsible slice; 120 are needed");
    let of = |settings| responsible_slices(&attributes, &drawn.failed, settings);
    assert_eq!(of(Settings { alpha: 0.0, ..Settings::default() }), Err(SliceError::BadSetting));
    let nothing = vec![f64::NAN; 100];
    assert_eq!(responsible_slices(&attributes, &nothing, Settings::default()), Err(SliceError::BadEffect));
}

/// Goal: values without spread inside a slice do not make it look sure.
#[test]
fn stays_quiet_when_nearly_all_rows_have_the_effect() {
    let columns = vec![(0..4_000).map(|row| row % 20).collect::<Vec<u32>>()];
    let failed = (0..4_000).map(|row| f64::from(u8::from(row % 997 != 0))).collect();
    assert!(found(&Drawn { columns, failed }, Settings::default()).slices.is_empty());
}
