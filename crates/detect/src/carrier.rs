//! The responsible slice: which values of which dimensions carry an effect, and how much of it.

use wardline_domain::Carrier;

use crate::model_state::ModelState;

/// A slice must carry this share of the effect to be named.
const LEAST_SHARE: f64 = 0.2;
/// And its odds of being part of the effect must be so many times those that it had anyway: a slice that
/// only has much traffic explains nothing.
const LEAST_ODDS: f64 = 2.5;
/// Standard errors by which its share must exceed the ordinary one: by chance, one slice in 700.
const SURE: f64 = 3.0;
/// Half the width of a 95 % interval, in standard errors.
const Z95: f64 = 1.96;
/// Most slices that are named.
const MOST_NAMED: usize = 5;

/// What one group adds to an effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Excess {
    /// Events in the group.
    pub(crate) events: f64,
    /// Effect beyond what is normal for it, in events.
    pub(crate) excess: f64,
    /// The effect that it would have, were all groups struck alike.
    pub(crate) ordinary: f64,
    /// Variance of `excess` by chance.
    pub(crate) variance: f64,
}

/// Slices that carry an effect, the most responsible first.
pub(crate) fn slices(state: &ModelState, of_group: impl Fn(u16) -> Option<Excess>) -> Vec<Carrier> {
    let mut named = Vec::new();
    for (dimension, groups) in state.groups.sliced() {
        let members: Vec<(String, Excess)> = groups
            .filter_map(|group| Some((format!("{dimension}={}", state.groups.get(group).value), of_group(group)?)))
            .collect();
        named.extend(carriers_among(members));
    }
    named.sort_by(|left, right| right.share.total_cmp(&left.share).then_with(|| left.name.cmp(&right.name)));
    named.truncate(MOST_NAMED);
    named
}

/// The version that carries an effect: the only one, or the one with at least 70 % of it.
pub(crate) fn version(state: &ModelState, of_group: impl Fn(u16) -> Option<Excess>) -> Option<String> {
    let members: Vec<(String, Excess)> = state
        .groups
        .versions()
        .filter_map(|(name, group)| Some((name.to_owned(), of_group(group)?)))
        .filter(|(_, excess)| excess.events > 0.0)
        .collect();
    if let [(only, _)] = members.as_slice() {
        return Some(only.clone());
    }
    let total: f64 = members.iter().map(|(_, excess)| excess.excess.max(0.0)).sum();
    members.into_iter().find(|(_, excess)| total > 0.0 && excess.excess >= 0.7 * total).map(|(name, _)| name)
}

/// Members of one dimension that carry the effect.
fn carriers_among(members: Vec<(String, Excess)>) -> Vec<Carrier> {
    let sum = |of: fn(&Excess) -> f64| members.iter().map(|(_, member)| of(member).max(0.0)).sum::<f64>();
    let (total, events) = (sum(|member| member.excess), sum(|member| member.events));
    let (ordinary, variance) = (sum(|member| member.ordinary), sum(|member| member.variance));
    if total <= 0.0 || events <= 0.0 || members.len() < 2 {
        return Vec::new();
    }
    let odds = |share: f64| share / (1.0 - share).max(1e-9);
    members
        .into_iter()
        .filter_map(|(name, member)| {
            let share = member.excess.max(0.0) / total;
            // What it would carry anyway: by its traffic, or by how easily it is struck.
            let usual = (member.events / events).max(member.ordinary.max(0.0) / ordinary.max(1e-9)).min(1.0);
            let rest = (variance - member.variance).max(0.0);
            let error = ((1.0 - share).powi(2) * member.variance + share * share * rest).sqrt() / total;
            let is_more = share - SURE * error > usual && odds(share) >= LEAST_ODDS * odds(usual);
            (usual < 1.0 && share >= LEAST_SHARE && is_more).then(|| Carrier {
                name,
                share,
                interval: Some(((share - Z95 * error).max(0.0), (share + Z95 * error).min(1.0))),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, events: f64, excess: f64) -> (String, Excess) {
        (name.to_owned(), Excess { events, excess, ordinary: events, variance: excess.abs() + 1.0 })
    }

    #[test]
    fn one_replica_of_four_is_named_and_an_even_spread_names_nobody() {
        let named = carriers_among(vec![
            member("a", 100.0, 1.0),
            member("b", 100.0, 60.0),
            member("c", 100.0, 0.0),
            member("d", 100.0, 2.0),
        ]);
        assert_eq!(named.iter().map(|carrier| carrier.name.as_str()).collect::<Vec<_>>(), ["b"]);
        assert!(
            carriers_among(vec![member("a", 100.0, 30.0), member("b", 100.0, 33.0), member("c", 100.0, 28.0)])
                .is_empty()
        );
    }

    #[test]
    fn a_large_slice_is_not_named_for_its_size() {
        assert!(carriers_among(vec![member("big", 900.0, 90.0), member("small", 100.0, 10.0)]).is_empty());
        assert!(carriers_among(vec![member("all", 900.0, 90.0), member("gone", 0.0, 0.0)]).is_empty());
    }

    /// Goal: what lies close to a threshold crosses it first, without being the cause.
    #[test]
    fn a_slice_that_is_struck_more_easily_is_not_named_for_that() {
        let easy = Excess { events: 100.0, excess: 40.0, ordinary: 38.0, variance: 40.0 };
        let others = Excess { events: 900.0, excess: 60.0, ordinary: 62.0, variance: 60.0 };
        assert!(carriers_among(vec![("easy".to_owned(), easy), ("others".to_owned(), others)]).is_empty());
    }
}
