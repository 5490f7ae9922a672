//! The audit log as it is stored: lines of a chain, and beside them, in the data folder, where the chain ended.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use wardline_respond::chain::{self, Chain, ChainBreak, Damage, Head};

use super::record::AuditRecord;

/// Where the end of the chain is noted, apart from the chain: its last records could be cut off unnoticed otherwise.
const NOTED: &str = "audit.head";

/// A record with its place.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Listed {
    /// Its place, from 0.
    pub(crate) sequence: u64,
    /// Its hash.
    pub(crate) hash: String,
    /// What it records.
    pub(crate) entry: AuditRecord,
}

/// Whether a chain is as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Verification {
    /// How many records there are.
    pub(crate) records: u64,
    /// Hash of the last one.
    pub(crate) hash: String,
    /// What is wrong, the first record first.
    pub(crate) damage: Vec<String>,
}

/// A file beside the chain that says where it ended.
pub(super) struct Noted(PathBuf);

impl Noted {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self(folder.join(NOTED))
    }

    pub(super) fn read(&self) -> Option<Head> {
        serde_json::from_slice(&fs::read(&self.0).ok()?).ok()
    }

    pub(super) fn write(&self, head: &Head) -> std::io::Result<()> {
        let unfinished = self.0.with_extension("unfinished");
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(head)?)?;
        file.sync_all()?;
        fs::rename(&unfinished, &self.0)
    }
}

/// Checks the lines of an audit log, and their end against what was noted.
pub(crate) fn verify_lines(lines: &str, noted: Option<&Head>) -> Verification {
    let head = end_of(lines);
    let damage = match Chain::<AuditRecord>::from_lines(lines.as_bytes(), beyond(noted, &head)) {
        Ok(chain) => replaced(&chain, noted).into_iter().collect(),
        Err(breaks) => breaks,
    };
    Verification { records: head.length, hash: head.hash, damage: damage.iter().map(ToString::to_string).collect() }
}

/// The noted end where the chain is shorter: a record may be in the chain and not noted yet, never the other way round.
fn beyond<'a>(noted: Option<&'a Head>, found: &Head) -> Option<&'a Head> {
    noted.filter(|noted| found.length <= noted.length)
}

/// Where the chain is whole, and another one than was noted.
fn replaced(chain: &Chain<AuditRecord>, noted: Option<&Head>) -> Option<ChainBreak> {
    let noted = noted?;
    let sequence = noted.length.checked_sub(1)?;
    let link = chain.links().get(usize::try_from(sequence).ok()?)?;
    (link.hash != noted.hash).then_some(ChainBreak { sequence, damage: Damage::Replaced })
}

/// How many records there are, and what a new one follows; also where the last one is damaged.
pub(super) fn end_of(lines: &str) -> Head {
    #[derive(Deserialize)]
    struct Last {
        hash: String,
    }
    let lines = lines.lines().filter(|line| !line.is_empty());
    let (length, last) = lines.fold((0, None), |(length, _), line| (length + 1, Some(line)));
    let Some(last) = last else { return Head::default() };
    let hash = serde_json::from_str::<Last>(last).map_or_else(|_| chain::sha256(last.as_bytes()), |last| last.hash);
    Head { length, hash }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wardline_domain::Timestamp;

    use super::*;
    use crate::accounts::{Deed, Role};

    fn lines() -> (String, Head) {
        let mut chain = Chain::default();
        for number in 0..6 {
            let deed = Deed::Changed { method: "POST".into(), path: format!("/v1/rollouts/{number}"), status: 201 };
            let time = Timestamp::from_micros(number * 1_000_000);
            chain.append(AuditRecord { time, who: "anna".into(), role: Role::Admin, token: None, deed }).unwrap();
        }
        (chain.to_lines(), chain.head())
    }

    fn damage(lines: &str, noted: Option<&Head>) -> Vec<String> {
        verify_lines(lines, noted).damage
    }

    #[test]
    fn a_whole_chain_is_good_also_where_its_last_record_is_not_noted_yet() {
        let (lines, head) = lines();
        assert_eq!(damage(&lines, Some(&head)), Vec::<String>::new());
        let before: String = lines.split_inclusive('\n').take(5).collect();
        assert_eq!(damage(&lines, Some(&end_of(&before))), Vec::<String>::new());
    }

    #[test]
    fn what_is_cut_off_replaced_or_taken_out_is_named() {
        let (lines, head) = lines();
        let all: Vec<&str> = lines.split_inclusive('\n').collect();
        assert_eq!(damage(&all[..4].concat(), Some(&head)), ["record 4 is missing", "record 5 is missing"]);
        let out = [&all[..2], &all[3..]].concat().concat();
        assert_eq!(damage(&out, Some(&head)), ["record 2 is missing"]);
        let other = Head { hash: chain::sha256(b"another"), ..head };
        assert_eq!(damage(&lines, Some(&other)).len(), 1);
        let before = Head { length: 3, hash: chain::sha256(b"another") };
        assert!(damage(&lines, Some(&before))[0].starts_with("record 2 was replaced"));
    }

    proptest! {
        /// One byte of one record is another one: that record is named.
        #[test]
        fn a_changed_byte_is_found_in_its_record(place in 0..900_usize, byte in 32..127_u8) {
            let (lines, head) = lines();
            let mut bytes = lines.clone().into_bytes();
            let place = place % bytes.len();
            prop_assume!(bytes[place] != b'\n' && bytes[place] != byte);
            bytes[place] = byte;
            let record = lines.as_bytes()[..place].iter().filter(|byte| **byte == b'\n').count();
            let damage = damage(&String::from_utf8(bytes).unwrap(), Some(&head));
            let named = format!("record {record} ");
            prop_assert!(damage.first().is_some_and(|first| first.starts_with(&named)), "{damage:?}");
        }
    }
}
