//! XGBoost's models, as `save_model` writes them.

use serde_json::Value;

use super::builder::{Raw, lay_out};
use super::split::below_single;
use super::{Ensemble, Link, LoadError, Missing, Precision, Split, Sum, Tree, json, ubjson};

/// Reads a model of XGBoost 1.0 and later in JSON.
///
/// All trees count, as `predict` without an `iteration_range` has it. Margins are the library's to the last bit:
/// comparisons and sums in single precision, in its order. Refused, by name: `gblinear`, trees whose leaves are
/// vectors, objectives that are not known.
///
/// # Errors
/// [`LoadError`] says what is wrong, and where.
pub fn read_xgboost_json(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    read(&json::read(bytes)?)
}

/// Reads a model of XGBoost in UBJSON; as [`read_xgboost_json`].
///
/// # Errors
/// [`LoadError`] says what is wrong, and where.
pub fn read_xgboost_ubj(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    read(&ubjson::read(bytes)?)
}

fn read(document: &Value) -> Result<Ensemble, LoadError> {
    let learner = part(document, "learner")?;
    let booster = part(learner, "gradient_booster")?;
    let name = text(booster, "name")?;
    let (model, weights) = match name {
        "gbtree" => (part(booster, "model")?, None),
        "dart" => (part(part(booster, "gbtree")?, "model")?, Some(numbers(booster, "weight_drop")?)),
        other => {
            let what = format!("the booster `{other}` of XGBoost");
            return Err(LoadError::Unsupported { what, instead: "`gbtree` and `dart` can be" });
        }
    };
    let parameters = part(learner, "learner_model_param")?;
    let objective = text(part(learner, "objective")?, "name")?;
    let link = link_of(objective)?;
    let whole = |key: &str| text(parameters, key).ok().and_then(|text| text.parse::<usize>().ok());
    let width = whole("num_feature").ok_or_else(|| LoadError::missing("learner_model_param.num_feature", "a count"))?;
    let outputs = whole("num_class").unwrap_or(0).max(whole("num_target").unwrap_or(1)).max(1);
    let tree_info = numbers(model, "tree_info")?;
    let trees = list(model, "trees")?;
    if tree_info.len() != trees.len() || weights.as_ref().is_some_and(|weights| weights.len() != trees.len()) {
        return Err(LoadError::broken("tree_info", format!("{} entries for {} trees", tree_info.len(), trees.len())));
    }
    let trees = trees.iter().enumerate().map(|(index, tree)| {
        let weight = weights.as_ref().map_or(1.0, |weights| weights[index] as f32);
        read_tree(&format!("trees[{index}]"), tree, tree_info[index] as u32, weight)
    });
    let ensemble = Ensemble {
        trees: trees.collect::<Result<_, _>>()?,
        width,
        base: base_of(parameters, objective, outputs)?,
        sum: Sum::Total,
        precision: Precision::Single,
        link,
        names: names_of(learner, width),
    };
    match ensemble.fault() {
        Some(fault) => Err(LoadError::broken("learner", fault)),
        None => Ok(ensemble),
    }
}

fn link_of(objective: &str) -> Result<Link, LoadError> {
    Ok(match objective {
        "binary:logistic" | "reg:logistic" => Link::Logistic { slope: 1.0 },
        "multi:softprob" | "multi:softmax" => Link::Softmax,
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => Link::Exp,
        "binary:logitraw"
        | "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:absoluteerror"
        | "reg:pseudohubererror"
        | "reg:quantileerror"
        | "reg:expectileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => Link::Identity,
        other => {
            let what = format!("the objective `{other}` of XGBoost");
            return Err(LoadError::Unsupported { what, instead: "logistic, softmax, log and identity links can be" });
        }
    })
}

/// Base scores as margins: files keep them as predictions, except for several classes.
fn base_of(parameters: &Value, objective: &str, outputs: usize) -> Result<Vec<f64>, LoadError> {
    let place = "learner_model_param.base_score";
    let said = match parameters.get("base_score") {
        Some(Value::String(text)) => {
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
            inner.split(',').map(|part| part.trim().parse::<f32>().ok()).collect::<Option<Vec<f32>>>()
        }
        Some(Value::Number(number)) => number.as_f64().map(|value| vec![value as f32]),
        Some(Value::Array(_)) => {
            Some(numbers(parameters, "base_score")?.into_iter().map(|value| value as f32).collect())
        }
        _ => None,
    };
    let said = said.ok_or_else(|| LoadError::missing(place, "a number or a list of them"))?;
    let margin = |score: f32| match objective {
        "binary:logistic" | "reg:logistic" | "binary:logitraw" => -(1.0 / score - 1.0).ln(),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => score.ln(),
        _ => score,
    };
    let margins: Vec<f64> = said.iter().map(|score| f64::from(margin(*score))).collect();
    match margins.len() {
        1 => Ok(vec![margins[0]; outputs]),
        count if count == outputs => Ok(margins),
        count => Err(LoadError::broken(place, format!("{count} scores for {outputs} outputs"))),
    }
}

fn names_of(learner: &Value, width: usize) -> Vec<String> {
    let names: Vec<String> = learner
        .get("feature_names")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    if names.len() == width { names } else { Vec::new() }
}

/// Columns of one tree.
struct Columns {
    left: Vec<f64>,
    right: Vec<f64>,
    feature: Vec<f64>,
    condition: Vec<f64>,
    default_left: Vec<f64>,
    cover: Vec<f64>,
    kind: Vec<f64>,
}

fn read_tree(place: &str, tree: &Value, output: u32, weight: f32) -> Result<Tree, LoadError> {
    let within = |error| match error {
        LoadError::Missing { place: inner, wanted } => LoadError::Missing { place: format!("{place}.{inner}"), wanted },
        other => other,
    };
    let column = |key: &str| numbers(tree, key).map_err(within);
    if tree
        .get("tree_param")
        .and_then(|parameters| text(parameters, "size_leaf_vector").ok())
        .is_some_and(|size| !matches!(size, "0" | "1"))
    {
        let what = format!("{place}, whose leaves are vectors,");
        return Err(LoadError::Unsupported { what, instead: "train with `multi_strategy=one_output_per_tree`" });
    }
    let left = column("left_children")?;
    let count = left.len();
    let columns = Columns {
        right: column("right_children")?,
        feature: column("split_indices")?,
        condition: column("split_conditions")?,
        default_left: column("default_left")?,
        cover: column("sum_hessian").unwrap_or_default(),
        // Models before categories have none.
        kind: column("split_type").unwrap_or_else(|_| vec![0.0; count]),
        left,
    };
    let all = [&columns.right, &columns.feature, &columns.condition, &columns.default_left, &columns.kind];
    if all.iter().any(|column| column.len() != count) {
        return Err(LoadError::broken(place, "columns of different lengths"));
    }
    let sets = categories(place, tree, count)?;
    lay_out(place, count, 0, |at| {
        let cover = columns.cover.get(at).copied();
        if columns.left[at] < 0.0 {
            return Ok((Raw::Leaf(output, vec![f64::from(columns.condition[at] as f32 * weight)]), cover));
        }
        let feature = columns.feature[at] as u32;
        let missing_is_left = columns.default_left[at] != 0.0;
        let split = if columns.kind[at] == 1.0 {
            // The set goes right, what is not in it left.
            Split::Category { feature, set: sets[at].clone(), set_is_left: false, missing_is_left }
        } else {
            let missing = if missing_is_left { Missing::Left } else { Missing::Right };
            Split::Number { feature, threshold: below_single(columns.condition[at] as f32), missing }
        };
        Ok((Raw::Split(split, columns.left[at] as usize, columns.right[at] as usize), cover))
    })
}

/// The categories of each node, as bits.
fn categories(place: &str, tree: &Value, count: usize) -> Result<Vec<Vec<u64>>, LoadError> {
    let mut sets = vec![Vec::new(); count];
    let Some(nodes) = tree.get("categories_nodes").and_then(Value::as_array) else { return Ok(sets) };
    if nodes.is_empty() {
        return Ok(sets);
    }
    let (nodes, all) = (numbers(tree, "categories_nodes")?, numbers(tree, "categories")?);
    let (starts, sizes) = (numbers(tree, "categories_segments")?, numbers(tree, "categories_sizes")?);
    if starts.len() != nodes.len() || sizes.len() != nodes.len() {
        return Err(LoadError::broken(place, "categories of different lengths"));
    }
    for ((node, start), size) in nodes.iter().zip(starts).zip(sizes) {
        let range = start as usize..(start as usize).saturating_add(size as usize);
        let (Some(set), Some(chosen)) = (sets.get_mut(*node as usize), all.get(range)) else {
            return Err(LoadError::broken(place, format!("categories of node {node} lie outside")));
        };
        for category in chosen {
            insert(set, *category).ok_or_else(|| LoadError::broken(place, format!("the category {category}")))?;
        }
    }
    Ok(sets)
}

/// Sets a bit; nothing for a category that none can be.
pub(super) fn insert(set: &mut Vec<u64>, category: f64) -> Option<()> {
    let known = 0.0 <= category && category < f64::from(1 << 24);
    let category = known.then_some(category as usize)?;
    if set.len() <= category / 64 {
        set.resize(category / 64 + 1, 0);
    }
    set[category / 64] |= 1 << (category % 64);
    Some(())
}

fn part<'a>(value: &'a Value, key: &str) -> Result<&'a Value, LoadError> {
    value.get(key).filter(|part| part.is_object()).ok_or_else(|| LoadError::missing(key, "an object"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, LoadError> {
    value.get(key).and_then(Value::as_str).ok_or_else(|| LoadError::missing(key, "text"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, LoadError> {
    value.get(key).and_then(Value::as_array).ok_or_else(|| LoadError::missing(key, "a list"))
}

/// A list of numbers; true and false count as one and zero.
fn numbers(value: &Value, key: &str) -> Result<Vec<f64>, LoadError> {
    let number = |item: &Value| item.as_f64().or_else(|| item.as_bool().map(|is| f64::from(u8::from(is))));
    let all = list(value, key)?.iter().map(number).collect::<Option<_>>();
    all.ok_or_else(|| LoadError::missing(key, "a list of numbers"))
}
