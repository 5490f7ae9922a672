//! LightGBM's models as text: `save_model`, `model_to_string`.

use std::collections::HashMap;

use super::builder::{Raw, lay_out};
use super::lightgbm::{Head, MissingType, category_split, missing};
use super::{Ensemble, LoadError, Precision, Split, Tree};

/// Reads a model of LightGBM 2 to 4 from its text.
///
/// All trees count. Margins are the library's to the last bit: double precision, in its order. Refused, by name: linear
/// trees, objectives that are not known.
///
/// # Errors
/// [`LoadError`] says what is wrong, and where.
pub fn read_lightgbm_text(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    let wrong = |what: String| LoadError::Format { format: "LightGBM's text", what };
    let text = std::str::from_utf8(bytes).map_err(|error| wrong(format!("not UTF-8: {error}")))?;
    let mut lines = text.lines();
    if lines.next().map(str::trim) != Some("tree") {
        return Err(wrong("the first line is not `tree`".to_owned()));
    }
    let head = Fields::read("the head", &mut lines);
    let mut trees = Vec::new();
    let mut ended = false;
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line == "end of trees" {
            ended = true;
            break;
        }
        if line.starts_with("Tree=") {
            trees.push(Fields::read(&format!("tree {}", trees.len()), &mut lines));
        }
    }
    if !ended {
        return Err(wrong("`end of trees` is missing: the file ends early".to_owned()));
    }
    let classes = head.whole("num_tree_per_iteration")?;
    let said = Head {
        classes,
        width: head.whole("max_feature_idx")?.saturating_add(1),
        objective: head.all.get("objective").copied().unwrap_or("").to_owned(),
        is_mean: head.all.contains_key("average_output"),
    };
    let sum = said.sum(trees.len())?;
    let names: Vec<String> = head
        .all
        .get("feature_names")
        .map(|names| names.split_whitespace().map(str::to_owned).collect())
        .unwrap_or_default();
    if classes > trees.len().max(1) {
        return Err(LoadError::broken("num_tree_per_iteration", format!("{classes}, with {} trees", trees.len())));
    }
    let ensemble = Ensemble {
        trees: trees
            .iter()
            .enumerate()
            .map(|(index, tree)| read_tree(tree, (index % classes) as u32))
            .collect::<Result<_, _>>()?,
        width: said.width,
        base: vec![0.0; classes],
        sum,
        precision: Precision::Double,
        link: said.link()?,
        names: if names.len() == said.width { names } else { Vec::new() },
    };
    match ensemble.fault() {
        Some(fault) => Err(LoadError::broken("the model", fault)),
        None => Ok(ensemble),
    }
}

/// Lines of `name=value` up to an empty one.
struct Fields<'a> {
    place: String,
    all: HashMap<&'a str, &'a str>,
}

impl<'a> Fields<'a> {
    fn read(place: &str, lines: &mut std::str::Lines<'a>) -> Self {
        let fields = lines.map(str::trim).take_while(|line| !line.is_empty());
        let all = fields.map(|line| line.split_once('=').unwrap_or((line, ""))).collect();
        Self { place: place.to_owned(), all }
    }

    fn text(&self, name: &str, wanted: &'static str) -> Result<&'a str, LoadError> {
        self.all.get(name).copied().ok_or_else(|| LoadError::missing(format!("{}: {name}", self.place), wanted))
    }

    fn whole(&self, name: &str) -> Result<usize, LoadError> {
        let wanted = "a whole number";
        let parsed = self.text(name, wanted)?.trim().parse();
        parsed.map_err(|_| LoadError::missing(format!("{}: {name}", self.place), wanted))
    }

    /// So many numbers.
    fn numbers(&self, name: &str, count: usize) -> Result<Vec<f64>, LoadError> {
        let wanted = "a list of numbers";
        let text = self.text(name, wanted)?;
        let numbers: Option<Vec<f64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
        let numbers = numbers.ok_or_else(|| LoadError::missing(format!("{}: {name}", self.place), wanted))?;
        if numbers.len() == count {
            Ok(numbers)
        } else {
            let what = format!("{} numbers where {count} should be", numbers.len());
            Err(LoadError::broken(format!("{}: {name}", self.place), what))
        }
    }
}

fn read_tree(fields: &Fields<'_>, output: u32) -> Result<Tree, LoadError> {
    let place = &fields.place;
    if fields.all.get("is_linear").is_some_and(|is_linear| *is_linear != "0") {
        let what = format!("{place}, a linear tree of LightGBM,");
        return Err(LoadError::Unsupported { what, instead: "train with `linear_tree=false`" });
    }
    let leaves = fields.whole("num_leaves")?;
    let splits = leaves.saturating_sub(1);
    let values = fields.numbers("leaf_value", leaves)?;
    if splits == 0 {
        let count = fields.numbers("leaf_count", leaves).ok().and_then(|counts| counts.first().copied());
        let value = values.first().copied().ok_or_else(|| LoadError::broken(place, "no leaf"))?;
        return lay_out(place, 1, 0, |_| Ok((Raw::Leaf(output, vec![value]), Some(count.unwrap_or(1.0)))));
    }
    let column = |name: &str| fields.numbers(name, splits);
    let (features, thresholds, decisions) = (column("split_feature")?, column("threshold")?, column("decision_type")?);
    let (left, right) = (column("left_child")?, column("right_child")?);
    let leaf_covers = fields.numbers("leaf_count", leaves).ok();
    let covers = column("internal_count").ok();
    let sets = category_sets(fields)?;
    // Leaves follow the splits; a child below zero is leaf `-1 - child`.
    let place_of = |child: f64| if child < 0.0 { splits + (-1.0 - child) as usize } else { child as usize };
    lay_out(place, splits + leaves, 0, |at| {
        if at >= splits {
            let cover = leaf_covers.as_ref().map(|covers| covers[at - splits]);
            return Ok((Raw::Leaf(output, vec![values[at - splits]]), cover));
        }
        let decision = decisions[at] as u8;
        let feature = features[at] as u32;
        let split = if decision & 1 == 1 {
            let set = sets.get(thresholds[at] as usize).cloned();
            set.and_then(|set| category_split(feature, set.into_iter()))
                .ok_or_else(|| LoadError::broken(place, format!("split {at} asks for categories that are not there")))?
        } else {
            let kind = match decision >> 2 & 3 {
                0 => MissingType::None,
                1 => MissingType::Zero,
                _ => MissingType::Nan,
            };
            Split::Number { feature, threshold: thresholds[at], missing: missing(kind, decision & 2 != 0) }
        };
        let cover = covers.as_ref().map(|covers| covers[at]);
        Ok((Raw::Split(split, place_of(left[at]), place_of(right[at])), cover))
    })
}

/// The categories of each set: words of 32 bits between boundaries.
fn category_sets(fields: &Fields<'_>) -> Result<Vec<Vec<f64>>, LoadError> {
    let count = fields.whole("num_cat").unwrap_or(0);
    if count == 0 {
        return Ok(Vec::new());
    }
    let boundaries = fields.numbers("cat_boundaries", count.saturating_add(1))?;
    let total = boundaries.last().map_or(0, |last| *last as usize);
    let words = fields.numbers("cat_threshold", total)?;
    let set = |pair: &[f64]| {
        let words = words.get(pair[0] as usize..pair[1] as usize)?;
        let bits = words.iter().enumerate().flat_map(|(word, bits)| {
            let bits = *bits as u32;
            (0..32).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| (32 * word + bit) as f64)
        });
        Some(bits.collect())
    };
    let sets = boundaries.windows(2).map(set).collect::<Option<_>>();
    sets.ok_or_else(|| LoadError::broken(&fields.place, "boundaries of categories that do not rise"))
}
