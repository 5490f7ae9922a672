//! Which test a column gets when nobody chose one.

use serde::{Deserialize, Serialize};

use super::categorical::{CategoricalComparison, least_expected};
use super::numeric::NumericComparison;
use crate::two_sample::{KernelDrift, fisher_exact, pool_small_cells, total_variation};

/// A numeric column of up to this many different values is compared value by value: the p-value of
/// Kolmogorov-Smirnov is too large where most values are tied.
const FEW_VALUES: usize = 20;
/// Below this many values on a side, no test could tell a change from chance.
pub const LEAST_VALUES: u64 = 8;

/// The tests that a default chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefaultTest {
    /// Numbers of more than 20 different values. Effect: `D`, the greatest difference of the shares at
    /// or below a value.
    KolmogorovSmirnov,
    /// Categories, and numbers of 3 to 20 different values. Effect: the share that changed place, rare
    /// values pooled.
    ChiSquare,
    /// Two values, at least 5 expected in each cell. Effect: the difference of the shares.
    TwoProportions,
    /// Two values, fewer than 5 expected somewhere. Effect: the difference of the shares.
    FisherExact,
    /// Rows of numbers, embeddings and texts. Effect: the distance of the kernel means, 0 to `sqrt 2`.
    Kernel,
}

/// What the chosen test found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The test.
    pub test: DefaultTest,
    /// Its statistic.
    pub statistic: f64,
    /// The chance of a statistic at least as large when nothing changed.
    pub p_value: f64,
    /// How large the change is, whatever the sample sizes; see [`DefaultTest`].
    pub effect: f64,
}

/// The default for numbers: value by value for 20 different values or fewer, else
/// Kolmogorov-Smirnov, whose p-value is exact up to a million pairs and the limit law beyond.
///
/// Right at any size, because the p-value knows the sizes; whether a certain change is large enough
/// to matter is told by the effect. `None` below 8 values a side, or if all values are equal.
#[must_use]
pub fn default_numeric(comparison: &NumericComparison<'_>) -> Option<Outcome> {
    let (n, m) = comparison.counts();
    if n.min(m) < LEAST_VALUES {
        return None;
    }
    if let Some((reference, current)) = comparison.value_counts(FEW_VALUES) {
        return default_categorical(&CategoricalComparison::new(reference, current)?);
    }
    let test = comparison.kolmogorov_smirnov()?;
    Some(Outcome {
        test: DefaultTest::KolmogorovSmirnov,
        statistic: test.statistic,
        p_value: test.p_value,
        effect: test.statistic,
    })
}

/// The default for categories: two values by the z test or, where fewer than 5 are expected in a cell,
/// Fisher's; more by the two-sample chi-square with rare values pooled.
///
/// `None` below 8 values a side, or if fewer than two cells remain after pooling.
#[must_use]
pub fn default_categorical(comparison: &CategoricalComparison) -> Option<Outcome> {
    let (n, m) = comparison.counts();
    if n.min(m) < LEAST_VALUES {
        return None;
    }
    if let Some(table) = comparison.two_by_two() {
        let [[a, c], [b, d]] = table;
        let share = |cell: u64, other: u64| cell as f64 / (cell + other) as f64;
        let effect = (share(b, d) - share(a, c)).abs();
        if least_expected(table) < 5.0 {
            let p_value = fisher_exact(table);
            return Some(Outcome { test: DefaultTest::FisherExact, statistic: effect, p_value, effect });
        }
        let test = comparison.two_proportions()?;
        return Some(Outcome { test: DefaultTest::TwoProportions, statistic: test.z, p_value: test.p_value, effect });
    }
    let test = comparison.chi_square()?;
    let (reference, current) = comparison.cells();
    let (reference, current) = pool_small_cells(reference, current, 5.0)?;
    let moved = total_variation(&reference, &current)?;
    Some(Outcome { test: DefaultTest::ChiSquare, statistic: test.statistic, p_value: test.p_value, effect: moved })
}

/// The default for rows of numbers, embeddings and texts: the kernel test by random features.
#[must_use]
pub fn default_rows(drift: &KernelDrift) -> Outcome {
    Outcome {
        test: DefaultTest::Kernel,
        statistic: drift.squared_discrepancy,
        p_value: drift.p_value,
        effect: drift.squared_discrepancy.max(0.0).sqrt(),
    }
}
