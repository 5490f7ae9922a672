//! What both forms of LightGBM's models have in common.

use super::xgboost::insert;
use super::{Link, LoadError, Missing, Split, Sum};

/// What LightGBM says of a whole model.
pub(super) struct Head {
    pub(super) classes: usize,
    pub(super) width: usize,
    pub(super) objective: String,
    pub(super) is_mean: bool,
}

/// How a missing value is met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingType {
    None,
    Zero,
    Nan,
}

pub(super) fn missing(kind: MissingType, default_left: bool) -> Missing {
    match (kind, default_left) {
        (MissingType::None, _) => Missing::AsZero,
        (MissingType::Zero, true) => Missing::ZeroTooLeft,
        (MissingType::Zero, false) => Missing::ZeroTooRight,
        (MissingType::Nan, true) => Missing::Left,
        (MissingType::Nan, false) => Missing::Right,
    }
}

/// A split whose categories go left; all others and missing ones go right.
pub(super) fn category_split(feature: u32, categories: impl Iterator<Item = f64>) -> Option<Split> {
    let mut set = Vec::new();
    for category in categories {
        insert(&mut set, category)?;
    }
    Some(Split::Category { feature, set, set_is_left: true, missing_is_left: false })
}

impl Head {
    pub(super) fn link(&self) -> Result<Link, LoadError> {
        let mut words = self.objective.split_whitespace();
        let name = words.next().unwrap_or("");
        let rest: Vec<&str> = words.collect();
        let slope = rest.iter().find_map(|word| word.strip_prefix("sigmoid:")?.parse().ok()).unwrap_or(1.0);
        Ok(match name {
            "binary" | "multiclassova" => Link::Logistic { slope },
            "cross_entropy" => Link::Logistic { slope: 1.0 },
            "multiclass" => Link::Softmax,
            "poisson" | "gamma" | "tweedie" => Link::Exp,
            "regression" if rest.contains(&"sqrt") => Link::SignedSquare,
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank" | "rank_xendcg"
            | "custom" | "none" | "" => Link::Identity,
            other => {
                let what = format!("the objective `{other}` of LightGBM");
                return Err(LoadError::Unsupported {
                    what,
                    instead: "logistic, softmax, log and identity links can be",
                });
            }
        })
    }

    pub(super) fn sum(&self, trees: usize) -> Result<Sum, LoadError> {
        if self.classes == 0 || !trees.is_multiple_of(self.classes) {
            let what = format!("{trees} trees for {} outputs", self.classes);
            return Err(LoadError::broken("num_tree_per_iteration", what));
        }
        Ok(if self.is_mean && trees > 0 { Sum::Mean((trees / self.classes) as u32) } else { Sum::Total })
    }
}
