//! Secrets: used, never shown.

use std::{fmt, path::PathBuf};

use super::{SecretSource, settings::Environment};

/// A secret that shows itself to nobody but the request that carries it.
#[derive(Clone)]
pub(super) struct Secret(Kept);

#[derive(Clone)]
enum Kept {
    File(PathBuf),
    Text(String),
}

impl Secret {
    /// Finds the secret, and reads it once, so that a wrong path is found out at start-up.
    pub(super) fn open(source: &SecretSource, environment: Environment<'_>) -> Result<Self, String> {
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
    pub(super) fn text(&self) -> Result<String, String> {
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
pub(super) fn masked(text: &str, secrets: &[String]) -> String {
    // Very short ones would mask half of every text, and guard nothing.
    let worth_hiding = secrets.iter().filter(|secret| secret.len() >= 4);
    worth_hiding.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
