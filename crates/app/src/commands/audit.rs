//! `wardline audit`: who changed what, and whether the log of it is as it was written.

use anyhow::Context as _;

use super::{Outcome, client::Api};
use crate::{
    accounts::{Verification, verify_lines},
    cli::{AuditArguments, AuditCommand},
    screen,
    server::AuditList,
};

pub(super) async fn run(arguments: &AuditArguments) -> anyhow::Result<Outcome> {
    match &arguments.command {
        AuditCommand::List { from, limit, json } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(from.iter().map(|from| ("from", from.to_string())));
            let list: AuditList = Api::new(&arguments.remote)?.get("/v1/audit", &query).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&list.records)?);
            } else {
                print!("{}", text_of(&list));
            }
            Ok(Outcome::Good)
        }
        AuditCommand::Verify { file, json } => {
            let found = match file {
                Some(file) => {
                    let bytes = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
                    verify_lines(&String::from_utf8_lossy(&bytes), None)
                }
                None => Api::new(&arguments.remote)?.get("/v1/audit/verification", &[]).await?,
            };
            if *json {
                println!("{}", serde_json::to_string_pretty(&found)?);
            } else {
                print!("{}", verdict_on(&found));
            }
            Ok(if found.damage.is_empty() { Outcome::Good } else { Outcome::Wrong })
        }
        AuditCommand::Export { file } => {
            let lines = Api::new(&arguments.remote)?.get_text("/v1/audit/chain").await?;
            std::fs::write(file, &lines).with_context(|| format!("cannot write `{}`", file.display()))?;
            println!("{} records in {}", lines.lines().count(), file.display());
            Ok(Outcome::Good)
        }
    }
}

fn text_of(list: &AuditList) -> String {
    if list.length == 0 {
        return "nothing was changed\n".to_owned();
    }
    list.records.iter().fold(String::new(), |mut text, record| {
        let entry = &record.entry;
        let what = screen::plain(&entry.deed.to_string());
        text.push_str(&format!(
            "{:>6}  {}  {} ({})  {what}\n",
            record.sequence,
            entry.time,
            screen::plain(&entry.who),
            entry.role
        ));
        text
    })
}

fn verdict_on(found: &Verification) -> String {
    if found.damage.is_empty() {
        return format!("{} records, as they were written; the last one has the hash {}\n", found.records, found.hash);
    }
    let mut text = format!("damaged: {} records, of which\n", found.records);
    for damage in &found.damage {
        text.push_str(&format!("  {damage}\n"));
    }
    text
}
