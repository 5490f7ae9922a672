//! What coalitions of features are worth, by calls of the model.

use crate::learn::Features;

/// Rows that the model gets in one call, at most (one coalition's rows stay together).
const ROWS_A_CALL: usize = 16_384;

/// One row against a background: the worth of a coalition is the mean output over the background's
/// rows where the coalition's features are taken from the row.
pub(super) struct Game<'a, P> {
    row: &'a [f64],
    background: &'a Features<'a>,
    /// The features that differ between the row and any background row; all others are worth nothing.
    players: Vec<usize>,
    predict: P,
}

impl<'a, P: FnMut(&Features<'_>) -> Option<Vec<f64>>> Game<'a, P> {
    /// `None` if the widths differ or the row has an infinite value.
    pub(super) fn new(row: &'a [f64], background: &'a Features<'a>, predict: P) -> Option<Self> {
        if row.len() != background.width() || row.iter().any(|value| value.is_infinite()) {
            return None;
        }
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        let differs = |feature: &usize| !background.columns()[*feature].iter().all(|value| same(*value, row[*feature]));
        let players = (0..row.len()).filter(differs).collect();
        Some(Self { row, background, players, predict })
    }

    pub(super) fn players(&self) -> &[usize] {
        &self.players
    }

    /// The worth of each coalition (one flag for each player); `None` if the model has no answer.
    pub(super) fn worth(&mut self, coalitions: &[Vec<bool>]) -> Option<Vec<f64>> {
        let at_once = (ROWS_A_CALL / self.background.rows()).max(1);
        let mut found = Vec::with_capacity(coalitions.len());
        for some in coalitions.chunks(at_once) {
            self.ask(some, &mut found)?;
        }
        Some(found)
    }

    fn ask(&mut self, coalitions: &[Vec<bool>], found: &mut Vec<f64>) -> Option<()> {
        let rows = self.background.rows();
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(self.row.len());
        for value in self.row {
            columns.push(vec![*value; rows * coalitions.len()]);
        }
        for (player, feature) in self.players.iter().enumerate() {
            for (cells, coalition) in columns[*feature].chunks_exact_mut(rows).zip(coalitions) {
                if !coalition[player] {
                    cells.copy_from_slice(self.background.columns()[*feature]);
                }
            }
        }
        let table = Features::new(columns.iter().map(Vec::as_slice).collect())?;
        let outputs = (self.predict)(&table)?;
        if outputs.len() != table.rows() || outputs.iter().any(|output| !output.is_finite()) {
            return None;
        }
        found.extend(outputs.chunks_exact(rows).map(|some| some.iter().sum::<f64>() / rows as f64));
        Some(())
    }
}

/// Exact Shapley values of all `2^players` worths, where bit `i` of the index says that player `i` is in.
///
/// Cost `O(players 2^players)`. Reference: Shapley (1953).
pub(super) fn shapley(players: usize, worth: &[f64]) -> Vec<f64> {
    // By the size of the coalition that is joined: (s! (n - s - 1)!) / n!.
    let mut weights = vec![1.0 / players.max(1) as f64; players];
    for size in 1..players {
        weights[size] = weights[size - 1] * size as f64 / (players - size) as f64;
    }
    let mut values = vec![0.0; players];
    for (coalition, worth_without) in worth.iter().enumerate() {
        for (player, value) in values.iter_mut().enumerate().filter(|(player, _)| coalition >> player & 1 == 0) {
            *value += weights[coalition.count_ones() as usize] * (worth[coalition | 1 << player] - worth_without);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the textbook glove game: two left gloves, one right; a pair is worth one.
    #[test]
    fn the_glove_game_has_its_known_values() {
        let worth: Vec<f64> =
            (0..8_u32).map(|coalition| f64::from(u8::from(coalition & 4 != 0 && coalition & 3 != 0))).collect();
        let values = shapley(3, &worth);
        for (found, expected) in values.iter().zip([1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0]) {
            assert!((found - expected).abs() < 1e-15, "{values:?}");
        }
        assert!(shapley(0, &[1.0]).is_empty());
    }
}
