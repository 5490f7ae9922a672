//! A full disk and a read-only folder: 503 with Retry-After, no crash, and on again when it is mended.

use std::{
    io::Write as _,
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
        let is_root = rustix::process::geteuid().is_root();
        let mut command = Command::new("unshare");
        if !is_root {
            command.args(["--user", "--map-root-user"]);
        }
        let binary = wardline().get_program().to_str().unwrap().to_owned();
        let data = folder.to_str().unwrap();
        let script = format!("mount -t tmpfs -o size=64m tmpfs '{data}' && exec '{binary}' serve --listen 127.0.0.1:0 --data '{data}'");
        command.args(["--mount", "sh", "-c", &script]);
        let server = Server::start_command(command);
        let data = PathBuf::from(format!("/proc/{}/root{data}", server.id()));
        Self { server, data }
    }

    fn remount(&self, how: &str) {
        let target = self.server.id().to_string();
        let folder = self.data.to_str().unwrap().split("/root").skip(1).collect::<Vec<_>>().join("/root");
        let mut command = Command::new("nsenter");
        command.args(["--target", &target, "--mount"]);
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        assert!(command.args(["mount", "-o", &format!("remount,{how}"), &folder]).status().unwrap().success());
    }

    fn send(&self, id: &str, second: u64) -> (u16, Option<String>) {
        let answer = self.server.send(prediction(id, second));
        let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), retry_after)
    }

    /// Sends until a status comes, in bounded time: recovery must not need a restart.
    fn send_until(&self, wanted: u16, prefix: &str) -> (u16, Option<String>) {
        let started = Instant::now();
        let mut count = 0;
        loop {
            let answer = self.send(&format!("{prefix}{count}"), count);
            if answer.0 == wanted || started.elapsed() > Duration::from_secs(60) {
                return answer;
            }
            count += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_full_disk_is_answered_with_503_and_intake_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::start(folder.path());
    assert_eq!(small.send("before", 0).0, 200);
    let filler = small.data.join("filler");
    fill(&filler);
    let (status, retry_after) = small.send_until(503, "full");
    assert_eq!(status, 503);
    assert!(retry_after.is_some());
    assert_eq!(small.server.get("/healthz").status(), 200);

    std::fs::remove_file(filler).unwrap();
    assert_eq!(small.send_until(200, "after").0, 200);
    let rows = small.server.query("SELECT count(*) AS n, count(DISTINCT id) AS d FROM inference WHERE id IN ('before', 'after0')");
    assert!(rows[0]["n"].as_u64() >= Some(1));
}

#[test]
fn a_read_only_folder_is_answered_with_503_and_intake_goes_on_when_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::start(folder.path());
    assert_eq!(small.send("before", 0).0, 200);
    // Files that are open for writing keep a mount from becoming read-only, so writing is stopped by force.
    small.remount("ro,size=4k");
    let (status, retry_after) = small.send_until(503, "closed");
    assert_eq!(status, 503);
    assert!(retry_after.is_some());
    small.remount("rw,size=64m");
    assert_eq!(small.send_until(200, "after").0, 200);
}

fn fill(file: &Path) {
    let mut file = std::fs::File::create(file).unwrap();
    let block = vec![7u8; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    let _ = file.write_all(&[7; 512]);
}
