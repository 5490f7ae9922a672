//! The least and the greatest of shares that change one at a time.

/// Shares of groups in a tree: a change costs `O(log groups)`, the range `O(1)`.
pub(super) struct Extremes {
    /// How many there are of each group; zero for a group that does not count.
    sizes: Vec<u64>,
    counts: Vec<u64>,
    /// Least and greatest below each node; node `i` has `2 i` and `2 i + 1` below it, and groups are the leaves.
    nodes: Vec<(f64, f64)>,
}

impl Extremes {
    /// All shares zero; `None` unless two groups count.
    pub(super) fn new(sizes: &[u64]) -> Option<Self> {
        if sizes.iter().filter(|size| **size > 0).count() < 2 {
            return None;
        }
        let n_leaves = sizes.len().next_power_of_two();
        let mut nodes = vec![(f64::INFINITY, f64::NEG_INFINITY); 2 * n_leaves];
        for (group, size) in sizes.iter().enumerate() {
            if *size > 0 {
                nodes[n_leaves + group] = (0.0, 0.0);
            }
        }
        let mut tree = Self { sizes: sizes.to_vec(), counts: vec![0; sizes.len()], nodes };
        (1..n_leaves).rev().for_each(|node| tree.nodes[node] = tree.below(node));
        Some(tree)
    }

    /// So many more of a group.
    pub(super) fn add(&mut self, group: usize, more: u64) {
        if more == 0 || self.sizes[group] == 0 {
            return;
        }
        self.counts[group] += more;
        let share = self.counts[group] as f64 / self.sizes[group] as f64;
        let mut node = self.nodes.len() / 2 + group;
        self.nodes[node] = (share, share);
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.below(node);
        }
    }

    /// The least and the greatest share.
    pub(super) fn range(&self) -> (f64, f64) {
        self.nodes[1]
    }

    fn below(&self, node: usize) -> (f64, f64) {
        let (left, right) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
        (left.0.min(right.0), left.1.max(right.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_every_change() {
        let sizes = [4, 0, 10, 5, 2];
        let mut tree = Extremes::new(&sizes).unwrap();
        let mut counts = [0_u64; 5];
        for group in [0, 2, 4, 1, 3, 3, 0, 2, 4, 0, 3] {
            tree.add(group, 1);
            counts[group] += 1;
            let shares = || (0..5).filter(|at| sizes[*at] > 0).map(|at| counts[at] as f64 / sizes[at] as f64);
            let expected = (shares().fold(1.0, f64::min), shares().fold(0.0, f64::max));
            assert_eq!(tree.range(), expected);
        }
        assert!(Extremes::new(&[3, 0]).is_none());
        assert!(Extremes::new(&[]).is_none());
    }
}
