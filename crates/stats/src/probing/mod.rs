//! Tests on which a search for clients that copy or probe a model can stand.

mod shapiro_wilk;

pub use shapiro_wilk::{ShapiroWilk, shapiro_wilk};
