//! From nodes in any order to a tree whose children lie behind their parents.

use super::{LoadError, Node, Split, Tree, tree::DEEPEST};

/// A node as a file has it.
pub(super) enum Raw {
    /// A split, with the places of its children.
    Split(Split, usize, usize),
    /// What a leaf adds, from which output on.
    Leaf(u32, Vec<f64>),
}

/// Lays a tree out from its root.
///
/// `node` tells what is at a place and its cover; a place that is met twice, or a walk that is too long, is an error.
pub(super) fn lay_out(
    place: &str,
    count: usize,
    root: usize,
    mut node: impl FnMut(usize) -> Result<(Raw, Option<f64>), LoadError>,
) -> Result<Tree, LoadError> {
    let mut met = vec![false; count];
    let mut nodes = Vec::new();
    let mut covers = Vec::new();
    // Places in the file, the parent's node with the side, and the depth.
    let mut open = vec![(root, None::<(usize, bool)>, 0_usize)];
    while let Some((at, parent, depth)) = open.pop() {
        match met.get_mut(at) {
            Some(met) if !*met => *met = true,
            Some(_) => {
                return Err(LoadError::broken(place, format!("node {at} has two parents or is its own ancestor")));
            }
            None => return Err(LoadError::broken(place, format!("node {at} does not exist, there are {count}"))),
        }
        if depth > DEEPEST {
            return Err(LoadError::broken(place, format!("it is deeper than {DEEPEST} splits")));
        }
        let own = nodes.len();
        if let Some((parent, is_left)) = parent
            && let Some(Node::Split { left, right, .. }) = nodes.get_mut(parent)
        {
            *(if is_left { left } else { right }) = own as u32;
        }
        let (raw, cover) = node(at)?;
        covers.extend(cover);
        match raw {
            Raw::Leaf(output, values) => {
                if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                    return Err(LoadError::broken(
                        place,
                        format!("leaf {at} holds {value}, which is no finite number"),
                    ));
                }
                nodes.push(Node::Leaf { output, values });
            }
            Raw::Split(split, left, right) => {
                nodes.push(Node::Split { split, left: 0, right: 0 });
                open.push((right, Some((own, false)), depth + 1));
                open.push((left, Some((own, true)), depth + 1));
            }
        }
    }
    if covers.len() != nodes.len() {
        covers.clear();
    }
    Tree::new(nodes, covers).ok_or_else(|| LoadError::broken(place, "a cover is negative or infinite"))
}
