//! Requests of clients through a proxy, and who answered them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use reqwest::Client;

/// Who answered so many requests, one after the other.
pub(crate) async fn answers(url: &str, n_requests: usize) -> BTreeMap<String, usize> {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut answers = BTreeMap::new();
    for _ in 0..n_requests {
        let answer = client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "a request of a client failed");
        *answers.entry(answer.text().await.unwrap()).or_insert(0) += 1;
    }
    answers
}

/// Clients that ask without pause, while something is changed.
pub(crate) struct Clients {
    acknowledged: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    leaked: Arc<AtomicUsize>,
    asked_after: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// What clients saw of a change.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Answers of the version that was set to nothing, to requests that began after the acknowledgement.
    pub(crate) leaked: usize,
    /// Requests that began after it.
    pub(crate) asked_after: usize,
    /// Requests that failed, at any time.
    pub(crate) failed: usize,
}

impl Clients {
    /// Starts clients that look for answers of a version.
    pub(crate) fn start(url: &str, n_clients: usize, unwanted: &'static str) -> Self {
        let clients = Self {
            acknowledged: Arc::default(),
            over: Arc::default(),
            leaked: Arc::default(),
            asked_after: Arc::default(),
            failed: Arc::default(),
            tasks: Vec::new(),
        };
        let tasks = (0..n_clients).map(|_| clients.client(url.to_owned(), unwanted)).collect();
        Self { tasks, ..clients }
    }

    fn client(&self, url: String, unwanted: &'static str) -> tokio::task::JoinHandle<()> {
        let (acknowledged, over) = (Arc::clone(&self.acknowledged), Arc::clone(&self.over));
        let (leaked, asked_after, failed) =
            (Arc::clone(&self.leaked), Arc::clone(&self.asked_after), Arc::clone(&self.failed));
        tokio::spawn(async move {
            let client = Client::builder().no_proxy().build().unwrap();
            while !over.load(Ordering::SeqCst) {
                let after = acknowledged.load(Ordering::SeqCst);
                let answer = match client.get(&url).send().await {
                    Ok(answer) if answer.status() == 200 => answer.text().await.unwrap_or_default(),
                    _ => {
                        failed.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                };
                if after {
                    asked_after.fetch_add(1, Ordering::SeqCst);
                    leaked.fetch_add(usize::from(answer == unwanted), Ordering::SeqCst);
                }
            }
        })
    }

    /// Says that the change was acknowledged.
    pub(crate) fn acknowledged(&self) {
        self.acknowledged.store(true, Ordering::SeqCst);
    }

    /// Waits for so many requests after the acknowledgement, and ends.
    pub(crate) async fn seen_after(mut self, n_requests: usize) -> Seen {
        // Where everything fails, nothing is answered, and waiting for it would never end.
        let is_enough = |counter: &AtomicUsize| counter.load(Ordering::SeqCst) >= n_requests;
        while !is_enough(&self.asked_after) && !is_enough(&self.failed) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        self.over.store(true, Ordering::SeqCst);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        Seen { leaked: count(&self.leaked), asked_after: count(&self.asked_after), failed: count(&self.failed) }
    }
}
