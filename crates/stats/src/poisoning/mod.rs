//! Who fed a model bad rows.
//!
//! | function | answers |
//! | --- | --- |
//! | [`knn_shapley`] | what each training row adds to, or takes from, a nearest-neighbour model's accuracy |

mod knn_shapley;

pub use knn_shapley::{LabelledRows, knn_shapley};
