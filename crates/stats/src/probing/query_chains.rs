//! Chains of near queries that walk to another decision, over all accounts.

use std::collections::VecDeque;

use crate::similar::HammingIndex;

/// Most accounts that are told apart in a chain.
const MOST_ACCOUNTS: usize = 8;

/// Links each query to the newest near one, of whatever account.
///
/// A query whose fingerprint is within `distance` bits of an earlier one continues its chain; a step that changes the
/// class is a flip. An equal fingerprint (a retry) adds nothing. An attack that starts anew with another account goes
/// on with its chain here, which one account's view misses.
///
/// No false-alarm rate of its own: rank a client's longest flipped chain among honest clients'
/// ([`crate::outlier::Calibration`]), and fit `distance` to the fingerprint, as honest near duplicates decide it.
/// Attackers who know the fingerprint can step further than `distance` (OARS).
/// Cost: one search of the index a query; at most `capacity` links.
/// Reference: Li, Shan, Wenger, Zhang, Zheng, Zhao, "Blacklight", USENIX Security (2022).
///
/// ```
/// use wardline_stats::probing::QueryChains;
/// let mut chains = QueryChains::new(2, 1000).unwrap();
/// chains.observe(1, 0b0000, 0);
/// chains.observe(2, 0b0001, 0);
/// let link = chains.observe(2, 0b0111, 1);
/// assert_eq!((link.length, link.flips, link.n_accounts, link.is_flip), (2, 1, 2, true));
/// ```
#[derive(Clone, Debug)]
pub struct QueryChains {
    index: HammingIndex,
    capacity: usize,
    first: u64,
    kept: VecDeque<Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    class: u32,
    link: ChainLink,
    accounts: Vec<u64>,
}

/// Where a query stands in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// The number of the chain's first query.
    pub chain: u64,
    /// Steps since the chain's first query; zero if the query starts one.
    pub length: u32,
    /// Steps that changed the class.
    pub flips: u32,
    /// Accounts on the way, eight at most.
    pub n_accounts: u32,
    /// Whether this step changed the class.
    pub is_flip: bool,
}

impl QueryChains {
    /// `None` as for [`HammingIndex::new`].
    #[must_use]
    pub fn new(distance: u32, capacity: usize) -> Option<Self> {
        Some(Self { index: HammingIndex::new(distance, capacity)?, capacity, first: 0, kept: VecDeque::new() })
    }

    /// Takes in a query of an account: its fingerprint and the class the model answered.
    pub fn observe(&mut self, account: u64, fingerprint: u64, class: u32) -> ChainLink {
        let found = self.index.near(fingerprint);
        let nearest = found.iter().min_by_key(|near| (near.distance, u64::MAX - near.entry));
        let before = nearest.and_then(|near| Some((near.distance, self.kept.get((near.entry - self.first) as usize)?)));
        let entry = self.first + self.kept.len() as u64;
        let next = match before {
            // A retry, or another account's equal query: it stays where it is.
            Some((0, before)) if before.class == class => return ChainLink { is_flip: false, ..before.link },
            Some((_, before)) => {
                let mut accounts = before.accounts.clone();
                if !accounts.contains(&account) && accounts.len() < MOST_ACCOUNTS {
                    accounts.push(account);
                }
                let is_flip = before.class != class;
                let link = ChainLink {
                    chain: before.link.chain,
                    length: before.link.length.saturating_add(1),
                    flips: before.link.flips.saturating_add(u32::from(is_flip)),
                    n_accounts: accounts.len() as u32,
                    is_flip,
                };
                Kept { class, link, accounts }
            }
            None => {
                let link = ChainLink { chain: entry, length: 0, flips: 0, n_accounts: 1, is_flip: false };
                Kept { class, link, accounts: vec![account] }
            }
        };
        let link = next.link;
        self.index.insert(fingerprint);
        if self.kept.len() == self.capacity {
            self.kept.pop_front();
            self.first += 1;
        }
        self.kept.push_back(next);
        link
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    #[test]
    fn strangers_start_chains_and_retries_add_nothing() {
        let mut random = SplitMix::new(3);
        let mut chains = QueryChains::new(6, 500).unwrap();
        for account in 0..2_000 {
            let fingerprint = random.next();
            assert_eq!(chains.observe(account, fingerprint, 0).length, 0);
            assert_eq!(chains.observe(account, fingerprint, 0).length, 0);
        }
        assert_eq!(chains.kept.len(), 500);
    }

    /// A walk by single bits, each step of another account, among strangers.
    #[test]
    fn a_walk_over_many_accounts_is_one_chain() {
        let mut random = SplitMix::new(4);
        let mut chains = QueryChains::new(3, 400).unwrap();
        let mut at = random.next();
        let mut last = chains.observe(0, at, 0);
        for step in 1..64 {
            (0..5).for_each(|_| {
                chains.observe(99, random.next(), 1);
            });
            at ^= 1 << step;
            last = chains.observe(step % 10, at, u32::from(step == 63));
        }
        assert_eq!((last.length, last.flips, last.n_accounts, last.is_flip), (63, 1, 8, true));
    }
}
