//! What a process costs: processor time and memory, as Linux counts them.

use std::fs;

use anyhow::{Context as _, bail};

/// Linux tells processor time in hundredths of a second, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;
const KIB: f64 = 1024.0;

/// Processor time of a process, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ProcessorTime {
    /// Its own.
    pub(super) own: f64,
    /// That of its children that have ended.
    pub(super) ended_children: f64,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Memory {
    /// What is resident now.
    pub(super) resident: f64,
    /// The most that ever was.
    pub(super) peak: f64,
}

/// Processor time of a process so far.
pub(super) fn processor_time(process: u32) -> anyhow::Result<ProcessorTime> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}: the bench needs Linux"))?;
    parse_stat(&text).with_context(|| format!("{path} is not as Linux writes it"))
}

/// Processor time of this process so far.
pub(super) fn own_processor_time() -> anyhow::Result<ProcessorTime> {
    processor_time(std::process::id())
}

/// Memory of a process.
pub(super) fn memory(process: u32) -> anyhow::Result<Memory> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}: the bench needs Linux"))?;
    parse_status(&text).with_context(|| format!("{path} is not as Linux writes it"))
}

/// The machine in one line.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cores} cores ({}), load {load} at the start", name.unwrap_or("processor unknown"))
}

/// The fields behind the name, which is in brackets and may hold spaces.
fn parse_stat(text: &str) -> anyhow::Result<ProcessorTime> {
    let (_, behind) = text.rsplit_once(')').context("no name")?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    // `man proc`: utime, stime, cutime and cstime are fields 14 to 17, and the first here is field 3.
    let Some(ticks) = fields.get(11..15) else { bail!("too few fields") };
    let ticks = ticks.iter().map(|field| field.parse::<f64>()).collect::<Result<Vec<_>, _>>()?;
    Ok(ProcessorTime {
        own: (ticks[0] + ticks[1]) / TICKS_PER_SECOND,
        ended_children: (ticks[2] + ticks[3]) / TICKS_PER_SECOND,
    })
}

fn parse_status(text: &str) -> anyhow::Result<Memory> {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        anyhow::Ok(kib * KIB)
    };
    Ok(Memory { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_brackets() {
        let text = "42 (a (b) c) S 1 42 42 0 -1 4194304 1500 0 0 0 250 50 700 100 20 0 9 0 100 1000 200";
        assert_eq!(parse_stat(text).unwrap(), ProcessorTime { own: 3.0, ended_children: 8.0 });
        assert!(parse_stat("42 (a) S 1 2").is_err());
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "Name:\twardline\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(parse_status(text).unwrap(), Memory { resident: 1_048_576.0, peak: 2_097_152.0 });
    }

    #[test]
    fn this_process_can_be_read() {
        assert!(memory(std::process::id()).unwrap().resident > 0.0);
        assert!(own_processor_time().unwrap().own >= 0.0);
    }
}
