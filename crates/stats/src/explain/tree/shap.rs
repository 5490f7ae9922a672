//! The explanation of a model of trees.

use super::curve::Curve;
use super::engine::Engine;
use super::grown::Grown;
use super::model::TreeModel;
use super::sums::{Cells, Sums};
use crate::explain::PointLoss;
use crate::learn::Features;

/// Different features on one path, at most: weights of longer paths would not fit.
const MOST_FEATURES_ON_A_PATH: usize = 1_024;

/// Shapley values of a sum of trees, exactly, on its margins.
///
/// *Path-dependent*: a feature that is not known follows the training rows' shares at its splits. Needs
/// the covers of nodes; tells more of the data, and credits correlated features that are not used on a
/// path less than they tell. *Interventional*: it is taken from the rows of a background, one after the
/// other; tells what the model does, and makes rows that may never occur.
///
/// Base and values sum to the margin, to `1e-9` for any depth: sums of products in `0..=1`, without the
/// cancelling terms that recursions on polynomials have. Three methods give the same numbers, and the
/// cheapest is taken for each tree:
/// - up to 12 features on a path and enough rows: tables of leaf groups by which conditions a row meets,
///   some `features` additions for each group of up to 9 leaves and each row, whatever the background;
/// - else, path-dependent: a walk at points of a quadrature, `O(nodes features_on_path)` for each row;
/// - else, interventional: each row against each background row, `O(nodes)` for each pair.
///
/// More than 1,024 different features on a path, and answers of more than a gibibyte, are refused.
/// References: Lundberg et al., Nature Machine Intelligence 2 (2020); Yang, "Fast TreeSHAP" (2021); Yu,
/// Bifet, Read, Xu, "Linear tree shap" (2022); Nadel, Wettenstein, "From decision trees to Boolean logic"
/// (2025).
///
/// ```
/// use wardline_stats::explain::{TreeModel, TreeNode, TreeShap};
/// use wardline_stats::learn::Features;
///
/// /// One where the feature is below a half, else three; a quarter of the training rows was.
/// struct Stump;
///
/// impl TreeModel for Stump {
///     fn features(&self) -> usize { 1 }
///     fn base_margins(&self) -> &[f64] { &[0.5] }
///     fn trees(&self) -> usize { 1 }
///     fn nodes(&self, _: usize) -> usize { 3 }
///     fn node(&self, _: usize, node: usize) -> TreeNode<'_> {
///         match node {
///             0 => TreeNode::Split { feature: 0, left: 1, right: 2 },
///             1 => TreeNode::Leaf { output: 0, values: &[1.0] },
///             _ => TreeNode::Leaf { output: 0, values: &[3.0] },
///         }
///     }
///     fn cover(&self, _: usize, node: usize) -> Option<f64> { Some([100.0, 25.0, 75.0][node]) }
///     fn goes_left(&self, _: usize, _: usize, value: f64) -> bool { value < 0.5 }
/// }
///
/// let rows = Features::new(vec![&[0.2, 0.9]]).unwrap();
/// let found = TreeShap::path_dependent(&Stump).unwrap().values(&rows).unwrap();
/// assert_eq!(found.base(0, 0), 3.0);
/// assert_eq!(found.column(0, 0), [-1.5, 0.5]);
/// ```
#[derive(Clone, Debug)]
pub struct TreeShap<'a, M> {
    engine: Engine<'a, M>,
}

/// Shapley values of rows: base and values of a row sum to its output.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeValues {
    sums: Sums,
    outputs: usize,
    /// By output; or by row, for a loss.
    base: Vec<f64>,
    by_row: bool,
}

/// Main effects of features and half the joint effect of each pair: base, main effects and twice each
/// pair sum to a row's output; a feature's main effect and its pairs sum to its Shapley value.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeInteractions {
    sums: Sums,
    outputs: usize,
}

impl<'a, M: TreeModel> TreeShap<'a, M> {
    /// `None` if the model is not sound, or the covers of some nodes are not known.
    #[must_use]
    pub fn path_dependent(model: &'a M) -> Option<Self> {
        Self::new(model, None)
    }

    /// `None` if the model is not sound, or the background has another number of columns.
    #[must_use]
    pub fn interventional(model: &'a M, background: &'a Features<'a>) -> Option<Self> {
        if background.width() == model.features() { Self::new(model, Some(background)) } else { None }
    }

    fn new(model: &'a M, background: Option<&'a Features<'a>>) -> Option<Self> {
        let mut constants = model.base_margins().to_vec();
        let mut trees = Vec::new();
        for index in 0..model.trees() {
            let tree = Grown::new(model, index, background.is_none())?;
            if tree.most_features > MOST_FEATURES_ON_A_PATH {
                return None;
            }
            if tree.nodes.len() > 1 && !tree.outputs.is_empty() {
                trees.push(tree);
            } else {
                tree.outputs.iter().zip(tree.expected()).for_each(|(output, value)| constants[*output] += value);
            }
        }
        let sound = !constants.is_empty() && constants.iter().all(|constant| constant.is_finite());
        sound.then_some(Self {
            engine: Engine { splits: model, trees, features: model.features(), constants, background },
        })
    }

    /// The model's margins of rows, by output and then by row: what base and values sum to.
    ///
    /// # Panics
    ///
    /// If the number of columns differs.
    #[must_use]
    pub fn margins(&self, rows: &Features<'_>) -> Vec<f64> {
        assert_eq!(rows.width(), self.engine.features, "as many columns as the model has features");
        self.engine.margins(rows)
    }

    /// The values of each feature, row and output; `None` if the number of columns differs, the answer
    /// would take more than a gibibyte, or sums overflow.
    #[must_use]
    pub fn values(&self, rows: &Features<'_>) -> Option<TreeValues> {
        if rows.width() != self.engine.features {
            return None;
        }
        let (sums, base) = (self.engine.explain(rows, false)?, self.engine.base());
        let finite = sums.is_finite() && base.iter().all(|base| base.is_finite());
        finite.then_some(TreeValues { sums, outputs: base.len(), base, by_row: false })
    }

    /// Main effects and pairs; `None` as for [`TreeShap::values`].
    ///
    /// Cost: for trees by tables, `features_on_path / 2` times that of the values; else as many times as
    /// the tree has features. Reference: Fujimoto, Kojadinovic, Marichal, Games and Economic Behavior 55
    /// (2006); halves as in `shap`.
    #[must_use]
    pub fn interactions(&self, rows: &Features<'_>) -> Option<TreeInteractions> {
        if rows.width() != self.engine.features {
            return None;
        }
        let sums = self.engine.explain(rows, true)?;
        sums.is_finite().then_some(TreeInteractions { sums, outputs: self.engine.constants.len() })
    }

    /// Values of the probability `1 / (1 + exp(-margin))` of a model with one output; interventional only.
    ///
    /// Against each background row, the margin's values are scaled by the slope of the line between the
    /// two probabilities, and then averaged (as `shap` does for `model_output="probability"`): they sum to
    /// the probability's distance from its mean, but are not the Shapley values of the probability
    /// itself, which no tree algorithm gives. Cost: each row against each background row.
    /// `None` as for [`TreeShap::values`], for path-dependent values, or for several outputs.
    #[must_use]
    pub fn probabilities(&self, rows: &Features<'_>) -> Option<TreeValues> {
        self.bend(rows, |_| Curve::Probability)
    }

    /// Values of the loss of each row, in the way of [`TreeShap::probabilities`]: which features make it
    /// higher (above zero) or lower than at the background. [`PointLoss::Log`] takes the margin as log-odds.
    ///
    /// `None` also if there is not one finite target for each row, or not a share for [`PointLoss::Log`].
    #[must_use]
    pub fn losses(&self, rows: &Features<'_>, targets: &[f64], loss: PointLoss) -> Option<TreeValues> {
        let allowed =
            |target: &f64| if loss == PointLoss::Log { (0.0..=1.0).contains(target) } else { target.is_finite() };
        if targets.len() != rows.rows() || !targets.iter().all(allowed) {
            return None;
        }
        self.bend(rows, |row| Curve::Loss(loss, targets[row]))
    }

    fn bend(&self, rows: &Features<'_>, curve: impl Fn(usize) -> Curve) -> Option<TreeValues> {
        let background = self.engine.background?;
        if rows.width() != self.engine.features || self.engine.constants.len() != 1 {
            return None;
        }
        let (sums, base) = self.engine.bend(rows, background, curve)?;
        let finite = sums.is_finite() && base.iter().all(|base| base.is_finite());
        finite.then_some(TreeValues { sums, outputs: 1, base, by_row: true })
    }
}

impl TreeValues {
    /// How many rows are explained.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sums.rows()
    }

    /// How many features there are.
    #[must_use]
    pub fn features(&self) -> usize {
        self.sums.features()
    }

    /// How many outputs there are.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The output where no feature of a row is known (the same for all rows, except for losses).
    ///
    /// # Panics
    ///
    /// If there is no such row or output.
    #[must_use]
    pub fn base(&self, row: usize, output: usize) -> f64 {
        self.base[if self.by_row { row } else { output }]
    }

    /// A feature's values for one output, row by row.
    ///
    /// # Panics
    ///
    /// If there is no such feature or output.
    #[must_use]
    pub fn column(&self, feature: usize, output: usize) -> &[f64] {
        assert!(feature < self.features() && output < self.outputs, "no such column");
        self.sums.column(Cells { output, pair: (feature, feature) })
    }
}

impl TreeInteractions {
    /// How many rows are explained.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sums.rows()
    }

    /// Half the joint effect of two features on one output, row by row; the main effect of a feature
    /// that is given twice.
    ///
    /// # Panics
    ///
    /// If there is no such feature or output.
    #[must_use]
    pub fn column(&self, pair: (usize, usize), output: usize) -> &[f64] {
        let features = self.sums.features();
        assert!(pair.0 < features && pair.1 < features && output < self.outputs, "no such column");
        self.sums.column(Cells { output, pair })
    }
}
