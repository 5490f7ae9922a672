//! Settings: one TOML file, all of it optional, and environment variables over it.
//!
//! Only checked settings leave this module; every problem is reported at once.

mod alerts;
mod metadata;
mod models;
mod notifications;
mod playbooks;
mod reader;
mod rollouts;
mod rules;
mod slos;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use wardline_domain::{FieldRule, ModelSettings, PrivacyKey, PrivacyPolicy, RecordKind, Span, Timestamp, Treatment};

use crate::accounts::{Role, SecretHash};
pub(crate) use alerts::AlertSettings;
pub(crate) use metadata::MetadataSettings;
pub(crate) use notifications::{NotificationSettings, Route};
pub(crate) use playbooks::PlaybookSettings;
use reader::Reader;
pub(crate) use reader::{Problem, parse_span};
pub(crate) use rollouts::RolloutSettings;
pub(crate) use rules::RuleSettings;
pub(crate) use slos::to_toml as slos_to_toml;

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Folder of journal, lake and metadata.
    pub(crate) data: PathBuf,
    /// Where alerts, logs and what was learned are kept.
    pub(crate) metadata: MetadataSettings,
    /// The HTTP server.
    pub(crate) server: ServerSettings,
    /// What is taken in, and how much of it at once.
    pub(crate) intake: IntakeSettings,
    /// The lake's tables.
    pub(crate) lake: LakeLimits,
    /// Limits of one query.
    pub(crate) query: QueryLimits,
    /// What is kept, dropped and hashed.
    pub(crate) privacy: PrivacySettings,
    /// Detection rules.
    pub(crate) rules: RuleSettings,
    /// The budget of false alerts, and silences.
    pub(crate) alerts: AlertSettings,
    /// What carries out changes to other systems, and rollouts that deployments begin.
    pub(crate) rollouts: RolloutSettings,
    /// Playbooks, and which actuators carry out what they ask for.
    pub(crate) playbooks: PlaybookSettings,
    /// Who is told of what.
    pub(crate) notifications: NotificationSettings,
    /// What holds for a model without settings of its own.
    pub(crate) model_default: ModelSettings,
    /// Whether `[learning]` was written; a hunt otherwise fits learning to the length of its files.
    pub(crate) learning_is_set: bool,
    /// Settings of single models.
    pub(crate) models: BTreeMap<String, ModelSettings>,
}

/// The HTTP server.
#[derive(Clone, Debug)]
pub(crate) struct ServerSettings {
    /// Address to listen on.
    pub(crate) listen: SocketAddr,
    /// Bearer tokens; none are needed on loopback.
    pub(crate) tokens: Vec<Token>,
}

/// A bearer token. Its name is the `sender` of what it sends.
#[derive(Clone)]
pub(crate) struct Token {
    /// Who holds it.
    pub(crate) name: String,
    /// Hash of the secret; the secret itself is not kept in memory.
    pub(crate) hash: SecretHash,
    /// What it may do.
    pub(crate) role: Role,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// What is taken in.
#[derive(Clone, Debug)]
pub(crate) struct IntakeSettings {
    /// The longest line, in bytes.
    pub(crate) max_line_bytes: usize,
    /// The largest request body after decompression, in bytes.
    pub(crate) max_body_bytes: usize,
    /// Most bytes of request bodies in memory at once, packed and unpacked.
    pub(crate) max_bodies_bytes: usize,
    /// How long the journal may wait to gather a group before it syncs, in microseconds.
    pub(crate) group_wait: Span,
    /// Size at which the journal starts a new file, in bytes.
    pub(crate) journal_segment_bytes: u64,
    /// Most bytes of journal that may wait for detection and the lake.
    pub(crate) max_journal_bytes: u64,
}

/// The lake's tables.
#[derive(Clone, Debug)]
pub(crate) struct LakeLimits {
    /// Longest time that an event waits before it is committed to its table.
    pub(crate) commit_every: Span,
    /// Most bytes of events that wait in memory.
    pub(crate) max_tail_bytes: usize,
    /// Days that rows are kept where nothing else is said; `None` for ever.
    pub(crate) retention_days: Option<u32>,
    /// Days by kind of record.
    pub(crate) retention_by_kind: BTreeMap<RecordKind, u32>,
    /// Days by model, for its inferences and training rows; stronger than the others.
    pub(crate) retention_by_model: BTreeMap<String, u32>,
    /// Hours that files which compaction replaced are kept for time travel.
    pub(crate) vacuum_hours: u32,
}

/// Limits of one query.
#[derive(Clone, Debug)]
pub(crate) struct QueryLimits {
    /// Longest time, in microseconds.
    pub(crate) timeout: Span,
    /// Most rows that are answered.
    pub(crate) max_rows: usize,
    /// Memory of all queries together, in bytes; beyond it they spill to disk.
    pub(crate) memory_bytes: usize,
}

/// What is kept, dropped and hashed.
#[derive(Clone, Debug)]
pub(crate) struct PrivacySettings {
    /// File with the key; made in the data folder where not named.
    pub(crate) key_file: Option<PathBuf>,
    /// Days after which tokens change; 0 never.
    pub(crate) epoch_days: u32,
    /// Rules by model and field.
    pub(crate) rules: Vec<FieldRule>,
}

/// Settings that cannot be used, with everything that is wrong with them.
#[derive(Debug)]
pub(crate) struct SettingsError {
    /// Where they were read from.
    pub(crate) origin: String,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "{count} problem{} in {}", if count == 1 { "" } else { "s" }, self.origin)?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

/// Prefix of environment variables: `WARDLINE_SERVER__LISTEN` sets `server.listen`.
const ENVIRONMENT_PREFIX: &str = "WARDLINE_";
/// Variables with the prefix that are no settings.
const NOT_SETTINGS: [&str; 4] = ["WARDLINE_CONFIG", "WARDLINE_URL", "WARDLINE_TOKEN", "WARDLINE_LOG"];

impl Settings {
    /// Reads the file, lays the environment over it, and checks the whole.
    ///
    /// # Errors
    /// Every problem at once.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let origin = file.map_or_else(|| "the settings".to_owned(), |path| path.display().to_string());
        let fatal = |key: &str, what: String, hint: &str| SettingsError {
            origin: origin.clone(),
            problems: vec![Problem { key: key.to_owned(), what, hint: Some(hint.to_owned()) }],
        };
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    fatal("--config", format!("cannot be read: {error}"), "name a TOML file, or leave --config out")
                })?;
                text.parse::<toml::Table>().map_err(|error| {
                    fatal("--config", format!("is not TOML: {error}"), "each line is `key = value` or `[section]`")
                })?
            }
        };
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX).filter(|_| !NOT_SETTINGS.contains(&name.as_str()))
            {
                overlay(&mut table, &path.to_lowercase().split("__").collect::<Vec<_>>(), &value);
            }
        }
        let mut problems = Vec::new();
        let settings = Self::check(&table, &mut problems);
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError { origin, problems }) }
    }

    fn check(table: &toml::Table, problems: &mut Vec<Problem>) -> Self {
        let mut reader = Reader::new(table, problems);
        let data = reader.text("data").map_or_else(|| PathBuf::from("wardline-data"), PathBuf::from);
        let metadata = reader.section("metadata", MetadataSettings::read);
        let server = reader.section("server", ServerSettings::read);
        let intake = reader.section("intake", IntakeSettings::read);
        let mut lake = reader.section("lake", LakeLimits::read);
        let query = reader.section("query", QueryLimits::read);
        let privacy = reader.section("privacy", PrivacySettings::read);
        let rules = reader.section("rules", RuleSettings::read);
        let mut alerts = alerts::read(&mut reader);
        let rollouts = RolloutSettings::read(&mut reader);
        let playbooks = PlaybookSettings::read(&mut reader, &rollouts.actuators);
        let notifications = NotificationSettings::read(&mut reader);
        let (model_default, learning_is_set) = models::read_default(&mut reader);
        let models::Models { settings: mut models, retention_days } = models::read_models(&mut reader, &model_default);
        alerts.service_slos = slos::read(&mut reader, &model_default, &mut models);
        lake.retention_by_model = retention_days;
        reader.finish();
        Self {
            data,
            metadata,
            server,
            intake,
            lake,
            query,
            privacy,
            rules,
            alerts,
            rollouts,
            playbooks,
            notifications,
            model_default,
            learning_is_set,
            models,
        }
    }
}

impl Settings {
    /// Every objective that is set, of the models that have settings of their own and of those that were seen.
    pub(crate) fn slos(&self, seen: &[String]) -> Vec<wardline_domain::Slo> {
        let mut names: Vec<&String> = self.models.keys().chain(seen).collect();
        names.sort_unstable();
        names.dedup();
        let of = |name: &&String| {
            let settings = self.models.get(*name).unwrap_or(&self.model_default);
            wardline_domain::Slo::of_model(name, settings)
        };
        let mut slos: Vec<_> = names.iter().flat_map(of).collect();
        slos.extend(self.alerts.service_slos.iter().cloned());
        slos
    }
}

/// Sets one value of a table by path; text that is no TOML value is taken as text.
fn overlay(table: &mut toml::Table, path: &[&str], value: &str) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        let parsed = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
        table.insert((*key).to_owned(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
        return;
    }
    let below = table.entry((*key).to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let toml::Value::Table(below) = below {
        overlay(below, rest, value);
    }
}

impl ServerSettings {
    /// Where the server listens unless told otherwise.
    pub(crate) const DEFAULT_LISTEN: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7430);

    fn read(reader: &mut Reader<'_>) -> Self {
        let listen = match reader.text("listen").map(|text| (text.parse::<SocketAddr>(), text)) {
            None => Self::DEFAULT_LISTEN,
            Some((Ok(address), _)) => address,
            Some((Err(_), text)) => {
                let hint = Some("write an address and a port, such as 127.0.0.1:7430 or [::]:7430");
                reader.problem("listen", format!("is `{text}`, and must be an address"), hint);
                Self::DEFAULT_LISTEN
            }
        };
        let tokens = reader.each_item("tokens", Token::read).into_iter().flatten().collect::<Vec<_>>();
        if tokens.is_empty() && !listen.ip().is_loopback() {
            let hint = "add [[server.tokens]] with name and secret_file, or listen on 127.0.0.1";
            reader.problem("listen", format!("is {listen}, which others can reach, and there is no token"), Some(hint));
        }
        Self { listen, tokens }
    }
}

impl Token {
    /// The shortest secret, in bytes.
    const LEAST_BYTES: usize = 16;

    /// A token from its secret.
    pub(crate) fn new(name: &str, secret: &str, role: Role) -> Self {
        Self { name: name.to_owned(), hash: SecretHash::of(secret), role }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.text("name").unwrap_or_else(|| "default".to_owned());
        let role = match reader.text("role").map(|name| (Role::named(&name), name)) {
            None => Role::Admin,
            Some((Some(role), _)) => role,
            Some((None, name)) => {
                let hint = Some("write sender, viewer, analyst, responder or admin");
                reader.problem("role", format!("is `{name}`, which is no role"), hint);
                return None;
            }
        };
        let (key, secret) = match (reader.text("secret"), reader.text("secret_file")) {
            (Some(secret), None) => ("secret", secret),
            (None, Some(file)) => match std::fs::read_to_string(&file) {
                Ok(secret) => ("secret_file", secret.trim().to_owned()),
                Err(error) => {
                    reader.problem("secret_file", format!("`{file}` cannot be read: {error}"), None);
                    return None;
                }
            },
            _ => {
                reader.problem("secret_file", "or `secret` must be written, and only one of them", None);
                return None;
            }
        };
        if secret.len() < Self::LEAST_BYTES {
            let what = format!("has {} characters, and must have at least {}", secret.len(), Self::LEAST_BYTES);
            reader.problem(key, what, Some("make one with `openssl rand -hex 32`"));
            return None;
        }
        Some(Self::new(&name, &secret, role))
    }
}

const MIB: u64 = 1024 * 1024;

impl IntakeSettings {
    fn read(reader: &mut Reader<'_>) -> Self {
        let max_body_mib = reader.whole("max_body_mib", 1..=1_024).unwrap_or(64);
        // A body that is packed is there twice while it is unpacked.
        let least = 2 * max_body_mib + 1;
        Self {
            max_line_bytes: reader.whole("max_line_bytes", 1_024..=64 * MIB).unwrap_or(MIB) as usize,
            max_body_bytes: (max_body_mib * MIB) as usize,
            max_bodies_bytes: (reader.whole("max_bodies_mib", least..=1_048_576).unwrap_or(least.max(256)) * MIB)
                as usize,
            group_wait: reader.span("group_wait").unwrap_or(2 * Timestamp::SECOND / 1_000),
            journal_segment_bytes: reader.whole("journal_segment_mib", 1..=1_024).unwrap_or(64) * MIB,
            max_journal_bytes: reader.whole("max_journal_mib", 64..=1_048_576).unwrap_or(4_096) * MIB,
        }
    }
}

impl LakeLimits {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            commit_every: reader.span("commit_every").unwrap_or(Timestamp::MINUTE),
            max_tail_bytes: (reader.whole("max_tail_mib", 8..=65_536).unwrap_or(64) * MIB) as usize,
            retention_days: days(reader, "retention_days"),
            retention_by_kind: reader.section("retention", |section| {
                let kinds = RecordKind::ALL.into_iter();
                kinds.filter_map(|kind| days(section, &format!("{kind}_days")).map(|days| (kind, days))).collect()
            }),
            retention_by_model: BTreeMap::new(),
            vacuum_hours: reader.whole("vacuum_hours", 0..=87_600).unwrap_or(24) as u32,
        }
    }
}

fn days(reader: &mut Reader<'_>, key: &str) -> Option<u32> {
    reader.whole(key, 1..=36_500).map(|days| days as u32)
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { timeout: 30 * Timestamp::SECOND, max_rows: 100_000, memory_bytes: (512 * MIB) as usize }
    }
}

impl QueryLimits {
    fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            timeout: reader.span("timeout").unwrap_or(default.timeout),
            max_rows: reader.whole("max_rows", 1..=1_000_000_000).map_or(default.max_rows, |rows| rows as usize),
            memory_bytes: reader
                .whole("memory_mib", 32..=1_048_576)
                .map_or(default.memory_bytes, |mib| (mib * MIB) as usize),
        }
    }
}

impl PrivacySettings {
    fn read(reader: &mut Reader<'_>) -> Self {
        let settings = Self {
            key_file: reader.text("key_file").map(PathBuf::from),
            epoch_days: reader.whole("epoch_days", 0..=3_650).unwrap_or(0) as u32,
            rules: reader.each_item("rules", read_rule).into_iter().flatten().collect(),
        };
        if let Some(Err(error)) = settings.key_file.as_deref().map(|file| settings.read_key(file)) {
            reader.problem("key_file", format!("is of no use: {error:#}"), None);
        }
        if let Err(error) = PrivacyPolicy::new(settings.rules.clone(), PrivacyKey::new([0; 32], 0)) {
            reader.problem("rules", format!("cannot be kept: {error}"), None);
        }
        settings
    }

    /// The key in a file.
    pub(crate) fn read_key(&self, file: &Path) -> anyhow::Result<PrivacyKey> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the privacy key `{}`", file.display()))?;
        PrivacyKey::from_hex(&text, self.epoch_days).with_context(|| format!("`{}` holds no key", file.display()))
    }
}

fn read_rule(reader: &mut Reader<'_>) -> Option<FieldRule> {
    let model = reader.text("model");
    let field = reader.text("field");
    let treatment = match reader.text("treatment").as_deref() {
        Some("keep") => Some(Treatment::Keep),
        Some("drop") => Some(Treatment::Drop),
        Some("hash") => Some(Treatment::Hash),
        Some("hmac") => Some(Treatment::Hmac),
        other => {
            let what = other.map_or_else(|| "is missing".to_owned(), |text| format!("is `{text}`"));
            reader.problem("treatment", what, Some("write keep, drop, hash or hmac"));
            None
        }
    };
    if field.is_none() {
        reader.problem("field", "is missing", Some("name a column, such as `user`, `prompt` or `feature_*`"));
    }
    Some(FieldRule { model, field: field?, treatment: treatment? })
}

#[cfg(test)]
mod tests;
