//! Real programs that several tests run against.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use self::programs::of_debian;

#[path = "../../../adapters/tests/it/actuators/programs.rs"]
pub(crate) mod programs;
#[path = "../../../adapters/tests/it/actuators/registry.rs"]
pub(crate) mod registry;
#[path = "../../../adapters/tests/it/actuators/server.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
pub(crate) mod target;

/// How long something may take on a busy machine before the test says that it does not happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is found.
pub(crate) fn wait_until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: it does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// HAProxy with two servers, `v20` and `v21` of the backend `models`; ended when dropped.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) socket: PathBuf,
}

impl Proxy {
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("haproxy.sock");
        let file = folder.join("haproxy.cfg");
        let text = format!(
            "global\n  stats socket {} mode 600 level admin\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\nbackend models\n  server v20 127.0.0.1:9 weight 90\n  server v21 127.0.0.1:9 weight 10\n",
            socket.display()
        );
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(of_debian("haproxy"));
        command.arg("-db").arg("-f").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let proxy = Self { child: command.spawn().unwrap(), socket };
        wait_until("haproxy answers", || UnixStream::connect(&proxy.socket).ok());
        proxy
    }

    pub(crate) fn weight(&self, server: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        stream.write_all(format!("get weight models/{server}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_whitespace().next().unwrap_or_default().to_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
