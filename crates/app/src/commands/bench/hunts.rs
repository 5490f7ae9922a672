//! `wardline hunt` over files, in a process of its own.

use std::{path::Path, process::Stdio, time::Instant};

use anyhow::bail;

use super::{process, served::wardline};

/// What a hunt took, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hunted {
    pub(super) wall: f64,
    pub(super) processor: f64,
}

/// Hunts below a path.
pub(super) fn hunt(path: &Path) -> anyhow::Result<Hunted> {
    let before = process::own_processor_time()?.ended_children;
    let started = Instant::now();
    let output = wardline()?.args(["hunt", "--json", "--no-progress"]).arg(path).stdin(Stdio::null()).output()?;
    let wall = started.elapsed().as_secs_f64();
    // 1 means that something is wrong with the events, which is none of the bench's business.
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!(
            "hunt over `{}` ended with {}: {}",
            path.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(Hunted { wall, processor: process::own_processor_time()?.ended_children - before })
}
