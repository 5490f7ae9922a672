use wardline_domain::{DeadLetterReason, Timestamp};

use super::*;

const KEY: [u8; 32] = [7; 32];

fn letter(second: i64, source: &str, record: &str) -> DeadLetter {
    let time = Timestamp::from_micros(second * Timestamp::SECOND);
    let reason = DeadLetterReason::Missing { field: "model".to_owned() };
    DeadLetter::new(time, source, second as u64, reason, record.as_bytes())
}

fn not_json(second: i64) -> DeadLetter {
    let time = Timestamp::from_micros(second * Timestamp::SECOND);
    DeadLetter::new(time, "edge", 0, DeadLetterReason::NotJson { detail: "a comma".to_owned() }, b"{")
}

fn open(folder: &Path) -> DeadLetters {
    DeadLetters::open(folder, KEY, DeadLetterSettings::default()).unwrap()
}

fn ids(letters: &[StoredDeadLetter]) -> Vec<u64> {
    letters.iter().map(|stored| stored.id).collect()
}

#[test]
fn letters_come_back_newest_first_and_filtered_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let letters = open(folder.path());
    assert_eq!(letters.append(&[letter(1, "edge", "one"), not_json(2)]).unwrap(), Some(1));
    assert_eq!(letters.append(&[letter(3, "core", "three")]).unwrap(), Some(3));
    drop(letters);
    let letters = open(folder.path());
    assert_eq!(letters.append(&[letter(4, "core", "four")]).unwrap(), Some(4));

    let all = letters.list(&DeadLetterFilter::default(), 10).unwrap();
    assert_eq!(ids(&all), [4, 3, 2, 1]);
    assert_eq!(all[3].letter, letter(1, "edge", "one"));
    assert_eq!(ids(&letters.list(&DeadLetterFilter::default(), 2).unwrap()), [4, 3]);
    let check = |filter: DeadLetterFilter| ids(&letters.list(&filter, 10).unwrap());
    assert_eq!(check(DeadLetterFilter { source: Some("edge".to_owned()), ..Default::default() }), [2, 1]);
    assert_eq!(check(DeadLetterFilter { reason: Some("not_json".to_owned()), ..Default::default() }), [2]);
    let (from, until) = (Some(Timestamp::from_micros(2_000_000)), Some(Timestamp::from_micros(4_000_000)));
    assert_eq!(check(DeadLetterFilter { from, until, ..Default::default() }), [3, 2]);
}

#[test]
fn resolved_letters_stay_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let letters = open(folder.path());
    letters.append(&[letter(1, "edge", "one"), not_json(2), letter(3, "edge", "three")]).unwrap();
    let taken = letters.take_for_replay(&DeadLetterFilter::default(), 2).unwrap();
    assert_eq!(ids(&taken), [1, 2]);
    assert_eq!(letters.resolve(&[1, 2, 99]).unwrap(), 2);
    assert_eq!(letters.resolve(&[1]).unwrap(), 0);
    for letters in [letters, open(folder.path())] {
        assert_eq!(ids(&letters.list(&DeadLetterFilter::default(), 10).unwrap()), [3]);
        assert_eq!(letters.status().by_reason, BTreeMap::from([("missing".to_owned(), 1)]));
    }
}

/// Goal: a record of which a part is missing is never taken in for the one that was sent.
#[test]
fn incomplete_records_are_shown_and_not_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let letters = open(folder.path());
    let refused = |reason, record: &[u8]| DeadLetter::new(Timestamp::default(), "edge", 0, reason, record);
    let unknown = || DeadLetterReason::UnknownKind { kind: "x".to_owned() };
    let limit = DeadLetter::MAX_RECORD_BYTES;
    let mut cut_in_a_character = vec![b'x'; limit - 1];
    cut_in_a_character.extend("é".as_bytes());
    letters
        .append(&[
            refused(DeadLetterReason::NotUtf8 { at: 1 }, b"x\xff"),
            refused(DeadLetterReason::TooLong { bytes: 9, most: 8 }, b"123456789"),
            refused(unknown(), &vec![b'x'; limit + 1]),
            refused(unknown(), &cut_in_a_character),
            refused(unknown(), &vec![b'x'; limit - 1]),
            refused(unknown(), b"{}"),
        ])
        .unwrap();
    let all = letters.list(&DeadLetterFilter::default(), 10).unwrap();
    let complete: Vec<bool> = all.iter().rev().map(|stored| stored.is_complete).collect();
    assert_eq!(complete, [false, false, false, false, true, true]);
    assert_eq!(ids(&letters.take_for_replay(&DeadLetterFilter::default(), 2).unwrap()), [5, 6]);
}

/// Counts how often a file is opened.
struct Counting {
    inner: FolderStorage,
    opened: std::sync::atomic::AtomicUsize,
}

impl Storage for Counting {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn list(&self) -> io::Result<Vec<crate::journal::StoredFile>> {
        self.inner.list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn crate::journal::LogFile>> {
        self.inner.create(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn crate::journal::ReadFile>> {
        self.opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.inner.open(name)
    }

    fn truncate(&self, name: &str, bytes: u64) -> io::Result<()> {
        self.inner.truncate(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
}

#[test]
fn many_letters_are_resolved_in_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let inner = FolderStorage::open(folder.path()).unwrap();
    let storage = Arc::new(Counting { inner, opened: Default::default() });
    let settings = DeadLetterSettings { segment_bytes: 1, ..Default::default() };
    let letters = DeadLetters::open_on(Arc::<Counting>::clone(&storage), KEY, settings).unwrap();
    for first in [0, 10, 20] {
        let ten: Vec<DeadLetter> = (first..first + 10).map(|second| letter(second, "edge", "x")).collect();
        letters.append(&ten).unwrap();
    }
    // 1 to 10 are in the first segment, 11 to 20 in the second.
    let wanted: Vec<u64> = (1..=15).collect();
    assert_eq!(letters.resolve(&wanted).unwrap(), 15);
    assert_eq!(storage.opened.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert_eq!(letters.status().by_reason["missing"], 15);
}

#[test]
fn nothing_of_a_record_is_on_disk_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).append(&[letter(1, "secret-source", "4111-1111-1111-1111")]).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in ["4111-1111", "secret-source"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
    let stranger = DeadLetters::open(folder.path(), [8; 32], DeadLetterSettings::default()).unwrap();
    assert_eq!(stranger.list(&DeadLetterFilter::default(), 10).unwrap(), []);
    assert_eq!(stranger.status().by_reason["missing"], 1, "counts need no key");
}

#[test]
fn the_oldest_are_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let settings = DeadLetterSettings { most_bytes: 4_000, segment_bytes: 1_000 };
    let letters = DeadLetters::open(folder.path(), KEY, settings).unwrap();
    for second in 1..=50 {
        letters.append(&[letter(second, "edge", "x")]).unwrap();
    }
    for letters in [letters, DeadLetters::open(folder.path(), KEY, settings).unwrap()] {
        let status = letters.status();
        let kept = letters.list(&DeadLetterFilter::default(), 100).unwrap();
        assert_eq!(kept[0].id, 50);
        assert!(status.bytes <= 5_200, "{status:?}");
        assert_eq!(status.dropped + kept.len() as u64, 50);
    }
}

#[test]
fn a_torn_tail_is_cut_and_damage_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let letters = open(folder.path());
    for second in 1..=3 {
        letters.append(&[letter(second, "edge", "x")]).unwrap();
    }
    drop(letters);
    let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&path).unwrap();
    let third = bytes.len() / 3;
    bytes[third + 60] ^= 1;
    bytes.truncate(bytes.len() - 5);
    std::fs::write(&path, &bytes).unwrap();
    let letters = open(folder.path());
    assert_eq!(ids(&letters.list(&DeadLetterFilter::default(), 10).unwrap()), [1]);
    let id = letters.append(&[letter(4, "edge", "y")]).unwrap();
    assert_eq!(ids(&letters.list(&DeadLetterFilter::default(), 10).unwrap()), [id.unwrap(), 1]);
}

#[test]
fn concurrent_appends_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let letters = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let letters = &letters;
            scope.spawn(move || {
                for second in 0..20 {
                    letters.append(&[letter(thread * 100 + second, "edge", "x")]).unwrap();
                }
            });
        }
    });
    let mut kept = ids(&open(folder.path()).list(&DeadLetterFilter::default(), 1_000).unwrap());
    kept.reverse();
    assert_eq!(kept, (1..=160).collect::<Vec<u64>>());
}
