//! Accounts that share more rare fingerprints than chance gives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::similar::Groups;

/// Pairs of accounts are counted up to this number, each at some 40 bytes.
const MOST_PAIRS: usize = 5_000_000;

/// What counts as rare, and how sure a link must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharingSettings {
    /// A fingerprint that more accounts have than this is popular and joins nobody.
    pub most_accounts: usize,
    /// The chance that any two accounts are joined while fingerprints are spread by chance.
    pub alpha: f64,
}

impl Default for SharingSettings {
    fn default() -> Self {
        Self { most_accounts: 50, alpha: 0.01 }
    }
}

/// Accounts that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountGroup {
    /// Rising.
    pub accounts: Vec<u64>,
    /// The rare fingerprints that at least two of them share, rising.
    pub shared: Vec<u64>,
    /// The largest p-value of the links that hold it together, times the number of all pairs.
    pub adjusted_p_value: f64,
}

/// Groups accounts by the rare fingerprints they share: payloads, keys, addresses, devices.
///
/// Of `E` distinct pairs of account and rare fingerprint, an account has `k`, a fingerprint is had by `d` of `n`
/// accounts. Under the configuration model (fingerprints dealt by chance, all `k` and `d` as they are) accounts `a` and `b`
/// share in expectation `lambda_d = k_a k_b N_d d (d - 1) / E^2` of the `N_d` fingerprints that `d` accounts have. A
/// shared one weighs `w_d = ln(n / d)`, so that rarity counts; the weight `S` that two accounts share has
/// `P(S >= s) <= min over t of exp(-t s + sum_d lambda_d (exp(t w_d) - 1))` (Chernoff, fingerprints apart from one
/// another). Two accounts are linked if that bound times all `n (n - 1) / 2` pairs is at most `alpha`; groups are what
/// links connect.
///
/// Control: while the model holds, any link at all appears with a chance of at most `alpha`. It does not hold for
/// accounts of one firm behind one address, or one test suite: such groups are true and harmless, and for a person to judge.
/// `None` if `most_accounts` is below 2, `alpha` is not between zero and one, or rare fingerprints make more than five
/// million pairs: lower `most_accounts` then. Cost: `O(E ln E + pairs)`.
/// References: Molloy, Reed, Random Structures & Algorithms 6 (1995); Chernoff, Ann. Math. Stat. 23 (1952).
///
/// ```
/// use wardline_stats::probing::{SharingSettings, account_groups};
/// // Everyone has fingerprint 1 and one of his own; accounts 3 and 8 share four more.
/// let mut pairs: Vec<(u64, u64)> = (0..100).flat_map(|account| [(account, 1), (account, 1000 + account)]).collect();
/// pairs.extend([3, 8].into_iter().flat_map(|account| (50..54).map(move |rare| (account, rare))));
/// let groups = account_groups(&pairs, SharingSettings { most_accounts: 20, alpha: 0.01 }).unwrap();
/// assert_eq!(groups.len(), 1);
/// assert_eq!(groups[0].accounts, [3, 8]);
/// ```
#[must_use]
pub fn account_groups(pairs: &[(u64, u64)], settings: SharingSettings) -> Option<Vec<AccountGroup>> {
    if settings.most_accounts < 2 || !(0.0 < settings.alpha && settings.alpha < 1.0) {
        return None;
    }
    let graph = Graph::new(pairs, settings.most_accounts);
    let n = graph.accounts.len();
    let n_pairs = n as f64 * (n as f64 - 1.0) / 2.0;
    let mut groups = Groups::new(n);
    let mut links = Vec::new();
    for ((one, other), weight) in graph.shared_weights()? {
        let adjusted = (graph.bound(one, other, weight) * n_pairs).min(1.0);
        if adjusted <= settings.alpha {
            groups.join(one, other);
            links.push((one, adjusted));
        }
    }
    Some(groups.of_at_least(2).into_iter().map(|members| graph.describe(&members, &links)).collect())
}

/// Accounts by their place among all, and their rare fingerprints.
struct Graph {
    accounts: Vec<u64>,
    /// Rare fingerprints that at least two accounts have, with the accounts' places.
    rare: BTreeMap<u64, Vec<usize>>,
    /// How many rare fingerprints each account has.
    n_rare: Vec<f64>,
    /// By number of accounts: weight, and `N_d d (d - 1) / E^2`.
    classes: Vec<(f64, f64)>,
}

impl Graph {
    fn new(pairs: &[(u64, u64)], most_accounts: usize) -> Self {
        let mut accounts: Vec<u64> = pairs.iter().map(|(account, _)| *account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let place = |account: &u64| accounts.binary_search(account).ok();
        let distinct: BTreeSet<(u64, usize)> =
            pairs.iter().filter_map(|(account, fingerprint)| Some((*fingerprint, place(account)?))).collect();
        let mut rare: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (fingerprint, account) in distinct {
            rare.entry(fingerprint).or_default().push(account);
        }
        rare.retain(|_, of| of.len() <= most_accounts);
        let mut n_rare = vec![0.0; accounts.len()];
        let mut n_of_degree: BTreeMap<usize, f64> = BTreeMap::new();
        for of in rare.values() {
            of.iter().for_each(|account| n_rare[*account] += 1.0);
            *n_of_degree.entry(of.len()).or_default() += 1.0;
        }
        let edges: f64 = n_rare.iter().sum();
        let n = accounts.len() as f64;
        let class = |(degree, count): (usize, f64)| {
            let d = degree as f64;
            (weight(n, degree), count * d * (d - 1.0) / (edges * edges))
        };
        let classes = n_of_degree.into_iter().filter(|(degree, _)| *degree >= 2).map(class).collect();
        rare.retain(|_, of| of.len() >= 2);
        Self { accounts, rare, n_rare, classes }
    }

    /// The weight that pairs of accounts share, for those that share any; rising by pair.
    fn shared_weights(&self) -> Option<Vec<((usize, usize), f64)>> {
        let pairs_of = |of: &Vec<usize>| of.len() * (of.len() - 1) / 2;
        if self.rare.values().map(pairs_of).fold(0, usize::saturating_add) > MOST_PAIRS {
            return None;
        }
        let mut weights: HashMap<(usize, usize), f64> = HashMap::new();
        for of in self.rare.values() {
            let weight = weight(self.accounts.len() as f64, of.len());
            for (at, one) in of.iter().enumerate() {
                for other in &of[at + 1..] {
                    *weights.entry((*one, *other)).or_default() += weight;
                }
            }
        }
        let mut weights: Vec<_> = weights.into_iter().collect();
        weights.sort_unstable_by_key(|(pair, _)| *pair);
        Some(weights)
    }

    /// The chance of as much shared weight, at most.
    fn bound(&self, one: usize, other: usize, weight: f64) -> f64 {
        let both = self.n_rare[one] * self.n_rare[other];
        let sum = |of: &dyn Fn(f64) -> f64| self.classes.iter().map(|(w, rate)| both * rate * of(*w)).sum::<f64>();
        // The bound holds for every t, so an inexact least is no error. Newton's steps on the logarithm of the slope.
        let mut t = 0.0_f64;
        for _ in 0..12 {
            let slope = sum(&|w| w * (t * w).exp());
            let bend = sum(&|w| w * w * (t * w).exp());
            let step = (slope / weight).ln() * slope / bend;
            if !step.is_finite() {
                break;
            }
            t = (t - step).clamp(0.0, 60.0);
            if step.abs() < 1e-6 || t == 0.0 {
                break;
            }
        }
        let least = sum(&|w| (t * w).exp_m1()) - t * weight;
        if least.is_finite() { least.min(0.0).exp() } else { 1.0 }
    }

    fn describe(&self, members: &[usize], links: &[(usize, f64)]) -> AccountGroup {
        let is_member = |account: &usize| members.binary_search(account).is_ok();
        let several = |of: &Vec<usize>| of.iter().filter(|account| is_member(account)).count() >= 2;
        AccountGroup {
            accounts: members.iter().map(|place| self.accounts[*place]).collect(),
            shared: self.rare.iter().filter(|(_, of)| several(of)).map(|(fingerprint, _)| *fingerprint).collect(),
            adjusted_p_value: links.iter().filter(|(one, _)| is_member(one)).fold(0.0, |most, (_, p)| most.max(*p)),
        }
    }
}

/// Never negative; a fingerprint that nearly all have weighs next to nothing.
fn weight(n_accounts: f64, degree: usize) -> f64 {
    (n_accounts / degree as f64).ln().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    /// 300 accounts of heavy-tailed volumes, who deal in 4,000 fingerprints of unlike popularity.
    fn honest(random: &mut SplitMix) -> Vec<(u64, u64)> {
        (0..300)
            .flat_map(|account| {
                let n = (5.0 / random.unit()).min(300.0) as usize;
                (0..n).map(|_| (account, (4_000.0 * random.unit().powi(3)) as u64)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Goal: of 40 worlds where all is chance, at most a few have any link at 5 %.
    #[test]
    fn chance_joins_nobody() {
        let mut random = SplitMix::new(8);
        let settings = SharingSettings { most_accounts: 30, alpha: 0.05 };
        let wrong = (0..40).filter(|_| !account_groups(&honest(&mut random), settings).unwrap().is_empty()).count();
        assert!(wrong <= 7, "{wrong}");
    }

    /// Twenty accounts that divide one extraction: each has twelve of its sixteen rare addresses.
    #[test]
    fn accounts_that_divide_an_extraction_are_one_group() {
        let mut random = SplitMix::new(9);
        for _ in 0..5 {
            let mut pairs = Vec::new();
            for account in (0..300).chain(1000..1020_u64) {
                pairs.extend((0..25).map(|_| (account, (20_000.0 * random.unit()) as u64)));
            }
            for account in 1000..1020_u64 {
                pairs.extend((0..12).map(|step| (account, 1_000_000 + (account + step) % 16)));
            }
            let groups = account_groups(&pairs, SharingSettings { most_accounts: 30, alpha: 0.01 }).unwrap();
            assert_eq!(groups.len(), 1);
            assert_eq!(groups[0].accounts, (1000..1020).collect::<Vec<_>>());
            assert!(groups[0].shared.len() >= 16 && groups[0].adjusted_p_value <= 0.01);
        }
    }

    #[test]
    fn popular_payloads_join_nobody() {
        let pairs: Vec<(u64, u64)> =
            (0..200).flat_map(|account| (0..20).map(move |common| (account, common))).collect();
        assert_eq!(account_groups(&pairs, SharingSettings::default()), Some(vec![]));
        assert_eq!(account_groups(&[], SharingSettings::default()), Some(vec![]));
        assert_eq!(account_groups(&pairs, SharingSettings { most_accounts: 1, alpha: 0.01 }), None);
        assert_eq!(account_groups(&pairs, SharingSettings { most_accounts: 9, alpha: f64::NAN }), None);
        let many: Vec<(u64, u64)> = (0..4_000).map(|account| (account, 1)).collect();
        assert_eq!(account_groups(&many, SharingSettings { most_accounts: 5_000, alpha: 0.01 }), None);
    }
}
