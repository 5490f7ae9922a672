//! Linear models of scikit-learn 1.9.1: `LogisticRegression` and `Ridge` on columns scaled by `StandardScaler`.
//!
//! The minimum is newton-cholesky's; lbfgs (tolerance 1e-10) ends some 1e-7 before it and agrees to 1e-6, absolute.

use wardline_stats::learn::{Features, Logistic, Multinomial, Ridge};

use crate::inputs::lcg;
use crate::values::{close, learn};

const ROWS: usize = 240;

fn columns() -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = [3, 5, 7, 11].map(|seed| lcg(ROWS, seed)).to_vec();
    columns[1].iter_mut().for_each(|value| *value = *value * 1000.0 + 50.0);
    columns
}

#[test]
fn golden_linear_models() {
    let golden = learn();
    golden.is_from("scikit-learn", "1.9.1");
    let columns = columns();
    let rows = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
    let classes: Vec<u32> = golden.numbers("/classes").into_iter().map(|class| class as u32).collect();
    let is_last: Vec<f64> = classes.iter().map(|class| f64::from(u8::from(*class == 2))).collect();
    let weights: Vec<f64> = lcg(ROWS, 17).into_iter().map(|u| 0.5 + u).collect();
    let noise = lcg(ROWS, 13);
    let target: Vec<f64> = (0..ROWS).map(|row| 3.0 * columns[0][row] - columns[1][row] / 100.0 + noise[row]).collect();
    for (name, ridge) in [("0.1", 0.1), ("1.0", 1.0), ("30.0", 30.0)] {
        for (kind, weights) in [("multinomial", None), ("weighted", Some(&weights[..])), ("lbfgs", Some(&weights[..]))]
        {
            let model = Multinomial::fit(&rows, &classes, 3, weights, ridge).unwrap();
            for (class, expected) in golden.table(&format!("/{name}/{kind}")).into_iter().enumerate() {
                let what = format!("{kind} {name} {class}");
                let found = model.intercept(class).into_iter().chain(model.coefficients(class).unwrap().to_vec());
                for (found, expected) in found.zip(expected) {
                    if kind == "lbfgs" {
                        assert!((found - expected).abs() <= 1e-6, "{what}: {found} for {expected}");
                    } else {
                        close(&what, found, expected, 1e-7);
                    }
                }
            }
        }
        let model = Multinomial::fit(&rows, &classes, 3, None, ridge).unwrap();
        let found = model.predict(&rows).unwrap();
        for (found, expected) in found.iter().zip(golden.table(&format!("/{name}/probabilities"))) {
            found.iter().zip(expected).for_each(|(found, expected)| close(name, *found, expected, 1e-7));
        }
        let binary = Logistic::fit(&rows, &is_last, None, ridge).unwrap();
        let linear = Ridge::fit(&rows, &target, Some(&weights), ridge).unwrap();
        for (kind, intercept, coefficients, tolerance) in [
            ("binary", binary.intercept(), binary.coefficients(), 1e-9),
            ("linear", linear.intercept(), linear.coefficients(), 1e-9),
        ] {
            let expected = golden.numbers(&format!("/{name}/{kind}"));
            close(kind, intercept, expected[0], tolerance);
            coefficients
                .iter()
                .zip(&expected[1..])
                .for_each(|(found, expected)| close(kind, *found, *expected, tolerance));
        }
    }
}
