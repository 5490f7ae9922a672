//! Bodies of events that are made before anything is measured, and sent as new events each time.
//!
//! Each time a body is sent, its lines get new times and ids, which costs a hundredth of making the lines.
//! Nothing in them is seen twice by the server except inputs, and those repeat after minutes.

use anyhow::Context as _;
use wardline_domain::Timestamp;
use wardline_simulate::{Load, LoadOptions};

/// Length of `2026-11-02T06:36:05.123456Z`.
const TIME_LENGTH: usize = 27;
/// Length of a ULID.
const ID_LENGTH: usize = 26;
/// Characters of a ULID that are its time.
const ID_TIME: usize = 10;
/// Characters of a ULID that number the body; those behind them stay the line's own.
const ID_BODY: usize = 6;
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A body to make others from.
#[derive(Debug)]
pub(super) struct Template {
    text: Vec<u8>,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Where in a line the time and the id begin.
    time: usize,
    id: usize,
}

/// Bodies to make others from, so that neighbours differ.
#[derive(Debug)]
pub(super) struct Templates(Vec<Template>);

impl Templates {
    /// Makes so many bodies of so many events.
    pub(super) fn new(options: LoadOptions, count: usize, events: usize) -> anyhow::Result<Self> {
        let mut load = Load::new(options);
        Ok(Self((0..count.max(1)).map(|_| Template::new(&mut load, events)).collect::<Result<_, _>>()?))
    }

    /// The body of this number.
    pub(super) fn body(&self, number: u64, after: Timestamp, until: Timestamp) -> Vec<u8> {
        let template = &self.0[number as usize % self.0.len()];
        template.body(number, after, until)
    }

    /// Events in a body.
    pub(super) fn events(&self) -> usize {
        self.0.first().map_or(0, |template| template.lines.len())
    }
}

impl Template {
    fn new(load: &mut Load, events: usize) -> anyhow::Result<Self> {
        let mut text = Vec::new();
        load.fill(&mut text, events.max(1));
        let mut lines = vec![0];
        lines.extend(memchr_all(&text, b'\n').map(|end| end + 1));
        lines.pop();
        let behind = |key: &[u8]| {
            let place = text.windows(key.len()).position(|part| part == key).map(|place| place + key.len());
            place.context("events of the load have no time or no id where they should")
        };
        let (time, id) = (behind(b"\"time\":\"")?, behind(b"\"id\":\"")?);
        Ok(Self { text, lines, time, id })
    }

    /// The same lines as new events: with ids of their own, and times spread evenly up to `until`.
    fn body(&self, number: u64, after: Timestamp, until: Timestamp) -> Vec<u8> {
        let mut body = self.text.clone();
        let span = until.since(after).max(0);
        let mut second = Second::of(until);
        let mut id = [0; ID_TIME + ID_BODY];
        write_digits(&mut id[..ID_TIME], until.micros() as u64 / 1_000);
        write_digits(&mut id[ID_TIME..], number);
        let count = self.lines.len() as i64;
        for (index, &line) in self.lines.iter().enumerate() {
            let time = after.plus(span * (index as i64 + 1) / count);
            second.write(time, &mut body[line + self.time..line + self.time + TIME_LENGTH]);
            body[line + self.id..line + self.id + id.len()].copy_from_slice(&id);
        }
        const { assert!(ID_TIME + ID_BODY < ID_LENGTH) };
        body
    }
}

/// The text of the current second.
struct Second {
    start: i64,
    text: String,
}

impl Second {
    fn of(time: Timestamp) -> Self {
        let start = time.micros().div_euclid(Timestamp::SECOND);
        Self { start, text: Timestamp::from_micros(start * Timestamp::SECOND).to_string() }
    }

    fn write(&mut self, time: Timestamp, into: &mut [u8]) {
        let micros = time.micros();
        if micros.div_euclid(Timestamp::SECOND) != self.start {
            *self = Self::of(time);
        }
        into[..19].copy_from_slice(&self.text.as_bytes()[..19]);
        into[19] = b'.';
        let mut part = micros.rem_euclid(Timestamp::SECOND);
        for digit in into[20..26].iter_mut().rev() {
            *digit = b'0' + (part % 10) as u8;
            part /= 10;
        }
        into[26] = b'Z';
    }
}

/// A number in Crockford's base 32, as ULIDs are written.
fn write_digits(into: &mut [u8], mut number: u64) {
    for digit in into.iter_mut().rev() {
        *digit = DIGITS[(number % 32) as usize];
        number /= 32;
    }
}

fn memchr_all(text: &[u8], wanted: u8) -> impl Iterator<Item = usize> + '_ {
    text.iter().enumerate().filter(move |(_, byte)| **byte == wanted).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn events(body: &[u8]) -> Vec<Value> {
        body.split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    /// Goal: no event is sent twice, and all are as recent as they say.
    #[test]
    fn bodies_are_new_events_each_time() {
        let templates = Templates::new(LoadOptions::default(), 2, 100).unwrap();
        let at = |seconds: i64| Timestamp::from_micros(1_793_577_600_000_000 + seconds * Timestamp::SECOND);
        let mut ids = HashSet::new();
        for number in 0..6 {
            let seconds = number as i64;
            let events = events(&templates.body(number, at(seconds), at(seconds + 1)));
            assert_eq!(events.len(), 100);
            let times: Vec<Timestamp> =
                events.iter().map(|event| Timestamp::parse(event["time"].as_str().unwrap()).unwrap()).collect();
            assert!(times.is_sorted() && at(seconds) < times[0] && times[99] == at(seconds + 1));
            ids.extend(events.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(ids.len(), 600);
        assert!(ids.iter().all(|id| id.len() == ID_LENGTH));
    }

    #[test]
    fn only_times_and_ids_change() {
        let templates = Templates::new(LoadOptions::default(), 1, 10).unwrap();
        let time = Timestamp::from_micros(1_793_577_600_000_000);
        let without = |number| {
            let mut events = events(&templates.body(number, time, time.plus(number as i64)));
            for event in &mut events {
                event.as_object_mut().unwrap().retain(|name, _| name != "time" && name != "id");
            }
            events
        };
        assert_eq!(without(1), without(2));
    }
}
