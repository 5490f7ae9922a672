//! One stream of several models, in order of time.

use wardline_domain::Timestamp;

use crate::traffic::Traffic;

/// One line of telemetry, and when it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The record's `time`.
    pub time: Timestamp,
    /// One JSON object, without a line feed.
    pub line: Vec<u8>,
}

/// A fleet's records in order of time.
#[derive(Debug)]
pub struct Events {
    sources: Vec<(Option<Record>, Traffic)>,
}

impl Events {
    /// Merges the traffic of several models.
    pub(crate) fn merge(sources: Vec<Traffic>) -> Self {
        let sources = sources
            .into_iter()
            .map(|mut traffic| {
                let first = traffic.next();
                (first, traffic)
            })
            .collect();
        Self { sources }
    }
}

impl Iterator for Events {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let (head, traffic) = self
            .sources
            .iter_mut()
            .filter(|(head, _)| head.is_some())
            .min_by_key(|(head, _)| head.as_ref().map(|record| record.time))?;
        let record = head.take();
        *head = traffic.next();
        record
    }
}
