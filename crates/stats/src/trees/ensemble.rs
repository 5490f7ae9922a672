//! A sum or a mean of trees, whoever trained them.

use super::LoadError;
use super::tree::{Tree, TreeParts};

/// Outputs of an ensemble, at most.
const MAX_OUTPUTS: usize = 10_000;

/// How a library counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Values are rounded to `f32` before they are compared, and sums are `f32` (XGBoost, ONNX).
    Single,
    /// Values and sums are `f64` (LightGBM).
    Double,
}

/// What trees' values become before the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregation {
    /// The base and then each tree in order (XGBoost, LightGBM).
    Sum,
    /// Each tree in order, and the base last (ONNX).
    SumThenBase,
    /// The sum divided by this number of trees, and the base last.
    Mean(u32),
}

/// What margins become in a prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// The margin.
    Identity,
    /// `1 / (1 + exp(-scale * margin))`, each output by itself.
    Logistic {
        /// Multiplies the margin; finite and above zero.
        scale: f64,
    },
    /// `exp(margin) / sum of exp(margins)`.
    Softmax,
    /// `exp(margin)`.
    Exponential,
    /// `ln(1 + exp(margin))`.
    Softplus,
    /// `sign(margin) * margin^2`.
    SignedSquare,
    /// One if the margin is above zero, otherwise zero.
    Step,
}

/// What an ensemble is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct EnsembleParts {
    /// Columns of a row, at least one.
    pub n_features: usize,
    /// Margins of a row.
    pub base: Vec<f64>,
    /// Names of the features, in order; empty if they are not known.
    pub feature_names: Vec<String>,
    /// How the library counts.
    pub precision: Precision,
    /// What trees' values become.
    pub aggregation: Aggregation,
    /// What margins become.
    pub link: Link,
    /// The trees in the order of their sum.
    pub trees: Vec<TreeParts>,
}

/// Trees of another library, checked.
///
/// `margin = base + sum over trees of the leaf that the row ends in`, for each output, in the library's
/// own order and precision, so that margins are the library's to the last bit. Rows are row-major;
/// NaN is a missing value. Predictions pass through `exp` in `f64` and may differ from those of a
/// library of `f32` by its rounding.
/// Cost of margins: `O(rows * trees * depth)`.
///
/// ```
/// use wardline_stats::trees::{
///     Aggregation, Ensemble, EnsembleParts, Link, Missing, Node, Precision, Rule, Split, TreeParts,
/// };
///
/// let rule = Rule::AtMost(0.5);
/// let root = Split { feature: 0, left: 1, right: 2, rule, missing: Missing::Nan, missing_left: true };
/// let tree = TreeParts {
///     nodes: vec![Node::Split(root), Node::Leaf(0), Node::Leaf(1)],
///     output: Some(0),
///     leaf_values: vec![-1.0, 2.0],
///     ..TreeParts::default()
/// };
/// let ensemble = Ensemble::from_parts(EnsembleParts {
///     n_features: 1,
///     base: vec![10.0],
///     feature_names: vec![],
///     precision: Precision::Double,
///     aggregation: Aggregation::Sum,
///     link: Link::Identity,
///     trees: vec![tree],
/// })
/// .unwrap();
/// assert_eq!(ensemble.margins(&[0.5, 0.6, f64::NAN]), Some(vec![9.0, 12.0, 9.0]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    n_features: usize,
    base: Vec<f64>,
    feature_names: Vec<String>,
    precision: Precision,
    aggregation: Aggregation,
    link: Link,
    trees: Vec<Tree>,
}

impl Ensemble {
    /// Checks every tree.
    ///
    /// # Errors
    /// If there are no features or outputs (or more than 10,000), a base is not finite, names are not as
    /// many as features, a mean is of no trees, or a tree is unsound.
    pub fn from_parts(parts: EnsembleParts) -> Result<Self, LoadError> {
        let EnsembleParts { n_features, base, feature_names, precision, aggregation, link, trees } = parts;
        if n_features == 0 || n_features > u32::MAX as usize {
            return Err(LoadError::Features(n_features));
        }
        if base.is_empty() || base.len() > MAX_OUTPUTS {
            return Err(LoadError::Outputs(base.len()));
        }
        if !base.iter().all(|base| base.is_finite()) {
            return Err(LoadError::Base);
        }
        if !feature_names.is_empty() && feature_names.len() != n_features {
            return Err(LoadError::Names { names: feature_names.len(), features: n_features });
        }
        let scale_holds = !matches!(link, Link::Logistic { scale } if !(scale.is_finite() && scale > 0.0));
        if aggregation == Aggregation::Mean(0) || !scale_holds {
            return Err(LoadError::Scale);
        }
        let single = precision == Precision::Single;
        let checked = |(tree, parts)| {
            Tree::new(parts, n_features, base.len(), single).map_err(|reason| LoadError::Tree { tree, reason })
        };
        let trees = trees.into_iter().enumerate().map(checked).collect::<Result<_, _>>()?;
        Ok(Self { n_features, base, feature_names, precision, aggregation, link, trees })
    }

    /// Columns of a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Margins of a row.
    #[must_use]
    pub fn n_outputs(&self) -> usize {
        self.base.len()
    }

    /// What each output has without a tree.
    #[must_use]
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// Names of the features, in order; empty if they are not known.
    #[must_use]
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// How the library counts.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// What trees' values become.
    #[must_use]
    pub fn aggregation(&self) -> Aggregation {
        self.aggregation
    }

    /// What a leaf's value is multiplied by in a margin: one, or one by the number of trees of a mean.
    #[must_use]
    pub fn tree_weight(&self) -> f64 {
        match self.aggregation {
            Aggregation::Mean(trees) => 1.0 / f64::from(trees),
            Aggregation::Sum | Aggregation::SumThenBase => 1.0,
        }
    }

    /// What margins become in a prediction.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }

    /// The trees in the order of their sum.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The margins of each row, `n_outputs` a row; `None` if the values are not whole rows.
    #[must_use]
    pub fn margins(&self, rows: &[f64]) -> Option<Vec<f64>> {
        if !rows.len().is_multiple_of(self.n_features) {
            return None;
        }
        Some(match self.precision {
            Precision::Single => self.margins_single(rows),
            Precision::Double => self.margins_double(rows),
        })
    }

    /// The predictions of each row, `n_outputs` a row; `None` if the values are not whole rows.
    #[must_use]
    pub fn predict(&self, rows: &[f64]) -> Option<Vec<f64>> {
        let mut values = self.margins(rows)?;
        for outputs in values.chunks_exact_mut(self.base.len()) {
            self.link.apply(outputs);
        }
        Some(values)
    }

    fn margins_double(&self, rows: &[f64]) -> Vec<f64> {
        let n_outputs = self.base.len();
        let first = if self.aggregation == Aggregation::Sum { self.base.clone() } else { vec![0.0; n_outputs] };
        let mut margins = first.repeat(rows.len() / self.n_features);
        self.add_trees(rows, &mut margins, |sum, value| sum + value);
        for outputs in margins.chunks_exact_mut(n_outputs) {
            for (output, base) in outputs.iter_mut().zip(&self.base) {
                match self.aggregation {
                    Aggregation::Sum => {}
                    Aggregation::SumThenBase => *output += base,
                    Aggregation::Mean(trees) => *output = *output / f64::from(trees) + base,
                }
            }
        }
        margins
    }

    fn margins_single(&self, rows: &[f64]) -> Vec<f64> {
        let rounded: Vec<f64> = rows.iter().map(|value| f64::from(*value as f32)).collect();
        let n_outputs = self.base.len();
        let base: Vec<f32> = self.base.iter().map(|base| *base as f32).collect();
        let first = if self.aggregation == Aggregation::Sum { base.clone() } else { vec![0.0; n_outputs] };
        let mut margins = first.repeat(rows.len() / self.n_features);
        self.add_trees(&rounded, &mut margins, |sum, value| sum + value as f32);
        for outputs in margins.chunks_exact_mut(n_outputs) {
            for (output, base) in outputs.iter_mut().zip(&base) {
                match self.aggregation {
                    Aggregation::Sum => {}
                    Aggregation::SumThenBase => *output += base,
                    Aggregation::Mean(trees) => *output = *output / trees as f32 + base,
                }
            }
        }
        margins.into_iter().map(f64::from).collect()
    }

    /// Tree after tree over blocks of rows: a block's rows and a tree stay in the cache.
    fn add_trees<T: Copy>(&self, rows: &[f64], margins: &mut [T], add: impl Fn(T, f64) -> T) {
        const BLOCK: usize = 256;
        let (width, n_outputs) = (self.n_features, self.base.len());
        for (rows, margins) in rows.chunks(BLOCK * width).zip(margins.chunks_mut(BLOCK * n_outputs)) {
            for tree in &self.trees {
                for (row, outputs) in rows.chunks_exact(width).zip(margins.chunks_exact_mut(n_outputs)) {
                    let values = tree.leaf_values(tree.leaf_of(row));
                    let first = tree.output().unwrap_or(0);
                    for (output, value) in outputs[first..].iter_mut().zip(values) {
                        *output = add(*output, *value);
                    }
                }
            }
        }
    }
}

impl Link {
    /// Margins of one row in place.
    fn apply(self, outputs: &mut [f64]) {
        let each = |outputs: &mut [f64], link: fn(f64) -> f64| outputs.iter_mut().for_each(|x| *x = link(*x));
        match self {
            Self::Identity => {}
            Self::Logistic { scale } => outputs.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-scale * *x).exp())),
            Self::Softmax => softmax(outputs),
            Self::Exponential => each(outputs, f64::exp),
            Self::Softplus => each(outputs, |x| x.exp().ln_1p()),
            Self::SignedSquare => each(outputs, |x| x * x.abs()),
            Self::Step => each(outputs, |x| f64::from(u8::from(x > 0.0))),
        }
    }
}

fn softmax(outputs: &mut [f64]) {
    let most = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for output in outputs.iter_mut() {
        *output = (*output - most).exp();
    }
    let sum: f64 = outputs.iter().sum();
    for output in outputs.iter_mut() {
        *output /= sum;
    }
}
