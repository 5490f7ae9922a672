//! Known laws: tails and quantiles, accurate far out and for large parameters.
//!
//! Tails are named by what they mean for a count: `at_most(k)` includes `k`, `at_least(k)` too.

pub mod beta;
pub mod binomial;
pub mod chi_square;
pub mod gamma;
pub mod kolmogorov;
pub mod negative_binomial;
pub mod normal;
pub mod poisson;
mod saddle_point;
mod solve;
pub mod student_t;

#[cfg(test)]
mod tests;
