//! Runs one hunt and measures it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use flate2::bufread::MultiGzDecoder;
use serde_json::Value;

/// One hunt that was run.
#[derive(Debug)]
pub(crate) struct Hunt {
    /// What it printed.
    pub(crate) output: String,
    /// Time taken.
    pub(crate) seconds: f64,
    /// Highest resident memory.
    pub(crate) peak_bytes: u64,
    /// Lines in the events file.
    pub(crate) lines: u64,
}

/// How often memory is looked at while a hunt runs.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Runs `wardline hunt` over a file with the given settings.
pub(crate) fn run(binary: &Path, settings: &str, events: &Path) -> Result<Hunt> {
    run_command(binary, &["hunt", "--json", "--no-progress"], settings, events)
}

/// Runs `wardline estimate` over a file; what it printed.
pub(crate) fn estimate(binary: &Path, settings: &str, events: &Path) -> Result<String> {
    Ok(run_command(binary, &["estimate", "--json"], settings, events)?.output)
}

fn run_command(binary: &Path, arguments: &[&str], settings: &str, events: &Path) -> Result<Hunt> {
    // A folder of its own: the hunt may leave something behind, and must find nothing.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let config = folder.path().join("wardline.toml");
    fs::write(&config, settings).context("cannot write the settings")?;
    let events_path = fs::canonicalize(events).with_context(|| format!("cannot find `{}`", events.display()))?;
    let mut command = Command::new(binary);
    command.args(arguments).arg("--config").arg(&config).arg(&events_path);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WARDLINE_")) {
        command.env_remove(name);
    }
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", binary.display()))?;
    let output = gather(child.stdout.take());
    let complaints = gather(child.stderr.take());
    let peak_bytes = wait(&mut child)?;
    let seconds = started.elapsed().as_secs_f64();
    let status = child.wait()?;
    let (output, complaints) = (join(output)?, join(complaints)?);
    // 0: nothing wrong; 1: alerts were raised. All else is a hunt that was not done.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("{status}: {}", complaints.trim().lines().last().unwrap_or("it said nothing"));
    }
    Ok(Hunt { output, seconds, peak_bytes, lines: count_lines(events)? })
}

/// Names of the models in the first events of a file; for a configuration that names none.
pub(crate) fn models_in(events: &Path) -> Vec<String> {
    const LOOKED_AT: usize = 20_000;
    let Ok(file) = File::open(events) else { return Vec::new() };
    let mut models = Vec::new();
    for line in BufReader::new(MultiGzDecoder::new(BufReader::new(file))).lines().take(LOOKED_AT).map_while(Result::ok)
    {
        let model =
            serde_json::from_str::<Value>(&line).ok().and_then(|event| event["model"].as_str().map(str::to_owned));
        if let Some(model) = model.filter(|model| !models.contains(model)) {
            models.push(model);
        }
    }
    models
}

fn gather<R: Read + Send + 'static>(stream: Option<R>) -> thread::JoinHandle<std::io::Result<String>> {
    thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut stream) = stream {
            stream.read_to_string(&mut text)?;
        }
        Ok(text)
    })
}

fn join(reader: thread::JoinHandle<std::io::Result<String>>) -> Result<String> {
    match reader.join() {
        Ok(text) => text.context("what the hunt printed cannot be read"),
        Err(_) => bail!("the thread that reads the hunt's output failed"),
    }
}

/// Waits for the end, and gives the highest resident memory seen on the way. The kernel keeps the
/// high-water mark itself, so only what is allocated in the last milliseconds can be missed.
fn wait(child: &mut Child) -> Result<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        peak = peak.max(high_water(&status).unwrap_or(0));
        thread::sleep(LOOK_EVERY);
    }
    Ok(peak)
}

fn high_water(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1_024)
}

fn count_lines(events: &Path) -> Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(BufReader::new(File::open(events)?)));
    let mut lines = 0;
    loop {
        let chunk = reader.fill_buf().with_context(|| format!("cannot read `{}`", events.display()))?;
        if chunk.is_empty() {
            return Ok(lines);
        }
        lines += chunk.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let length = chunk.len();
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(path: &Path, text: &str) {
        let mut writer = flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
    }

    #[cfg(unix)]
    fn program(folder: &Path, script: &str) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("hunt.sh");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[cfg(unix)]
    #[test]
    fn alerts_are_no_failure_and_a_crash_is() {
        let folder = tempfile::tempdir().unwrap();
        let events = folder.path().join("events.ndjson.gz");
        gzip(&events, "{\"model\":\"a\"}\n{\"model\":\"b\"}\n{\"model\":\"a\"}\n");
        let hunt = run(&program(folder.path(), "echo '[]'; exit 1"), "", &events).unwrap();
        assert_eq!((hunt.output.trim(), hunt.lines), ("[]", 3));
        let error = run(&program(folder.path(), "echo 'no such key' >&2; exit 2"), "", &events).unwrap_err();
        assert!(error.to_string().ends_with("no such key"), "{error}");
        assert_eq!(models_in(&events), ["a", "b"]);
    }
}
