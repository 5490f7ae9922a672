//! nginx, through an included file of `split_clients` and a reload.
//!
//! The file is ours, and is included in `http { }`. It sets `$VARIABLE` to the upstream of each request, and
//! `$VARIABLE_shows` to the shares in words. A location that returns the latter is `confirm_url`, so that a change counts
//! as done only once nginx serves by it: a reload that fails says so only in nginx's log.
//!
//! ```nginx
//! include /etc/nginx/wardline/fraud.conf;
//! server {
//!     location /predict { proxy_pass http://$fraud_version; }
//!     location = /wardline/fraud { allow 127.0.0.1; deny all; return 200 $fraud_version_shows; }
//! }
//! ```
//! Requests that are under way end at the version that they began with.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::process::Command;
use wardline_domain::{Action, ActionRequest};

use super::{
    ActuatorSpec,
    checked::{Fault, Target, checked},
    file_swap,
    settings::{TimeLimit, Word},
    split::{Names, Split},
    web::{Web, WebAddress},
};

pub(super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "nginx",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        settings.check().map_err(|reason| ingredients.unusable(reason))?;
        let web = Web::new(settings.time_limit_ms, None, Vec::new()).map_err(|reason| ingredients.unusable(reason))?;
        Ok(checked(&ingredients.name, settings.time_limit_ms, Nginx { settings, web }))
    },
};

/// Connections on which what is wanted must be seen.
const LOOKS: u32 = 8;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The model whose traffic is split.
    model: String,
    /// The file that is included, and written by nobody else.
    include_file: PathBuf,
    /// The variable that names the upstream, without `$`.
    variable: Word,
    /// What the split goes by: `$request_id` for each request, `$remote_addr` or a cookie for each client.
    #[serde(default = "each_request")]
    key: String,
    /// The upstream of each version, where it is not called like it.
    #[serde(default)]
    upstreams: Names,
    /// Checks the configuration before it is loaded: a program and its arguments, not a line for a shell.
    #[serde(default = "nginx_check")]
    check_command: Vec<String>,
    /// Loads the configuration.
    #[serde(default = "nginx_reload")]
    reload_command: Vec<String>,
    /// Where nginx shows the shares that it serves by.
    confirm_url: WebAddress,
    #[serde(default = "TimeLimit::seconds::<10>")]
    time_limit_ms: TimeLimit,
}

fn each_request() -> String {
    "$request_id".to_owned()
}

fn nginx_check() -> Vec<String> {
    ["nginx", "-t", "-q"].map(str::to_owned).to_vec()
}

fn nginx_reload() -> Vec<String> {
    ["nginx", "-s", "reload"].map(str::to_owned).to_vec()
}

impl Settings {
    fn check(&self) -> Result<(), String> {
        let is_variable =
            |text: &str| text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !is_variable(self.variable.as_str()) {
            return Err(format!("`variable` is `{}`: use letters, digits and `_`", self.variable));
        }
        if !self.key.strip_prefix('$').is_some_and(|key| !key.is_empty() && is_variable(&key.replace('$', ""))) {
            return Err(format!("`key` is `{}`: write variables of nginx, such as `$request_id`", self.key));
        }
        match self.check_command.is_empty() || self.reload_command.is_empty() {
            true => Err("`check_command` and `reload_command` name a program and its arguments".to_owned()),
            false => Ok(()),
        }
    }
}

struct Nginx {
    settings: Settings,
    web: Web,
}

/// Upstreams and their shares in hundredths of a per cent.
struct Aim {
    version: (Word, u32),
    standing: (Word, u32),
}

impl Aim {
    /// The shares as nginx shows them.
    fn shown(&self) -> String {
        let share =
            |(upstream, hundredths): &(Word, u32)| format!("{upstream}={}.{:02}%", hundredths / 100, hundredths % 100);
        format!("{} {}", share(&self.version), share(&self.standing))
    }
}

impl Nginx {
    fn file(&self, aim: &Aim, request: &ActionRequest) -> String {
        let Settings { variable, key, .. } = &self.settings;
        // nginx knows no share of nothing, and `*` takes whatever is left.
        let (rest, share) = match aim.version.1 {
            0 => (&aim.standing.0, String::new()),
            10_000 => (&aim.version.0, String::new()),
            hundredths => {
                (&aim.standing.0, format!("    {}.{:02}% {};\n", hundredths / 100, hundredths % 100, aim.version.0))
            }
        };
        let id: String = request.id.chars().filter(|character| !character.is_control()).collect();
        format!(
            "# Written by Wardline ({id}); the next change overwrites what is changed here.\n\
             split_clients \"{key}\" ${variable} {{\n{share}    * {rest};\n}}\n\
             map \"\" ${variable}_shows {{ default \"{}\"; }}\n",
            aim.shown()
        )
    }

    /// What one worker shows.
    async fn look(&self) -> Result<String, Fault> {
        // A connection that is kept would be answered by a worker that is about to end.
        let request = self.web.client().get(self.settings.confirm_url.0.clone()).header("connection", "close");
        let answer = self.web.send_well(request).await?;
        Ok(self.web.quoted(&answer.body))
    }

    async fn run(&self, command: &[String]) -> Result<(), Fault> {
        let Some((program, arguments)) = command.split_first() else { return Ok(()) };
        let mut command = Command::new(program);
        // A command that outlives its time limit is ended with it.
        command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = command.output().await.map_err(|error| {
            Fault::Refused(format!("`{program}` cannot be run ({error}): see `check_command` and `reload_command`"))
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = self.web.quoted(&String::from_utf8_lossy(&output.stderr));
        Err(Fault::Refused(format!("`{program}` failed ({}): {said}", output.status)))
    }
}

#[async_trait]
impl Target for Nginx {
    type Aim = Aim;
    /// What nginx shows at `confirm_url`.
    type State = String;

    fn can(&self, action: &Action) -> bool {
        Split::is_of(action, &self.settings.model)
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        let split = Split::of(action)?;
        let share = split.hundredths()?;
        let upstream = |version: &str| self.settings.upstreams.of(version);
        Ok(Aim { version: (upstream(&split.version)?, share), standing: (upstream(&split.standing)?, 10_000 - share) })
    }

    /// A worker that is about to end may still take a connection, so what is wanted must be seen on several in a row.
    async fn observe(&self, aim: &Aim) -> Result<Option<String>, Fault> {
        let mut shown = self.look().await?;
        for _ in 1..LOOKS {
            if !self.holds(aim, &shown) {
                break;
            }
            shown = self.look().await?;
        }
        Ok(Some(shown))
    }

    fn holds(&self, aim: &Aim, shown: &String) -> bool {
        *shown == aim.shown()
    }

    async fn change(
        &self,
        aim: &Aim,
        _before: Option<&String>,
        request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let replaced = file_swap::replace(&self.settings.include_file, &self.file(aim, request)).await?;
        let loaded = async {
            self.run(&self.settings.check_command).await?;
            self.run(&self.settings.reload_command).await
        };
        if let Err(fault) = loaded.await {
            // Or the next reload of anybody would fail on our file.
            replaced.undo().await?;
            return Err(fault);
        }
        Ok(None)
    }

    fn describe(&self, _aim: &Aim, shown: &String) -> String {
        shown.clone()
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        aim.shown()
    }

    fn takes_its_time(&self, _aim: &Aim) -> bool {
        true
    }
}
