//! A live fleet of models, some of which break at known moments.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::bail;
use wardline_domain::{Span, Timestamp};
use wardline_simulate::{Load, LoadOptions};

use crate::{commands::client::Api, pipeline};

/// Events in one request while history is sent.
const HISTORY_BATCH: usize = 10_000;
/// Events in one request once the stream is live.
const LIVE_BATCH: usize = 100;
/// A stream this close to the clock on the wall is live.
const LIVE_LAG: Span = Timestamp::SECOND / 4;
const SERVED: &str = "\"status\":\"ok\",\"http_status\":200,";
const FAILED: &str = "\"status\":\"error\",\"http_status\":503,\"error\":\"UpstreamUnavailable\",";

/// The stream and what became of it.
pub(super) struct Stream {
    load: RefCell<Load>,
    /// From when on every second prediction of a model fails.
    breaks: RefCell<BTreeMap<String, Timestamp>>,
    /// When the first event of a model's second was sent.
    sent: RefCell<BTreeMap<(String, i64), Instant>>,
    is_live: Cell<bool>,
    is_over: Cell<bool>,
}

impl Stream {
    /// A stream that begins in the past, so that there is something to learn from.
    pub(super) fn new(options: LoadOptions) -> Self {
        Self {
            load: RefCell::new(Load::new(options)),
            breaks: RefCell::default(),
            sent: RefCell::default(),
            is_live: Cell::new(false),
            is_over: Cell::new(false),
        }
    }

    /// Sends history as fast as it is taken, then each event when it happens, until the stream ends.
    pub(super) async fn play(&self, api: &Api) -> anyhow::Result<()> {
        while !self.is_over.get() {
            let lag = pipeline::now().since(self.load.borrow().time());
            self.is_live.set(self.is_live.get() || lag < LIVE_LAG);
            let events = if lag > 2 * Timestamp::SECOND { HISTORY_BATCH } else { LIVE_BATCH };
            let body = self.next(events);
            let ahead = self.load.borrow().time().since(pipeline::now());
            if ahead > 0 {
                tokio::time::sleep(Duration::from_micros(ahead.unsigned_abs())).await;
            }
            if self.is_live.get() {
                self.note_sending(&body);
            }
            let response = api.send_events(body.into_bytes(), None).await?;
            if !response.status().is_success() {
                bail!("the server did not take events: {}", response.status());
            }
        }
        Ok(())
    }

    /// Returns once events are sent when they happen.
    pub(super) async fn live(&self) {
        while !self.is_live.get() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the stream.
    pub(super) fn end(&self) {
        self.is_over.set(true);
    }

    /// Breaks a model at a moment to come.
    pub(super) fn break_at(&self, model: &str, time: Timestamp) {
        self.breaks.borrow_mut().insert(model.to_owned(), time);
    }

    /// When the first event of a model in the second that begins at `second` was sent.
    pub(super) fn sent_at(&self, model: &str, second: Timestamp) -> Option<Instant> {
        self.sent.borrow().get(&(model.to_owned(), second.floor(Timestamp::SECOND).micros())).copied()
    }

    fn next(&self, events: usize) -> String {
        let mut buffer = Vec::new();
        self.load.borrow_mut().fill(&mut buffer, events);
        let text = String::from_utf8_lossy(&buffer);
        let breaks = self.breaks.borrow();
        if breaks.is_empty() {
            return text.into_owned();
        }
        let mut turn = false;
        text.lines().fold(String::with_capacity(text.len() + text.len() / 8), |mut body, line| {
            let broken =
                Line::read(line).is_some_and(|read| breaks.get(read.model).is_some_and(|&from| from <= read.time));
            turn ^= broken;
            if broken && turn {
                body.push_str(&line.replacen(SERVED, FAILED, 1))
            } else {
                body.push_str(line)
            }
            body.push('\n');
            body
        })
    }

    fn note_sending(&self, body: &str) {
        let now = Instant::now();
        let mut sent = self.sent.borrow_mut();
        for line in body.lines().filter_map(Line::read) {
            let second = line.time.floor(Timestamp::SECOND).micros();
            sent.entry((line.model.to_owned(), second)).or_insert(now);
        }
    }
}

/// What the stream must know of an event.
struct Line<'a> {
    time: Timestamp,
    model: &'a str,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let text = |key: &str| line.split_once(key)?.1.split('"').next();
        Some(Self { time: Timestamp::parse(text("\"time\":\"")?).ok()?, model: text("\"model\":\"")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a model that breaks fails every second prediction from its moment on, and no other model does.
    #[test]
    fn only_the_broken_model_fails() {
        let options =
            LoadOptions { models: 2, versions: 1, channels: 1, events_per_second: 100.0, ..LoadOptions::default() };
        let stream = Stream::new(options);
        stream.break_at("card-fraud-01", options.from.plus(10 * Timestamp::SECOND));
        let body = stream.next(2_000);
        let failed = |model: &str, seconds: std::ops::Range<i64>| {
            let of = |line: &&str| {
                let read = Line::read(line).unwrap();
                read.model == model && seconds.contains(&(read.time.since(options.from) / Timestamp::SECOND))
            };
            let lines: Vec<&str> = body.lines().filter(of).collect();
            let failed = lines.iter().filter(|line| line.contains("\"status\":\"error\"")).count();
            failed as f64 / lines.len() as f64
        };
        assert!(failed("card-fraud-00", 0..20) < 0.02);
        assert!(failed("card-fraud-01", 0..10) < 0.02);
        assert!((failed("card-fraud-01", 10..20) - 0.5).abs() < 0.02);
    }
}
