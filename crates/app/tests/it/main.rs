//! The binary as its users meet it: over HTTP, on the command line, through crashes and full disks.

mod commands;
mod crash;
mod intake;
mod no_space;
mod privacy;
mod readers;
mod server;
