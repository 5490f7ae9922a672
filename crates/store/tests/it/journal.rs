//! The journal from outside: duplicates, order, damage, release.

use std::{path::Path, sync::Arc, time::Duration};

use wardline_store::journal::{AppendError, FolderStorage, Journal, JournalSettings, Recorded, Storage};

use crate::{
    journal_events::{ids, inferences},
    journal_faulty_storage::FaultyStorage,
};

fn settings() -> JournalSettings {
    JournalSettings { group_wait: Duration::ZERO, seen_window: 1_000, ..JournalSettings::default() }
}

/// Each append gets a segment of its own.
fn one_record_a_segment() -> JournalSettings {
    JournalSettings { segment_bytes: 1, ..settings() }
}

fn open(storage: &FaultyStorage, settings: JournalSettings) -> Journal {
    Journal::open_on(Arc::new(storage.clone()), settings).unwrap()
}

fn append(journal: &Journal, names: &[&str]) -> Option<u64> {
    journal.append_blocking(vec![inferences(names)]).unwrap().sequence
}

/// One append for each of these events.
fn append_each(journal: &Journal, names: &[&str]) {
    for name in names {
        append(journal, &[name]);
    }
}

fn recorded(journal: &Journal, from: u64) -> Vec<(u64, Vec<String>)> {
    journal.replay(from).flatten().map(|Recorded { sequence, batches }| (sequence, ids(&batches))).collect()
}

fn all_ids(journal: &Journal) -> Vec<String> {
    recorded(journal, 0).into_iter().flat_map(|(_, names)| names).collect()
}

fn segments(storage: &dyn Storage) -> Vec<String> {
    let mut names: Vec<String> =
        storage.list().unwrap().into_iter().map(|file| file.name).filter(|name| name.ends_with(".journal")).collect();
    names.sort();
    names
}

#[test]
fn what_is_appended_reads_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let batch = inferences(&["a", "b", "c"]);
    {
        let journal = Journal::open(folder.path(), settings()).unwrap();
        let appended = journal.append_blocking(vec![batch.clone()]).unwrap();
        assert_eq!((appended.sequence, appended.n_written()), (Some(1), 3));
        assert!(appended.fresh[0].is_none(), "all is new");
    }
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let read: Vec<Recorded> = journal.replay(1).map(Result::unwrap).collect();
    assert_eq!(read[0].batches[0].records, batch.records, "null columns are back in their places");
    assert_eq!(read[0].batches[0].model, batch.model);
    assert_eq!(append(&journal, &["d"]), Some(2));
}

#[test]
fn duplicates_are_written_once_across_restarts_and_releases() {
    let storage = FaultyStorage::default();
    {
        let journal = open(&storage, one_record_a_segment());
        append(&journal, &["a", "b"]);
        let appended = journal.append_blocking(vec![inferences(&["b", "c", "c"])]).unwrap();
        assert_eq!(ids(&appended.written), ["c"]);
        let fresh: Vec<bool> = appended.fresh[0].as_ref().unwrap().values().iter().collect();
        assert_eq!(fresh, [false, true, false]);
        assert_eq!(append(&journal, &["a", "c"]), None, "nothing new, so no record");
        append(&journal, &["d"]);
        journal.release(3);
    }
    for _ in 0..2 {
        let journal = open(&storage, settings());
        journal.release(3);
        assert_eq!(append(&journal, &["a", "b", "c", "d"]), None);
    }
    assert_eq!(segments(&storage), Vec::<String>::new(), "all segments are released");
    let journal = open(&storage, settings());
    assert_eq!(append(&journal, &["e"]), Some(4), "numbers go on though no segment is left");
}

#[test]
fn numbers_go_on_behind_what_the_lake_knows_even_if_all_files_are_lost() {
    let journal = open(&FaultyStorage::default(), JournalSettings { resume_after: 41, ..settings() });
    assert_eq!(append(&journal, &["a"]), Some(42));
    assert_eq!(recorded(&journal, 0), [(42, vec!["a".to_owned()])]);
}

#[test]
fn a_replay_starts_where_it_is_told() {
    let journal = open(&FaultyStorage::default(), JournalSettings { segment_bytes: 3_000, ..settings() });
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        append(&journal, &[name]);
    }
    assert!(journal.status().n_segments > 1);
    for from in 1..9 {
        let sequences: Vec<u64> = recorded(&journal, from).into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(sequences, (from..8).collect::<Vec<u64>>());
    }
}

#[test]
fn release_keeps_what_is_not_stored_yet() {
    let storage = FaultyStorage::default();
    let journal = open(&storage, one_record_a_segment());
    for name in ["a", "b", "c", "d"] {
        append(&journal, &[name]);
    }
    journal.release(2);
    // Behind the release in the queue, so it is done by then.
    append(&journal, &["e"]);
    assert_eq!(all_ids(&journal), ["c", "d", "e"]);
}

#[test]
fn damage_in_the_middle_is_quarantined_and_skipped() {
    let storage = FaultyStorage::default();
    {
        let journal = open(&storage, settings());
        append_each(&journal, &["a", "b", "c"]);
    }
    let segment = segments(&storage).remove(0);
    storage.change(&segment, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    for _ in 0..2 {
        let journal = open(&storage, settings());
        let read: Vec<_> = journal.replay(1).collect();
        assert_eq!(read.iter().filter(|each| each.is_ok()).count(), 2);
        let damaged = read[1].as_ref().unwrap_err();
        assert_eq!(damaged.file, segment);
        let kept: Vec<String> = storage.names().into_iter().filter(|name| name.starts_with("quarantine/")).collect();
        assert_eq!(kept.len(), 2, "the bytes and a note, once: {kept:?}");
    }
}

#[test]
fn a_torn_tail_is_cut() {
    let storage = FaultyStorage::default();
    {
        let journal = open(&storage, settings());
        append_each(&journal, &["a", "b", "c"]);
    }
    let seen = storage.names().into_iter().find(|name| name.ends_with(".seen")).unwrap();
    storage.delete(&seen);
    let segment = segments(&storage).remove(0);
    storage.change(&segment, |bytes| bytes.truncate(bytes.len() - 10));
    let journal = open(&storage, settings());
    assert_eq!(all_ids(&journal), ["a", "b"]);
    assert_eq!(append(&journal, &["c"]), Some(3), "what was cut is not taken for a duplicate");
    assert_eq!(all_ids(&journal), ["a", "b", "c"]);
}

/// Goal: what was acknowledged outlives a start at which its segment cannot be opened.
#[test]
fn a_segment_that_cannot_be_opened_keeps_its_numbers() {
    let storage = FaultyStorage::default();
    {
        let journal = open(&storage, settings());
        append_each(&journal, &["a", "b", "c"]);
    }
    let seen = storage.names().into_iter().find(|name| name.ends_with(".seen")).unwrap();
    storage.delete(&seen);
    let segment = segments(&storage).remove(0);
    storage.lock(&segment);
    {
        let journal = open(&storage, settings());
        assert!(append(&journal, &["d"]).unwrap() > 3);
    }
    storage.unlock(&segment);
    assert_eq!(all_ids(&open(&storage, settings())), ["a", "b", "c", "d"]);
}

#[test]
fn start_succeeds_whatever_the_folder_holds() {
    let storage = FaultyStorage::default();
    {
        let journal = open(&storage, one_record_a_segment());
        append_each(&journal, &["a", "b", "c"]);
    }
    let names = segments(&storage);
    storage.delete(&names[1]);
    storage.change(&names[2], Vec::clear);
    storage.put("seed", b"not a number");
    storage.put("notes.txt", b"left here by somebody");
    storage.put("ffffffffffffff00-0000000000000001-0000000000000001.journal", &[0xab; 5_000]);
    storage.put("0000000000000002-0000000000000009-0000000000000001.seen", b"garbage");
    let journal = open(&storage, settings());
    assert_eq!(all_ids(&journal), ["a"]);
    assert!(append(&journal, &["d"]) > Some(9), "numbers in names count even if the file is garbage");
    assert_eq!(all_ids(&journal), ["a", "d"]);
    assert!(storage.names().contains(&"notes.txt".to_owned()), "what is not ours stays");
}

#[test]
fn a_full_queue_is_refused_at_once() {
    let most_bytes = 2_000;
    let journal = open(&FaultyStorage::default(), JournalSettings { queue_bytes: most_bytes, ..settings() });
    let names: Vec<String> = (0..500).map(|at| format!("event-{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = journal.append_blocking(vec![inferences(&names)]).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { most_bytes: 2_000, .. }), "{refused}");
    assert_eq!(journal.status().queued_bytes, 0);
}

#[test]
fn deliveries_come_in_the_order_of_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (journal, sender) = (&journal, sender.clone());
            scope.spawn(move || {
                for at in 0..50 {
                    let sender = sender.clone();
                    let name = format!("event-{thread}-{at}");
                    journal.append_then(vec![inferences(&[name.as_str()])], move |result| {
                        sender.send(result.unwrap().sequence.unwrap()).unwrap();
                    });
                }
            });
        }
    });
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<u64>>(), (1..=200).collect::<Vec<u64>>());
}

#[tokio::test]
async fn an_append_is_a_future() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), settings()).unwrap();
    let (one, two) = tokio::join!(journal.append(vec![inferences(&["a"])]), journal.append(vec![inferences(&["b"])]));
    assert_eq!((one.unwrap().sequence, two.unwrap().sequence), (Some(1), Some(2)));
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do() {
    let Err(error) = Journal::open(Path::new("/proc/nowhere/journal"), settings()) else { panic!("it opened") };
    assert!(error.to_string().contains("may read and write it"));
    let _ = FolderStorage::open(Path::new("/proc/nowhere")).unwrap_err();
}
