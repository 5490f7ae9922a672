//! What is normal at this hour of the week, and how far from normal a count is.

mod count_model;
mod hour_of_week;

pub use count_model::CountModel;
pub use hour_of_week::{Expectation, HourOfWeek, HourlyProfile};
