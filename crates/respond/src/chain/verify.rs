//! Finds what was done to a chain, and names the record.

use std::fmt;

use serde::Deserialize;

use super::{GENESIS, Head, MAX_RECORD_BYTES, sha256};

pub(super) const BEFORE_HASH: &str = ",\"hash\":\"";
pub(super) const AFTER_HASH: &str = "\"}";
const HASH_CHARACTERS: usize = 64;
const TAIL: usize = BEFORE_HASH.len() + HASH_CHARACTERS + AFTER_HASH.len();

/// The most damage that is listed; the first of it is what matters.
const MAX_BREAKS: usize = 1_000;

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its bytes do not have the hash that it carries.
    Altered,
    /// Its bytes and its hash agree, and the next record was written after another one.
    Replaced,
    /// It is not there.
    Missing,
    /// It has the number of a record that came before.
    OutOfOrder,
    /// Records after the end that was noted.
    BeyondTheEnd,
    /// It is a whole record, of another kind than was asked for.
    NotUnderstood(String),
}

/// A record that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainBreak {
    /// Its place in the chain, from 0.
    pub sequence: u64,
    /// What is wrong.
    pub damage: Damage,
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} ", self.sequence)?;
        match &self.damage {
            Damage::Altered => f.write_str("was altered: its bytes do not have the hash that it carries"),
            Damage::Replaced => f.write_str("was replaced: what follows was written after another record"),
            Damage::Missing => f.write_str("is missing"),
            Damage::OutOfOrder => f.write_str("is out of order: its number came before"),
            Damage::BeyondTheEnd => f.write_str("was added after the end that was noted"),
            Damage::NotUnderstood(reason) => write!(f, "is of another kind: {reason}"),
        }
    }
}

#[derive(Deserialize)]
struct Place {
    sequence: u64,
    previous: String,
}

/// The non-empty lines of a file.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// Place of a record whose bytes have the hash that it carries, and the hash.
fn intact(line: &[u8]) -> Option<(Place, String)> {
    let hashed = line.len().checked_sub(TAIL).filter(|_| line.len() <= MAX_RECORD_BYTES + TAIL)?;
    let (body, tail) = line.split_at(hashed);
    let hash = std::str::from_utf8(tail).ok()?.strip_prefix(BEFORE_HASH)?.strip_suffix(AFTER_HASH)?;
    if sha256(body) != hash {
        return None;
    }
    let place = serde_json::from_slice::<Place>(line).ok()?;
    Some((place, hash.to_owned()))
}

/// Everything that is wrong with the lines of a chain, in the order of its records; empty where nothing is.
///
/// `head` is the end as it was noted elsewhere: without it, records that were cut off the end are not missed.
pub fn verify(bytes: &[u8], head: Option<&Head>) -> Vec<ChainBreak> {
    let mut breaks = Vec::new();
    // The number that the next record should have, and the hash it should name; `None` after a damaged record.
    let mut next = 0;
    let mut previous = Some(GENESIS.to_owned());
    for line in lines(bytes) {
        if MAX_BREAKS <= breaks.len() {
            return breaks;
        }
        let mut say = |sequence, damage| breaks.push(ChainBreak { sequence, damage });
        let Some((place, hash)) = intact(line) else {
            say(next, Damage::Altered);
            next += 1;
            previous = None;
            continue;
        };
        if place.sequence < next {
            say(place.sequence, Damage::OutOfOrder);
            previous = None;
            continue;
        }
        let gap = place.sequence - next;
        (next..place.sequence).take(MAX_BREAKS).for_each(|sequence| say(sequence, Damage::Missing));
        if gap == 0 && previous.is_some_and(|previous| previous != place.previous) {
            // The record before is whole in itself: it is not the one that this one followed.
            say(next.saturating_sub(1), Damage::Replaced);
        }
        next = place.sequence.saturating_add(1);
        previous = Some(hash);
    }
    if let Some(head) = head {
        check_end(head, next, previous.as_deref(), &mut breaks);
    }
    breaks.truncate(MAX_BREAKS);
    breaks
}

fn check_end(head: &Head, next: u64, last: Option<&str>, breaks: &mut Vec<ChainBreak>) {
    let room = MAX_BREAKS as u64;
    for sequence in next..head.length.min(next.saturating_add(room)) {
        breaks.push(ChainBreak { sequence, damage: Damage::Missing });
    }
    for sequence in head.length..next.min(head.length.saturating_add(room)) {
        breaks.push(ChainBreak { sequence, damage: Damage::BeyondTheEnd });
    }
    if next == head.length && last.is_some_and(|hash| hash != head.hash) {
        breaks.push(ChainBreak { sequence: next.saturating_sub(1), damage: Damage::Replaced });
    }
}
