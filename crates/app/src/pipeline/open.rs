//! Opening a data folder: what was saved, then what the journal holds beyond it.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use tokio::sync::Semaphore;
use wardline_adapters::SchemaRegistry;
use wardline_detect::{Watch, WatchSettings};
use wardline_domain::{PrivacyKey, PrivacyPolicy};
use wardline_store::{
    dead_letters::{DeadLetterSettings, DeadLetters},
    journal::{Journal, JournalSettings},
    lake::{Lake, LakeSettings},
    metadata::Metadata,
    sql::{Engine, EngineSettings},
};

use super::{
    Pipeline,
    decoders::Decoders,
    detection::{self, Detection, Records, Recovered},
    downstream::{self, Downstream},
    maintenance,
    metrics::Metrics,
};
use crate::{
    evidence::EvidenceRoom,
    incidents::IncidentDesk,
    notifications::NotificationDesk,
    playbooks::{Desk as PlaybookDesk, Freeze},
    rollouts::Desk,
    rule_files,
    settings::{PrivacySettings, Settings},
};

/// Where the schema registry is kept in the metadata.
pub(super) const SCHEMA_STATE: &str = "schema";

impl Pipeline {
    /// Opens the data folder, and catches up with the journal.
    ///
    /// # Errors
    /// Where a folder cannot be made or read, or another process has it open.
    pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let folder = &settings.data;
        fs::create_dir_all(folder).with_context(|| format!("cannot make the data folder `{}`", folder.display()))?;
        let lock = lock_folder(folder)?;
        let key = privacy_key(&settings.privacy, folder)?;
        let seal = key.derive_key("dead letters");
        let policy = PrivacyPolicy::new(settings.privacy.rules.clone(), key)?;

        let metadata = open_metadata(settings).await?;
        let lake = Arc::new(Lake::open(lake_settings(settings)).await?);
        let journal = Arc::new(Journal::open(&folder.join("journal"), journal_settings(settings, &lake))?);
        let dead_letters =
            Arc::new(DeadLetters::open(&folder.join("dead-letters"), seal, DeadLetterSettings::default())?);
        let engine = Arc::new(Engine::new(Arc::clone(&lake), Some(metadata.clone()), &engine_settings(settings))?);
        let registry = Arc::new(saved_registry(&metadata).await?);

        let metrics = Arc::new(Metrics::new());
        let notifications = Arc::new(NotificationDesk::new(metadata.clone(), Arc::clone(&metrics), settings));
        let incidents = Arc::new(IncidentDesk::open(metadata.clone(), Arc::clone(&notifications)).await?);
        let playbooks = Arc::new(PlaybookDesk::open(metadata.clone(), settings).await?);
        let rollouts = Arc::new(Desk::open(metadata.clone(), &settings.rollouts, Arc::clone(&incidents)).await?);
        let evidence = Arc::new(EvidenceRoom::open(
            folder,
            Arc::clone(&engine),
            Arc::clone(&lake),
            metadata.clone(),
            Arc::clone(&incidents),
            settings.query.clone(),
        )?);
        playbooks.set_freeze(Arc::clone(&evidence) as Arc<dyn Freeze>);
        let records = Records {
            lake: Arc::clone(&lake),
            metadata: metadata.clone(),
            metrics: Arc::clone(&metrics),
            saved: Arc::default(),
            rollouts: Arc::clone(&rollouts),
            incidents: Arc::clone(&incidents),
            notifications: Arc::clone(&notifications),
        };
        let recovered = recover(settings, &journal, &records).await?;
        incidents.catch_up().await?;
        let saved = Arc::clone(&records.saved);
        let detection = Arc::new(Detection::start(recovered, records)?);
        let (downstream, task) = Downstream::start(Arc::clone(&lake), Arc::clone(&detection));
        let maintenance =
            maintenance::start(Arc::clone(&lake), Arc::clone(&journal), saved, settings.intake.max_journal_bytes);
        Ok(Self {
            decoders: Decoders::new(registry, settings.intake.max_line_bytes),
            saved_schema: tokio::sync::Mutex::new(0),
            _lock: lock,
            policy,
            dead_letters,
            journal,
            max_journal_bytes: settings.intake.max_journal_bytes,
            downstream,
            waiting: Arc::new(Semaphore::new(downstream::MOST_WAITING)),
            lake,
            engine,
            metadata,
            detection,
            metrics,
            background: Mutex::new(vec![task, maintenance, rollouts.run(), playbooks.run(), notifications.run()]),
            rollouts,
            playbooks,
            incidents,
            evidence,
            notifications,
        })
    }
}

async fn open_metadata(settings: &Settings) -> anyhow::Result<Metadata> {
    Ok(match &settings.metadata.postgres {
        Some(postgres) => Metadata::open_postgres(postgres, &settings.data, super::now()).await?,
        None => Metadata::open(&settings.data.join("metadata.sqlite")).await?,
    })
}

/// Two processes on one data folder would tear its tables apart.
fn lock_folder(folder: &Path) -> anyhow::Result<fs::File> {
    let path = folder.join("lock");
    let file =
        fs::File::create(&path).with_context(|| format!("cannot write to the data folder `{}`", folder.display()))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        anyhow::anyhow!(
            "the data folder `{}` is in use by another wardline: stop it, ask it over HTTP, or name another folder",
            folder.display()
        )
    })?;
    Ok(file)
}

/// The key that was named, or the data folder's own, made at the first start.
fn privacy_key(settings: &PrivacySettings, folder: &Path) -> anyhow::Result<PrivacyKey> {
    if let Some(named) = &settings.key_file {
        return settings.read_key(named);
    }
    let own = folder.join("privacy.key");
    secret_file(&own)?;
    settings.read_key(&own)
}

/// The 32 secret bytes of a file, which is made where it is missing.
///
/// # Errors
/// Where the file cannot be written, or holds something else.
pub(crate) fn secret_file(path: &Path) -> anyhow::Result<[u8; 32]> {
    if !path.exists() {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        make_key(folder, path).with_context(|| format!("cannot write the key `{}`", path.display()))?;
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the key `{}`", path.display()))?;
    let digits = text.trim().as_bytes();
    let pair = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.with_context(|| {
        format!(
            "`{}` holds no key of 64 hexadecimal digits: restore it, or move it away to begin with a new one",
            path.display()
        )
    })
}

/// Whole or not at all: half a key would keep the server from every later start.
fn make_key(folder: &Path, path: &Path) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let secret: [u8; 32] = rand::random();
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let unfinished = path.with_extension("unfinished");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    fs::File::open(folder)?.sync_all()
}

fn lake_settings(settings: &Settings) -> LakeSettings {
    let mut lake = LakeSettings::at(settings.data.join("lake").display().to_string());
    lake.flush_age = micros(settings.lake.commit_every);
    lake.max_tail_bytes = settings.lake.max_tail_bytes;
    // A table that is written takes about as much again for as long as that lasts.
    lake.flush_bytes = lake.flush_bytes.min(settings.lake.max_tail_bytes / 3);
    lake.history = std::time::Duration::from_secs(3_600 * u64::from(settings.lake.vacuum_hours));
    if let Some(days) = settings.lake.retention_days {
        for kind in wardline_domain::RecordKind::ALL {
            lake.retention.days_by_kind.insert(kind, days);
        }
        lake.retention.finding_days = Some(days);
    }
    lake.retention.days_by_kind.extend(&settings.lake.retention_by_kind);
    lake.retention.days_by_model.clone_from(&settings.lake.retention_by_model);
    lake
}

fn journal_settings(settings: &Settings, lake: &Lake) -> JournalSettings {
    JournalSettings {
        group_wait: micros(settings.intake.group_wait),
        segment_bytes: settings.intake.journal_segment_bytes,
        // The largest body must fit, also when its columns take more room than its text.
        queue_bytes: (64 * 1024 * 1024).max(4 * settings.intake.max_body_bytes),
        resume_after: lake.highest_stored_sequence().unwrap_or(0),
        ..JournalSettings::default()
    }
}

fn engine_settings(settings: &Settings) -> EngineSettings {
    EngineSettings { spill_folder: Some(settings.data.join("spill")), ..EngineSettings::default() }
}

fn micros(span: wardline_domain::Span) -> std::time::Duration {
    std::time::Duration::from_micros(span.unsigned_abs())
}

async fn saved_registry(metadata: &Metadata) -> anyhow::Result<SchemaRegistry> {
    let Some(state) = metadata.get_state(SCHEMA_STATE).await? else { return Ok(SchemaRegistry::new()) };
    let models = serde_json::from_slice(&state.body).context("the saved schema of the models cannot be read")?;
    Ok(SchemaRegistry::restore(models))
}

/// Detection as it was saved, and what the journal holds beyond it.
async fn recover(settings: &Settings, journal: &Journal, records: &Records) -> anyhow::Result<Recovered> {
    let active = rule_files::active(&settings.rules)?;
    for error in &active.errors {
        tracing::error!(error = %error, "a rule cannot be used and is left out");
    }
    let watch = WatchSettings {
        rules: active.set,
        ..settings.alerts.watch(settings.model_default.clone(), settings.models.clone())
    };
    let saved = records.metadata.get_state(detection::STATE).await?;
    let mut recovered = match saved.map(|state| (Recovered::read(watch.clone(), &state), state)) {
        Some((Ok(recovered), _)) => recovered,
        Some((Err(error), state)) => {
            tracing::error!(error = %format!("{error:#}"), "what was learned cannot be read and is learned anew; the old state is kept beside it");
            records.metadata.put_state(detection::UNREADABLE_STATE, &state).await?;
            Recovered::new(Watch::new(watch))
        }
        None => Recovered::new(Watch::new(watch)),
    };
    // Records come one at a time, so this takes the memory of one however long the journal is.
    let first = records.lake.committed_sequence().unwrap_or(0).min(recovered.sequence) + 1;
    for record in journal.replay(first) {
        match record {
            Ok(record) => {
                if let Err(error) = records.lake.observe(record.sequence, &record.batches).await {
                    tracing::error!(error = %error, sequence = record.sequence, "the lake refused a record of the journal");
                }
                records.rollouts.see_again(record.sequence, &record.batches).await;
                records.incidents.see_again(record.sequence, &record.batches);
                recovered.see_again(record.sequence, record.batches, records).await;
            }
            Err(damaged) => {
                tracing::error!(error = %damaged, "a record of the journal was damaged and is in quarantine")
            }
        }
    }
    Ok(recovered)
}
