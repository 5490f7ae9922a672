//! The binary as its users meet it: over HTTP, on the command line, through crashes and full disks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod atlas;
mod backtest;
mod commands;
mod crash;
mod delivery;
mod hunts;
mod intake;
mod no_space;
mod privacy;
mod readers;
mod rules;
mod server;
