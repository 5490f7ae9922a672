//! A real PostgreSQL in a temporary folder. The tests of the binary use it as well.

use std::{
    io::Read as _,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server of its own, which is reached by a socket in its folder. It ends with this process, however that ends.
pub(crate) struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    /// The server ends, and its folder goes, when this is closed.
    alive: Option<ChildStdin>,
    keeper: Child,
}

impl Postgres {
    /// The server that the tests of this process share, each with a database of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Makes a cluster and starts a server on it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let programs = programs();
        let user = unprivileged();
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let data = folder.join("data");
        let mut initdb = as_user(user, &programs.join("initdb"));
        initdb.args(["--username=wardline", "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"]).arg(&data);
        succeed(&mut initdb);
        // `cat` ends when this process is gone, whatever became of it.
        let script = r#"
            "$0" -D "$1/data" -k "$1" -c listen_addresses= -c max_connections=300 </dev/null >"$1/log" 2>&1 &
            cat >/dev/null; "$2" stop --mode=immediate --silent --pgdata "$1/data"; wait; rm -rf "$1"
        "#;
        let mut keeper = as_user(user, Path::new("/bin/sh"));
        keeper.args(["-c", script]).arg(programs.join("postgres")).arg(&folder).arg(programs.join("pg_ctl"));
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keeper = keeper.spawn().unwrap();
        let alive = keeper.stdin.take();
        let server = Self { folder, programs, user, alive, keeper };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.psql("postgres", "SELECT 1").status.success() {
            let mut log = String::new();
            let _ = std::fs::File::open(self.folder.join("log")).and_then(|mut file| file.read_to_string(&mut log));
            assert!(Instant::now() < end, "PostgreSQL does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The address of a new database, which has texts in the order of a language unless told otherwise.
    pub(crate) fn database(&self) -> String {
        self.database_with(&["--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US"])
    }

    /// The address of a new database that is made with these arguments of `createdb`.
    pub(crate) fn database_with(&self, arguments: &[&str]) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let mut command = Command::new(self.programs.join("createdb"));
        command.args(arguments).arg("--template=template0").arg("--username=wardline");
        succeed(command.arg("--host").arg(&self.folder).arg(&name));
        self.address(&name)
    }

    fn address(&self, database: &str) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://wardline@{socket}/{database}")
    }

    /// What a statement answers in the database of an address: rows in lines.
    pub(crate) fn ask(&self, address: &str, sql: &str) -> String {
        let output = self.psql(address.rsplit('/').next().unwrap(), sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Output {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--username=wardline", "--host"]).arg(&self.folder);
        command.args(["--dbname", database, "--command", sql]).output().unwrap()
    }

    /// Stops the server as a power failure would, and starts it again.
    pub(crate) fn crash_and_start_again(&self) {
        let mut command = as_user(self.user, &self.programs.join("pg_ctl"));
        command.args(["restart", "--mode=immediate", "--wait", "--silent", "--pgdata"]).arg(self.folder.join("data"));
        command.arg("--log").arg(self.folder.join("log")).stdin(Stdio::null()).stdout(Stdio::null());
        succeed(&mut command);
    }

    /// Stops the server until [`Self::crash_and_start_again`].
    pub(crate) fn crash(&self) {
        let mut command = as_user(self.user, &self.programs.join("pg_ctl"));
        command.args(["stop", "--mode=immediate", "--wait", "--silent", "--pgdata"]).arg(self.folder.join("data"));
        succeed(&mut command);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.alive.take());
        let _ = self.keeper.wait();
    }
}

/// The folder of `initdb` and the server, which Debian keeps out of the path.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map(|entry| entry.unwrap().path());
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders = versions.map(|version| version.join("bin")).chain(std::env::split_paths(&path));
    folders
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .expect("postgresql: run `.ci/test-programs`")
}

/// Whom the server runs as where this is root, whom it refuses.
fn unprivileged() -> Option<(u32, u32)> {
    let number = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().ok()
    };
    (number(&["-u"])? == 0)
        .then(|| Some((number(&["-u", "postgres"])?, number(&["-g", "postgres"])?)))
        .map(|user| user.expect("there is no user `postgres`: run `.ci/test-programs`"))
}

fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
