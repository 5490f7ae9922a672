//! Values of trees of other libraries, against shap 0.51.0 (XGBoost 3.2.0, LightGBM 4.7.0, scikit-learn 1.9.1).
#![allow(clippy::needless_range_loop, reason = "several lists are read at the same place")]

use serde::Deserialize;

use super::{TreeModel, TreeNode, TreeShap};
use crate::learn::Features;

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Vec<f64>>,
    background: Vec<Vec<f64>>,
    cases: Vec<Case>,
}

/// Values by output, row and feature.
type Values = Vec<Vec<Vec<f64>>>;

#[derive(Deserialize)]
struct Case {
    name: String,
    outputs: usize,
    missing: bool,
    trees: Vec<Plain>,
    margins: Vec<Vec<f64>>,
    path_base: Vec<f64>,
    background_base: Vec<f64>,
    background_base_of_shap: Vec<f64>,
    path_dependent: Values,
    interventional: Values,
    interactions: Option<Vec<Values>>,
    probability: Option<Vec<Vec<f64>>>,
    probability_base: Option<f64>,
}

#[derive(Deserialize)]
struct Plain {
    output: usize,
    left: Vec<i64>,
    right: Vec<i64>,
    feature: Vec<usize>,
    threshold: Vec<f64>,
    missing_left: Vec<u8>,
    value: Vec<Vec<f64>>,
    cover: Vec<f64>,
    rule: String,
}

struct Model<'a> {
    trees: &'a [Plain],
    base: Vec<f64>,
}

impl TreeModel for Model<'_> {
    fn features(&self) -> usize {
        5
    }

    fn base_margins(&self) -> &[f64] {
        &self.base
    }

    fn trees(&self) -> usize {
        self.trees.len()
    }

    fn nodes(&self, tree: usize) -> usize {
        self.trees[tree].left.len()
    }

    fn node(&self, tree: usize, node: usize) -> TreeNode<'_> {
        let tree = &self.trees[tree];
        match (usize::try_from(tree.left[node]), usize::try_from(tree.right[node])) {
            (Ok(left), Ok(right)) => TreeNode::Split { feature: tree.feature[node], left, right },
            _ => TreeNode::Leaf { output: tree.output, values: &tree.value[node] },
        }
    }

    fn cover(&self, tree: usize, node: usize) -> Option<f64> {
        Some(self.trees[tree].cover[node])
    }

    fn goes_left(&self, tree: usize, node: usize, value: f64) -> bool {
        let tree = &self.trees[tree];
        let threshold = tree.threshold[node];
        match tree.rule.as_str() {
            _ if value.is_nan() => tree.missing_left[node] == 1,
            "below_single" => (value as f32) < threshold as f32,
            "at_most_single" => f64::from(value as f32) <= threshold,
            _ => value <= threshold,
        }
    }
}

fn columns(rows: &[Vec<f64>], missing: bool) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = (0..5).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
    if missing {
        columns[4].iter_mut().step_by(5).for_each(|cell| *cell = f64::NAN);
    }
    columns
}

fn table(columns: &[Vec<f64>]) -> Features<'_> {
    Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap()
}

fn close(what: &str, found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{what}: {found}, and not {expected}");
}

impl Case {
    /// The trees, with what the model adds to their sum.
    fn model(&self, rows: &Features<'_>) -> Model<'_> {
        let mut model = Model { trees: &self.trees, base: vec![0.0; self.outputs] };
        let margins = TreeShap::path_dependent(&model).unwrap().margins(rows);
        for (output, base) in model.base.iter_mut().enumerate() {
            *base = self.margins[0][output] - margins[output * rows.rows()];
        }
        model
    }

    fn check(&self, rows: &Features<'_>, background: &Features<'_>) {
        let model = self.model(rows);
        let path = TreeShap::path_dependent(&model).unwrap();
        let against = TreeShap::interventional(&model, background).unwrap();
        let bases = [&self.path_base, &self.background_base];
        for ((shap, expected), bases) in
            [(&path, &self.path_dependent), (&against, &self.interventional)].iter().zip(bases)
        {
            let (found, margins) = (shap.values(rows).unwrap(), shap.margins(rows));
            for output in 0..self.outputs {
                close(&self.name, found.base(0, output), bases[output]);
                for row in 0..rows.rows() {
                    close(&self.name, margins[output * rows.rows() + row], self.margins[row][output]);
                    for feature in 0..5 {
                        close(&self.name, found.column(feature, output)[row], expected[output][row][feature]);
                    }
                }
            }
        }
        if let Some(expected) = &self.interactions {
            let found = path.interactions(rows).unwrap();
            for output in 0..self.outputs {
                for row in 0..rows.rows() {
                    for (i, j) in (0..25).map(|at| (at / 5, at % 5)) {
                        close(&self.name, found.column((i, j), output)[row], expected[output][row][i][j]);
                    }
                }
            }
        }
        if let Some(expected) = &self.probability {
            let found = against.probabilities(rows).unwrap();
            close(&self.name, found.base(0, 0), self.probability_base.unwrap());
            for (row, expected) in expected.iter().enumerate() {
                for (feature, expected) in expected.iter().enumerate() {
                    close(&self.name, found.column(feature, 0)[row], *expected);
                }
            }
        }
    }
}

#[test]
fn values_are_those_of_shap() {
    let golden: Golden = serde_json::from_str(include_str!("../../../testdata/golden_explain.json")).unwrap();
    assert_eq!(golden.cases.len(), 5);
    for case in &golden.cases {
        let (rows, others) = (columns(&golden.rows, case.missing), columns(&golden.background, case.missing));
        case.check(&table(&rows), &table(&others));
        // The mean margin of the background: shap's base of the last class of XGBoost's is another.
        let off = |(ours, theirs): (&f64, &f64)| (ours - theirs).abs();
        let most = case.background_base.iter().zip(&case.background_base_of_shap).map(off).fold(0.0, f64::max);
        assert_eq!(most > 0.1, case.name == "xgboost multiclass", "{}: {most}", case.name);
    }
}
