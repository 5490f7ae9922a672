//! Models of XGBoost, as JSON and as universal binary JSON.

use serde_json::Value;

use super::tree::{Missing, Node, Rule, Split, TreeParts};
use super::xgboost_ubj::read;
use super::{Aggregation, Ensemble, EnsembleParts, Link, LoadError, Precision};

const FORMAT: &str = "a model of XGBoost";

/// Reads `model.json` of XGBoost 1.0 to 3.2.
///
/// All trees are taken, also those after the best iteration of early stopping (as `predict` of a
/// `Booster` does; the scikit-learn interface stops at the best one). Categorical splits, forests, DART
/// weights and trees with a value for each output are understood.
///
/// # Errors
/// If the bytes are no such model, or a part of it is not supported: `gblinear`, survival by AFT,
/// ranges that are not finite.
pub fn xgboost_json(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    let reason = |error: serde_json::Error| LoadError::Malformed { format: FORMAT, reason: error.to_string() };
    from_value(&serde_json::from_slice(bytes).map_err(reason)?)
}

/// Reads `model.ubj` of XGBoost 1.6 to 3.2, as [`xgboost_json`] does.
///
/// # Errors
/// As [`xgboost_json`].
pub fn xgboost_ubj(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    let reason = |reason| LoadError::Malformed { format: FORMAT, reason };
    from_value(&read(bytes).map_err(reason)?)
}

fn from_value(model: &Value) -> Result<Ensemble, LoadError> {
    let learner = field(model, "learner")?;
    let booster = field(learner, "gradient_booster")?;
    let (trees_of, weights) = match text(booster, "name")? {
        "gbtree" => (booster, None),
        "dart" => (field(booster, "gbtree")?, Some(numbers(booster, "weight_drop")?)),
        other => return Err(LoadError::Unsupported { what: format!("booster `{other}`") }),
    };
    let model = field(trees_of, "model")?;
    if let Some(encodings) = model.pointer("/cats/enc").and_then(Value::as_array)
        && !encodings.is_empty()
    {
        return Err(LoadError::Unsupported { what: "a model that encodes categories of text by itself".to_owned() });
    }
    let parameters = field(learner, "learner_model_param")?;
    let n_features = number(parameters, "num_feature")? as usize;
    let classes = optional_number(parameters, "num_class")?.max(1.0);
    let targets = optional_number(parameters, "num_target")?.max(1.0);
    let n_outputs = classes.max(targets) as usize;
    if n_outputs > 10_000 {
        return Err(LoadError::Outputs(n_outputs));
    }
    let (link, to_margin) = objective(text(field(learner, "objective")?, "name")?)?;
    let base = base_margins(field(parameters, "base_score")?, n_outputs, to_margin)?;
    let trees = trees(model, n_outputs, weights.as_deref())?;
    Ensemble::from_parts(EnsembleParts {
        n_features,
        base,
        feature_names: names(learner)?,
        precision: Precision::Single,
        aggregation: Aggregation::Sum,
        link,
        trees,
    })
}

fn trees(model: &Value, n_outputs: usize, weights: Option<&[f64]>) -> Result<Vec<TreeParts>, LoadError> {
    let listed = field(model, "trees")?.as_array().ok_or_else(|| wrong("trees", "a list"))?;
    let groups = numbers(model, "tree_info")?;
    same_length("tree_info", groups.len(), listed.len())?;
    if let Some(weights) = weights {
        same_length("weight_drop", weights.len(), listed.len())?;
    }
    let mut trees = Vec::with_capacity(listed.len());
    for (index, tree) in listed.iter().enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[index]);
        trees.push(read_tree(tree, groups[index] as u32, n_outputs, weight as f32)?);
    }
    Ok(trees)
}

/// The parallel lists of a tree.
struct Lists {
    left: Vec<f64>,
    right: Vec<f64>,
    features: Vec<f64>,
    conditions: Vec<f64>,
    default_left: Vec<f64>,
    kinds: Vec<f64>,
}

fn read_tree(tree: &Value, group: u32, n_outputs: usize, weight: f32) -> Result<TreeParts, LoadError> {
    let left = numbers(tree, "left_children")?;
    let n_nodes = left.len();
    let list = |name| -> Result<Vec<f64>, LoadError> {
        let values = numbers(tree, name)?;
        same_length(name, values.len(), n_nodes)?;
        Ok(values)
    };
    let kinds = if tree.get("split_type").is_some() { list("split_type")? } else { vec![0.0; n_nodes] };
    let lists = Lists {
        right: list("right_children")?,
        features: list("split_indices")?,
        conditions: list("split_conditions")?,
        default_left: list("default_left")?,
        kinds,
        left,
    };
    let width = optional_number(field(tree, "tree_param")?, "size_leaf_vector")?.max(1.0) as usize;
    if width != 1 && width != n_outputs {
        return Err(LoadError::Length { name: "size_leaf_vector".to_owned(), found: width, expected: n_outputs });
    }
    let (sets, set_of) = category_sets(tree, n_nodes)?;
    let covers = if tree.get("sum_hessian").is_some() { Some(list("sum_hessian")?) } else { None };
    let output = if width == 1 { Some(group) } else { None };
    let mut parts = TreeParts { covers, output, categories: sets, ..TreeParts::default() };
    let vectors = if width == 1 { vec![] } else { leaf_vectors(tree, n_nodes * width)? };
    for (at, set) in set_of.iter().enumerate() {
        let node = if lists.left[at] < 0.0 {
            let leaf = parts.leaf_values.len() / width;
            let own = [lists.conditions[at]];
            let values = if width == 1 { &own[..] } else { leaf_vector(tree, &lists, &vectors, at, width)? };
            parts.leaf_values.extend(values.iter().map(|value| f64::from(*value as f32 * weight)));
            Node::Leaf(leaf as u32)
        } else {
            Node::Split(split(&lists, at, *set)?)
        };
        parts.nodes.push(node);
    }
    Ok(parts)
}

fn leaf_vectors(tree: &Value, expected: usize) -> Result<Vec<f64>, LoadError> {
    // Since 3.1 leaves have a list of their own, and the place in it is the leaf's right child.
    let name = if tree.get("leaf_weights").is_some() { "leaf_weights" } else { "base_weights" };
    let values = numbers(tree, name)?;
    if name == "base_weights" {
        same_length(name, values.len(), expected)?;
    }
    Ok(values)
}

fn leaf_vector<'a>(
    tree: &Value,
    lists: &Lists,
    vectors: &'a [f64],
    at: usize,
    width: usize,
) -> Result<&'a [f64], LoadError> {
    let place = if tree.get("leaf_weights").is_some() { lists.right[at].max(0.0) as usize } else { at };
    let first = place.saturating_mul(width);
    vectors.get(first..first.saturating_add(width)).ok_or_else(|| wrong("leaf_weights", "a value for each output"))
}

/// XGBoost asks `value < condition` of `f32`, and sends a category in the set right.
fn split(lists: &Lists, at: usize, set: Option<u32>) -> Result<Split, LoadError> {
    let index = |value: f64| value as u32;
    let (left, right) = (index(lists.left[at]), index(lists.right[at]));
    let missing_left = lists.default_left[at] != 0.0;
    let feature = index(lists.features[at]);
    let missing = Missing::Nan;
    if lists.kinds[at] == 0.0 {
        let rule = Rule::AtMost(f64::from((lists.conditions[at] as f32).next_down()));
        return Ok(Split { feature, left, right, rule, missing, missing_left });
    }
    let set = set.ok_or_else(|| wrong("categories_nodes", "a list of all categorical splits"))?;
    Ok(Split { feature, left: right, right: left, rule: Rule::In(set), missing, missing_left: !missing_left })
}

/// The sets of a tree, and which one each node asks for.
type Sets = (Vec<Vec<u32>>, Vec<Option<u32>>);

fn category_sets(tree: &Value, n_nodes: usize) -> Result<Sets, LoadError> {
    let mut set_of = vec![None; n_nodes];
    if tree.get("categories_nodes").is_none() {
        return Ok((vec![], set_of));
    }
    let (nodes, categories) = (numbers(tree, "categories_nodes")?, numbers(tree, "categories")?);
    let (firsts, sizes) = (numbers(tree, "categories_segments")?, numbers(tree, "categories_sizes")?);
    same_length("categories_segments", firsts.len(), nodes.len())?;
    same_length("categories_sizes", sizes.len(), nodes.len())?;
    let mut sets = Vec::with_capacity(nodes.len());
    for ((node, first), size) in nodes.iter().zip(&firsts).zip(&sizes) {
        let first = *first as usize;
        let members = categories.get(first..first.saturating_add(*size as usize));
        let members = members.ok_or_else(|| wrong("categories", "as long as its segments"))?;
        *set_of.get_mut(*node as usize).ok_or_else(|| wrong("categories_nodes", "a list of nodes"))? =
            Some(sets.len() as u32);
        sets.push(bits(members)?);
    }
    Ok((sets, set_of))
}

/// XGBoost knows categories below `2^24`; a set takes no more memory than 64 times its members, or 4 KiB.
fn bits(members: &[f64]) -> Result<Vec<u32>, LoadError> {
    let most = members.iter().copied().fold(0.0, f64::max);
    if members.iter().any(|member| *member < 0.0) || most >= 16_777_216.0 {
        return Err(wrong("categories", "a list of numbers from 0 to 2^24"));
    }
    if most > 32_768.0 + 512.0 * members.len() as f64 {
        return Err(LoadError::Unsupported { what: format!("a set of few categories as high as {most}") });
    }
    let mut words = vec![0_u32; most as usize / 32 + 1];
    for member in members {
        words[*member as usize / 32] |= 1 << (*member as usize % 32);
    }
    Ok(words)
}

/// From a base score to a margin, in `f32`.
type ToMargin = fn(f32) -> f32;

fn objective(name: &str) -> Result<(Link, ToMargin), LoadError> {
    let logit: ToMargin = |score| -(1.0 / score - 1.0).ln();
    let same: ToMargin = |score| score;
    Ok(match name {
        "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:pseudohubererror"
        | "reg:absoluteerror"
        | "reg:quantileerror"
        | "reg:expectileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map"
        | "binary:logitraw" => (Link::Identity, if name == "binary:logitraw" { logit } else { same }),
        "binary:logistic" | "reg:logistic" => (Link::Logistic { scale: 1.0 }, logit),
        "binary:hinge" => (Link::Step, same),
        "multi:softprob" | "multi:softmax" => (Link::Softmax, same),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" => (Link::Exponential, f32::ln),
        other => return Err(LoadError::Unsupported { what: format!("objective `{other}`") }),
    })
}

/// The base score is a number, a number as text, or (since 3.1) a list as text: one, or one an output.
fn base_margins(score: &Value, n_outputs: usize, to_margin: ToMargin) -> Result<Vec<f64>, LoadError> {
    let is_no_number = || wrong("base_score", "a number or a list of numbers");
    let scores: Vec<f32> = match score {
        Value::Number(number) => vec![number.as_f64().ok_or_else(is_no_number)? as f32],
        Value::String(text) => {
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
            inner.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map_err(|_| is_no_number())?
        }
        _ => return Err(is_no_number()),
    };
    let margins: Vec<f64> = scores.iter().map(|score| f64::from(to_margin(*score))).collect();
    if margins.len() == 1 {
        return Ok(margins.repeat(n_outputs));
    }
    same_length("base_score", margins.len(), n_outputs)?;
    Ok(margins)
}

fn names(learner: &Value) -> Result<Vec<String>, LoadError> {
    let Some(names) = learner.get("feature_names") else { return Ok(vec![]) };
    let names = names.as_array().ok_or_else(|| wrong("feature_names", "a list"))?;
    let text = |name: &Value| name.as_str().map(str::to_owned).ok_or_else(|| wrong("feature_names", "a list of text"));
    names.iter().map(text).collect()
}

fn wrong(name: &str, expected: &'static str) -> LoadError {
    LoadError::Field { name: name.to_owned(), expected }
}

fn same_length(name: &str, found: usize, expected: usize) -> Result<(), LoadError> {
    if found == expected { Ok(()) } else { Err(LoadError::Length { name: name.to_owned(), found, expected }) }
}

fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, LoadError> {
    value.get(name).ok_or_else(|| wrong(name, "there"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, LoadError> {
    field(value, name)?.as_str().ok_or_else(|| wrong(name, "text"))
}

/// Parameters are numbers as text.
fn number(value: &Value, name: &str) -> Result<f64, LoadError> {
    let field = field(value, name)?;
    let number = field.as_f64().or_else(|| field.as_str()?.parse().ok());
    number.filter(|number| number.is_finite()).ok_or_else(|| wrong(name, "a number"))
}

fn optional_number(value: &Value, name: &str) -> Result<f64, LoadError> {
    if value.get(name).is_some() { number(value, name) } else { Ok(0.0) }
}

fn numbers(value: &Value, name: &str) -> Result<Vec<f64>, LoadError> {
    let is_no_list = || wrong(name, "a list of numbers");
    let list = field(value, name)?.as_array().ok_or_else(is_no_list)?;
    // Early versions wrote the default direction as a truth value.
    let number = |entry: &Value| entry.as_f64().or_else(|| entry.as_bool().map(|truth| f64::from(u8::from(truth))));
    list.iter().map(|entry| number(entry).ok_or_else(is_no_list)).collect()
}
