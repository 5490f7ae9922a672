//! Where accounts live: what is decided is written to the audit log, and then it is so.

use std::{
    path::Path,
    sync::{PoisonError, RwLock},
};

use wardline_domain::Timestamp;
use wardline_respond::chain::{self, Chain, Head};
use wardline_store::metadata::{LogLine, Metadata, Together};

use super::{
    book::{AccountToken, Book, NewToken, Refused, User},
    chain::{Listed, Noted, Verification, end_of, verify_lines},
    record::{AuditRecord, Caller, Deed},
    secret::{SecretHash, new_secret, new_token_id},
};
use crate::pipeline;

/// The audit log among the logs of the metadata.
const LOG: &str = "audit";
/// Its only subject.
const SUBJECT: &str = "server";

/// Users, tokens and the audit log of a server.
pub(crate) struct Accounts {
    metadata: Metadata,
    noted: Noted,
    book: RwLock<Book>,
    /// The end of the chain; held from a decision until it is written down. `None` where a record may or may not have
    /// been written, so that it has to be read again.
    end: tokio::sync::Mutex<Option<Head>>,
}

/// A token that was made.
pub(crate) struct Created {
    /// The token.
    pub(crate) token: AccountToken,
    /// Its secret, which is nowhere else.
    pub(crate) secret: String,
}

/// Why something did not change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// It cannot be so.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It could not be written down.
    #[error("the audit log cannot be written: {0:#}")]
    NotWritten(anyhow::Error),
}

impl Accounts {
    /// Reads the audit log of a data folder's server.
    pub(crate) async fn open(metadata: Metadata, folder: &Path) -> anyhow::Result<Self> {
        let accounts = Self {
            metadata,
            noted: Noted::in_folder(folder),
            book: RwLock::default(),
            end: tokio::sync::Mutex::new(None),
        };
        let end = accounts.read_again().await?;
        *accounts.end.lock().await = Some(end);
        Ok(accounts)
    }

    /// Takes users and tokens from the log, and answers its end. A log that is damaged has no accounts: a record that
    /// is gone may have revoked a token.
    async fn read_again(&self) -> anyhow::Result<Head> {
        let rows = self.metadata.log_lines(LOG, Some(SUBJECT)).await?;
        let lines = joined(&rows);
        let found = verify_lines(&lines, self.noted.read().as_ref());
        let mut book = Book::default();
        match Chain::<AuditRecord>::from_lines(lines.as_bytes(), None) {
            Ok(chain) if found.damage.is_empty() => chain.links().iter().for_each(|link| book.apply(&link.entry)),
            _ => {
                let damage = found.damage.first().map_or("it cannot be read", String::as_str);
                tracing::error!(
                    damage,
                    "the audit log is damaged, so users and tokens in it are not accepted: `wardline audit verify` lists all damage; restore the metadata from a backup, as docs/accounts.md says"
                );
            }
        }
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = book;
        let length = rows.last().map_or(0, |row| row.sequence + 1);
        Ok(Head { length, ..end_of(&lines) })
    }

    /// Writes down what somebody did. When this returns, it is in the log.
    pub(crate) async fn record(&self, caller: &Caller, deed: Deed) -> Result<(), AccountError> {
        self.decide(caller, |_, _| Ok(deed)).await.map(|_| ())
    }

    /// Adds a user; `reserved` are the names of others who may ask.
    pub(crate) async fn add_user(
        &self,
        caller: &Caller,
        user: &str,
        role: super::Role,
        reserved: &[&str],
    ) -> Result<User, AccountError> {
        let record = self.decide(caller, |book, _| book.add_user(user, role, reserved)).await?;
        Ok(User { user: user.to_owned(), role, added: record.time, by: record.who })
    }

    /// Removes a user with all tokens.
    pub(crate) async fn remove_user(&self, caller: &Caller, user: &str) -> Result<(), AccountError> {
        self.decide(caller, |book, _| book.remove_user(user)).await.map(|_| ())
    }

    /// Makes a token.
    pub(crate) async fn create_token(&self, caller: &Caller, new: &NewToken) -> Result<Created, AccountError> {
        let (id, secret) = (new_token_id(), new_secret());
        let record = self.decide(caller, |book, now| book.create_token(new, &id, &secret, now)).await?;
        let Deed::TokenCreated { token, user, name, role, expires, .. } = record.deed else {
            return Err(AccountError::NotWritten(anyhow::anyhow!("another record was written")));
        };
        Ok(Created { token: AccountToken { token, user, name, role, created: record.time, expires }, secret })
    }

    /// Revokes a token; requests that are under way still end.
    pub(crate) async fn revoke_token(&self, caller: &Caller, token: &str) -> Result<(), AccountError> {
        self.decide(caller, |book, _| book.revoke_token(token)).await.map(|_| ())
    }

    /// Decides by what the log says now, writes that down, and only then takes it in.
    async fn decide(
        &self,
        caller: &Caller,
        decide: impl FnOnce(&Book, Timestamp) -> Result<Deed, Refused>,
    ) -> Result<AuditRecord, AccountError> {
        let mut end = self.end.lock().await;
        let head = match end.take() {
            Some(head) => head,
            None => self.read_again().await.map_err(AccountError::NotWritten)?,
        };
        let now = pipeline::now();
        let decided = decide(&self.read(), now);
        let deed = match decided {
            Ok(deed) => deed,
            Err(refused) => {
                *end = Some(head);
                return Err(refused.into());
            }
        };
        let record = AuditRecord::of(caller, deed, now);
        let link = chain::follow(&head, record).map_err(|error| AccountError::NotWritten(error.into()))?;
        let line = LogLine {
            log: LOG.to_owned(),
            subject: SUBJECT.to_owned(),
            sequence: link.sequence,
            time: now,
            line: link.line,
        };
        // Where this fails nobody knows whether the line is there: the end stays unknown, and the log is read again.
        let together = Together { lines: vec![line], ..Together::default() };
        self.metadata.write_together(&together).await.map_err(|error| AccountError::NotWritten(error.into()))?;
        self.book.write().unwrap_or_else(PoisonError::into_inner).apply(&link.entry);
        let head = Head { length: link.sequence + 1, hash: link.hash };
        if let Err(error) = self.noted.write(&head) {
            tracing::warn!(error = %error, "the end of the audit log cannot be noted in the data folder");
        }
        *end = Some(head);
        Ok(link.entry)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token of a secret, where it is good now.
    pub(crate) fn holder(&self, secret: &SecretHash) -> Option<AccountToken> {
        self.read().holder(secret, pipeline::now()).cloned()
    }

    /// Every user.
    pub(crate) fn users(&self) -> Vec<User> {
        self.read().users().cloned().collect()
    }

    /// Every token.
    pub(crate) fn tokens(&self) -> Vec<AccountToken> {
        self.read().tokens().cloned().collect()
    }

    /// The lines of the audit log: the chain as it is.
    pub(crate) async fn lines(&self) -> anyhow::Result<String> {
        Ok(joined(&self.metadata.log_lines(LOG, Some(SUBJECT)).await?))
    }

    /// Records from a place on; those that can be read.
    pub(crate) async fn records(&self, from: u64, limit: usize) -> anyhow::Result<Vec<Listed>> {
        let rows = self.metadata.log_lines_from(LOG, SUBJECT, from).await?;
        Ok(rows.iter().filter_map(|row| serde_json::from_str(&row.line).ok()).take(limit).collect())
    }

    /// How many records there are.
    pub(crate) async fn length(&self) -> anyhow::Result<u64> {
        let mut end = self.end.lock().await;
        let head = match end.take() {
            Some(head) => head,
            None => self.read_again().await?,
        };
        Ok(end.insert(head).length)
    }

    /// Checks the whole log.
    pub(crate) async fn verify(&self) -> anyhow::Result<Verification> {
        // Nothing is written meanwhile: what is noted and what is there belong together.
        let _end = self.end.lock().await;
        Ok(verify_lines(&self.lines().await?, self.noted.read().as_ref()))
    }
}

fn joined(rows: &[LogLine]) -> String {
    rows.iter().fold(String::new(), |mut lines, row| {
        lines.push_str(&row.line);
        lines.push('\n');
        lines
    })
}
