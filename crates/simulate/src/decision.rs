//! What a model answers: its score, its classes, its decision.

use crate::random::Random;

/// How a model decides.
#[derive(Clone, Debug)]
pub(crate) enum DecisionSpec {
    /// Yes or no by a threshold on the positive class's probability.
    Binary {
        /// The class whose probability the score is.
        positive: &'static str,
        /// The other class.
        negative: &'static str,
        /// Log odds of the positive class for an average input.
        intercept: f64,
        /// The score from which on the decision is the positive class.
        threshold: f64,
    },
    /// One of several classes, the most probable one.
    Classes {
        /// Classes and their shares.
        classes: &'static [(&'static str, f64)],
        /// How far the true class stands out, in log odds.
        margin: f64,
    },
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Probability of the positive class, else of the decision.
    pub(crate) score: f64,
    /// Class to probability; empty for a binary model.
    pub(crate) scores: Vec<(&'static str, f64)>,
    /// The class decided for.
    pub(crate) decision: &'static str,
    /// What turns out to be true.
    pub(crate) truth: &'static str,
}

impl DecisionSpec {
    /// The answer to an input whose features add `log_odds`.
    pub(crate) fn answer(&self, log_odds: f64, random: &mut Random) -> Answer {
        match *self {
            Self::Binary { positive, negative, intercept, threshold } => {
                let score = 1.0 / (1.0 + (-(intercept + log_odds + 0.25 * random.normal())).exp());
                let decision = if threshold <= score { positive } else { negative };
                let truth = if random.chance(score) { positive } else { negative };
                Answer { score, scores: Vec::new(), decision, truth }
            }
            Self::Classes { classes, margin } => among(classes, margin, random),
        }
    }

    /// The class whose probability the score is, where there is one.
    pub(crate) const fn positive(&self) -> Option<&'static str> {
        match self {
            Self::Binary { positive, .. } => Some(positive),
            Self::Classes { .. } => None,
        }
    }
}

fn among(classes: &'static [(&'static str, f64)], margin: f64, random: &mut Random) -> Answer {
    let true_class = random.weighted(classes);
    let mut scores: Vec<(&'static str, f64)> = classes
        .iter()
        .enumerate()
        .map(|(index, (name, _))| {
            let stands_out = if index == true_class { margin + random.normal() } else { 0.0 };
            (*name, (stands_out + 0.8 * random.normal()).exp())
        })
        .collect();
    let total: f64 = scores.iter().map(|(_, weight)| weight).sum();
    for (_, weight) in &mut scores {
        *weight /= total;
    }
    let (decision, score) =
        scores.iter().copied().fold(("", 0.0), |best, class| if best.1 < class.1 { class } else { best });
    Answer { score, scores, decision, truth: classes.get(true_class).map_or("", |(name, _)| name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_sum_to_one_and_are_mostly_right() {
        const CLASSES: &[(&str, f64)] = &[("a", 0.6), ("b", 0.3), ("c", 0.1)];
        let spec = DecisionSpec::Classes { classes: CLASSES, margin: 2.5 };
        let mut random = Random::new(1, "classes");
        let mut right = 0;
        for _ in 0..2_000 {
            let answer = spec.answer(0.0, &mut random);
            assert!((answer.scores.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
            right += i32::from(answer.decision == answer.truth);
        }
        assert!((1_600..1_990).contains(&right), "{right}");
    }

    #[test]
    fn a_binary_score_is_calibrated() {
        let spec = DecisionSpec::Binary { positive: "fraud", negative: "legit", intercept: -1.0, threshold: 0.5 };
        let mut random = Random::new(1, "binary");
        let (mut sum, mut positives) = (0.0, 0);
        for _ in 0..20_000 {
            let log_odds = random.normal();
            let answer = spec.answer(log_odds, &mut random);
            sum += answer.score;
            positives += i32::from(answer.truth == "fraud");
        }
        assert!((sum - f64::from(positives)).abs() < 300.0, "{sum} {positives}");
    }
}
