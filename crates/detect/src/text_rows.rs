//! The texts of a batch and who sent them, and how many of them are read.

use arrow::array::{Array, StringArray};
use serde::{Deserialize, Serialize};
use wardline_domain::{EventBatch, TextColumn, Timestamp};

use crate::clients::filled_text;

/// Columns that texts and their senders are read from.
pub(crate) struct TextRows<'a> {
    pub(crate) prompt: Option<TextColumn<'a>>,
    pub(crate) output: Option<TextColumn<'a>>,
    users: [(&'static str, Option<TextColumn<'a>>); 3],
    channel: Option<TextColumn<'a>>,
    pub(crate) session: Option<TextColumn<'a>>,
    id: Option<&'a StringArray>,
}

impl<'a> TextRows<'a> {
    /// `None` where no row has a prompt or an output.
    pub(crate) fn of(batch: &'a EventBatch) -> Option<Self> {
        let (prompt, output) = (filled_text(batch, "prompt"), filled_text(batch, "output"));
        if prompt.is_none() && output.is_none() {
            return None;
        }
        let id = batch.column("id").and_then(|array| array.as_any().downcast_ref::<StringArray>());
        let users = ["user", "api_key", "client_ip"].map(|name| (name, filled_text(batch, name)));
        let (channel, session) = (filled_text(batch, "channel"), filled_text(batch, "session"));
        Some(Self { prompt, output, users, channel, session, id })
    }

    /// The prompt of a row, where it is there to be read: not hashed and not empty.
    #[inline]
    pub(crate) fn prompt(&self, row: usize) -> Option<&'a str> {
        readable(self.prompt.as_ref()?.get(row)?)
    }

    /// The output of a row, likewise.
    #[inline]
    pub(crate) fn output(&self, row: usize) -> Option<&'a str> {
        readable(self.output.as_ref()?.get(row)?)
    }

    /// `user=u-1`, or what else is known of the sender.
    pub(crate) fn sender(&self, row: usize) -> Option<String> {
        self.users.iter().find_map(|(name, column)| Some(format!("{name}={}", cut(column.as_ref()?.get(row)?))))
    }

    /// The channel of a row.
    pub(crate) fn channel(&self, row: usize) -> Option<&'a str> {
        self.channel.as_ref()?.get(row).map(cut)
    }

    /// The session of a row, else its sender.
    pub(crate) fn session(&self, row: usize) -> Option<String> {
        match self.session.as_ref().and_then(|column| column.get(row)) {
            Some(session) => Some(format!("session={}", cut(session))),
            None => self.sender(row),
        }
    }

    /// The id of a row.
    pub(crate) fn id(&self, row: usize) -> Option<&'a str> {
        self.id.filter(|ids| ids.is_valid(row)).map(|ids| cut(ids.value(row)))
    }
}

/// As much of a name as is kept.
fn cut(name: &str) -> &str {
    const MOST_BYTES: usize = 128;
    &name[..name.floor_char_boundary(MOST_BYTES)]
}

/// A text, unless the privacy policy left a token of it: 32 hexadecimal digits.
fn readable(text: &str) -> Option<&str> {
    const TOKEN_DIGITS: usize = 32;
    let is_token =
        text.len() == TOKEN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (!is_token && !text.is_empty()).then_some(text)
}

/// How many texts of a model are read: the first ones of each second. The others are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Allowance {
    second: Option<Timestamp>,
    bytes: usize,
    pub(crate) read: u64,
    pub(crate) unread: u64,
}

impl Allowance {
    /// Whether one more text is read in a second, of which so many bytes may be.
    #[inline]
    pub(crate) fn takes(&mut self, second: Timestamp, text: &str, most_bytes: usize) -> bool {
        if self.second != Some(second) {
            (self.second, self.bytes) = (Some(second), 0);
        }
        let takes = self.bytes < most_bytes;
        if takes {
            // Longer texts are read in part, and a short one has its cost too.
            self.bytes += text.len().clamp(64, 32_768);
            self.read += 1;
        } else {
            self.unread += 1;
        }
        takes
    }

    /// ` (one in 4 texts was read)`, or nothing.
    pub(crate) fn words(&self) -> String {
        if self.unread == 0 || self.read == 0 {
            return String::new();
        }
        let share = self.read as f64 / (self.read + self.unread) as f64;
        format!(" ({} of the texts were read)", crate::wording::percent(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_no_texts_and_the_allowance_is_kept() {
        assert_eq!(readable("0123456789abcdef0123456789abcdef"), None);
        assert_eq!(readable("hello"), Some("hello"));
        let mut allowance = Allowance::default();
        let second = Timestamp::from_micros(0);
        let taken = (0..10).filter(|_| allowance.takes(second, "short", 256)).count();
        assert_eq!((taken, allowance.unread), (4, 6));
        assert!(allowance.takes(second.plus(Timestamp::SECOND), "short", 256));
    }
}
