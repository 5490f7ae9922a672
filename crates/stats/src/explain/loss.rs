//! What one prediction costs.

use serde::{Deserialize, Serialize};

/// The loss of one prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PointLoss {
    /// `(prediction - target)^2`.
    Squared,
    /// `|prediction - target|`.
    Absolute,
    /// `-ln p` of the target zero or one, in nats; probabilities are kept `1e-15` away from zero and one.
    Log,
}

impl PointLoss {
    /// The loss of a prediction; `None` where it is not finite, or not a share for [`PointLoss::Log`].
    #[must_use]
    pub fn of(self, prediction: f64, target: f64) -> Option<f64> {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        if self == Self::Log && !(is_share(prediction) && is_share(target)) {
            return None;
        }
        let loss = match self {
            Self::Squared => (prediction - target) * (prediction - target),
            Self::Absolute => (prediction - target).abs(),
            Self::Log => {
                let p = prediction.clamp(1e-15, 1.0 - 1e-15);
                -(target * p.ln() + (1.0 - target) * (1.0 - p).ln())
            }
        };
        loss.is_finite().then_some(loss)
    }
}

/// The losses of all rows; `None` if lengths differ or one has none.
pub(super) fn losses(loss: PointLoss, predictions: &[f64], targets: &[f64]) -> Option<Vec<f64>> {
    if predictions.len() != targets.len() {
        return None;
    }
    predictions.iter().zip(targets).map(|(prediction, target)| loss.of(*prediction, *target)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_have_their_values_and_refuse_what_has_none() {
        assert_eq!(PointLoss::Squared.of(3.0, 1.0), Some(4.0));
        assert_eq!(PointLoss::Absolute.of(-3.0, 1.0), Some(4.0));
        assert!((PointLoss::Log.of(0.25, 1.0).unwrap() - 4.0_f64.ln()).abs() < 1e-15);
        assert!(PointLoss::Log.of(0.0, 1.0).unwrap() < 35.0);
        assert_eq!(PointLoss::Log.of(1.5, 1.0), None);
        assert_eq!(PointLoss::Log.of(0.5, f64::NAN), None);
        assert_eq!(PointLoss::Squared.of(f64::INFINITY, 1.0), None);
        assert_eq!(losses(PointLoss::Squared, &[1.0], &[]), None);
    }
}
