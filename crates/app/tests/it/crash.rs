//! What was acknowledged survives SIGKILL, and nothing is stored twice.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

use crate::server::{Server, client, prediction};

/// How often the server is killed.
const KILLS: u32 = 200;
/// Clients that send at the same time.
const CLIENTS: u64 = 2;
/// Events in one request.
const BATCH: u64 = 40;

/// What the clients know.
#[derive(Default)]
struct Ledger {
    sent: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
}

/// Goal: acknowledged ⊆ stored ⊆ sent, and no duplicate.
/// Method: clients send batches and repeat what was not acknowledged, as real ones do, while the server is
/// killed at random points and started again. One batch in five is given up instead, so that there are
/// events which may or may not be stored.
#[test]
fn what_was_acknowledged_survives_any_kill() {
    let seed = std::env::var("CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    eprintln!("CRASH_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let url = Arc::new(RwLock::new(String::new()));
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let stop = Arc::new(AtomicBool::new(false));
    let ids = Arc::new(AtomicU64::new(0));

    let mut server = Server::start(folder.path(), &[]);
    url.write().unwrap().clone_from(&server.url);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (url, ledger, stop, ids) = (Arc::clone(&url), Arc::clone(&ledger), Arc::clone(&stop), Arc::clone(&ids));
            let random = SmallRng::seed_from_u64(seed + 1 + client);
            std::thread::spawn(move || send_until(&stop, &url, &ledger, &ids, random))
        })
        .collect();
    for _ in 0..KILLS {
        std::thread::sleep(Duration::from_millis(random.random_range(1..120)));
        server.kill();
        server = Server::start(folder.path(), &[]);
        url.write().unwrap().clone_from(&server.url);
    }
    stop.store(true, Ordering::SeqCst);
    clients.into_iter().for_each(|client| client.join().unwrap());
    server.kill();

    let server = Server::start(folder.path(), &[]);
    let stored = all_ids(&server);
    let unique: BTreeSet<String> = stored.iter().cloned().collect();
    let ledger = ledger.lock().unwrap();
    assert!(
        ledger.acknowledged.len() as u64 > 10 * BATCH,
        "only {} events were acknowledged",
        ledger.acknowledged.len()
    );
    assert_eq!(stored.len(), unique.len(), "some events are stored twice");
    let lost: Vec<_> = ledger.acknowledged.difference(&unique).take(5).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let invented: Vec<_> = unique.difference(&ledger.sent).take(5).collect();
    assert!(invented.is_empty(), "stored and never sent: {invented:?}");
    eprintln!(
        "{KILLS} kills: {} sent, {} acknowledged, {} stored",
        ledger.sent.len(),
        ledger.acknowledged.len(),
        unique.len()
    );
}

fn send_until(stop: &AtomicBool, url: &RwLock<String>, ledger: &Mutex<Ledger>, ids: &AtomicU64, mut random: SmallRng) {
    let client = client();
    while !stop.load(Ordering::SeqCst) {
        let first = ids.fetch_add(BATCH, Ordering::SeqCst);
        let batch: Vec<String> = (first..first + BATCH).map(|id| format!("e{id:08}")).collect();
        let body: String = batch.iter().zip(first..).map(|(id, second)| prediction(id, second)).collect();
        ledger.lock().unwrap().sent.extend(batch.iter().cloned());
        loop {
            let url = url.read().unwrap().clone();
            let answer = client.post(format!("{url}/v1/events")).body(body.clone()).send();
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                ledger.lock().unwrap().acknowledged.extend(batch);
                break;
            }
            if stop.load(Ordering::SeqCst) || random.random_bool(0.2) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn all_ids(server: &Server) -> Vec<String> {
    let count = server.query("SELECT count(*) AS n FROM inference")[0]["n"].as_u64().unwrap();
    let mut ids = Vec::new();
    // Answers have a row limit, so they are fetched in parts that cannot overlap.
    for digit in 0..10 {
        let rows = server.query(&format!("SELECT id FROM inference WHERE id LIKE '%{digit}'"));
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(ids.len() as u64, count);
    ids
}
