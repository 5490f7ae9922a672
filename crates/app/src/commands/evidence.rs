//! `wardline evidence` and `wardline verify`: packs are made by a server, and checked by anybody.

use std::path::Path;

use anyhow::Context as _;
use wardline_respond::{
    evidence::{self, Verification},
    incident::FrozenPack,
};

use super::{Outcome, client::Api, incident::whole_id};
use crate::{
    cli::{EvidenceArguments, EvidenceCommand, VerifyArguments},
    screen::plain,
    server::KeyAnswer,
};

pub(super) async fn run(arguments: &EvidenceArguments) -> anyhow::Result<Outcome> {
    let api = Api::new(&arguments.remote)?;
    match &arguments.command {
        EvidenceCommand::Export { incident, out } => export(&api, incident, out.as_deref()).await,
        EvidenceCommand::Key => {
            let KeyAnswer { fingerprint } = api.get("/v1/evidence/key", &[]).await?;
            println!("{fingerprint}");
            Ok(Outcome::Good)
        }
    }
}

async fn export(api: &Api, incident: &str, out: Option<&Path>) -> anyhow::Result<Outcome> {
    let id = whole_id(api, incident).await?;
    let answer = api.ask(&format!("/v1/incidents/{id}/evidence"), &serde_json::json!({}), "application/json").await?;
    let pack: FrozenPack = answer.json().await?;
    let bytes = api.get_bytes(&format!("/v1/evidence/packs/{}", pack.name)).await?;
    let file = out.map_or_else(|| Path::new(&pack.name).to_owned(), Path::to_owned);
    std::fs::write(&file, &bytes).with_context(|| format!("cannot write `{}`", file.display()))?;
    println!("{}: {} bytes, SHA-256 {}", file.display(), bytes.len(), pack.sha256);
    println!("signed by the key {}", pack.fingerprint);
    println!("anybody can check it: wardline verify {} --key {}", file.display(), pack.fingerprint);
    Ok(Outcome::Good)
}

/// Checks a pack without any server.
pub(super) fn verify(arguments: &VerifyArguments) -> anyhow::Result<Outcome> {
    let file = &arguments.pack;
    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let found = evidence::verify(&bytes, arguments.key.as_deref());
    print!("{}", text_of(&found, arguments.key.is_some()));
    Ok(if found.is_whole() { Outcome::Good } else { Outcome::Wrong })
}

fn text_of(found: &Verification, is_trusted: bool) -> String {
    let mut text = String::new();
    if let Some(manifest) = &found.manifest {
        let pack = &manifest.pack;
        let line = format!(
            "incident {}, frozen {} by {} with {}: {}\n",
            pack.incident, pack.created, pack.created_by, pack.product, pack.reason
        );
        text.push_str(&plain(&line));
        text.push_str(&format!("{} files\n", manifest.files.len()));
    }
    if found.is_whole() {
        text.push_str("nothing was altered\n");
        let key = found.fingerprint.as_deref().unwrap_or_default();
        text.push_str(&format!("signed by the key {key}\n"));
        if !is_trusted {
            text.push_str("whose key that is, only its owner can tell you: compare it, or give it as --key\n");
        }
        return text;
    }
    text.push_str(&format!("{} alterations:\n", found.alterations.len()));
    found.alterations.iter().for_each(|alteration| text.push_str(&plain(&format!("  {alteration}\n"))));
    text
}
