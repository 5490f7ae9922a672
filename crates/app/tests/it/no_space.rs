//! A full disk and a read-only folder: 503 with Retry-After, no crash, and on again when it is mended.

use std::{
    fs::Permissions,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::server::{Server, prediction, wardline};

/// A server whose data folder is a file system of its own, of 64 MiB.
struct Small {
    server: Server,
    /// The data folder, as seen through the server's own mounts.
    data: PathBuf,
}

impl Small {
    /// Mounts need a namespace; whoever is not root makes one of their own first.
    fn start(folder: &Path) -> Self {
        let is_root = is_root();
        let mut command = Command::new("unshare");
        if !is_root {
            command.args(["--user", "--map-root-user"]);
        }
        let binary = wardline().get_program().to_str().unwrap().to_owned();
        let data = folder.to_str().unwrap();
        let script = format!(
            "mount -t tmpfs -o size=64m tmpfs '{data}' && exec '{binary}' serve --listen 127.0.0.1:0 --data '{data}'"
        );
        command.args(["--mount", "sh", "-c", &script]);
        let server = Server::start_command(command);
        let data = PathBuf::from(format!("/proc/{}/root{data}", server.id()));
        Self { server, data }
    }
}

/// Status, and when to try again.
type Answer = (u16, Option<String>);

fn send(server: &Server, lines: String) -> Answer {
    let answer = server.send(lines);
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), retry_after)
}

/// Sends batches until a status comes, in bounded time: recovery must not need a restart.
fn send_until(server: &Server, wanted: u16, prefix: &str) -> Answer {
    let started = Instant::now();
    let mut count = 0;
    loop {
        let lines = (0..200).map(|event| prediction(&format!("{prefix}{count}-{event}"), count)).collect();
        let answer = send(server, lines);
        if answer.0 == wanted || started.elapsed() > Duration::from_secs(60) {
            return answer;
        }
        count += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_full_disk_is_answered_with_503_and_intake_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let Small { server, data } = Small::start(folder.path());
    assert_eq!(send(&server, prediction("before", 0)).0, 200);
    let filler = data.join("filler");
    fill(&filler);
    let (status, retry_after) = send_until(&server, 503, "full");
    assert_eq!(status, 503);
    assert!(retry_after.is_some());
    assert_eq!(server.get("/healthz").status(), 200);

    std::fs::remove_file(filler).unwrap();
    assert_eq!(send_until(&server, 200, "after").0, 200);
    let rows = server.query("SELECT count(*) AS n FROM inference WHERE id IN ('before', 'after0-0')");
    assert!(rows[0]["n"].as_u64() >= Some(1));
}

/// Method: segments of 1 MiB, so that the journal soon needs a new file in a folder that takes none. Root
/// may write anywhere, so its right to do so is taken from the server.
#[test]
fn a_read_only_folder_is_answered_with_503_and_intake_goes_on_when_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wardline.toml");
    std::fs::write(&config, "[intake]\njournal_segment_mib = 1\n").unwrap();
    let data = folder.path().join("data");
    let binary = wardline().get_program().to_owned();
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-dac_override,-dac_read_search"]).arg(binary);
        command
    } else {
        Command::new(binary)
    };
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).arg("--config").arg(&config);
    let server = Server::start_command(command);
    assert_eq!(send(&server, prediction("before", 0)).0, 200);
    let journal = data.join("journal");
    std::fs::set_permissions(&journal, Permissions::from_mode(0o555)).unwrap();
    let (status, retry_after) = send_until(&server, 503, "closed");
    assert_eq!(status, 503);
    assert!(retry_after.is_some());
    std::fs::set_permissions(&journal, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(send_until(&server, 200, "after").0, 200);
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn fill(file: &Path) {
    let mut file = std::fs::File::create(file).unwrap();
    let block = vec![7u8; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    let _ = file.write_all(&[7; 512]);
}
