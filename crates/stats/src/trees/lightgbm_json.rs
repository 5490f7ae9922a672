//! LightGBM's models as JSON: `dump_model`.

use serde_json::Value;

use super::builder::{Raw, lay_out};
use super::lightgbm::{Head, MissingType, category_split, missing};
use super::{Ensemble, LoadError, Precision, Split, Tree, json};

/// Reads a model of LightGBM from the JSON of `dump_model`; as [`super::read_lightgbm_text`].
///
/// Thresholds and leaf values of a dump have as many digits as the library writes. Trees deeper than some 500 splits
/// nest too far for JSON: use the text.
///
/// # Errors
/// [`LoadError`] says what is wrong, and where.
pub fn read_lightgbm_json(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    let document = json::read(bytes)?;
    let whole = |key: &str| {
        let found = document.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        found.ok_or_else(|| LoadError::missing(key, "a whole number"))
    };
    let trees = document.get("tree_info").and_then(Value::as_array);
    let trees = trees.ok_or_else(|| LoadError::missing("tree_info", "a list of trees"))?;
    let head = Head {
        classes: whole("num_tree_per_iteration")?,
        width: whole("max_feature_idx")?.saturating_add(1),
        objective: document.get("objective").and_then(Value::as_str).unwrap_or("").to_owned(),
        is_mean: document.get("average_output").and_then(Value::as_bool).unwrap_or(false),
    };
    let sum = head.sum(trees.len())?;
    if head.classes > trees.len().max(1) {
        return Err(LoadError::broken(
            "num_tree_per_iteration",
            format!("{}, with {} trees", head.classes, trees.len()),
        ));
    }
    let names = document.get("feature_names").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    let trees = trees.iter().enumerate().map(|(index, tree)| {
        let place = format!("tree_info[{index}]");
        let root = tree.get("tree_structure");
        let root = root.ok_or_else(|| LoadError::missing(format!("{place}.tree_structure"), "a node"))?;
        read_tree(&place, root, (index % head.classes) as u32)
    });
    let ensemble = Ensemble {
        trees: trees.collect::<Result<_, _>>()?,
        width: head.width,
        base: vec![0.0; head.classes],
        sum,
        precision: Precision::Double,
        link: head.link()?,
        names: if names.len() == head.width { names } else { Vec::new() },
    };
    match ensemble.fault() {
        Some(fault) => Err(LoadError::broken("the model", fault)),
        None => Ok(ensemble),
    }
}

fn read_tree(place: &str, root: &Value, output: u32) -> Result<Tree, LoadError> {
    // Nodes are numbered as they are met, so that the layout is the same as for a list.
    let mut nodes = vec![root];
    let mut at = 0;
    let mut children = Vec::new();
    while at < nodes.len() {
        let node = nodes[at];
        let pair = ["left_child", "right_child"].map(|side| node.get(side));
        children.push(match pair {
            [Some(left), Some(right)] => {
                nodes.extend([left, right]);
                Some((nodes.len() - 2, nodes.len() - 1))
            }
            _ => None,
        });
        at += 1;
    }
    lay_out(place, nodes.len(), 0, |at| {
        let node = nodes[at];
        let number = |key: &str| node.get(key).and_then(Value::as_f64);
        let Some((left, right)) = children[at] else {
            let value =
                number("leaf_value").ok_or_else(|| LoadError::missing(format!("{place}: leaf_value"), "a number"))?;
            if node.get("leaf_coeff").is_some() {
                let what = format!("{place}, a linear tree of LightGBM,");
                return Err(LoadError::Unsupported { what, instead: "train with `linear_tree=false`" });
            }
            return Ok((Raw::Leaf(output, vec![value]), Some(number("leaf_count").unwrap_or(1.0))));
        };
        Ok((Raw::Split(read_split(place, node)?, left, right), number("internal_count")))
    })
}

fn read_split(place: &str, node: &Value) -> Result<Split, LoadError> {
    let absent = |key: &str, wanted| LoadError::missing(format!("{place}: {key}"), wanted);
    let feature = node.get("split_feature").and_then(Value::as_u64).and_then(|feature| u32::try_from(feature).ok());
    let feature = feature.ok_or_else(|| absent("split_feature", "a column"))?;
    let threshold = node.get("threshold");
    match node.get("decision_type").and_then(Value::as_str) {
        Some("==") => {
            let text = threshold.and_then(Value::as_str).ok_or_else(|| absent("threshold", "categories"))?;
            let categories: Option<Vec<f64>> = text.split("||").map(|word| word.trim().parse().ok()).collect();
            categories
                .and_then(|categories| category_split(feature, categories.into_iter()))
                .ok_or_else(|| absent("threshold", "categories"))
        }
        Some("<=") => {
            let threshold = threshold.and_then(Value::as_f64).ok_or_else(|| absent("threshold", "a number"))?;
            let kind = match node.get("missing_type").and_then(Value::as_str) {
                Some("None") => MissingType::None,
                Some("Zero") => MissingType::Zero,
                Some("NaN") => MissingType::Nan,
                _ => return Err(absent("missing_type", "None, Zero or NaN")),
            };
            let default_left = node.get("default_left").and_then(Value::as_bool).unwrap_or(false);
            Ok(Split::Number { feature, threshold, missing: missing(kind, default_left) })
        }
        _ => Err(absent("decision_type", "`<=` or `==`")),
    }
}
