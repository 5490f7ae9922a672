//! Is a client copying or probing a model.

mod shapiro_wilk;

pub use shapiro_wilk::{ShapiroWilk, shapiro_wilk};
