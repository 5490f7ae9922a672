//! Models of LightGBM, as text.

use std::collections::HashMap;

use super::tree::{Missing, Node, Rule, Split, TreeParts};
use super::{Aggregation, Ensemble, EnsembleParts, Link, LoadError, Precision};

const FORMAT: &str = "a model of LightGBM";

/// Reads `model.txt` of LightGBM 3 and 4 (text version `v3` or `v4`).
///
/// All trees are taken (`predict` of a `Booster` that stopped early uses those to the best iteration, and
/// saves only those). Categorical splits, each kind of missing value, and forests (a mean) are understood.
///
/// # Errors
/// If the bytes are no such model, or a part of it is not supported: linear trees, an objective of one's
/// own kind that changes margins in an unknown way.
pub fn lightgbm_text(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error.to_string()))?;
    let body = text.split("\nend of trees").next().filter(|body| body.len() < text.len());
    let body = body.ok_or_else(|| malformed("it ends before `end of trees`"))?;
    let mut sections = body.split("\nTree=");
    let head = section(sections.next().unwrap_or_default());
    if !head.contains_key("tree") {
        return Err(malformed("it does not begin with `tree`"));
    }
    if !["v3", "v4"].contains(&entry(&head, "version")?) {
        return Err(LoadError::Unsupported { what: format!("version `{}`", entry(&head, "version")?) });
    }
    let n_features = number::<u32>(&head, "max_feature_idx")? as usize + 1;
    let n_outputs = number::<u32>(&head, "num_tree_per_iteration")? as usize;
    if n_outputs == 0 || n_outputs > 10_000 {
        return Err(LoadError::Outputs(n_outputs));
    }
    let link = link(head.get("objective").copied().unwrap_or_default())?;
    let mut trees = vec![];
    for tree in sections {
        trees.push(read_tree(&section(tree), (trees.len() % n_outputs) as u32)?);
    }
    if let Some(sizes) = head.get("tree_sizes") {
        same_length("tree_sizes", sizes.split_whitespace().count(), trees.len())?;
    }
    let iterations = u32::try_from(trees.len() / n_outputs).unwrap_or(u32::MAX);
    let is_mean = head.contains_key("average_output") && iterations > 0;
    Ensemble::from_parts(EnsembleParts {
        n_features,
        base: vec![0.0; n_outputs],
        feature_names: entry(&head, "feature_names")?.split(' ').map(str::to_owned).collect(),
        precision: Precision::Double,
        aggregation: if is_mean { Aggregation::Mean(iterations) } else { Aggregation::Sum },
        link,
        trees,
    })
}

/// The lines `name=value`, and names alone.
type Section<'a> = HashMap<&'a str, &'a str>;

fn section(text: &str) -> Section<'_> {
    text.lines().map(|line| line.split_once('=').unwrap_or((line, ""))).collect()
}

fn link(objective: &str) -> Result<Link, LoadError> {
    let mut words = objective.split_whitespace();
    let name = words.next().unwrap_or_default();
    let scale = || -> Result<f64, LoadError> {
        let scale = objective.split_whitespace().find_map(|word| word.strip_prefix("sigmoid:"));
        scale.and_then(|scale| scale.parse().ok()).ok_or_else(|| wrong("sigmoid", "a number"))
    };
    Ok(match name {
        "regression" if words.any(|word| word == "sqrt") => Link::SignedSquare,
        "" | "custom" | "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank"
        | "rank_xendcg" => Link::Identity,
        "binary" | "multiclassova" => Link::Logistic { scale: scale()? },
        "cross_entropy" => Link::Logistic { scale: 1.0 },
        "cross_entropy_lambda" => Link::Softplus,
        "multiclass" => Link::Softmax,
        "poisson" | "gamma" | "tweedie" => Link::Exponential,
        other => return Err(LoadError::Unsupported { what: format!("objective `{other}`") }),
    })
}

/// The parallel lists of a tree's splits.
struct Lists {
    features: Vec<u32>,
    thresholds: Vec<f64>,
    kinds: Vec<u8>,
    left: Vec<i64>,
    right: Vec<i64>,
}

fn read_tree(tree: &Section<'_>, output: u32) -> Result<TreeParts, LoadError> {
    if tree.get("is_linear").is_some_and(|linear| *linear != "0") {
        return Err(LoadError::Unsupported { what: "a linear model in the leaves (`linear_tree`)".to_owned() });
    }
    let n_leaves = number::<u32>(tree, "num_leaves")? as usize;
    let leaf_values = list::<f64>(tree, "leaf_value", n_leaves)?;
    if n_leaves == 0 {
        return Err(wrong("num_leaves", "above zero"));
    }
    if n_leaves == 1 {
        let nodes = vec![Node::Leaf(0)];
        return Ok(TreeParts { nodes, output: Some(output), leaf_values, ..TreeParts::default() });
    }
    let n_splits = n_leaves - 1;
    let lists = Lists {
        features: list(tree, "split_feature", n_splits)?,
        thresholds: list(tree, "threshold", n_splits)?,
        kinds: list(tree, "decision_type", n_splits)?,
        left: list(tree, "left_child", n_splits)?,
        right: list(tree, "right_child", n_splits)?,
    };
    let categories = categories(tree)?;
    let mut nodes = Vec::with_capacity(n_splits + n_leaves);
    for at in 0..n_splits {
        nodes.push(Node::Split(split(&lists, at, n_splits)?));
    }
    nodes.extend((0..n_leaves as u32).map(Node::Leaf));
    let covers = if tree.contains_key("leaf_count") && tree.contains_key("internal_count") {
        let mut covers = list::<f64>(tree, "internal_count", n_splits)?;
        covers.extend(list::<f64>(tree, "leaf_count", n_leaves)?);
        Some(covers)
    } else {
        None
    };
    Ok(TreeParts { nodes, covers, output: Some(output), leaf_values, categories })
}

/// Bit 0 of the kind: categorical. Bit 1: missing values go left. Bits 2 and 3: which values are missing.
fn split(lists: &Lists, at: usize, n_splits: usize) -> Result<Split, LoadError> {
    let (kind, threshold) = (lists.kinds[at], lists.thresholds[at]);
    // A child below zero is a leaf, counted from -1 down.
    let child = |child: i64| {
        let place = if child < 0 { (n_splits as i64).checked_add(!child) } else { Some(child) };
        let is_split_or_leaf = child < n_splits as i64;
        place.filter(|_| is_split_or_leaf).and_then(|place| u32::try_from(place).ok())
    };
    let (left, right) = (child(lists.left[at]), child(lists.right[at]));
    let (Some(left), Some(right)) = (left, right) else { return Err(wrong("left_child", "a list of nodes")) };
    let feature = lists.features[at];
    if kind & 1 == 1 {
        if !(0.0 <= threshold && threshold <= 1e9) {
            return Err(wrong("threshold", "the place of a set of categories"));
        }
        let rule = Rule::In(threshold as u32);
        return Ok(Split { feature, left, right, rule, missing: Missing::Nan, missing_left: false });
    }
    let missing = match kind >> 2 & 3 {
        0 => Missing::Never,
        1 => Missing::NanOrZero,
        2 => Missing::Nan,
        _ => return Err(wrong("decision_type", "a list of known kinds")),
    };
    Ok(Split { feature, left, right, rule: Rule::AtMost(threshold), missing, missing_left: kind & 2 == 2 })
}

fn categories(tree: &Section<'_>) -> Result<Vec<Vec<u32>>, LoadError> {
    let n_sets = number::<u32>(tree, "num_cat")? as usize;
    if n_sets == 0 {
        return Ok(vec![]);
    }
    let bounds = list::<usize>(tree, "cat_boundaries", n_sets + 1)?;
    let words = list::<u32>(tree, "cat_threshold", bounds[n_sets])?;
    let set = |pair: &[usize]| words.get(pair[0]..pair[1]).map(<[u32]>::to_vec);
    let sets = bounds.windows(2).map(|pair| set(pair).ok_or_else(|| wrong("cat_boundaries", "rising")));
    sets.collect()
}

fn malformed(reason: &str) -> LoadError {
    LoadError::Malformed { format: FORMAT, reason: reason.to_owned() }
}

fn wrong(name: &str, expected: &'static str) -> LoadError {
    LoadError::Field { name: name.to_owned(), expected }
}

fn same_length(name: &str, found: usize, expected: usize) -> Result<(), LoadError> {
    if found == expected { Ok(()) } else { Err(LoadError::Length { name: name.to_owned(), found, expected }) }
}

fn entry<'a>(section: &Section<'a>, name: &str) -> Result<&'a str, LoadError> {
    section.get(name).copied().ok_or_else(|| wrong(name, "there"))
}

fn number<T: std::str::FromStr>(section: &Section<'_>, name: &str) -> Result<T, LoadError> {
    entry(section, name)?.trim().parse().map_err(|_| wrong(name, "a number"))
}

fn list<T: std::str::FromStr>(section: &Section<'_>, name: &str, expected: usize) -> Result<Vec<T>, LoadError> {
    let words = entry(section, name)?.split_whitespace();
    let values: Vec<T> =
        words.map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong(name, "a list of numbers"))?;
    same_length(name, values.len(), expected)?;
    Ok(values)
}
