//! Ranks a client among honest ones, so that a threshold is a rate of honest clients flagged.

use serde::{Deserialize, Serialize};

use super::client_probe::{CHECKPOINTS, ProbeScore, ProbeScores};
use crate::outlier::Calibration;
use crate::random::SplitMix;

/// Fewer clients than this at a checkpoint: the scale of the one before is used.
const LEAST_AT_CHECKPOINT: usize = 20;
/// Differences below these are nothing, however much alike honest clients are.
const LEAST_SPREAD: ProbeScores = [0.02, 0.02, 0.02, 0.02, 0.25];

/// What honest clients' scores are, and how large the most unusual of them gets by chance.
///
/// One half of the honest clients gives for each checkpoint and score the median `m` and the spread
/// `s = q95 - m`. The excess of a client is `max over checkpoints and scores of (x - m) / s`, at least zero; the other
/// half calibrates it: `p = (1 + honest clients with as large an excess) / (1 + n)`.
///
/// Control: a client that is exchangeable with the honest ones, over a period as long as theirs, is *ever* flagged at
/// `p <= alpha` with a chance of at most `alpha`, however often it is looked at and however the scores depend on one
/// another. That is why the excess is calibrated as one: Fisher's sum of logarithms supposes independent scores, which
/// scores of the same queries are not, and Bonferroni over 5 scores and 8 checkpoints would need `40 / alpha` honest
/// clients where this needs `2 / alpha`. The p-values of single scores are for the explanation only; `p` is for alarms.
/// Many clients at once: [`crate::multiple::benjamini_hochberg`].
///
/// Not to be trusted if attackers are among the honest, or if honest clients of another kind come along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct HonestClients {
    scales: Vec<[Scale; 5]>,
    combined: Calibration,
    single: Vec<Calibration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Scale {
    median: f64,
    spread: f64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    scales: Vec<[Scale; 5]>,
    combined: Calibration,
    single: Vec<Calibration>,
}

/// What is said of one client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeVerdict {
    /// The chance of an honest client's ever being as unusual.
    pub p_value: f64,
    /// The score that stands out most.
    pub strongest: ProbeScore,
    /// The chance of an honest client's being as unusual in one score alone, in the order of [`ProbeScore::ALL`].
    pub single: [f64; 5],
}

impl HonestClients {
    /// From what each client had [`reached`](super::ClientProbe::reached) in the period; those that reached nothing
    /// belong to them too.
    ///
    /// `None` for fewer than 40 clients or 20 in a half at the first checkpoint, more checkpoints than there are, or scores that are not finite.
    #[must_use]
    pub fn new(clients: &[&[ProbeScores]], seed: u64) -> Option<Self> {
        let bad = |client: &&[ProbeScores]| {
            client.len() > CHECKPOINTS.len() || client.iter().flatten().any(|score| !score.is_finite())
        };
        if clients.len() < 2 * LEAST_AT_CHECKPOINT || clients.iter().any(bad) {
            return None;
        }
        let mut order: Vec<&[ProbeScores]> = clients.to_vec();
        SplitMix::new(seed).shuffle(&mut order);
        let (first, second) = order.split_at(order.len() / 2);
        let scales = scales(first)?;
        let excesses: Vec<ProbeScores> = second.iter().map(|client| excess(&scales, client)).collect();
        let largest: Vec<f64> = excesses.iter().map(largest).collect();
        let of_score = |score| Calibration::new(&excesses.iter().map(|all| all[score]).collect::<Vec<_>>());
        let single: Option<Vec<Calibration>> = (0..5).map(of_score).collect();
        Some(Self { scales, combined: Calibration::new(&largest)?, single: single? })
    }

    /// Judges what a client has reached so far; `None` before the first checkpoint, or for scores that are not finite.
    #[must_use]
    pub fn judge(&self, reached: &[ProbeScores]) -> Option<ProbeVerdict> {
        if reached.is_empty() || reached.iter().flatten().any(|score| !score.is_finite()) {
            return None;
        }
        let excess = excess(&self.scales, reached);
        let p_value = self.combined.p_value(largest(&excess))?;
        let mut single = [1.0; 5];
        for (p, (calibration, excess)) in single.iter_mut().zip(self.single.iter().zip(excess)) {
            *p = calibration.p_value(excess)?;
        }
        let strongest = (0..5).fold(0, |most, score| if excess[score] > excess[most] { score } else { most });
        Some(ProbeVerdict { p_value, strongest: ProbeScore::ALL[strongest], single })
    }

    /// The smallest p-value that so many honest clients can give.
    #[must_use]
    pub fn least_p_value(&self) -> f64 {
        self.combined.least_p_value()
    }
}

fn scales(clients: &[&[ProbeScores]]) -> Option<Vec<[Scale; 5]>> {
    let mut scales: Vec<[Scale; 5]> = Vec::new();
    for checkpoint in 0..CHECKPOINTS.len() {
        let there: Vec<&ProbeScores> = clients.iter().filter_map(|client| client.get(checkpoint)).collect();
        if there.len() < LEAST_AT_CHECKPOINT {
            scales.push(*scales.last()?);
            continue;
        }
        scales.push(std::array::from_fn(|score| {
            let mut values: Vec<f64> = there.iter().map(|all| all[score]).collect();
            values.sort_unstable_by(f64::total_cmp);
            let median = values[values.len() / 2];
            let spread = values[values.len() * 19 / 20] - median;
            Scale { median, spread: spread.max(LEAST_SPREAD[score]) }
        }));
    }
    Some(scales)
}

/// The largest excess over the checkpoints, of each score.
fn excess(scales: &[[Scale; 5]], reached: &[ProbeScores]) -> ProbeScores {
    let mut most = [0.0_f64; 5];
    for (scale, scores) in scales.iter().zip(reached) {
        for score in 0..5 {
            most[score] = most[score].max((scores[score] - scale[score].median) / scale[score].spread);
        }
    }
    most
}

fn largest(excess: &ProbeScores) -> f64 {
    excess.iter().fold(0.0, |most, one| most.max(*one))
}

impl From<HonestClients> for Stored {
    fn from(honest: HonestClients) -> Self {
        Self { scales: honest.scales, combined: honest.combined, single: honest.single }
    }
}

impl TryFrom<Stored> for HonestClients {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let bad = |scale: &Scale| !(scale.median.is_finite() && scale.spread.is_finite() && scale.spread > 0.0);
        if stored.scales.len() != CHECKPOINTS.len() || stored.single.len() != ProbeScore::ALL.len() {
            return Err("not one scale a checkpoint or not one calibration a score");
        }
        if stored.scales.iter().flatten().any(bad) {
            return Err("a scale that is not above zero");
        }
        Ok(Self { scales: stored.scales, combined: stored.combined, single: stored.single })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Honest clients of several volumes, whose scores depend on one another and have heavy tails.
    fn client(random: &mut SplitMix) -> Vec<ProbeScores> {
        let own = random.normal() / (0.2 + random.unit());
        let n = random.below(CHECKPOINTS.len() + 1);
        (0..n).map(|_| std::array::from_fn(|_| own + random.normal())).collect()
    }

    /// Goal: of 20,000 honest clients at most those asked are flagged, with 999 to learn from in ten draws.
    #[test]
    fn honest_clients_are_flagged_as_asked() {
        let mut random = SplitMix::new(5);
        let mut flagged = 0;
        for seed in 0..10 {
            let clients: Vec<Vec<ProbeScores>> = (0..999).map(|_| client(&mut random)).collect();
            let honest = HonestClients::new(&clients.iter().map(Vec::as_slice).collect::<Vec<_>>(), seed).unwrap();
            for _ in 0..2_000 {
                let reached = client(&mut random);
                // An excess never falls, so the last look is the one that counts.
                let ever = honest.judge(&reached).is_some_and(|verdict| verdict.p_value <= 0.05);
                flagged += usize::from(ever);
            }
        }
        assert!((700..1_250).contains(&flagged), "{flagged}");
    }

    #[test]
    fn is_read_back_and_bad_state_is_refused() {
        let mut random = SplitMix::new(6);
        let clients: Vec<Vec<ProbeScores>> = (0..200).map(|_| client(&mut random)).collect();
        let slices: Vec<&[ProbeScores]> = clients.iter().map(Vec::as_slice).collect();
        let honest = HonestClients::new(&slices, 1).unwrap();
        let text = serde_json::to_string(&honest).unwrap();
        let read: HonestClients = serde_json::from_str(&text).unwrap();
        let far = [[1.0, 1.0, 1e6, 1.0, 1.0]];
        assert_eq!(read.judge(&far), honest.judge(&far));
        let verdict = honest.judge(&far).unwrap();
        assert_eq!((verdict.p_value, verdict.strongest), (1.0 / 101.0, ProbeScore::OneAtATime));
        assert!(
            serde_json::from_str::<HonestClients>(&text.replacen("\"single\":[", "\"single\":[[1.0],", 1)).is_err()
        );
        assert!(HonestClients::new(&slices[..39], 1).is_none());
        assert!(honest.judge(&[]).is_none() && honest.judge(&[[f64::NAN; 5]]).is_none());
    }
}
