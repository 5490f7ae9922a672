//! Offers events to a server from several connections, and notes how long each acknowledgement took.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use anyhow::bail;
use futures::future::try_join_all;
use wardline_domain::Timestamp;

use super::{body::Templates, latencies::Latencies};
use crate::{
    commands::{client::Api, send::Sent},
    pipeline,
};

/// How events are offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    /// Requests under way at once.
    pub(super) connections: usize,
    /// For how long.
    pub(super) length: Duration,
    /// Events a second; without it, each connection sends as soon as it got its answer.
    pub(super) rate: Option<f64>,
    /// The number of the first body: no two bodies of one server may have the same.
    pub(super) first_body: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Offered {
    /// Events that were acknowledged, and so are on the disk.
    pub(super) acknowledged: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Requests that the server put off with 503 or 429.
    pub(super) put_off: u64,
    /// Bodies that were begun.
    pub(super) bodies: u64,
    /// From the first request to the last acknowledgement.
    pub(super) seconds: f64,
    /// From when a body was due to its acknowledgement: a server that falls behind is not spared by a client
    /// that waits for it.
    pub(super) latencies: Latencies,
}

/// All connections of one offer. They share one thread, so they share these without locks.
struct Sender<'a> {
    api: &'a Api,
    templates: &'a Templates,
    offer: Offer,
    started: Instant,
    next: Cell<u64>,
    /// Time of the newest event so far.
    newest: Cell<Timestamp>,
    offered: RefCell<Offered>,
}

/// Offers events until the time is up. A future of one thread: it is driven by a runtime of one.
pub(super) async fn offer(api: &Api, templates: &Templates, offer: Offer) -> anyhow::Result<Offered> {
    let sender = Sender {
        api,
        templates,
        offer,
        started: Instant::now(),
        next: Cell::new(0),
        newest: Cell::new(pipeline::now()),
        offered: RefCell::default(),
    };
    try_join_all((0..offer.connections.max(1)).map(|_| sender.connection())).await?;
    let seconds = sender.started.elapsed().as_secs_f64();
    let bodies = sender.next.get();
    Ok(Offered { seconds, bodies, ..sender.offered.into_inner() })
}

impl Sender<'_> {
    /// Sends bodies one after the other.
    async fn connection(&self) -> anyhow::Result<()> {
        loop {
            let number = self.next.get();
            let due = self.due(number);
            if due.duration_since(self.started) >= self.offer.length {
                return Ok(());
            }
            self.next.set(number + 1);
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
            }
            let now = pipeline::now();
            let body = self.templates.body(self.offer.first_body + number, self.newest.replace(now), now);
            self.send(body, due).await?;
        }
    }

    /// When a body is to be sent: on time where there is a rate, else now.
    fn due(&self, number: u64) -> Instant {
        match self.offer.rate {
            Some(rate) => {
                self.started + Duration::from_secs_f64((number * self.templates.events() as u64) as f64 / rate.max(1.0))
            }
            None => Instant::now(),
        }
    }

    async fn send(&self, body: Vec<u8>, due: Instant) -> anyhow::Result<()> {
        let bytes = body.len() as u64;
        let response = self.api.send_events(body, None).await?;
        let status = response.status();
        if status == 503 || status == 429 {
            self.offered.borrow_mut().put_off += 1;
            return Ok(());
        }
        if !status.is_success() {
            bail!("the server refused a body with {status}: {}", response.text().await.unwrap_or_default());
        }
        let sent: Sent = response.json().await?;
        let mut offered = self.offered.borrow_mut();
        offered.latencies.note(due.elapsed().as_secs_f64());
        if sent.rejected + sent.duplicates > 0 {
            bail!(
                "the server took {} events as duplicates and rejected {}: none of them should be",
                sent.duplicates,
                sent.rejected
            );
        }
        offered.acknowledged += sent.accepted;
        offered.bytes += bytes;
        Ok(())
    }
}
