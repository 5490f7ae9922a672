//! Joins things into groups.

/// Disjoint groups of the numbers `0..n`, joined pair by pair; nearly constant time a step.
///
/// Reference: Tarjan, JACM 22 (1975); path halving.
///
/// ```
/// use wardline_stats::similar::Groups;
/// let mut groups = Groups::new(5);
/// groups.join(0, 3);
/// groups.join(3, 4);
/// assert_eq!(groups.of_at_least(2), vec![vec![0, 3, 4]]);
/// ```
#[derive(Clone, Debug)]
pub struct Groups {
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl Groups {
    /// Each number alone.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { parent: (0..n).collect(), size: vec![1; n] }
    }

    /// One number of the group, the same for all in it; `None` for `n` and above.
    pub fn root(&mut self, item: usize) -> Option<usize> {
        let mut at = item;
        if at >= self.parent.len() {
            return None;
        }
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        Some(at)
    }

    /// Makes one group of two; true if they were two, and false too if a number is `n` or above.
    pub fn join(&mut self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.root(one), self.root(other)) else { return false };
        if one == other {
            return false;
        }
        let (large, small) = if self.size[one] < self.size[other] { (other, one) } else { (one, other) };
        self.parent[small] = large;
        self.size[large] += self.size[small];
        true
    }

    /// The groups of at least so many, each rising, by their first number.
    pub fn of_at_least(&mut self, least: usize) -> Vec<Vec<usize>> {
        let n = self.parent.len();
        let mut place = vec![usize::MAX; n];
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for item in 0..n {
            let Some(root) = self.root(item) else { continue };
            if self.size[root] < least {
                continue;
            }
            if place[root] == usize::MAX {
                place[root] = groups.len();
                groups.push(Vec::new());
            }
            groups[place[root]].push(item);
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against colouring by brute force.
    #[test]
    fn joins_what_is_linked_and_nothing_else() {
        let mut random = crate::random::SplitMix::new(1);
        let (mut groups, mut colour) = (Groups::new(100), (0..100).collect::<Vec<usize>>());
        for _ in 0..70 {
            let (one, other) = (random.below(100), random.below(100));
            assert_eq!(groups.join(one, other), colour[one] != colour[other]);
            let (from, to) = (colour[one], colour[other]);
            colour.iter_mut().filter(|of| **of == from).for_each(|of| *of = to);
        }
        for one in 0..100 {
            for other in 0..100 {
                assert_eq!(groups.root(one) == groups.root(other), colour[one] == colour[other]);
            }
        }
        assert_eq!(groups.of_at_least(1).iter().map(Vec::len).sum::<usize>(), 100);
        assert!(!groups.join(0, 100) && groups.root(100).is_none());
    }
}
