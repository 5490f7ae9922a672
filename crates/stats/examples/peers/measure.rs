//! Processor time, wall time and memory of a piece of work, on one thread.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

/// Does the work; its answer, and what it cost.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Value) {
    // The peak starts anew.
    fs::write("/proc/self/clear_refs", "5").ok();
    let before = memory("VmRSS");
    let (processor, wall) = (processor_seconds(), Instant::now());
    let answer = work();
    let (cpu, wall) = (processor_seconds() - processor, wall.elapsed().as_secs_f64());
    let cost = json!({"cpu_s": cpu, "wall_s": wall, "peak_mib": memory("VmHWM"), "before_mib": before});
    (answer, cost)
}

/// The answer of a job: what it cost and what it said.
pub(crate) fn told(job: &str, mut cost: Value, said: Value) -> Value {
    cost["job"] = json!(job);
    cost["said"] = said;
    cost
}

/// Time of this thread on a processor, in seconds; to the nanosecond.
fn processor_seconds() -> f64 {
    // The kernel brings its account up to date when a thread gives way.
    std::thread::yield_now();
    let nanoseconds = fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// A field of the process's status, in MiB.
fn memory(field: &str) -> f64 {
    let kib = fs::read_to_string("/proc/self/status").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with(field))?.to_owned();
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    kib.unwrap_or(f64::NAN) / 1024.0
}
