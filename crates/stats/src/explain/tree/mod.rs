//! Shapley values of trees.

mod curve;
mod descent;
mod duel;
mod engine;
mod grown;
mod patterns;
mod quadrature;
mod sums;
mod table;

#[cfg(test)]
mod tests;
