//! Trees that together make a model.

use serde::{Deserialize, Serialize};

use super::Tree;
use crate::learn::Features;

/// Models larger than this are refused.
const MOST_OUTPUTS: usize = 100_000;

/// What becomes of the sums of the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// Nothing.
    Identity,
    /// `1 / (1 + exp(-slope * margin))`, each output by itself.
    Logistic {
        /// LightGBM's `sigmoid`, otherwise one.
        slope: f64,
    },
    /// `exp(margin) / sum`, over all outputs.
    Softmax,
    /// `exp(margin)`.
    Exp,
    /// `sign(margin) * margin^2`: LightGBM's `reg_sqrt`.
    SignedSquare,
}

/// How leaves are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sum {
    /// Their sum.
    Total,
    /// Their mean over so many trees an output.
    Mean(u32),
}

/// The precision in which leaves are added, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits, beginning with the base: XGBoost.
    Single,
    /// 32 bits, the base last: onnxruntime.
    SingleBaseLast,
    /// 64 bits: LightGBM.
    Double,
}

/// A sum of trees, as it was learned elsewhere.
///
/// Rows are [`Features`], NaN for missing. A margin is what the trees add up to, on which attributions are exact; a
/// prediction is what the library answers. Cost: `O(trees * depth)` a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Ensemble {
    pub(super) trees: Vec<Tree>,
    pub(super) width: usize,
    pub(super) base: Vec<f64>,
    pub(super) sum: Sum,
    pub(super) precision: Precision,
    pub(super) link: Link,
    pub(super) names: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    trees: Vec<Tree>,
    width: usize,
    base: Vec<f64>,
    sum: Sum,
    precision: Precision,
    link: Link,
    names: Vec<String>,
}

impl Ensemble {
    /// Trees over `width` columns, added in double precision to `base`, one margin an output.
    ///
    /// `None` where there is no output, a base is not finite, a split asks a column or a leaf adds to an output that is
    /// not there.
    #[must_use]
    pub fn new(trees: Vec<Tree>, width: usize, base: Vec<f64>, link: Link) -> Option<Self> {
        let (sum, precision) = (Sum::Total, Precision::Double);
        let ensemble = Self { trees, width, base, sum, precision, link, names: Vec::new() };
        ensemble.fault().is_none().then_some(ensemble)
    }

    /// What does not fit together, in words.
    pub(super) fn fault(&self) -> Option<String> {
        let outputs = self.base.len();
        if outputs == 0 || outputs > MOST_OUTPUTS {
            return Some(format!("{outputs} outputs; between 1 and {MOST_OUTPUTS} can be"));
        }
        if self.width == 0 || self.width > 1 << 16 {
            return Some(format!("{} columns; between 1 and 65,536 can be", self.width));
        }
        if self.base.iter().any(|base| !base.is_finite()) {
            return Some("a base score is not finite".to_owned());
        }
        if matches!(self.sum, Sum::Mean(0)) || matches!(self.link, Link::Logistic { slope } if !slope.is_finite()) {
            return Some("a mean over no tree, or a slope that is not finite".to_owned());
        }
        if !self.names.is_empty() && self.names.len() != self.width {
            return Some(format!("{} names of {} columns", self.names.len(), self.width));
        }
        self.trees.iter().enumerate().find_map(|(index, tree)| {
            let unsound = tree.nodes.iter().position(|node| match node {
                super::Node::Split { split, .. } => !split.is_sound(self.width),
                super::Node::Leaf { output, values } => {
                    (*output as usize).saturating_add(values.len()) > outputs
                }
            });
            unsound.map(|node| {
                format!("tree {index}, node {node} asks a column or adds to an output that is not there, or has no threshold")
            })
        })
    }

    /// The trees.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// How many columns a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many outputs there are: one, or one a class.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// The margin of each output before any tree.
    #[must_use]
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// What a leaf's value counts: one, or one part of the mean.
    #[must_use]
    pub fn tree_weight(&self) -> f64 {
        match self.sum {
            Sum::Total => 1.0,
            Sum::Mean(trees) => 1.0 / f64::from(trees),
        }
    }

    /// What becomes of a margin.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link
    }

    /// Names of the columns, where the file has them.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether every node has a cover, as attributions along paths need it.
    #[must_use]
    pub fn has_covers(&self) -> bool {
        self.trees.iter().all(|tree| tree.covers.len() == tree.nodes.len())
    }

    /// The margins of each row, one row after the other; `None` if the number of columns differs.
    #[must_use]
    pub fn margins(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.width {
            return None;
        }
        let mut row = vec![0.0; self.width];
        let mut margins = Vec::with_capacity(features.rows() * self.outputs());
        for at in 0..features.rows() {
            for (value, column) in row.iter_mut().zip(features.columns()) {
                *value = column[at];
            }
            let first = margins.len();
            margins.resize(first + self.outputs(), 0.0);
            self.add_margins(&row, &mut margins[first..]);
        }
        Some(margins)
    }

    /// The margins of one row.
    fn add_margins(&self, row: &[f64], margins: &mut [f64]) {
        match self.precision {
            Precision::Double => {
                for tree in &self.trees {
                    let (output, values) = tree.leaf(row);
                    for (margin, value) in margins[output..].iter_mut().zip(values) {
                        *margin += value;
                    }
                }
                if let Sum::Mean(trees) = self.sum {
                    margins.iter_mut().for_each(|margin| *margin /= f64::from(trees));
                }
                for (margin, base) in margins.iter_mut().zip(&self.base) {
                    *margin += base;
                }
            }
            Precision::Single | Precision::SingleBaseLast => {
                // Sums of single precision, kept in the place of double ones.
                let add = |sum: &mut f64, value: f64| *sum = f64::from(*sum as f32 + value as f32);
                let is_last = self.precision == Precision::SingleBaseLast;
                if !is_last {
                    margins.copy_from_slice(&self.base);
                }
                for tree in &self.trees {
                    let (output, values) = tree.leaf(row);
                    for (margin, value) in margins[output..].iter_mut().zip(values) {
                        add(margin, *value);
                    }
                }
                if let Sum::Mean(trees) = self.sum {
                    margins.iter_mut().for_each(|margin| *margin = f64::from(*margin as f32 / trees as f32));
                }
                for (margin, base) in margins.iter_mut().zip(&self.base).filter(|_| is_last) {
                    add(margin, *base);
                }
            }
        }
    }

    /// What the library answers for each row, one row after the other; `None` if the number of columns differs.
    #[must_use]
    pub fn predict(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        let mut margins = self.margins(features)?;
        for row in margins.chunks_exact_mut(self.outputs()) {
            self.link.apply(row, self.precision);
        }
        Some(margins)
    }
}

impl Link {
    /// From margins to predictions, of one row.
    pub(crate) fn apply(self, margins: &mut [f64], precision: Precision) {
        let each = |margins: &mut [f64], change: &dyn Fn(f64) -> f64| {
            margins.iter_mut().for_each(|margin| *margin = change(*margin));
        };
        let is_single = precision != Precision::Double;
        match self {
            Self::Identity => {}
            Self::Logistic { slope } if is_single => {
                each(margins, &|margin| f64::from(1.0 / (1.0 + (-(slope as f32) * margin as f32).exp())));
            }
            Self::Logistic { slope } => each(margins, &|margin| 1.0 / (1.0 + (-slope * margin).exp())),
            Self::Exp if is_single => each(margins, &|margin| f64::from((margin as f32).exp())),
            Self::Exp => each(margins, &f64::exp),
            Self::SignedSquare => each(margins, &|margin| margin.signum() * margin * margin),
            Self::Softmax => {
                let most = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if is_single {
                    each(margins, &|margin| f64::from(((margin - most) as f32).exp()));
                } else {
                    each(margins, &|margin| (margin - most).exp());
                }
                let sum: f64 = margins.iter().sum();
                each(margins, &|part| part / sum);
            }
        }
    }
}

impl TryFrom<Stored> for Ensemble {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { trees, width, base, sum, precision, link, names } = stored;
        let ensemble = Self { trees, width, base, sum, precision, link, names };
        if ensemble.trees.iter().any(|tree| tree.depth().is_none()) {
            return Err("not a tree".to_owned());
        }
        match ensemble.fault() {
            Some(fault) => Err(fault),
            None => Ok(ensemble),
        }
    }
}

impl From<Ensemble> for Stored {
    fn from(ensemble: Ensemble) -> Self {
        let Ensemble { trees, width, base, sum, precision, link, names } = ensemble;
        Self { trees, width, base, sum, precision, link, names }
    }
}
