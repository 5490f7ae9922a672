//! Users and tokens as the audit log says. Nothing here waits, reads or writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{
    Role,
    record::{AuditRecord, Deed},
    secret::SecretHash,
};

/// Most users, and most tokens: each request is compared with every token.
const MOST: usize = 10_000;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct User {
    /// The name.
    pub(crate) user: String,
    /// The most that the user's tokens may do.
    pub(crate) role: Role,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) added: Timestamp,
    /// Who added the user.
    pub(crate) by: String,
}

/// A token, without its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct AccountToken {
    /// Its id.
    pub(crate) token: String,
    /// Whose it is.
    pub(crate) user: String,
    /// What it is called.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created: Timestamp,
    /// Until when it is good; for ever where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires: Option<Timestamp>,
}

/// What a token is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewToken {
    /// Whose it is.
    pub(crate) user: String,
    /// What it is called.
    pub(crate) name: String,
    /// What it may do; what its user may, where there is none.
    pub(crate) role: Option<Role>,
    /// Until when it is good.
    pub(crate) expires: Option<Timestamp>,
}

/// Why something is not done with accounts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// A name that cannot be one.
    #[error("`{0}` is no name: write at most 64 letters, digits, `.`, `_`, `-` or `@`, and a letter or a digit first")]
    BadName(String),
    /// The user is there, or the name is that of a token in the settings.
    #[error("there is a user or a token `{0}` already: choose another name")]
    UserExists(String),
    /// There is no such user.
    #[error("there is no user `{0}`: `wardline user list` shows them")]
    NoSuchUser(String),
    /// There is no such token.
    #[error("there is no token `{0}`: `wardline token list` shows them")]
    NoSuchToken(String),
    /// A token cannot do more than its user.
    #[error("a token of `{user}`, who is {has}, cannot have the role {wanted}")]
    TooMuch {
        /// The user.
        user: String,
        /// The user's role.
        has: Role,
        /// The token's.
        wanted: Role,
    },
    /// It would never be good.
    #[error("the token would have expired at {0} already: name a later moment")]
    Expired(Timestamp),
    /// There are too many.
    #[error("there are {MOST} {0} already: remove some first")]
    TooMany(&'static str),
}

/// Users and tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    users: BTreeMap<String, User>,
    tokens: BTreeMap<String, (AccountToken, SecretHash)>,
}

impl Book {
    /// Takes in what was written down.
    pub(crate) fn apply(&mut self, record: &AuditRecord) {
        match &record.deed {
            Deed::UserAdded { user, role } => {
                let added = User { user: user.clone(), role: *role, added: record.time, by: record.who.clone() };
                self.users.insert(user.clone(), added);
            }
            Deed::UserRemoved { user } => {
                self.users.remove(user);
                self.tokens.retain(|_, (token, _)| token.user != *user);
            }
            Deed::TokenCreated { token, user, name, role, hash, expires } => {
                let Some(hash) = SecretHash::from_hex(hash) else { return };
                let created = AccountToken {
                    token: token.clone(),
                    user: user.clone(),
                    name: name.clone(),
                    role: *role,
                    created: record.time,
                    expires: *expires,
                };
                self.tokens.insert(token.clone(), (created, hash));
            }
            Deed::TokenRevoked { token } => {
                self.tokens.remove(token);
            }
            Deed::Changed { .. } => {}
        }
    }

    /// Every user, by name.
    pub(crate) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Every token, by id; those that expired as well.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &AccountToken> {
        self.tokens.values().map(|(token, _)| token)
    }

    /// The token of a secret, where it is good now. Every token is compared, so that timing tells nothing.
    pub(crate) fn holder(&self, secret: &SecretHash, now: Timestamp) -> Option<&AccountToken> {
        let found =
            self.tokens.values().fold(None, |found, (token, hash)| if hash.is(secret) { Some(token) } else { found });
        found.filter(|token| token.expires.is_none_or(|expires| now < expires))
    }

    /// Adds a user; `reserved` are the names of others who may ask.
    pub(crate) fn add_user(&self, user: &str, role: Role, reserved: &[&str]) -> Result<Deed, Refused> {
        check_name(user)?;
        if self.users.contains_key(user) || reserved.contains(&user) {
            return Err(Refused::UserExists(user.to_owned()));
        }
        if MOST <= self.users.len() {
            return Err(Refused::TooMany("users"));
        }
        Ok(Deed::UserAdded { user: user.to_owned(), role })
    }

    /// Removes a user with all tokens.
    pub(crate) fn remove_user(&self, user: &str) -> Result<Deed, Refused> {
        if !self.users.contains_key(user) {
            return Err(Refused::NoSuchUser(user.to_owned()));
        }
        Ok(Deed::UserRemoved { user: user.to_owned() })
    }

    /// Makes a token with an id for a secret.
    pub(crate) fn create_token(&self, new: &NewToken, id: &str, secret: &str, now: Timestamp) -> Result<Deed, Refused> {
        let Some(user) = self.users.get(&new.user) else { return Err(Refused::NoSuchUser(new.user.clone())) };
        check_name(&new.name)?;
        let role = new.role.unwrap_or(user.role);
        if !user.role.may(role) {
            return Err(Refused::TooMuch { user: new.user.clone(), has: user.role, wanted: role });
        }
        if let Some(expires) = new.expires.filter(|expires| *expires <= now) {
            return Err(Refused::Expired(expires));
        }
        if MOST <= self.tokens.len() {
            return Err(Refused::TooMany("tokens"));
        }
        Ok(Deed::TokenCreated {
            token: id.to_owned(),
            user: new.user.clone(),
            name: new.name.clone(),
            role,
            hash: SecretHash::of(secret).to_hex(),
            expires: new.expires,
        })
    }

    /// Revokes a token.
    pub(crate) fn revoke_token(&self, token: &str) -> Result<Deed, Refused> {
        if !self.tokens.contains_key(token) {
            return Err(Refused::NoSuchToken(token.to_owned()));
        }
        Ok(Deed::TokenRevoked { token: token.to_owned() })
    }
}

/// Names stand in paths, in tables and as the sender of events.
fn check_name(name: &str) -> Result<(), Refused> {
    let is_good = name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "._-@".contains(character));
    if is_good { Ok(()) } else { Err(Refused::BadName(name.to_owned())) }
}

#[cfg(test)]
mod tests;
