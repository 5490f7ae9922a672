//! Shapley values of XGBoost's trees, beside shap: the model that `benches/peers/peer_explain.py` learned.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use wardline_stats::explain::{TreeModel, TreeNode, TreeShap};
use wardline_stats::learn::Features;

use crate::data::numeric;
use crate::measure::{measured, told};

const ROWS: usize = 10_000;
const BACKGROUND: usize = 100;
const INTERACTIONS: usize = 1_000;

#[derive(Deserialize)]
struct Tree {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<usize>,
    split_conditions: Vec<f32>,
    base_weights: Vec<f64>,
    sum_hessian: Vec<f64>,
}

struct Model {
    trees: Vec<Tree>,
    base: [f64; 1],
}

impl Model {
    fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(folder.join("explain-model.json"))?;
        let mut model: Value = serde_json::from_str(&text)?;
        let trees = model["learner"]["gradient_booster"]["model"]["trees"].take();
        Ok(Self { trees: serde_json::from_value(trees)?, base: [0.0] })
    }
}

impl TreeModel for Model {
    fn features(&self) -> usize {
        20
    }

    fn base_margins(&self) -> &[f64] {
        &self.base
    }

    fn trees(&self) -> usize {
        self.trees.len()
    }

    fn nodes(&self, tree: usize) -> usize {
        self.trees[tree].left_children.len()
    }

    fn node(&self, tree: usize, node: usize) -> TreeNode<'_> {
        let tree = &self.trees[tree];
        match (usize::try_from(tree.left_children[node]), usize::try_from(tree.right_children[node])) {
            (Ok(left), Ok(right)) => TreeNode::Split { feature: tree.split_indices[node], left, right },
            _ => TreeNode::Leaf { output: 0, values: &tree.base_weights[node..=node] },
        }
    }

    fn cover(&self, tree: usize, node: usize) -> Option<f64> {
        self.trees[tree].sum_hessian.get(node).copied()
    }

    fn goes_left(&self, tree: usize, node: usize, value: f64) -> bool {
        (value as f32) < self.trees[tree].split_conditions[node]
    }
}

/// The explained rows and the background: as the peer's.
fn rows(folder: &Path) -> Result<[Vec<Vec<f64>>; 2], Box<dyn Error>> {
    let columns = numeric(folder, "reference")?;
    let part = |first: usize, count: usize| -> Vec<Vec<f64>> {
        columns.iter().map(|column| column[first..first + count].to_vec()).collect()
    };
    Ok([part(0, ROWS), part(20_000 - BACKGROUND, BACKGROUND)])
}

fn table(columns: &[Vec<f64>], rows: usize) -> Result<Features<'_>, &'static str> {
    Features::new(columns.iter().map(|column| &column[..rows]).collect()).ok_or("no table")
}

fn judge(folder: &Path, job: &str, with_background: bool) -> Result<Value, Box<dyn Error>> {
    let model = Model::read(folder)?;
    let [columns, others] = rows(folder)?;
    let (explained, background) = (table(&columns, ROWS)?, table(&others, BACKGROUND)?);
    let (found, cost) = measured(|| {
        let shap = if with_background {
            TreeShap::interventional(&model, &background)
        } else {
            TreeShap::path_dependent(&model)
        };
        shap?.values(&explained)
    });
    let found = found.ok_or("no values")?;
    let sum: f64 = (0..20).flat_map(|feature| found.column(feature, 0)).map(|value| value.abs()).sum();
    Ok(told(job, cost, json!({"sum": sum})))
}

/// Values where features follow the training rows' shares.
pub(crate) fn path_dependent(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judge(folder, "shap_path_dependent", false)
}

/// Values against a background of 100 rows.
pub(crate) fn interventional(folder: &Path) -> Result<Value, Box<dyn Error>> {
    judge(folder, "shap_interventional", true)
}

/// All pairs of features, of 1,000 rows.
pub(crate) fn interactions(folder: &Path) -> Result<Value, Box<dyn Error>> {
    let model = Model::read(folder)?;
    let [columns, _] = rows(folder)?;
    let explained = table(&columns, INTERACTIONS)?;
    let (found, cost) = measured(|| TreeShap::path_dependent(&model)?.interactions(&explained));
    let found = found.ok_or("no values")?;
    let pairs = (0..400).map(|at| (at / 20, at % 20));
    let sum: f64 = pairs.flat_map(|pair| found.column(pair, 0)).map(|value| value.abs()).sum();
    Ok(told("shap_interactions", cost, json!({"sum": sum})))
}
