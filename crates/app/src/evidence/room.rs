//! Where packs are made and kept.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use futures::future::BoxFuture;
use wardline_domain::ActionError;
use wardline_respond::{
    chain::{Chain, sha256},
    evidence::{EvidenceKey, PackFacts, pack},
    incident::{Actor, Command, Entry, Event, FrozenPack},
};
use wardline_store::{lake::Lake, metadata::Metadata, sql::Engine};

use super::content::Content;
use crate::{incidents::IncidentDesk, pipeline, playbooks::Freeze, settings::QueryLimits};

/// Packs of a server.
pub(crate) struct EvidenceRoom {
    folder: PathBuf,
    key: EvidenceKey,
    pub(super) engine: Arc<Engine>,
    pub(super) lake: Arc<Lake>,
    pub(super) metadata: Metadata,
    pub(super) incidents: Arc<IncidentDesk>,
    pub(super) limits: QueryLimits,
    /// One pack is made at a time: each may take as much memory as a query.
    making: tokio::sync::Mutex<()>,
}

impl EvidenceRoom {
    /// Opens the folder of packs, and the key that signs them; both are made at the first start.
    pub(crate) fn open(
        data: &Path,
        engine: Arc<Engine>,
        lake: Arc<Lake>,
        metadata: Metadata,
        incidents: Arc<IncidentDesk>,
        limits: QueryLimits,
    ) -> anyhow::Result<Self> {
        let folder = data.join("evidence");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let secret = pipeline::secret_file(&data.join("evidence.key"))?;
        let key = EvidenceKey::from_secret(secret);
        Ok(Self { folder, key, engine, lake, metadata, incidents, limits, making: tokio::sync::Mutex::new(()) })
    }

    /// What others compare to know that it was this server that signed.
    pub(crate) fn fingerprint(&self) -> String {
        self.key.fingerprint()
    }

    /// Freezes what is known of an incident; where no alert came since it was frozen, that pack is the answer.
    ///
    /// # Errors
    /// Where there is no such incident, or the pack cannot be written.
    pub(crate) async fn freeze(&self, incident: &str, reason: &str, by: &Actor) -> anyhow::Result<FrozenPack> {
        let _making = self.making.lock().await;
        let log = self.incidents.log(incident).with_context(|| format!("there is no incident `{incident}`"))?;
        let chain = Chain::<Entry>::from_lines(log.as_bytes(), None)
            .map_err(|breaks| anyhow::anyhow!("the log of the incident was altered: {}", breaks[0]))?;
        if let Some(pack) = still_good(&chain)
            && self.folder.join(&pack.name).exists()
        {
            return Ok(pack);
        }
        let view = self.incidents.view(incident).with_context(|| format!("there is no incident `{incident}`"))?;
        let files = Content::new(self, view, log).files().await?;
        let facts = PackFacts {
            incident: incident.to_owned(),
            created: pipeline::now(),
            created_by: by.name().to_owned(),
            product: concat!("wardline ", env!("CARGO_PKG_VERSION")).to_owned(),
            reason: reason.to_owned(),
        };
        let bytes = pack(facts, files, &self.key)?;
        let name = format!("{incident}-{}.zip", chain.head().length);
        let frozen = FrozenPack {
            name: name.clone(),
            sha256: sha256(&bytes),
            fingerprint: self.key.fingerprint(),
            bytes: bytes.len() as u64,
            reason: reason.to_owned(),
        };
        let path = self.folder.join(&name);
        tokio::task::spawn_blocking(move || write_whole(&path, &bytes)).await??;
        self.incidents.execute(incident, Command::Freeze { pack: frozen.clone() }, by).await?;
        Ok(frozen)
    }

    /// A pack by its name.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub(crate) async fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        anyhow::ensure!(name.bytes().all(is_name) && !name.contains(".."), "`{name}` is no name of a pack");
        tokio::fs::read(self.folder.join(name)).await.with_context(|| format!("there is no pack `{name}`"))
    }
}

/// The last pack, where no alert joined after it.
fn still_good(chain: &Chain<Entry>) -> Option<FrozenPack> {
    for link in chain.links().iter().rev() {
        match &link.entry.event {
            Event::EvidenceFrozen { pack } => return Some(pack.clone()),
            Event::AlertAttached { .. } | Event::Absorbed { .. } => return None,
            _ => {}
        }
    }
    None
}

/// Whole or not at all, and on the disk when it returns.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let failed = || format!("cannot write the evidence `{}`", path.display());
    let unfinished = path.with_extension("unfinished");
    let mut file = fs::File::create(&unfinished).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    file.sync_all().with_context(failed)?;
    fs::rename(&unfinished, path).with_context(failed)?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(failed)?;
    }
    Ok(())
}

impl Freeze for EvidenceRoom {
    fn before_first_action<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<String, ActionError>> {
        Box::pin(async move {
            let by = Actor::System("playbooks".to_owned());
            if self.incidents.log(incident).is_none() {
                let reason =
                    format!("there is no incident `{incident}`: `wardline incident list` shows those there are");
                return Err(ActionError::Refused { target: "evidence".to_owned(), reason });
            }
            match self.freeze(incident, "before the first action", &by).await {
                Ok(pack) => Ok(format!("{}, SHA-256 {}", pack.name, pack.sha256)),
                Err(error) => {
                    Err(ActionError::Unreachable { target: "evidence".to_owned(), reason: format!("{error:#}") })
                }
            }
        })
    }
}
