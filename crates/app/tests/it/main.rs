//! The binary as its users meet it: over HTTP, on the command line, through crashes and full disks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod atlas;
mod backtest;
mod commands;
mod crash;
mod delivery;
mod hunts;
mod incidents;
mod intake;
mod metadata;
mod no_space;
mod notifications;
mod openapi;
mod playbooks;
mod privacy;
mod readers;
mod real;
mod rollouts;
mod rules;
mod server;
