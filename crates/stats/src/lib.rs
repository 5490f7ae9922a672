//! Numbers in, numbers out: sketches, tests and sequential tests for watching models.
//!
//! Invariant: nothing here reads a clock, a file or an event, and nothing is random without a seed.
//! Too little data gives `None`, bad input is refused, and no function answers NaN.
//!
//! | module | answers |
//! | --- | --- |
//! | [`sketch`] | what did a stream look like, in little memory, merged exactly |
//! | [`distribution`] | how likely is a count or a value under a known law |
//! | [`interval`] | between which values does a share, a rate or a quantile lie |
//! | [`two_sample`] | do two samples differ, by how much, and how much would chance alone give |
//! | [`drift`] | has a table changed since its reference, column by column, whatever the sizes |
//! | [`sequential`] | has it changed, asked after every event, with the error rate kept |
//! | [`multiple`] | which of many p-values or e-values may be called findings |
//! | [`resample`] | do two stretches of a series differ, where neighbours are alike |
//! | [`robust`] | what is typical, when some values are wild |
//! | [`season`] | what is normal at this hour of the week, and how much a series depends on itself |
//! | [`change_point`] | since when |
//! | [`performance`] | how good is a model, and how good must it be while labels are missing |
//! | [`slice`] | which rows carry an effect, and how much of it |
//! | [`outlier`] | is a row unlike the others, and how often would a usual one seem so |
//! | [`trees`] | what do ensembles of trees from other libraries predict |
//! | [`explain`] | which feature moved a prediction, a loss, or the change from one model to the next |
//! | [`fairness`] | are groups of people decided alike, and may one say so from this many |
//! | [`learn`] | what features tell: probabilities and means, learned from rows |
//! | [`poisoning`] | who fed a model bad rows |
//! | [`similar`] | which things are nearly the same, found without comparing all |
//! | [`probing`] | which clients copy a model or search its borders, and which accounts act as one |
//! | [`classic`] | the well-known detectors of change, for comparison |

pub mod change_point;
pub mod classic;
pub mod distribution;
pub mod drift;
pub mod explain;
pub mod fairness;
pub mod interval;
pub mod learn;
pub mod multiple;
pub mod outlier;
pub mod performance;
pub mod poisoning;
pub mod probing;
mod random;
pub mod resample;
pub mod robust;
pub mod season;
pub mod sequential;
pub mod similar;
pub mod sketch;
pub mod slice;
mod text_hash;
pub mod trees;
pub mod two_sample;

#[cfg(test)]
mod golden;
