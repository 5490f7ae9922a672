//! ONNX models that are one ensemble of trees, as skl2onnx and onnxmltools write them.

use std::collections::HashMap;

use super::builder::{Raw, lay_out};
use super::protobuf::Message;
use super::split::at_most_single;
use super::{Ensemble, Link, LoadError, Missing, Precision, Split, Sum, Tree};

/// Nodes around the trees that change no number that is read here.
const PASSED: [&str; 4] = ["Cast", "Identity", "ZipMap", "Reshape"];

/// Reads a model that is one `TreeEnsembleRegressor` or `TreeEnsembleClassifier` of `ai.onnx.ml`.
///
/// Predictions are those of onnxruntime, in single precision; a classifier's are the probabilities. Files of ONNX say
/// nothing of how many training rows reached a node, so that there are no attributions along paths, only
/// interventional ones. Around the trees there may be `Cast`, `Identity`, `ZipMap` and `Reshape`; any other node is
/// refused by its name.
///
/// # Errors
/// [`LoadError`] says what is wrong, and where.
pub fn read_onnx(bytes: &[u8]) -> Result<Ensemble, LoadError> {
    let graph = only(bytes, 7)?.ok_or_else(|| LoadError::missing("graph", "a graph"))?;
    let (mut found, mut width) = (None, 0);
    let mut message = Message::new(graph);
    while let Some((number, field)) = message.next()? {
        let Some(bytes) = field.bytes() else { continue };
        if number == 11 && width == 0 {
            width = width_of(bytes)?;
        }
        if number != 1 {
            continue;
        }
        let node = OnnxNode::read(bytes)?;
        match node.kind.as_str() {
            "TreeEnsembleRegressor" | "TreeEnsembleClassifier" if found.is_none() => found = Some(node),
            kind if PASSED.contains(&kind) => {}
            other => {
                let what = format!("the node `{other}` of the graph");
                let instead = "one TreeEnsembleRegressor or TreeEnsembleClassifier can be, with Cast, Identity, ZipMap and Reshape around it";
                return Err(LoadError::Unsupported { what, instead });
            }
        }
    }
    let node =
        found.ok_or_else(|| LoadError::missing("graph.node", "a TreeEnsembleRegressor or TreeEnsembleClassifier"))?;
    node.ensemble(width)
}

/// The last dimension of an input: how many columns a row has. Zero where the file does not say it.
fn width_of(input: &[u8]) -> Result<usize, LoadError> {
    // The type of the value, its tensor, and the tensor's shape.
    let mut bytes = input;
    for part in [2, 1, 2] {
        match only(bytes, part)? {
            Some(inner) => bytes = inner,
            None => return Ok(0),
        }
    }
    let Some(dimension) = only(bytes, 1)? else { return Ok(0) };
    let mut message = Message::new(dimension);
    let mut width = 0;
    while let Some((number, field)) = message.next()? {
        if let (1, super::protobuf::Field::Number(value)) = (number, field) {
            width = usize::try_from(value).unwrap_or(0);
        }
    }
    Ok(width)
}

/// The last bytes of a field.
fn only(bytes: &[u8], wanted: u64) -> Result<Option<&[u8]>, LoadError> {
    let mut message = Message::new(bytes);
    let mut last = None;
    while let Some((number, field)) = message.next()? {
        if number == wanted {
            last = field.bytes();
        }
    }
    Ok(last)
}

/// A node with its attributes.
#[derive(Default)]
struct OnnxNode {
    kind: String,
    texts: HashMap<String, Vec<String>>,
    integers: HashMap<String, Vec<i64>>,
    floats: HashMap<String, Vec<f32>>,
}

impl OnnxNode {
    fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut node = Self::default();
        let mut message = Message::new(bytes);
        while let Some((number, field)) = message.next()? {
            match number {
                4 => node.kind = field.text().unwrap_or_default().to_owned(),
                5 => node.read_attribute(field.bytes().unwrap_or_default())?,
                _ => {}
            }
        }
        Ok(node)
    }

    fn read_attribute(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let (mut name, mut texts, mut integers, mut floats) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        let mut message = Message::new(bytes);
        while let Some((number, field)) = message.next()? {
            match number {
                1 => name = field.text().unwrap_or_default().to_owned(),
                2 | 7 => field.add_floats(&mut floats),
                3 | 8 => field.add_integers(&mut integers)?,
                4 | 9 => texts.push(field.text().unwrap_or_default().to_owned()),
                // A tensor of doubles or floats, as newer converters write it.
                5 => read_tensor(field.bytes().unwrap_or_default(), &mut floats)?,
                _ => {}
            }
        }
        self.texts.insert(name.clone(), texts);
        self.integers.insert(name.clone(), integers);
        self.floats.insert(name, floats);
        Ok(())
    }

    fn whole(&self, name: &str) -> &[i64] {
        self.integers.get(name).map_or(&[], Vec::as_slice)
    }

    fn numbers(&self, name: &str) -> &[f32] {
        self.floats.get(name).map_or(&[], Vec::as_slice)
    }

    fn words(&self, name: &str) -> &[String] {
        self.texts.get(name).map_or(&[], Vec::as_slice)
    }

    fn ensemble(&self, said: usize) -> Result<Ensemble, LoadError> {
        let is_classifier = self.kind == "TreeEnsembleClassifier";
        let leaf = Leaves::of(self, is_classifier)?;
        let (trees, widest) = self.trees(&leaf)?;
        let count = trees.len();
        let sum = match self.words("aggregate_function").first().map(String::as_str) {
            None | Some("SUM") => Sum::Total,
            Some("AVERAGE") => Sum::Mean(count.max(1) as u32),
            Some(other) => {
                let what = format!("the aggregate function `{other}`");
                return Err(LoadError::Unsupported { what, instead: "SUM and AVERAGE can be" });
            }
        };
        let width = said.max(1 + widest);
        let mut base: Vec<f64> = self.numbers("base_values").iter().map(|base| f64::from(*base)).collect();
        base.resize(base.len().max(leaf.outputs), 0.0);
        let link = self.link(is_classifier, &leaf)?;
        let names = Vec::new();
        let ensemble = Ensemble { trees, width, base, sum, precision: Precision::SingleBaseLast, link, names };
        match ensemble.fault() {
            Some(fault) => Err(LoadError::broken(&self.kind, fault)),
            None => Ok(ensemble),
        }
    }

    fn link(&self, is_classifier: bool, leaf: &Leaves) -> Result<Link, LoadError> {
        match self.words("post_transform").first().map(String::as_str) {
            None | Some("NONE") => Ok(Link::Identity),
            Some("LOGISTIC") => Ok(Link::Logistic { slope: 1.0 }),
            Some("SOFTMAX") if is_classifier && leaf.outputs > 1 => Ok(Link::Softmax),
            Some(other) => {
                let what = format!("the transformation `{other}` with {} outputs", leaf.outputs);
                Err(LoadError::Unsupported { what, instead: "NONE, LOGISTIC and SOFTMAX over several classes can be" })
            }
        }
    }

    /// The trees, and the highest column that they ask.
    fn trees(&self, leaf: &Leaves) -> Result<(Vec<Tree>, usize), LoadError> {
        let (tree_ids, node_ids) = (self.whole("nodes_treeids"), self.whole("nodes_nodeids"));
        let (features, values) = (self.whole("nodes_featureids"), self.numbers("nodes_values"));
        let values = if values.is_empty() { self.numbers("nodes_values_as_tensor") } else { values };
        let (left, right) = (self.whole("nodes_truenodeids"), self.whole("nodes_falsenodeids"));
        let modes = self.words("nodes_modes");
        let tracks = self.whole("nodes_missing_value_tracks_true");
        let count = node_ids.len();
        let lengths = [tree_ids.len(), features.len(), values.len(), left.len(), right.len(), modes.len()];
        if count == 0 || lengths.iter().any(|length| *length != count) {
            return Err(LoadError::broken("nodes_nodeids", format!("{count} nodes, and columns of {lengths:?}")));
        }
        let mut places: HashMap<(i64, i64), usize> = HashMap::with_capacity(count);
        let mut roots: Vec<usize> = Vec::new();
        for at in 0..count {
            if places.insert((tree_ids[at], node_ids[at]), at).is_some() {
                return Err(LoadError::broken(
                    format!("tree {}", tree_ids[at]),
                    format!("node {} is there twice", node_ids[at]),
                ));
            }
            // The first node of each tree is its root, as onnxruntime takes it.
            if at == 0 || tree_ids[at] != tree_ids[at - 1] {
                roots.push(at);
            }
        }
        let place_of = |at: usize, child: i64| places.get(&(tree_ids[at], child)).copied().unwrap_or(usize::MAX);
        let node = |at: usize| {
            let place = format!("tree {}, node {}", tree_ids[at], node_ids[at]);
            let (threshold, tracks) = (values[at], tracks.get(at) == Some(&1));
            let (limit, swapped) = match modes[at].as_str() {
                "LEAF" => {
                    let (output, values) = leaf.values(tree_ids[at], node_ids[at])?;
                    return Ok((Raw::Leaf(output, values), None));
                }
                "BRANCH_LEQ" => (at_most_single(threshold), false),
                "BRANCH_LT" => (at_most_single(threshold.next_down()), false),
                "BRANCH_GT" => (at_most_single(threshold), true),
                "BRANCH_GTE" => (at_most_single(threshold.next_down()), true),
                other => {
                    let what = format!("{place}, whose mode is `{other}`,");
                    return Err(LoadError::Unsupported { what, instead: "comparisons of order can be" });
                }
            };
            if threshold.is_nan() {
                return Err(LoadError::broken(place, "the threshold is not a number"));
            }
            let feature =
                u32::try_from(features[at]).map_err(|_| LoadError::broken(place, "the column is below zero"))?;
            let missing = if tracks == swapped { Missing::Right } else { Missing::Left };
            let (mut first, mut second) = (place_of(at, left[at]), place_of(at, right[at]));
            if swapped {
                std::mem::swap(&mut first, &mut second);
            }
            Ok((Raw::Split(Split::Number { feature, threshold: limit, missing }, first, second), None))
        };
        let trees = roots.iter().map(|root| lay_out(&format!("tree {}", tree_ids[*root]), count, *root, node));
        let trees = trees.collect::<Result<Vec<Tree>, _>>()?;
        let widest = features.iter().copied().max().unwrap_or(0).max(0) as usize;
        Ok((trees, widest))
    }
}

/// Values of leaves by tree and node.
struct Leaves {
    by_node: HashMap<(i64, i64), Vec<(u32, f64)>>,
    outputs: usize,
}

impl Leaves {
    fn of(node: &OnnxNode, is_classifier: bool) -> Result<Self, LoadError> {
        let prefix = if is_classifier { "class" } else { "target" };
        let key = |part: &str| format!("{prefix}_{part}");
        let (trees, nodes, ids) = (node.whole(&key("treeids")), node.whole(&key("nodeids")), node.whole(&key("ids")));
        let weights = node.numbers(&key("weights"));
        let weights = if weights.is_empty() { node.numbers(&key("weights_as_tensor")) } else { weights };
        let count = ids.len();
        if trees.len() != count || nodes.len() != count || weights.len() != count {
            return Err(LoadError::broken(key("ids"), "columns of different lengths"));
        }
        let outputs = if is_classifier {
            node.whole("classlabels_int64s").len().max(node.words("classlabels_strings").len())
        } else {
            usize::try_from(node.whole("n_targets").first().copied().unwrap_or(1)).unwrap_or(0)
        };
        // Two classes with weights of one only: the sum is the margin of the second.
        let is_binary = is_classifier && outputs == 2 && ids.windows(2).all(|pair| pair[0] == pair[1]);
        let outputs = if is_binary { 1 } else { outputs };
        let mut by_node: HashMap<(i64, i64), Vec<(u32, f64)>> = HashMap::new();
        for at in 0..count {
            let output = if is_binary { 0 } else { u32::try_from(ids[at]).unwrap_or(u32::MAX) };
            by_node.entry((trees[at], nodes[at])).or_default().push((output, f64::from(weights[at])));
        }
        Ok(Self { by_node, outputs })
    }

    /// From the lowest output on; what is not said in between is zero.
    fn values(&self, tree: i64, node: i64) -> Result<(u32, Vec<f64>), LoadError> {
        let Some(said) = self.by_node.get(&(tree, node)) else { return Ok((0, Vec::new())) };
        let first = said.iter().map(|(output, _)| *output).min().unwrap_or(0);
        let mut values = Vec::new();
        for (output, value) in said {
            if *output as usize >= self.outputs {
                let what = format!("a leaf adds to output {output} of {}", self.outputs);
                return Err(LoadError::broken(format!("tree {tree}, node {node}"), what));
            }
            let place = (output - first) as usize;
            values.resize(values.len().max(place + 1), 0.0);
            values[place] += value;
        }
        Ok((first, values))
    }
}

/// Floats or doubles of a tensor, as single precision.
fn read_tensor(bytes: &[u8], floats: &mut Vec<f32>) -> Result<(), LoadError> {
    let mut message = Message::new(bytes);
    let (mut kind, mut raw) = (0, &[][..]);
    while let Some((number, field)) = message.next()? {
        match (number, field) {
            (2, super::protobuf::Field::Number(number)) => kind = number,
            (4, field) => field.add_floats(floats),
            (9, field) => raw = field.bytes().unwrap_or_default(),
            _ => {}
        }
    }
    match kind {
        1 => floats.extend(raw.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk))),
        11 => {
            let what = "an ensemble of double precision".to_owned();
            return Err(LoadError::Unsupported { what, instead: "convert with FloatTensorType" });
        }
        _ => {}
    }
    Ok(())
}
