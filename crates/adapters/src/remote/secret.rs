//! Secrets: used, never shown.

use std::{fmt, path::PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// Looks up a variable of the environment: only the caller knows it.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a secret is: never in the settings themselves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub enum SecretSource {
    /// A file, read at each use, so that a new secret needs no restart.
    File(PathBuf),
    /// A variable of the environment, read once.
    Environment(String),
}

impl TryFrom<Value> for SecretSource {
    type Error = &'static str;

    /// What was written is not repeated in a complaint: it may be the secret itself.
    fn try_from(written: Value) -> Result<Self, Self::Error> {
        let fields = written.as_object().filter(|fields| fields.len() == 1);
        let text = |key: &str| fields?.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(path) = text("file") {
            return Ok(Self::File(path.into()));
        }
        text("environment").map(Self::Environment).ok_or(
            "a secret does not stand in the settings: write `{ file = \"/path\" }` or `{ environment = \"NAME\" }`",
        )
    }
}

/// A secret that shows itself to nobody but the request that carries it.
#[derive(Clone)]
pub(crate) struct Secret(Kept);

#[derive(Clone)]
enum Kept {
    File(PathBuf),
    Text(String),
}

impl Secret {
    /// Finds the secret, and reads it once, so that a wrong path is found out at start-up.
    pub(crate) fn open(source: &SecretSource, environment: Environment<'_>) -> Result<Self, String> {
        let secret = match source {
            SecretSource::File(path) => Self(Kept::File(path.clone())),
            SecretSource::Environment(variable) => {
                let text = environment(variable).ok_or_else(|| {
                    format!("the variable `{variable}` of the environment, which holds a secret, is not set: set it")
                })?;
                Self(Kept::Text(text))
            }
        };
        secret.text().map(|_| secret)
    }

    /// The secret as it is now.
    pub(crate) fn text(&self) -> Result<String, String> {
        let text = match &self.0 {
            Kept::Text(text) => text.clone(),
            Kept::File(path) => std::fs::read_to_string(path).map_err(|error| {
                format!("the secret in `{}` cannot be read ({error}): check the path and its rights", path.display())
            })?,
        };
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err("a secret is empty or has more than one line: keep one secret in one line".to_owned());
        }
        Ok(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// A text of another system, without what is secret in it.
fn masked(text: &str, secrets: &[String]) -> String {
    // Very short ones would mask half of every text, and guard nothing.
    let worth_hiding = secrets.iter().filter(|secret| secret.len() >= 4);
    worth_hiding.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
}

/// How much of a text is quoted in a complaint.
const MOST_QUOTED: usize = 300;

/// A text of another system as it may be shown: short, escaped, and without secrets.
pub(crate) fn quoted(text: &str, secrets: &[Secret]) -> String {
    let secrets: Vec<String> = secrets.iter().filter_map(|secret| secret.text().ok()).collect();
    let text = masked(text, &secrets);
    let mut quoted: String = text.trim().chars().take(MOST_QUOTED).collect();
    if quoted.len() < text.trim().len() {
        quoted.push('…');
    }
    quoted.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_settings_is_refused_and_not_repeated() {
        for written in [
            "\"hunter2-hunter2\"",
            "{\"text\": \"hunter2-hunter2\"}",
            "7",
            "{\"file\": \"/x\", \"environment\": \"X\"}",
        ] {
            let error = serde_json::from_str::<SecretSource>(written).unwrap_err().to_string();
            assert!(
                error.starts_with("a secret does not stand in the settings") && !error.contains("hunter2"),
                "{error}"
            );
        }
        let file: SecretSource = serde_json::from_str("{\"file\": \"/run/token\"}").unwrap();
        assert_eq!(file, SecretSource::File("/run/token".into()));
    }

    #[test]
    fn a_secret_is_not_shown_and_a_new_one_in_the_file_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let secret = Secret::open(&SecretSource::File(path.clone()), &|_| None).unwrap();
        assert_eq!(secret.text().unwrap(), "first");
        std::fs::write(&path, "second").unwrap();
        assert_eq!(secret.text().unwrap(), "second");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(masked("Bearer second, twice: second", &["second".to_owned()]), "Bearer ***, twice: ***");
    }

    #[test]
    fn a_secret_that_is_missing_or_has_two_lines_is_refused_at_once() {
        let missing = SecretSource::Environment("TOKEN".to_owned());
        let error = Secret::open(&missing, &|_| None).unwrap_err();
        assert_eq!(error, "the variable `TOKEN` of the environment, which holds a secret, is not set: set it");
        assert!(Secret::open(&missing, &|_| Some("one\ntwo".to_owned())).is_err());
        assert!(Secret::open(&missing, &|_| Some(String::new())).is_err());
    }
}
