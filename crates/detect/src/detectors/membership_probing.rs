//! The same record is asked again and again, with and without small changes, for the exact score: to learn whether
//! it was in the training data, or what was.
//!
//! - **Method:** queries of a client that are the same as, or near to, one of the sixteen records that it last
//!   asked about (one value differs; of prompts two words) count for that record; one that is asked about four
//!   times within six hours is probed. The records that a client probes in a day are counted.
//! - **Fields:** `api_key`, else `user`, else `client_ip`; `feature_*` (the first ten by name), else `embedding`,
//!   else `prompt`; `scores` or `score`, without which nothing is learned by asking again.
//! - **False alarms:** three times as many records as the most that any client probed in a day of learning; so
//!   clients that retry, or try out, set the limit themselves.
//! - **Least effect:** ten records in a day, where honest clients probe at most three.
//! - **Blind spots:** a single query for each record (which a score alone can betray); more than sixteen records in
//!   turn; clients beyond the 1,024 busiest.
//! - **ATLAS:** AML.T0024.000 (infer training data membership), AML.T0024.001 (invert AI model).

use std::collections::VecDeque;

use arrow::array::Array;
use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    clients::{ClientTable, Pending},
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    queries::Query,
    repeats::Repeats,
    wording::clock_time,
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "membership_probing",
    budget_share: 0.05,
    method: "records that one client asks about again and again, against the most of honest clients",
    atlas: &["AML.T0024.000", "AML.T0024.001"],
    build: |_: &DetectorBudget| Box::new(Probing::default()),
};

const MOST_CLIENTS: usize = 1_024;
const KEPT: usize = 16;
const LASTS: Span = 6 * Timestamp::HOUR;
/// Times that a probed record is asked about.
const TIMES_ASKED: u32 = 4;
/// The least records a day that are told, and times the most of honest clients.
const LEAST: u32 = 10;
const TIMES_HONEST: u32 = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Probing {
    clients: ClientTable<Probes, MOST_CLIENTS>,
    /// The most records that one client probed in a day of learning.
    most_honest: u32,
    pending: Pending,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Probes {
    records: VecDeque<Asked>,
    day: i32,
    /// Records probed today, and the queries about them.
    probed: u32,
    queries: u64,
    since: Option<Timestamp>,
    told: Option<Repeats>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Asked {
    query: Query,
    times: u32,
    last: Timestamp,
}

impl Detector for Probing {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference || state.phase == Phase::Sampling {
            return;
        }
        let scored = ["scores", "score"].map(|name| rows.batch.column(name));
        let has_score = |row: usize| scored.iter().flatten().any(|array| array.is_valid(row));
        let Some(columns) = rows.clients() else { return };
        let Some(queries) = rows.queries(state) else { return };
        let now = state.second.start;
        for row in rows.range.clone().filter(|&row| has_score(row)) {
            let (Some(name), Some(query)) = (rows.client(row), queries.query(row)) else { continue };
            let Some(client) = self.clients.ask(state.client_room, columns, &name, row, now, Probes::default) else {
                continue;
            };
            if !client.habit.is_probe(query, now) {
                continue;
            }
            let probed = client.habit.probed;
            if state.phase != Phase::Watching {
                self.most_honest = self.most_honest.max(probed);
            } else if probed >= LEAST.max(TIMES_HONEST * self.most_honest) {
                self.pending.add(name.key);
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        for key in self.pending.take() {
            findings.extend(self.tell(state, key, state.second.start));
        }
    }

    saved_whole!();
}

impl Probes {
    /// Takes a query; whether with it another record is probed.
    fn is_probe(&mut self, query: Query, now: Timestamp) -> bool {
        let day = now.micros().div_euclid(Timestamp::DAY) as i32;
        if day != self.day {
            (self.day, self.probed, self.queries, self.since) = (day, 0, 0, None);
        }
        while self.records.front().is_some_and(|asked| now.since(asked.last) > LASTS) {
            self.records.pop_front();
        }
        let Some(at) = self.records.iter().rposition(|asked| query.is_near(&asked.query)) else {
            if self.records.len() >= KEPT {
                self.records.pop_front();
            }
            self.records.push_back(Asked { query, times: 1, last: now });
            return false;
        };
        let Some(mut asked) = self.records.remove(at) else { return false };
        (asked.times, asked.last) = (asked.times.saturating_add(1), now);
        self.records.push_back(asked);
        if asked.times >= TIMES_ASKED {
            self.queries += if asked.times == TIMES_ASKED { u64::from(TIMES_ASKED) } else { 1 };
        }
        if asked.times != TIMES_ASKED {
            return false;
        }
        self.since.get_or_insert(now);
        self.probed += 1;
        true
    }
}

impl Probing {
    fn tell(&mut self, state: &ModelState, key: u64, now: Timestamp) -> Option<Finding> {
        let client = self.clients.get_mut(key)?;
        let since = client.habit.since.unwrap_or(now);
        if !Repeats::tell(&mut client.habit.told, now, since, LASTS) {
            return None;
        }
        let probes = &client.habit;
        let limit = LEAST.max(TIMES_HONEST * self.most_honest);
        let mut finding = draft(state, SPEC.name, FindingKind::Extraction, "probed_records", now);
        finding.slice = client.slice();
        finding.responsible = vec![Carrier { name: client.label(), share: 1.0, interval: None }];
        (finding.onset, finding.onset_interval) = (since, (since, now));
        (finding.observed, finding.expected) = (f64::from(probes.probed), f64::from(self.most_honest));
        finding.unit = "records/d".to_owned();
        finding.n_observed = probes.queries;
        (finding.effect, finding.effect_name) =
            (f64::from(probes.probed) / f64::from(limit), "times_the_limit".to_owned());
        finding.severity = Severity::Ticket;
        finding.atlas = ["AML.T0024.000", "AML.T0024.001", "AML.T0024"].map(str::to_owned).to_vec();
        finding.title = format!(
            "{} asked {} about each of {} records {TIMES_ASKED} times or more since {} ({} queries; honest clients ask so about {} a day at most)",
            client.words(),
            state.name,
            probes.probed,
            clock_time(since, now),
            probes.queries,
            self.most_honest,
        );
        finding.evidence = evidence::queries(&finding);
        Some(sealed(finding))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        client_stream::{Ask, accused, learning, population, usual, watched},
        stream::{Dice, Told, monday},
    };
    use wardline_domain::Timestamp;

    /// So many records, each asked about so many times with a small change.
    fn with_probes(records: usize, times: usize) -> Told {
        let mut asks = population(8, 40, 40, 12);
        let mut dice = Dice(4);
        for record in 0..records {
            let start = monday().plus(251 * Timestamp::HOUR + record as i64 * Timestamp::MINUTE);
            let one: Ask = usual(&mut dice, "prober", start, 3);
            for turn in 0..times {
                let mut ask = one.clone();
                ask.time = start.plus(turn as i64 * Timestamp::SECOND);
                ask.features[5] += 0.001 * (turn % 3) as f64;
                asks.push(ask);
            }
        }
        watched(learning(10), &mut asks, 4_000)
    }

    #[test]
    fn alerts_on_records_that_are_asked_about_again_and_again() {
        assert_eq!(accused(&with_probes(20, 8), "membership_probing"), ["api_key=prober"]);
    }

    /// Goal: retries of a few requests, and many requests that are asked twice.
    #[test]
    fn stays_quiet_on_retries() {
        assert_eq!(accused(&with_probes(5, 8), "membership_probing"), [] as [&str; 0]);
        assert_eq!(accused(&with_probes(60, 2), "membership_probing"), [] as [&str; 0]);
    }
}
