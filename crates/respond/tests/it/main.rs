//! The crate from outside.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a test that cannot go on has failed; parts are shared with a tool of the repository"
)]

mod cascade;
mod corpus;
#[path = "../../examples/cascade/estate.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod estate;
#[path = "../../examples/cascade/score.rs"]
#[allow(dead_code, reason = "the example prints more of it")]
mod score;
