//! Whether one channel has more of an outcome than channels usually differ.

use serde::{Deserialize, Serialize};

use crate::distribution::{binomial, student_t};

/// Fewer channels cannot tell how much channels differ.
const FEWEST_CHANNELS: usize = 4;

/// A channel with fewer rows neither is judged nor judges others.
const FEWEST_ROWS: u64 = 20;

/// Halvings until the spread between channels is known to the last bits.
const HALVINGS: u32 = 60;

/// Rows of one channel in one stratum, and how many of them show the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) rows: u64,
    pub(super) hits: u64,
}

/// How much more of an outcome a channel has than the others would have in its place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelExcess {
    /// Rows of the channel.
    pub rows: u64,
    /// Of them, rows with the outcome.
    pub hits: u64,
    /// Rows with the outcome, had each the other channels' rate in its stratum.
    pub expected: f64,
    /// `(hits - expected) / rows`.
    pub excess: f64,
    /// The excess in standard deviations: of sampling, and of the differences between the other channels.
    pub deviation: f64,
    /// One-sided.
    pub p_value: f64,
}

/// The excess of each channel, given its cells by stratum; nothing for a channel of fewer than 20 rows,
/// and nothing for any where fewer than four channels have as many.
///
/// For channel `c`: rates of each stratum come from the channels other than `c`, shrunk towards their common
/// rate by one row. Each other channel `j` is judged likewise by the rest, which gives an excess `e_j` with
/// sampling variance `s_j^2`. The spread `t^2` between channels solves
/// `sum e_j^2 / (t^2 + s_j^2) = channels - 2` (Paule and Mandel; zero if there is no solution), and
/// `deviation = e_c / sqrt(t^2 + s_c^2)` is judged by Student's law with `channels - 2` degrees of freedom.
/// The p-value is the larger of that and the binomial tail of `hits`, which bounds that of unequal chances
/// (Hoeffding 1956).
///
/// Cost: `O(channels^2 * strata)`.
pub(super) fn channel_excesses(cells: &[Vec<Cell>]) -> Vec<Option<ChannelExcess>> {
    let rows_of = |channel: usize| cells[channel].iter().map(|cell| cell.rows).sum::<u64>();
    let judged: Vec<usize> = (0..cells.len()).filter(|channel| rows_of(*channel) >= FEWEST_ROWS).collect();
    let mut found = vec![None; cells.len()];
    if judged.len() < FEWEST_CHANNELS {
        return found;
    }
    let strata = cells.iter().map(Vec::len).min().unwrap_or(0);
    let mut all = vec![Cell::default(); strata];
    judged.iter().for_each(|channel| add(&mut all, &cells[*channel]));
    for channel in &judged {
        let own = &cells[*channel];
        let others = less(&all, own);
        let residuals = judged.iter().filter(|other| *other != channel).map(|other| {
            let rest = less(&others, &cells[*other]);
            let residual = Residual::of(&cells[*other], &rest);
            (residual.excess, residual.variance)
        });
        let spread = spread_between(&residuals.collect::<Vec<_>>());
        found[*channel] = judge(own, &Residual::of(own, &others), spread, judged.len() - 2);
    }
    found
}

fn judge(own: &[Cell], residual: &Residual, spread: f64, freedom: usize) -> Option<ChannelExcess> {
    let rows: u64 = own.iter().map(|cell| cell.rows).sum();
    let hits: u64 = own.iter().map(|cell| cell.hits).sum();
    let deviation = residual.excess / (spread + residual.variance).sqrt();
    let two_sided = student_t::two_sided(deviation, freedom as f64)?;
    let by_spread = if deviation > 0.0 { 0.5 * two_sided } else { 1.0 - 0.5 * two_sided };
    let by_count = binomial::at_least(hits, rows, (residual.expected / rows as f64).clamp(0.0, 1.0))?;
    let p_value = by_spread.max(by_count).clamp(0.0, 1.0);
    Some(ChannelExcess { rows, hits, expected: residual.expected, excess: residual.excess, deviation, p_value })
}

fn add(sum: &mut [Cell], more: &[Cell]) {
    for (cell, other) in sum.iter_mut().zip(more) {
        cell.rows += other.rows;
        cell.hits += other.hits;
    }
}

fn less(all: &[Cell], part: &[Cell]) -> Vec<Cell> {
    all.iter().zip(part).map(|(a, b)| Cell { rows: a.rows - b.rows, hits: a.hits - b.hits }).collect()
}

/// What a channel shows beyond the rates of others.
struct Residual {
    expected: f64,
    excess: f64,
    variance: f64,
}

impl Residual {
    fn of(own: &[Cell], others: &[Cell]) -> Self {
        let (all_rows, all_hits) = others.iter().fold((0, 0), |sum, cell| (sum.0 + cell.rows, sum.1 + cell.hits));
        let common = (all_hits as f64 + 0.5) / (all_rows as f64 + 1.0);
        let (mut rows, mut hits, mut expected, mut variance) = (0.0, 0.0, 0.0, 0.0);
        for (cell, other) in own.iter().zip(others).filter(|(cell, _)| cell.rows > 0) {
            let rate = (other.hits as f64 + common) / (other.rows as f64 + 1.0);
            let count = cell.rows as f64;
            rows += count;
            hits += cell.hits as f64;
            expected += count * rate;
            // The second term is the error of the rate itself.
            variance += rate * (1.0 - rate) * (count + count * count / (other.rows as f64 + 1.0));
        }
        Self { expected, excess: (hits - expected) / rows, variance: variance / (rows * rows) }
    }
}

/// The variance between channels by which the residuals are as large as they should be.
fn spread_between(residuals: &[(f64, f64)]) -> f64 {
    let freedom = residuals.len() as f64 - 1.0;
    let weighted = |spread: f64| residuals.iter().map(|(excess, variance)| excess * excess / (spread + variance)).sum();
    let too_large = |spread: f64| freedom < weighted(spread);
    if !too_large(0.0) {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, residuals.iter().map(|(excess, _)| excess * excess).sum::<f64>() / freedom);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if too_large(middle) { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn channels(rates: &[f64], rows: u64, random: &mut SplitMix) -> Vec<Vec<Cell>> {
        let draw = |rate: f64, random: &mut SplitMix| (0..rows).filter(|_| random.unit() < rate).count() as u64;
        rates
            .iter()
            .map(|rate| [*rate, 10.0 * rate].iter().map(|r| Cell { rows, hits: draw(*r, random) }).collect())
            .collect()
    }

    /// Goal: channels that differ by nature alarm no more often than asked, though a test that knows only
    /// sampling would call nearly all of them; and a channel far from all is found.
    #[test]
    fn usual_differences_are_no_finding_and_unusual_ones_are() {
        let mut random = SplitMix::new(5);
        let (mut false_alarms, mut found) = (0, 0);
        for _ in 0..500 {
            let mut rates: Vec<f64> = (0..8).map(|_| 0.005 + 0.025 * random.unit()).collect();
            let least =
                |cells: &[Vec<Cell>]| channel_excesses(cells).iter().flatten().map(|x| x.p_value).fold(1.0, f64::min);
            false_alarms += usize::from(least(&channels(&rates, 2_000, &mut random)) < 0.05 / 8.0);
            rates[3] = 0.08;
            let alarmed = channel_excesses(&channels(&rates, 2_000, &mut random));
            found += usize::from(alarmed[3].unwrap().p_value < 0.05 / 8.0);
        }
        assert!(false_alarms <= 30, "{false_alarms} of 500");
        assert!(found >= 475, "{found} of 500");
    }

    #[test]
    fn too_few_channels_or_rows_are_not_judged() {
        let cell = |rows, hits| vec![Cell { rows, hits }];
        assert!(channel_excesses(&[cell(100, 1), cell(100, 2), cell(100, 90)]).iter().all(Option::is_none));
        let some = channel_excesses(&[cell(100, 1), cell(100, 2), cell(100, 90), cell(100, 0), cell(19, 19)]);
        assert!(some[4].is_none() && some[0].is_some() && channel_excesses(&[]).is_empty());
        // Student's law with two degrees of freedom is wide.
        let worst = some[2].unwrap();
        assert!(worst.deviation > 10.0 && (1e-4..0.01).contains(&worst.p_value), "{worst:?}");
    }
}
