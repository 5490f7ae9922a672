//! What settings of actuators are made of.

use serde::Deserialize;

pub(super) use crate::remote::{Ingredients, TimeLimit};

/// A name that may stand in a command, a path or a file of another program, because it says nothing but itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Word(String);

impl Word {
    /// The name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |character: char| character.is_ascii_alphanumeric() || "_-.:".contains(character);
        if !text.is_empty() && text.len() <= 255 && text.chars().all(plain) {
            return Ok(Self(text));
        }
        Err(format!("`{}` is no name: use letters, digits, `_`, `-`, `.` and `:`", text.escape_debug()))
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}
