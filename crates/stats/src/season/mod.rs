//! What is normal at this hour of the week, how far from normal a count is, and how much a series
//! depends on itself.

mod autocorrelation;
mod count_model;
mod hour_of_week;

pub use autocorrelation::{
    LjungBox, autocorrelation, autocorrelations, correlation_time, effective_sample_size, ljung_box,
};
pub use count_model::CountModel;
pub use hour_of_week::{Expectation, HourOfWeek, HourlyProfile};
