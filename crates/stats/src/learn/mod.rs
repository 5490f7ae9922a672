//! Small learners: what the tests and estimates of this crate learn from features by themselves.
//!
//! They are deterministic, need no tuning for their purpose, and answer at the size of a window of
//! telemetry. They do not replace the model that is watched.
//!
//! | type | learns |
//! | --- | --- |
//! | [`BoostedTrees`] | a probability or a mean from features of any scale, jumps and interactions included |
//! | [`Logistic`] | a probability that is smooth in every feature |
//! | [`Multinomial`] | probabilities of several classes, smooth in every feature |
//! | [`Ridge`] | a mean that is linear in every feature |
//! | [`OnlineLinear`] | a mean or probabilities, row by row, in bounded memory, whatever the scales |
//! | [`Ftrl`] | the same of sparse rows |
//! | [`TextClassifier`] | which class a text belongs to, by its words and parts of words |
//! | [`CrossFit`] | the same by boosted trees, where no row is judged by a model that saw it |
//! | [`DomainScores`] | which of two samples a row comes from, hence their density ratio |

mod bins;
mod boosted;
mod cross_fit;
mod domain;
mod features;
mod ftrl;
mod logistic;
mod minimise;
mod multinomial;
mod online;
mod ridge;
mod solve;
mod text;
mod tree;

pub use boosted::{BoostSettings, BoostedTrees, Loss};
pub use cross_fit::CrossFit;
pub use domain::DomainScores;
pub use features::Features;
pub use ftrl::{Ftrl, FtrlSettings, OnlineLoss};
pub use logistic::Logistic;
pub use multinomial::Multinomial;
pub use online::OnlineLinear;
pub use ridge::Ridge;
pub use text::{TextClassifier, TextRow, TextSettings, TextWeight};

pub(crate) use boosted::sigmoid;
pub(crate) use solve::solve_positive_definite;
