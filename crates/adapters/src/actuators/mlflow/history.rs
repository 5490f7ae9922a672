//! Where aliases pointed, from looking at them again and again: MLflow itself forgets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::reader::AliasState;

/// How many moves of one alias are kept.
const MOST_MOVES: usize = 100;

/// An alias that points elsewhere than at the look before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The registered model.
    pub model: String,
    /// The alias.
    pub alias: String,
    /// Where it pointed; `None` where it was not there.
    pub from: Option<String>,
    /// Where it points; `None` where it was deleted.
    pub to: Option<String>,
    /// When the new state was first seen.
    pub seen: Timestamp,
}

/// The moves of every alias that was looked at, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasHistory {
    aliases: BTreeMap<String, BTreeMap<String, Known>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    points_to: Option<String>,
    moves: Vec<AliasMove>,
}

impl AliasHistory {
    /// Compares every alias of a model with the look before. The first look at a model is where its history begins, and
    /// no move.
    pub fn observe(&mut self, model: &str, aliases: &[AliasState], seen: Timestamp) -> Vec<AliasMove> {
        let is_first = !self.aliases.contains_key(model);
        let known = self.aliases.entry(model.to_owned()).or_default();
        for state in aliases {
            known.entry(state.alias.clone()).or_default();
        }
        let mut moves = Vec::new();
        for (alias, known) in known.iter_mut() {
            let now = aliases.iter().find(|state| state.alias == *alias).map(|state| state.version.clone());
            if known.points_to == now {
                continue;
            }
            let from = std::mem::replace(&mut known.points_to, now.clone());
            if is_first {
                continue;
            }
            let moved = AliasMove { model: model.to_owned(), alias: alias.clone(), from, to: now, seen };
            known.moves.push(moved.clone());
            known.moves.drain(..known.moves.len().saturating_sub(MOST_MOVES));
            moves.push(moved);
        }
        moves
    }

    /// The version that an alias pointed to before it came to the one that it points to now.
    pub fn version_before(&self, model: &str, alias: &str) -> Option<&str> {
        self.aliases.get(model)?.get(alias)?.moves.last()?.from.as_deref()
    }

    /// The moves of an alias that are kept, oldest first.
    pub fn moves(&self, model: &str, alias: &str) -> &[AliasMove] {
        self.aliases.get(model).and_then(|known| known.get(alias)).map_or(&[], |known| &known.moves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(alias: &str, version: &str) -> AliasState {
        AliasState { alias: alias.to_owned(), version: version.to_owned() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_move_is_seen_once_and_the_first_look_is_none() {
        let mut history = AliasHistory::default();
        assert!(history.observe("fraud", &[state("champion", "1")], at(0)).is_empty());
        assert_eq!(history.version_before("fraud", "champion"), None);
        let moves = history.observe("fraud", &[state("champion", "2"), state("challenger", "3")], at(5));
        assert_eq!(moves.len(), 2);
        assert!(history.observe("fraud", &[state("champion", "2"), state("challenger", "3")], at(6)).is_empty());
        assert_eq!(history.version_before("fraud", "champion"), Some("1"));
        let gone = history.observe("fraud", &[state("champion", "2")], at(9));
        assert_eq!((gone[0].from.as_deref(), gone[0].to.as_deref(), gone[0].seen), (Some("3"), None, at(9)));
    }

    #[test]
    fn it_is_bounded_and_survives_a_restart() {
        let mut history = AliasHistory::default();
        for number in 0..500_u32 {
            history.observe("fraud", &[state("champion", &number.to_string())], at(number.into()));
        }
        assert_eq!(history.moves("fraud", "champion").len(), MOST_MOVES);
        let stored = serde_json::to_string(&history).unwrap();
        let restored: AliasHistory = serde_json::from_str(&stored).unwrap();
        assert_eq!(restored, history);
        assert_eq!(restored.version_before("fraud", "champion"), Some("498"));
    }
}
