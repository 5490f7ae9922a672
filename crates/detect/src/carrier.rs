//! The responsible slice: which values of which dimensions carry an effect, and how much of it.

use wardline_domain::Carrier;

use crate::model_state::ModelState;

/// A slice must carry this share of the effect to be named.
const LEAST_SHARE: f64 = 0.2;
/// And so many times its share of the traffic: a slice that only has much traffic explains nothing.
const LEAST_LIFT: f64 = 1.4;
/// Most slices that are named.
const MOST_NAMED: usize = 5;

/// What one group adds to an effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Excess {
    /// Events in the group.
    pub(crate) events: f64,
    /// Effect beyond what is normal for it, in events.
    pub(crate) excess: f64,
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
    let total: f64 = members.iter().map(|(_, excess)| excess.excess.max(0.0)).sum();
    let events: f64 = members.iter().map(|(_, excess)| excess.events).sum();
    if total <= 0.0 || events <= 0.0 || members.len() < 2 {
        return Vec::new();
    }
    members
        .into_iter()
        .filter_map(|(name, member)| {
            let share = member.excess.max(0.0) / total;
            let lift = share / (member.events / events).max(1e-9);
            let interval = share_interval(member.excess.max(0.0), total);
            // The interval's lower end must still exceed the traffic share: else it may be chance.
            let is_more = interval.0 > member.events / events;
            (share >= LEAST_SHARE && lift >= LEAST_LIFT && is_more).then_some(Carrier {
                name,
                share,
                interval: Some(interval),
            })
        })
        .collect()
}

/// Wilson's 95 % interval of `part / total`.
fn share_interval(part: f64, total: f64) -> (f64, f64) {
    const Z2: f64 = 3.841_458_8;
    let share = (part / total).min(1.0);
    let centre = (share + Z2 / (2.0 * total)) / (1.0 + Z2 / total);
    let half = (Z2 / total * (share * (1.0 - share) + Z2 / (4.0 * total))).sqrt() / (1.0 + Z2 / total);
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, events: f64, excess: f64) -> (String, Excess) {
        (name.to_owned(), Excess { events, excess })
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
    }
}
