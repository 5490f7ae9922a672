use proptest::prelude::*;

use super::*;
use crate::slice::NO_VALUE;

/// Every conjunction, looked at one by one.
fn brute_force(attributes: &Attributes, effect: &[f64], search: Search) -> Vec<FoundSlice> {
    let scale = Scale::new(effect, search.least_rows).unwrap();
    let mut all: Vec<Vec<Condition>> = vec![Vec::new()];
    for (attribute, column) in attributes.columns().iter().enumerate() {
        let longer: Vec<_> = all
            .iter()
            .filter(|slice| slice.len() < search.most_conditions)
            .flat_map(|slice| {
                (0..column.n_values as u32).map(move |value| {
                    let mut slice = slice.clone();
                    slice.push(Condition { attribute, value });
                    slice
                })
            })
            .collect();
        all.extend(longer);
    }
    let mut found: Vec<FoundSlice> = all
        .into_iter()
        .filter(|conditions| !conditions.is_empty())
        .filter_map(|conditions| {
            let inside: Vec<f64> =
                (0..effect.len()).filter(|row| attributes.meets(*row, &conditions)).map(|row| effect[row]).collect();
            let n = inside.len();
            let is_slice = n >= search.least_rows && n < effect.len();
            let mean = inside.iter().sum::<f64>() / n as f64;
            let score = scale.of((mean - scale.mean) * n as f64, n as f64);
            is_slice.then_some(FoundSlice { conditions, n, mean, score })
        })
        .collect();
    found.sort_by(in_order);
    found.truncate(search.top);
    found
}

fn table() -> impl Strategy<Value = (Vec<Vec<u32>>, Vec<f64>)> {
    (1_usize..6, 10_usize..80).prop_flat_map(|(columns, rows)| {
        let code = prop_oneof![9 => 0_u32..4, 1 => Just(NO_VALUE)];
        let column = prop::collection::vec(code, rows);
        (
            prop::collection::vec(column, columns),
            prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), -2.0..5.0], rows),
        )
    })
}

fn scores(found: &[FoundSlice]) -> Vec<f64> {
    found.iter().map(|slice| slice.score).collect()
}

fn alike(left: &[f64], right: &[f64]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| (left - right).abs() < 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Goal: pruning changes nothing. Ties may come in another order, so scores are compared.
    #[test]
    fn the_best_are_those_of_brute_force((columns, effect) in table(), least_rows in 1_usize..8, top in 1_usize..12, most_conditions in 1_usize..4) {
        let search = Search { most_conditions, least_rows, top };
        let attributes = Attributes::new(&columns).unwrap();
        let Some(found) = top_slices(&attributes, &effect, search) else { return Ok(()) };
        let wanted = brute_force(&attributes, &effect, search);
        prop_assert!(alike(&scores(&found), &scores(&wanted)), "{found:?}\n{wanted:?}");
        for slice in &found {
            let rows = (0..effect.len()).filter(|row| attributes.meets(*row, &slice.conditions)).count();
            prop_assert_eq!(rows, slice.n);
        }
    }

    #[test]
    fn order_of_rows_and_names_of_codes_do_not_matter((columns, effect) in table()) {
        let search = Search { least_rows: 2, top: 5, ..Search::default() };
        let of = |columns: &[Vec<u32>], effect: &[f64]| {
            top_slices(&Attributes::new(columns).unwrap(), effect, search).map(|found| scores(&found))
        };
        let renamed: Vec<Vec<u32>> = columns.iter().map(|codes| {
            codes.iter().rev().map(|code| if *code == NO_VALUE { NO_VALUE } else { (code * 3 + 1) % 5 }).collect()
        }).collect();
        let turned: Vec<f64> = effect.iter().rev().copied().collect();
        match (of(&columns, &effect), of(&renamed, &turned)) {
            (Some(one), Some(other)) => prop_assert!(alike(&one, &other), "{one:?} {other:?}"),
            (one, other) => prop_assert_eq!(one, other),
        }
    }
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let attributes = Attributes::new(&[vec![0, 1, 0, 1]]).unwrap();
    let of = |effect: &[f64], search| top_slices(&attributes, effect, search);
    let search = Search { least_rows: 1, ..Search::default() };
    assert!(of(&[0.0, 1.0, 0.0, 2.0], search).is_some());
    assert_eq!(of(&[1.0; 4], search), None);
    assert_eq!(of(&[0.0, f64::NAN, 0.0, 1.0], search), None);
    assert_eq!(of(&[0.0, 1.0, 0.0], search), None);
    assert_eq!(of(&[0.0, 1.0, 0.0, 2.0], Search { most_conditions: 4, ..search }), None);
    assert_eq!(of(&[0.0, 1.0, 0.0, 2.0], Search { top: 0, ..search }), None);
}
