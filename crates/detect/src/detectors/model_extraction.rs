//! Queries that copy the model: unlike honest inputs, or systematic, or far more than any client ever asked.
//!
//! - **Method:** blocks of 40 distinct queries of each client. Of each block: the mean surprise `-ln p` of pairs of
//!   inputs under a table learned from the first part of the learning period (random and grid queries break what
//!   hangs together), and the share that surprises more than 98 % of honest queries; the share of queries that
//!   change one value of the one before; the share that is new though each of its values was sent before (points of
//!   a lattice). Scores are ranked among the honest blocks of the rest of the learning period, less what all
//!   clients now have in common (drift), and added up (CUSUM) against the client's own habit. Clients that came
//!   after learning are also watched as one, for an attack that is split over many accounts. A new client that asks
//!   twice as much in a day as any client did, and hardly repeats itself, is told too.
//! - **Fields:** `api_key`, else `user`, else `client_ip`; `feature_*` (the first ten by name), else `embedding`,
//!   else the words of `prompt`; an attribute of time is not needed.
//! - **False alarms:** the limit is 1.5 times the most that honest clients added up in learning; a client without a
//!   past is allowed 1.2 times what the most unusual honest client had on average. Fewer than 20 honest blocks: it
//!   waits.
//! - **Least effect:** two blocks (80 queries) that are far outside; a dozen that are a little outside.
//! - **Blind spots:** queries drawn from the same law as honest ones at an honest rate; clients beyond the 1,024
//!   busiest; of a client's queries beyond 200 a day one in eight is looked at; prompts tell their structure only.
//! - **ATLAS:** AML.T0024.002 (extract AI model), AML.T0005.001 (train proxy via replication), AML.T0040 (inference
//!   API).

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Slice, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    clients::{Client, ClientTable},
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    queries::Query,
    query_structure::{BLOCK, BlockSum, HonestBlocks, LatestBlocks, PairTable, QueryStructure, SCORES},
    repeats::Repeats,
    wording::{clock_time, number, percent},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "model_extraction",
    budget_share: 0.08,
    method: "surprise and structure of each client's queries against honest clients",
    atlas: &["AML.T0005.001", "AML.T0024.002", "AML.T0040"],
    build: |_: &DetectorBudget| Box::new(ModelExtraction::default()),
};

const MOST_CLIENTS: usize = 1_024;
/// Blocks of a client that are kept while learning.
const MOST_BLOCKS: usize = 12;
/// Queries a day that are all looked at, and one in how many of the others.
const ALL_OF: u32 = 200;
const ONE_IN: u32 = 8;
/// The least queries that a table of pairs is learned from.
const LEAST_LEARNED: u64 = 300;
/// A new client's volume is told from so many requests a day, and so many times the most of any client.
const LEAST_A_DAY: u32 = 500;
const TIMES_THE_MOST: u32 = 2;
/// What has not been seen for so long starts anew.
const QUIET: Span = Timestamp::DAY;
const SAID: [&str; SCORES] = [
    "its inputs do not go together as honest ones do",
    "its inputs change one value at a time",
    "its inputs are new combinations of the same few values",
    "many of its inputs are rare among honest ones",
];
const MEASURES: [&str; SCORES] = ["surprise", "one_at_a_time", "lattice", "rare"];

/// What is learned when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Stage {
    #[default]
    Waiting,
    /// The table of pairs, until a moment.
    Pairs(Timestamp),
    /// Blocks of honest clients.
    Blocks,
    Judging,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ModelExtraction {
    stage: Stage,
    table: PairTable,
    honest: Option<HonestBlocks>,
    clients: ClientTable<Inquiry, MOST_CLIENTS>,
    /// Clients that came after learning, as one.
    newcomers: Inquiry,
    newcomers_since: Option<Timestamp>,
    latest: LatestBlocks,
    /// The most requests of one client in a day of learning.
    busiest: u32,
    next_try: Option<Timestamp>,
    pending: Vec<Told>,
}

/// What one client asks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Inquiry {
    structure: QueryStructure,
    blocks: Vec<[f32; SCORES]>,
    sum: BlockSum,
    requests: u64,
    /// Requests and time when the block began, and when the sum began to rise.
    block_from: Option<(u64, Timestamp)>,
    rise_from: Option<(u64, Timestamp)>,
    day: i32,
    day_requests: u32,
    told: Option<Repeats>,
    told_volume: Option<i32>,
}

/// What is to be told when the second ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Told {
    /// `None`: the newcomers.
    client: Option<u64>,
    /// Which score, its value and the sum; `None`: the volume.
    score: Option<(u32, f32, f32)>,
}

impl Detector for ModelExtraction {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference || state.phase == Phase::Sampling {
            return;
        }
        let Some(columns) = rows.clients() else { return };
        let Some(queries) = rows.queries(state) else { return };
        let now = state.second.start;
        for row in rows.range.clone() {
            let Some(name) = rows.client(row) else { continue };
            let Some(client) = self.clients.ask(state.client_room, columns, &name, row, now, Inquiry::default) else {
                continue;
            };
            let is_new = self.newcomers_since.is_some_and(|since| client.first > since);
            let inquiry = &mut client.habit;
            let nth = inquiry.count(now);
            if self.newcomers_since.is_none() {
                self.busiest = self.busiest.max(nth);
            } else if is_new && inquiry.is_voluminous(self.busiest) && self.pending.len() < 64 {
                inquiry.told_volume = Some(inquiry.day);
                self.pending.push(Told { client: Some(name.key), score: None });
            }
            if nth > ALL_OF && !nth.is_multiple_of(ONE_IN) {
                continue;
            }
            let Some(query) = queries.query(row) else { continue };
            self.take(&query, name.key, is_new, now);
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        let now = state.second.start;
        for told in std::mem::take(&mut self.pending) {
            findings.extend(match (told.client, told.score) {
                (Some(key), Some(score)) => self.tell_client(state, key, score, now),
                (Some(key), None) => self.tell_volume(state, key, now),
                (None, Some(score)) => self.tell_newcomers(state, score, now),
                (None, None) => None,
            });
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, _findings: &mut Vec<Finding>) {
        let Some(started) = state.started else { return };
        let is_watching = state.phase == Phase::Watching;
        if is_watching && self.newcomers_since.is_none() {
            self.newcomers_since = Some(now);
        }
        match self.stage {
            Stage::Waiting if state.phase != Phase::Sampling && (state.resampled || is_watching) => {
                let rest = state.learning_ends(started).0.since(now).max(0);
                self.stage = Stage::Pairs(now.plus(rest / 2));
            }
            Stage::Pairs(until) if now >= until && self.table.queries >= LEAST_LEARNED => {
                self.table.close();
                self.stage = Stage::Blocks;
            }
            Stage::Blocks if is_watching && self.next_try.is_none_or(|next| now >= next) => {
                self.next_try = Some(now.plus(Timestamp::HOUR));
                self.try_judging();
            }
            _ => {}
        }
    }

    saved_whole!();
}

impl ModelExtraction {
    fn take(&mut self, query: &Query, key: u64, is_new: bool, now: Timestamp) {
        match self.stage {
            Stage::Waiting => {}
            Stage::Pairs(_) => self.table.learn(query),
            Stage::Blocks => {
                let Some(client) = self.clients.get_mut(key) else { return };
                if let Some(block) = client.habit.structure.observe(query, &self.table)
                    && client.habit.blocks.len() < MOST_BLOCKS
                {
                    client.habit.blocks.push(block);
                }
            }
            Stage::Judging => self.judge(query, key, is_new, now),
        }
    }

    fn try_judging(&mut self) {
        let all = self.clients.sorted();
        let blocks: Vec<&[[f32; SCORES]]> =
            all.iter().map(|(_, client)| client.habit.blocks.as_slice()).filter(|blocks| !blocks.is_empty()).collect();
        let Some(honest) = HonestBlocks::learn(&blocks) else { return };
        self.clients.each(|client| {
            let inquiry = &mut client.habit;
            std::mem::take(&mut inquiry.blocks).iter().for_each(|block| inquiry.sum.learn(block));
        });
        self.honest = Some(honest);
        self.stage = Stage::Judging;
    }

    fn judge(&mut self, query: &Query, key: u64, is_new: bool, now: Timestamp) {
        let Some(honest) = self.honest else { return };
        let Some(client) = self.clients.get_mut(key) else { return };
        let told = client.habit.take(query, &self.table, &honest, || self.latest.shared(key), now);
        if let Some((block, score)) = told {
            if !is_new {
                self.latest.insert(key, honest.excess(&block));
            }
            self.pending.extend(score.map(|score| Told { client: Some(key), score: Some(score) }));
        }
        if is_new {
            self.newcomers.count(now);
            let told = self.newcomers.take(query, &self.table, &honest, || self.latest.shared(key), now);
            self.pending
                .extend(told.and_then(|(_, score)| score).map(|score| Told { client: None, score: Some(score) }));
        }
    }

    fn tell_client(&mut self, state: &ModelState, key: u64, score: (u32, f32, f32), now: Timestamp) -> Option<Finding> {
        let honest = self.honest?;
        let client = self.clients.get_mut(key)?;
        let inquiry = &mut client.habit;
        let (requests, since) = inquiry.rise_from.unwrap_or((0, now));
        if !Repeats::tell(&mut inquiry.told, now, since, QUIET) {
            return None;
        }
        let n = inquiry.requests.saturating_sub(requests);
        let mut finding = structure_finding(state, &honest, score, n, (since, now));
        finding.slice = client.slice();
        finding.responsible = vec![Carrier { name: client.label(), share: 1.0, interval: None }];
        finding.title = title(&client.words(), state, score, &honest, n, (since, now));
        finding.evidence = evidence::queries(&finding);
        Some(sealed(finding))
    }

    fn tell_newcomers(&mut self, state: &ModelState, score: (u32, f32, f32), now: Timestamp) -> Option<Finding> {
        let honest = self.honest?;
        let (requests, since) = self.newcomers.rise_from.unwrap_or((0, now));
        let joined = self.newcomers_since?.max(since.plus(-Timestamp::DAY));
        let mut among: Vec<&Client<Inquiry>> = self
            .clients
            .sorted()
            .into_iter()
            .map(|(_, client)| client)
            .filter(|client| client.first >= joined && client.last >= since)
            .filter(|client| !matches!(score.0, 0 | 3) || honest.is_unusual(client.habit.structure.mean_surprise()))
            .collect();
        among.sort_by(|left, right| right.requests.cmp(&left.requests).then_with(|| left.label().cmp(&right.label())));
        // One client is told by itself.
        if among.len() < 2 || among.iter().any(|client| client.habit.told.is_some()) {
            return None;
        }
        if !Repeats::tell(&mut self.newcomers.told, now, since, QUIET) {
            return None;
        }
        let n = self.newcomers.requests.saturating_sub(requests);
        let all: u64 = among.iter().map(|client| client.requests).sum();
        let mut finding = structure_finding(state, &honest, score, n, (since, now));
        finding.slice = Slice::whole();
        let carrier = |client: &&Client<Inquiry>| Carrier {
            name: client.label(),
            share: client.requests as f64 / all.max(1) as f64,
            interval: None,
        };
        finding.responsible = among.iter().take(10).map(carrier).collect();
        let words = format!("{} new clients together, {} first,", among.len(), among.first()?.words());
        finding.title = title(&words, state, score, &honest, n, (since, now));
        finding.evidence = evidence::queries(&finding);
        Some(sealed(finding))
    }

    fn tell_volume(&mut self, state: &ModelState, key: u64, now: Timestamp) -> Option<Finding> {
        let client = self.clients.get(key)?;
        let inquiry = &client.habit;
        let mut finding = draft(state, SPEC.name, FindingKind::Extraction, "volume", now);
        finding.slice = client.slice();
        finding.responsible = vec![Carrier { name: client.label(), share: 1.0, interval: None }];
        finding.onset = client.first.max(now.floor(Timestamp::DAY));
        finding.onset_interval = (finding.onset, now);
        (finding.observed, finding.expected) = (f64::from(inquiry.day_requests), f64::from(self.busiest));
        finding.unit = "requests/d".to_owned();
        (finding.n_observed, finding.n_expected) = (u64::from(inquiry.day_requests), u64::from(self.busiest));
        finding.effect = finding.observed / finding.expected.max(1.0);
        finding.effect_name = "ratio".to_owned();
        finding.atlas = atlas();
        let distinct = f64::from(inquiry.structure.distinct) / f64::from(inquiry.structure.seen.max(1));
        finding.title = format!(
            "{}, first seen {}, asked {} {} times in a day, {} times the most of any client before; {} of its inputs are distinct",
            client.words(),
            clock_time(client.first, now),
            state.name,
            inquiry.day_requests,
            number(finding.effect),
            percent(distinct),
        );
        finding.evidence = evidence::queries(&finding);
        Some(sealed(finding))
    }
}

impl Inquiry {
    /// Counts a request; which of the day it is.
    fn count(&mut self, now: Timestamp) -> u32 {
        let day = now.micros().div_euclid(Timestamp::DAY) as i32;
        if day != self.day {
            (self.day, self.day_requests) = (day, 0);
        }
        self.requests += 1;
        self.day_requests = self.day_requests.saturating_add(1);
        self.day_requests
    }

    fn is_voluminous(&self, busiest: u32) -> bool {
        self.day_requests >= LEAST_A_DAY.max(TIMES_THE_MOST * busiest)
            && self.told_volume != Some(self.day)
            && f64::from(self.structure.distinct) >= 0.8 * f64::from(self.structure.seen)
    }

    /// Takes a query; a block that it completes, and the score if the sum is above the limit.
    #[allow(clippy::type_complexity, reason = "a block, and what is told of it")]
    fn take(
        &mut self,
        query: &Query,
        table: &PairTable,
        honest: &HonestBlocks,
        shared: impl FnOnce() -> [f32; SCORES],
        now: Timestamp,
    ) -> Option<([f32; SCORES], Option<(u32, f32, f32)>)> {
        let from = *self.block_from.get_or_insert((self.requests - 1, now));
        let block = self.structure.observe(query, table)?;
        self.block_from = None;
        let (leads, sum) = self.sum.add(honest, &block, &shared());
        if self.sum.high == 1 {
            self.rise_from = Some(from);
        }
        let is_told = sum >= honest.limit();
        Some((block, is_told.then_some((leads as u32, block[leads], sum))))
    }
}

fn atlas() -> Vec<String> {
    ["AML.T0024.002", "AML.T0024", "AML.T0005.001", "AML.T0040"].map(str::to_owned).to_vec()
}

fn structure_finding(
    state: &ModelState,
    honest: &HonestBlocks,
    (score, value, sum): (u32, f32, f32),
    n: u64,
    (since, now): (Timestamp, Timestamp),
) -> Finding {
    let score = (score as usize).min(SCORES - 1);
    let mut finding = draft(state, SPEC.name, FindingKind::Extraction, MEASURES[score], now);
    (finding.onset, finding.onset_interval) = (since, (since, now));
    (finding.observed, finding.expected) = (f64::from(value), f64::from(honest.usual(score)));
    finding.unit = if score == 0 { "nats/pair" } else { "share" }.to_owned();
    finding.n_observed = n;
    (finding.effect, finding.effect_name) = (f64::from(sum / honest.limit()), "times_the_limit".to_owned());
    let is_sure = sum >= 2.0 * honest.limit() && n >= u64::from(2 * BLOCK);
    finding.severity = if is_sure { Severity::Page } else { Severity::Ticket };
    finding.atlas = atlas();
    finding
}

fn title(
    who: &str,
    state: &ModelState,
    (score, value, sum): (u32, f32, f32),
    honest: &HonestBlocks,
    n: u64,
    (since, now): (Timestamp, Timestamp),
) -> String {
    let score = (score as usize).min(SCORES - 1);
    format!(
        "{who} asked {} {n} times since {} as one who copies it: {} ({} against {}; {} times the limit that honest clients keep)",
        state.name,
        clock_time(since, now),
        SAID[score],
        number(f64::from(value)),
        number(f64::from(honest.usual(score))),
        number(f64::from(sum / honest.limit())),
    )
}

#[cfg(test)]
mod tests;
