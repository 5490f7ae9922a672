//! What other tools would choose and say, by name: for those who come from them, and for comparison.
//!
//! These are the tools' own rules, defects included, computed on full samples: sizes and values that
//! make them alarm always, or never, are named where they are. Nothing in Wardline judges by them.
//!
//! | tool | numbers | categories | threshold |
//! | --- | --- | --- | --- |
//! | [`evidently`] | KS to 1,000 reference rows, Wasserstein over the deviation beyond | chi-square, z test; Jensen-Shannon | p < 0.05; distance >= 0.1 |
//! | [`nannyml`] | Jensen-Shannon, base 2, Doane's bins | Jensen-Shannon, base 2 | mean + 3 deviations of ten reference chunks |
//! | [`alibi_detect`] | KS | chi-square | p < 0.05 over the number of columns |

pub mod alibi_detect;
pub mod evidently;
mod histogram;
pub mod nannyml;
mod one_sample;

use serde::{Deserialize, Serialize};

/// A test as another tool names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerTest {
    /// Two-sample Kolmogorov-Smirnov.
    KolmogorovSmirnov,
    /// First Wasserstein distance over the reference's standard deviation.
    WassersteinNormalised,
    /// Jensen-Shannon distance.
    JensenShannon,
    /// Current counts against reference shares, as if those were exact.
    ChiSquareGoodnessOfFit,
    /// Two-sample chi-square.
    ChiSquare,
    /// Two shares.
    TwoProportions,
    /// Area under the curve of a classifier of texts.
    TextClassifierArea,
    /// The same, as a percentile of random classifiers.
    TextClassifierPercentile,
}

/// What another tool would say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerVerdict {
    /// The test that its rule chooses.
    pub test: PeerTest,
    /// The p-value or distance that it shows.
    pub score: f64,
    /// What the score is compared with.
    pub threshold: f64,
    /// Whether it would call the column drifted.
    pub drifted: bool,
}
