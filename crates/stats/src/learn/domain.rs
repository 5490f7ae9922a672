//! Which of two samples a row comes from.

use super::boosted::BoostSettings;
use super::{CrossFit, Features};

/// For each row of two samples, the probability that it is of the current one, judged by a model that
/// has not seen the row.
///
/// About the share of current rows everywhere if the samples do not differ. Odds of these
/// probabilities estimate the density ratio of the samples.
/// Cost: that of [`CrossFit`] for the rows of both.
/// Reference: Lopez-Paz, Oquab, ICLR (2017); Sugiyama et al., "Density Ratio Estimation in Machine
/// Learning" (2012), section 4.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainScores {
    /// The probability for each reference row.
    pub reference: Vec<f64>,
    /// The probability for each current row.
    pub current: Vec<f64>,
    /// How much each feature tells the samples apart, as shares.
    pub importance: Vec<f64>,
}

impl DomainScores {
    /// Learns to tell the samples apart by boosted trees; `settings.loss` should be
    /// [`super::Loss::Logistic`]. `None` if the numbers of columns differ, or as for
    /// [`CrossFit::fit`].
    #[must_use]
    pub fn fit(
        reference: &Features<'_>,
        current: &Features<'_>,
        settings: &BoostSettings,
        folds: u32,
        seed: u64,
    ) -> Option<Self> {
        if reference.width() != current.width() {
            return None;
        }
        let both = reference.columns().iter().zip(current.columns());
        let stacked: Vec<Vec<f64>> = both.map(|(reference, current)| [*reference, *current].concat()).collect();
        let stacked = Features::new(stacked.iter().map(Vec::as_slice).collect())?;
        let mut is_current = vec![0.0; reference.rows()];
        is_current.resize(stacked.rows(), 1.0);
        let fitted = CrossFit::fit(&stacked, &is_current, None, settings, folds, seed)?;
        let (of_reference, of_current) = fitted.out_of_fold().split_at(reference.rows());
        Some(Self { reference: of_reference.to_vec(), current: of_current.to_vec(), importance: fitted.importance() })
    }
}
