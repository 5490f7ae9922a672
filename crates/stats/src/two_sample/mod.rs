//! Do two samples differ, by how much, and how much would chance alone have given?
//!
//! Every distance comes with its **noise floor**: what it is expected to be, and at most is with
//! probability `1 - alpha`, when nothing changed, from the two sizes and the bins. A threshold then
//! follows from the data, not from folklore. Order of arguments: `reference`, then `current`.
//!
//! The floors assume independent values. Where values hang together (users, sessions, seasons),
//! give effective sizes, or learn the floor from the distances between quiet windows.

mod anderson_darling;
mod chi_square;
mod classifier;
mod cramer_von_mises;
mod distance;
mod energy;
mod epps_singleton;
pub(crate) mod kernel;
mod kolmogorov_smirnov;
mod lsdd;
mod mann_whitney;
mod mean;
mod noise_floor;
mod order;
mod pooling;
mod proportion;
pub(crate) mod symmetric;
mod text;
mod wasserstein;

/// The tests on ascending cells of the number line, for samples that are counted rather than kept.
pub(crate) mod cells {
    pub(crate) use super::anderson_darling::from_cells as anderson_darling;
    pub(crate) use super::cramer_von_mises::from_cells as cramer_von_mises;
    pub(crate) use super::energy::from_cells as energy_distance;
    pub(crate) use super::epps_singleton::from_cells as epps_singleton;
    pub(crate) use super::kolmogorov_smirnov::from_cells as kolmogorov_smirnov;
    pub(crate) use super::mann_whitney::from_cells as mann_whitney;
    pub(crate) use super::order::Cell;
    pub(crate) use super::wasserstein::from_cells as wasserstein;
}

#[cfg(test)]
pub(crate) use kolmogorov_smirnov::tests::golden_samples;

pub use anderson_darling::{ShapeTest, anderson_darling};
pub use chi_square::{CountTest, chi_square, g_test};
pub use classifier::{ClassifierSettings, ClassifierTest, classifier_test};
pub use cramer_von_mises::cramer_von_mises;
pub use distance::{hellinger, jensen_shannon, kullback_leibler, l_infinity, population_stability, total_variation};
pub use energy::{energy_distance, energy_test};
pub use epps_singleton::epps_singleton;
pub use kernel::{
    AggregatedTest, FourierFeatures, KernelDrift, KernelReference, KernelSettings, KernelWindow, MeanEmbedding, Rows,
    Scaling, aggregated_discrepancy, kernel_discrepancy, median_squared_distance,
};
pub use kolmogorov_smirnov::{KsTest, kolmogorov_smirnov, kolmogorov_smirnov_counts, kolmogorov_smirnov_sketches};
pub use lsdd::density_difference;
pub use mann_whitney::{MannWhitney, mann_whitney, mann_whitney_counts, mann_whitney_sketches};
pub use mean::{MeanTest, student_t, welch_t, welch_t_moments};
pub use noise_floor::{Distance, NoiseFloor, noise_floor};
pub use pooling::pool_small_cells;
pub use proportion::{ProportionTest, fisher_exact, two_proportions};
pub use text::HashedText;
pub use wasserstein::{Wasserstein, wasserstein, wasserstein_clipped, wasserstein_normalised};
