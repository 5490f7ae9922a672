//! Real programs for tests: installed by a script, started on a free port, waited for, and ended with the test.

use std::{
    fs::File,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// How long a program may take to start on a busy machine before the test says that it does not.
const PATIENCE: Duration = Duration::from_secs(240);

/// The folder of the programs from PyPI; the script installs them the first time.
pub(crate) fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/test-programs");
        let output = Command::new(&script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run `.ci/test-programs` by hand, which says what is missing:\n{said}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

/// A program of Debian, which may be in a folder that is not on everybody's path.
pub(crate) fn of_debian(name: &str) -> PathBuf {
    installed();
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not installed: run `.ci/test-programs`"))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A running program and all that it started; ended when dropped.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program whose output goes to a file of the folder.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Self {
        let log = folder.join("output.log");
        let output = File::create(&log).unwrap();
        let errors = output.try_clone().unwrap();
        // A group of its own, so that what it starts ends with it.
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        Self { child, log }
    }

    /// Waits until something holds, and fails with the program's output where it never does.
    pub(crate) fn wait_until(&mut self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            let ended = self.child.try_wait().unwrap();
            let late = Instant::now() > end;
            let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none() && !late, "{what}: not so ({ended:?}); its output:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until an address answers with 200.
    pub(crate) fn wait_for(&mut self, url: &str) {
        let client = reqwest::blocking::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        self.wait_until(url, || client.get(url).send().is_ok_and(|answer| answer.status() == 200));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let group = format!("kill -KILL -- -{}", self.child.id());
        let _ = Command::new("bash").args(["-c", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}
