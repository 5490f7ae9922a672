//! The journal under every fault at every operation.
//!
//! Method: a scripted sender sends groups of events, some of them twice, and repeats what is refused; a
//! lake commits and releases now and then. The script runs once for each fault at each operation that
//! changes something on disk. Then the power is cut and the journal is opened again.
//!
//! What must hold: acknowledged ⊆ recovered ⊆ sent; nothing is recovered twice; order is kept.

use std::{
    collections::HashSet,
    sync::{Arc, mpsc},
    time::Duration,
};

use wardline_store::journal::{AppendError, Journal, JournalSettings};

use crate::{
    journal_events::{ids, inferences},
    journal_faulty_storage::{Fault, FaultyStorage},
};

const GROUPS: usize = 14;

fn settings() -> JournalSettings {
    JournalSettings {
        segment_bytes: 3_000,
        group_wait: Duration::ZERO,
        seen_window: 1_000,
        ..JournalSettings::default()
    }
}

/// What the sender and the lake know.
#[derive(Default)]
struct World {
    sent: Vec<String>,
    acknowledged: HashSet<String>,
    /// What the lake has stored, and up to which number.
    stored: Vec<String>,
    stored_sequence: u64,
}

impl World {
    fn open(&self, storage: &FaultyStorage) -> Journal {
        let settings = JournalSettings { resume_after: self.stored_sequence, ..settings() };
        Journal::open_on(Arc::new(storage.clone()), settings).expect("start always succeeds")
    }

    /// Sends three batches at once, the last of which repeats an event of the first; retries twice.
    fn send(&mut self, journal: &Journal, group: usize) {
        let names: Vec<String> = (0..5).map(|at| format!("event-{group:02}-{at}")).collect();
        let parts = [&[0, 1][..], &[2, 3], &[0, 4]];
        let parts: Vec<Vec<&str>> =
            parts.iter().map(|part| part.iter().map(|&at| names[at].as_str()).collect()).collect();
        self.sent.extend(names.iter().cloned());
        let mut left: Vec<&Vec<&str>> = parts.iter().collect();
        for _ in 0..3 {
            let (sender, receiver) = mpsc::channel();
            for (at, part) in left.iter().enumerate() {
                let sender = sender.clone();
                journal.append_then(vec![inferences(part)], move |result| sender.send((at, result)).unwrap());
            }
            drop(sender);
            let mut refused = HashSet::new();
            for (at, result) in receiver {
                match result {
                    Ok(_) => self.acknowledged.extend(left[at].iter().map(|&id| id.to_owned())),
                    Err(_) => drop(refused.insert(at)),
                }
            }
            left = left.into_iter().enumerate().filter(|(at, _)| refused.contains(at)).map(|(_, part)| part).collect();
        }
    }

    /// The lake stores all that is durable, then lets the journal go.
    fn store(&mut self, journal: &Journal) {
        for recorded in journal.replay(self.stored_sequence + 1) {
            let recorded = recorded.expect("nothing is damaged");
            assert!(self.stored_sequence < recorded.sequence, "numbers go up");
            self.stored_sequence = recorded.sequence;
            self.stored.extend(ids(&recorded.batches));
        }
        journal.release(self.stored_sequence);
    }

    fn run(&mut self, storage: &FaultyStorage) {
        let journal = self.open(storage);
        for group in 0..GROUPS {
            self.send(&journal, group);
            if group == 5 || group == 10 {
                self.store(&journal);
            }
        }
    }

    /// Opens the journal again, and checks what it recovers.
    fn check(&mut self, storage: &FaultyStorage, case: &str) {
        let journal = self.open(storage);
        self.store(&journal);
        let recovered: HashSet<&String> = self.stored.iter().collect();
        assert_eq!(recovered.len(), self.stored.len(), "{case}: twice: {:?}", self.stored);
        for id in &self.acknowledged {
            assert!(recovered.contains(id), "{case}: {id} was acknowledged and is lost");
        }
        let sent: HashSet<&String> = self.sent.iter().collect();
        assert!(recovered.is_subset(&sent), "{case}: something was never sent");
        // The sender sends a group only when it is done with the one before.
        let groups: Vec<&str> = self.stored.iter().map(|id| &id[..8]).collect();
        assert!(groups.is_sorted(), "{case}: out of order: {:?}", self.stored);

        // All that is sent again after the restart is told, or else was not stored.
        let before = recovered.len();
        let again: Vec<String> = self.stored.clone();
        let again: Vec<&str> = again.iter().map(String::as_str).collect();
        let appended = journal.append_blocking(vec![inferences(&again)]);
        assert_eq!(appended.map(|appended| appended.n_written()), Ok(0), "{case}: {before} events are known");
        let more = journal.append_blocking(vec![inferences(&["event-99-0"])]).expect("intake goes on");
        assert!(Some(self.stored_sequence) < more.sequence, "{case}: numbers are not used twice");
    }
}

fn n_operations() -> usize {
    let storage = FaultyStorage::default();
    let mut world = World::default();
    world.run(&storage);
    assert_eq!(world.acknowledged.len(), world.sent.len(), "without a fault all is acknowledged");
    let n = storage.operations();
    world.check(&storage, "no fault");
    n
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_acknowledged() {
    for at in 0..n_operations() + 20 {
        for kept_of_8 in [0, 3, 8] {
            let storage = FaultyStorage::default();
            storage.fail_at(at, Fault::PowerCut);
            let mut world = World::default();
            world.run(&storage);
            world.check(&storage.after_power_cut(kept_of_8), &format!("power cut at {at}, {kept_of_8}/8 kept"));
        }
    }
}

#[test]
fn a_second_power_cut_while_recovering_loses_nothing_acknowledged() {
    for at in 0..n_operations() + 20 {
        for second in 0..6 {
            let storage = FaultyStorage::default();
            storage.fail_at(at, Fault::PowerCut);
            let mut world = World::default();
            world.run(&storage);
            let storage = storage.after_power_cut(5);
            storage.fail_at(second, Fault::PowerCut);
            drop(world.open(&storage));
            let storage = storage.after_power_cut(2);
            world.check(&storage, &format!("power cuts at {at} and {second}"));
        }
    }
}

#[test]
fn a_full_or_failing_disk_at_any_operation_loses_nothing_acknowledged() {
    let faults =
        [1, 2, 5, 30].into_iter().flat_map(|operations| [Fault::Full { operations }, Fault::Failing { operations }]);
    let n = n_operations();
    for fault in faults {
        for at in 0..n {
            let storage = FaultyStorage::default();
            storage.fail_at(at, fault);
            let mut world = World::default();
            world.run(&storage);
            world.check(&storage.after_power_cut(at % 9), &format!("{fault:?} at {at}"));
        }
    }
}

#[test]
fn refused_events_say_why_and_are_taken_when_there_is_space_again() {
    let storage = FaultyStorage::default();
    let journal = World::default().open(&storage);
    journal.append_blocking(vec![inferences(&["a"])]).unwrap();
    storage.fail_at(0, Fault::Full { operations: usize::MAX });
    let full = AppendError::DiskFull { location: "memory".to_owned() };
    for _ in 0..3 {
        assert_eq!(journal.append_blocking(vec![inferences(&["b"])]).map(|_| ()), Err(full.clone()));
    }
    assert!(full.to_string().contains("free space there"));
    storage.heal();
    let appended = journal.append_blocking(vec![inferences(&["a", "b"])]).unwrap();
    assert_eq!(ids(&appended.written), ["b"], "what was refused is not taken for a duplicate");
    assert_eq!(appended.sequence, Some(2));
}
