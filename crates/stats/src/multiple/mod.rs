//! Many tests at once: which of them may be called findings?
//!
//! p-values: [`holm`] keeps the chance of *any* false finding, [`benjamini_hochberg`] the expected
//! *share* of false ones (independent or positively dependent tests), [`benjamini_yekutieli`] that
//! share under any dependence. e-values: [`e_benjamini_hochberg`], under any dependence.

mod e_value;
mod p_value;

pub use e_value::{e_benjamini_hochberg, e_bonferroni};
pub use p_value::{benjamini_hochberg, benjamini_yekutieli, bonferroni, holm};
