//! Which rules matched within a span, in any order or in a given one.

use std::collections::VecDeque;

use rsigma_parser::ConditionExpr;
use serde::{Deserialize, Serialize};
use wardline_domain::Span;

/// Most times of one rule and group that are kept: the latest.
const MOST_TIMES: usize = 64;

/// A match: its time in microseconds, and the number of its record, which tells records of one time apart.
pub(crate) type Moment = (i64, u64);

/// Latest matches of each rule of a temporal correlation.
///
/// Records of different kinds may come in another order than they happened, so what counts are their times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SequenceWindow {
    times: Vec<VecDeque<Moment>>,
}

impl SequenceWindow {
    /// Sees a match of one of so many rules.
    pub(crate) fn see(&mut self, rule: usize, n_rules: usize, moment: Moment, span: Span) {
        let (time, _) = moment;
        if self.times.len() < n_rules {
            self.times.resize_with(n_rules, VecDeque::new);
        }
        let Some(times) = self.times.get_mut(rule) else { return };
        let place = times.partition_point(|&other| other <= moment);
        times.insert(place, moment);
        // A late record may still meet what lies a span before it.
        let from = time.saturating_sub(2 * span);
        for times in &mut self.times {
            while times.front().is_some_and(|&(first, _)| first < from) || times.len() > MOST_TIMES {
                times.pop_front();
            }
        }
    }

    /// Whether the rules' condition holds in a window of the span that has the new match in it.
    pub(crate) fn holds(&self, new: i64, span: Span, condition: &Meeting) -> bool {
        self.ends(new, span).any(|end| {
            let within = |rule: usize| {
                let times = self.times.get(rule)?;
                let place = times.partition_point(|&(time, _)| time <= end);
                place.checked_sub(1).map(|place| times[place].0).filter(|&time| end.saturating_sub(time) <= span)
            };
            condition.holds(&|rule| within(rule).is_some())
        })
    }

    /// How many different rules matched in the fullest window of the span that has the new match in it.
    pub(crate) fn most_rules(&self, new: i64, span: Span) -> usize {
        let at = |end: i64| {
            let meets = |times: &&VecDeque<Moment>| {
                let place = times.partition_point(|&(time, _)| time <= end);
                place > 0 && end.saturating_sub(times[place - 1].0) <= span
            };
            self.times.iter().filter(meets).count()
        };
        self.ends(new, span).map(at).max().unwrap_or(0)
    }

    /// Whether the rules matched one after the other in a window of the span that has the new match in it. Each
    /// is matched by a record of its own.
    pub(crate) fn holds_in_order(&self, new: i64, span: Span) -> bool {
        self.ends(new, span).any(|end| {
            let mut at: Moment = (end, u64::MAX);
            // The latest before the next is the best: it leaves the most to those before it.
            self.times.iter().rev().all(|times| {
                let place = times.partition_point(|&moment| moment < at);
                let Some(place) = place.checked_sub(1) else { return false };
                at = times[place];
                end.saturating_sub(at.0) <= span
            })
        })
    }

    /// Ends of the windows to look at: the new match and what was already seen after it.
    fn ends(&self, new: i64, span: Span) -> impl Iterator<Item = i64> + '_ {
        let later = self
            .times
            .iter()
            .flatten()
            .map(|&(time, _)| time)
            .filter(move |&time| new < time && time.saturating_sub(new) <= span);
        std::iter::once(new).chain(later)
    }

    /// Matches that are kept.
    pub(crate) fn len(&self) -> usize {
        self.times.iter().map(VecDeque::len).sum()
    }
}

/// Which rules must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    Rule(usize),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Meeting {
    /// Reads a condition over rules; `place_of` says which rule a name is. `None` where it holds anything else.
    pub(crate) fn read(condition: &ConditionExpr, place_of: &impl Fn(&str) -> Option<usize>) -> Option<Self> {
        let each =
            |parts: &[ConditionExpr]| parts.iter().map(|part| Self::read(part, place_of)).collect::<Option<Vec<_>>>();
        match condition {
            ConditionExpr::And(parts) => each(parts).map(Self::All),
            ConditionExpr::Or(parts) => each(parts).map(Self::Any),
            ConditionExpr::Identifier(name) => place_of(name).map(Self::Rule),
            ConditionExpr::Not(_) | ConditionExpr::Selector { .. } => None,
        }
    }

    fn holds(&self, matched: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::Rule(rule) => matched(*rule),
            Self::All(parts) => parts.iter().all(|part| part.holds(matched)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(matched)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(matches: &[(usize, i64)]) -> (SequenceWindow, i64) {
        let mut window = SequenceWindow::default();
        let numbered = matches.iter().zip(0..);
        numbered.for_each(|(&(rule, time), number)| window.see(rule, 3, (time, number), 10));
        (window, matches.last().unwrap().1)
    }

    #[test]
    fn rules_meet_in_any_order_of_arrival() {
        let all = Meeting::All((0..3).map(Meeting::Rule).collect());
        for matches in [[(0, 1), (1, 5), (2, 11)], [(2, 11), (1, 5), (0, 1)], [(1, 5), (2, 11), (0, 1)]] {
            let (window, new) = seen(&matches);
            assert!(window.holds(new, 10, &all), "{matches:?}");
            assert_eq!(window.most_rules(new, 10), 3);
        }
        let (window, new) = seen(&[(0, 0), (1, 5), (2, 11)]);
        assert!(!window.holds(new, 10, &all));
    }

    #[test]
    fn the_order_is_that_of_the_times() {
        let (window, new) = seen(&[(0, 1), (1, 5), (2, 11)]);
        assert!(window.holds_in_order(new, 10));
        let (window, new) = seen(&[(1, 1), (0, 5), (2, 11)]);
        assert!(!window.holds_in_order(new, 10));
        let (window, new) = seen(&[(0, 0), (1, 5), (2, 11)]);
        assert!(!window.holds_in_order(new, 10));
        let mut one = SequenceWindow::default();
        (0..3).for_each(|rule| one.see(rule, 3, (5, 0), 10));
        assert!(!one.holds_in_order(5, 10), "one record is not after itself");
        (0..3).for_each(|rule| one.see(rule, 3, (5, 1 + rule as u64), 10));
        assert!(one.holds_in_order(5, 10), "records of one second are");
        // A match that came late completes it.
        let (window, new) = seen(&[(0, 1), (2, 11), (1, 5)]);
        assert!(window.holds_in_order(new, 10));
    }
}
