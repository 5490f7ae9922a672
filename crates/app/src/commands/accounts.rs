//! `wardline user` and `wardline token`: who may ask a server.

use anyhow::Context as _;
use comfy_table::{Table, presets};
use serde_json::json;
use wardline_domain::Timestamp;

use super::{Outcome, client::Api};
use crate::{
    cli::{TokenArguments, TokenCommand, UserArguments, UserCommand},
    pipeline, screen,
    server::{CreatedToken, Tokens, Users},
    settings::parse_span,
};

pub(super) async fn user(arguments: &UserArguments) -> anyhow::Result<Outcome> {
    match &arguments.command {
        UserCommand::Add { user, role } => {
            let body = json!({ "user": user, "role": role });
            Api::new(&arguments.remote)?.ask("/v1/users", &body, "application/json").await?;
            println!("{user}: {role}");
        }
        UserCommand::List { json } => {
            let Users { users } = Api::new(&arguments.remote)?.get("/v1/users", &[]).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&users)?);
            } else if users.is_empty() {
                println!("no user");
            } else {
                let mut table = table(["user", "role", "added", "by"]);
                for user in users {
                    table.add_row([user.user, user.role.to_string(), user.added.to_string(), screen::plain(&user.by)]);
                }
                println!("{table}");
            }
        }
        UserCommand::Remove { user } => {
            Api::new(&arguments.remote)?.delete("/v1/users", user).await?;
            println!("{user}: removed");
        }
    }
    Ok(Outcome::Good)
}

pub(super) async fn token(arguments: &TokenArguments) -> anyhow::Result<Outcome> {
    match &arguments.command {
        TokenCommand::Create { user, name, role, expires, json } => {
            let expires = expires.as_deref().map(moment).transpose()?;
            let body = json!({ "user": user, "name": name, "role": role, "expires": expires });
            let answer = Api::new(&arguments.remote)?.ask("/v1/tokens", &body, "application/json").await?;
            let created: CreatedToken = answer.json().await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&created)?);
            } else {
                let CreatedToken { token, secret } = created;
                let until = token.expires.map_or_else(String::new, |expires| format!(", until {expires}"));
                eprintln!("token {} of {}, {}{until}; this is its secret, once:", token.token, token.user, token.role);
                println!("{secret}");
            }
        }
        TokenCommand::List { user, json } => {
            let query: Vec<_> = user.iter().map(|user| ("user", user.clone())).collect();
            let Tokens { tokens } = Api::new(&arguments.remote)?.get("/v1/tokens", &query).await?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&tokens)?);
            } else if tokens.is_empty() {
                println!("no token");
            } else {
                let now = pipeline::now();
                let mut table = table(["token", "user", "name", "role", "created", "expires"]);
                for token in tokens {
                    let expires = token.expires.map_or_else(
                        || "never".to_owned(),
                        |expires| format!("{expires}{}", if expires <= now { " (expired)" } else { "" }),
                    );
                    let created = token.created.to_string();
                    table.add_row([token.token, token.user, token.name, token.role.to_string(), created, expires]);
                }
                println!("{table}");
            }
        }
        TokenCommand::Revoke { id } => {
            Api::new(&arguments.remote)?.delete("/v1/tokens", id).await?;
            println!("{id}: revoked");
        }
    }
    Ok(Outcome::Good)
}

/// A time, or a span from now.
fn moment(text: &str) -> anyhow::Result<Timestamp> {
    if let Some(span) = parse_span(text) {
        return Ok(pipeline::now().plus(span));
    }
    Timestamp::parse(text).with_context(|| {
        format!("`{text}` is neither a time nor a span: write 2027-01-31T00:00:00Z, or 90d for ninety days from now")
    })
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}
