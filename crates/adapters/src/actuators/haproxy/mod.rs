//! HAProxy, through its run-time API: weights of servers, and out of service altogether.
//!
//! A share is two weights that HAProxy uses from the next request on; no configuration is reloaded. Weight 0 still lets
//! in what sticks to a server by cookie or table. `at_zero = "drain"` or `"maintenance"` says what a share of nothing
//! means in addition, and the action `cut_off` is the last resort: out of service, and open sessions closed.
//!
//! An empty answer means success and errors are text, so every change is read back from `show servers state`.

mod state;
mod wire;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Deserialize;
use wardline_domain::{Action, ActionRequest};

use self::{
    state::{Server, Servers},
    wire::Address,
};
use super::{
    ActuatorSpec,
    checked::{Fault, Target, checked},
    settings::{TimeLimit, Word},
    split::Split,
};

pub(super) const SPEC: ActuatorSpec = ActuatorSpec {
    kind: "haproxy",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        Ok(checked(&ingredients.name, settings.time_limit_ms, HaProxy { settings }))
    },
};

const CUT_OFF: &str = "cut_off";
const READMIT: &str = "readmit";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The model whose traffic the backend serves.
    model: String,
    /// `unix:/run/haproxy/admin.sock` or `tcp:127.0.0.1:9999`, with level `admin`.
    address: Address,
    /// The backend.
    backend: Word,
    /// The servers of each version, where they are not called like it.
    #[serde(default)]
    servers: BTreeMap<String, OneOrMany>,
    /// What a share of nothing means, besides weight 0.
    #[serde(default)]
    at_zero: AtZero,
    #[serde(default = "TimeLimit::seconds::<1>")]
    time_limit_ms: TimeLimit,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Word),
    Many(Vec<Word>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AtZero {
    /// Nothing but weight 0.
    #[default]
    Weight,
    /// No new sessions; those that stick may go on.
    Drain,
    /// Nothing at all.
    Maintenance,
}

struct HaProxy {
    settings: Settings,
}

/// What an action means in servers.
struct Aim {
    version: Vec<Word>,
    kind: AimKind,
}

enum AimKind {
    Share { split: Split, standing: Vec<Word> },
    CutOff,
    Readmit,
}

impl HaProxy {
    fn servers_of(&self, version: &str) -> Result<Vec<Word>, Fault> {
        match self.settings.servers.get(version) {
            Some(OneOrMany::One(server)) => Ok(vec![server.clone()]),
            Some(OneOrMany::Many(servers)) if !servers.is_empty() => Ok(servers.clone()),
            Some(OneOrMany::Many(_)) => Err(Fault::Refused(format!("version {version} has no server in the settings"))),
            None => Ok(vec![Word::try_from(version.to_owned()).map_err(Fault::Refused)?]),
        }
    }

    /// One command for each change of a server; HAProxy carries a line of them out in order.
    async fn command(&self, commands: &[String]) -> Result<(), Fault> {
        let answer = self.settings.address.ask(&commands.join("; ")).await?;
        let complaint = answer.trim();
        if complaint.is_empty() {
            return Ok(());
        }
        let hint = if complaint.contains("Permission denied") { ": give its socket `level admin`" } else { "" };
        Err(Fault::Refused(format!("it answered `{}`{hint}", complaint.escape_debug())))
    }

    fn server_command(&self, server: &Word, what: &str) -> String {
        format!("set server {}/{server} {what}", self.settings.backend)
    }

    fn weight_command(&self, server: &Word, weight: &str) -> String {
        format!("set weight {}/{server} {weight}", self.settings.backend)
    }

    /// The commands that make a share; raised first, so that no moment is without a server.
    fn share_commands(&self, aim: &Aim, split: &Split, standing: &[Word], now: &Servers) -> Result<Vec<String>, Fault> {
        let mut commands = Vec::new();
        let (nothing, everything): (&[Word], &[Word]) =
            if split.percent == 0.0 { (&aim.version, standing) } else { (standing, &aim.version) };
        if split.percent != 0.0 && split.percent != 100.0 {
            let weights = state::weights(split, aim.version.len(), standing.len())?;
            for (servers, weight) in [(&aim.version[..], weights.version), (standing, weights.standing)] {
                commands.extend(self.readmit_commands(servers, now)?);
                commands.extend(servers.iter().map(|server| self.weight_command(server, &weight.to_string())));
            }
            return Ok(commands);
        }
        commands.extend(self.readmit_commands(everything, now)?);
        if now.weight_of(everything) == 0 {
            commands.extend(everything.iter().map(|server| self.weight_command(server, &now.initial_weight(server))));
        }
        for server in nothing {
            // Algorithms with fixed weights take `0%`, and not `0`.
            commands.push(self.weight_command(server, "0%"));
            match self.settings.at_zero {
                AtZero::Weight => {}
                AtZero::Drain => commands.push(self.server_command(server, "state drain")),
                AtZero::Maintenance => commands.push(self.server_command(server, "state maint")),
            }
        }
        Ok(commands)
    }

    /// Brings servers back that `at_zero` took out; whatever somebody else took out stays out.
    fn readmit_commands(&self, servers: &[Word], now: &Servers) -> Result<Vec<String>, Fault> {
        let out: Vec<&Word> = servers.iter().filter(|server| now.is_taken_out(server)).collect();
        if let (AtZero::Weight, Some(server)) = (self.settings.at_zero, out.first()) {
            return Err(Fault::Refused(format!(
                "server {server} was taken out of service: bring it back with `{READMIT}` or `set server {}/{server} \
                 state ready`",
                self.settings.backend
            )));
        }
        Ok(out.into_iter().map(|server| self.server_command(server, "state ready")).collect())
    }

    fn check_servers(&self, servers: &[Word], now: &Servers) -> Result<(), Fault> {
        servers.iter().try_for_each(|server| now.server(server).map(|_| ())).map_err(|known| {
            Fault::Refused(format!(
                "its backend {} has no such server; it has {known}: see `servers`",
                self.settings.backend
            ))
        })
    }
}

#[async_trait]
impl Target for HaProxy {
    type Aim = Aim;
    type State = Servers;

    fn can(&self, action: &Action) -> bool {
        match action {
            Action::Named { name, parameters } => {
                [CUT_OFF, READMIT].contains(&name.as_str())
                    && parameters.get("model") == Some(&self.settings.model)
                    && parameters.contains_key("version")
            }
            _ => Split::is_of(action, &self.settings.model),
        }
    }

    async fn aim(&self, action: &Action) -> Result<Aim, Fault> {
        if let Action::Named { name, parameters } = action {
            let version = self.servers_of(parameters.get("version").map_or("", String::as_str))?;
            let kind = if name == CUT_OFF { AimKind::CutOff } else { AimKind::Readmit };
            return Ok(Aim { version, kind });
        }
        let split = Split::of(action)?;
        let (version, standing) = (self.servers_of(&split.version)?, self.servers_of(&split.standing)?);
        if let Some(both) = version.iter().find(|server| standing.contains(server)) {
            return Err(Fault::Refused(format!("server {both} serves both versions: name others in `servers`")));
        }
        Ok(Aim { version, kind: AimKind::Share { split, standing } })
    }

    async fn observe(&self, aim: &Aim) -> Result<Option<Servers>, Fault> {
        let answer = self.settings.address.ask(&format!("show servers state {}", self.settings.backend)).await?;
        let now = Servers::parse(&answer).map_err(Fault::Refused)?;
        self.check_servers(&aim.version, &now)?;
        if let AimKind::Share { standing, .. } = &aim.kind {
            self.check_servers(standing, &now)?;
        }
        Ok(Some(now))
    }

    fn holds(&self, aim: &Aim, now: &Servers) -> bool {
        let out = |servers: &[Word]| servers.iter().all(|server| now.is_taken_out(server));
        match &aim.kind {
            AimKind::CutOff => aim.version.iter().all(|server| now.is_in_maintenance(server)),
            AimKind::Readmit => aim.version.iter().all(|server| !now.is_taken_out(server)),
            AimKind::Share { split, standing } => {
                let (version_weight, standing_weight) =
                    (now.weight_in_service(&aim.version), now.weight_in_service(standing));
                let zero_is_zero = |servers: &[Word]| self.settings.at_zero == AtZero::Weight || out(servers);
                if split.percent == 0.0 {
                    return version_weight == 0 && standing_weight > 0 && zero_is_zero(&aim.version);
                }
                if split.percent == 100.0 {
                    return standing_weight == 0 && version_weight > 0 && zero_is_zero(standing);
                }
                let Ok(weights) = state::weights(split, aim.version.len(), standing.len()) else { return false };
                let wanted_version = u64::from(weights.version) * aim.version.len() as u64;
                let wanted_standing = u64::from(weights.standing) * standing.len() as u64;
                version_weight * wanted_standing == standing_weight * wanted_version && version_weight > 0
            }
        }
    }

    async fn change(
        &self,
        aim: &Aim,
        before: Option<&Servers>,
        _request: &ActionRequest,
    ) -> Result<Option<String>, Fault> {
        let Some(now) = before else { return Ok(None) };
        let commands = match &aim.kind {
            AimKind::Share { split, standing } => {
                let gains = if split.percent == 100.0 { &aim.version } else { standing };
                if !gains.iter().any(|server| now.server(server).is_ok_and(Server::is_up)) {
                    return Err(Fault::Refused(format!(
                        "no server of version {} is up, so nobody would answer: bring one up first",
                        if split.percent == 100.0 { &split.version } else { &split.standing }
                    )));
                }
                self.share_commands(aim, split, standing, now)?
            }
            AimKind::CutOff => {
                let out = aim.version.iter().map(|server| self.server_command(server, "state maint"));
                let backend = &self.settings.backend;
                let ended = aim.version.iter().map(|server| format!("shutdown sessions server {backend}/{server}"));
                out.chain(ended).collect()
            }
            AimKind::Readmit => aim.version.iter().map(|server| self.server_command(server, "state ready")).collect(),
        };
        self.command(&commands).await.map(|()| None)
    }

    fn describe(&self, aim: &Aim, now: &Servers) -> String {
        let standing = match &aim.kind {
            AimKind::Share { standing, .. } => &standing[..],
            AimKind::CutOff | AimKind::Readmit => &[],
        };
        aim.version.iter().chain(standing).map(|server| now.describe(server)).collect::<Vec<_>>().join(", ")
    }

    fn describe_aim(&self, aim: &Aim) -> String {
        let names = |servers: &[Word]| servers.iter().map(Word::as_str).collect::<Vec<_>>().join(", ");
        match &aim.kind {
            AimKind::Share { split, standing } => {
                format!("{} % for {}, the rest for {}", split.percent, names(&aim.version), names(standing))
            }
            AimKind::CutOff => format!("{} in maintenance", names(&aim.version)),
            AimKind::Readmit => format!("{} in service", names(&aim.version)),
        }
    }
}
