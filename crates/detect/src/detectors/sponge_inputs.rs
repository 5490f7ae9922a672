//! Inputs of one client that take far longer, or far more tokens, than their length explains: made to exhaust the
//! model.
//!
//! - **Method:** the logarithms of latency and of output tokens are learned by the length of the input (mean and
//!   spread for each doubling of `input_tokens`, else of the prompt's bytes). A request is heavy if it lies beyond
//!   three spreads and at three times the mean. Heavy requests of each client are bet on: a CUSUM of the likelihood
//!   ratio of a share of 30 % against twice the learned share (at least 1 %). A client is told only while the
//!   latest requests of at most a fifth of the other clients that asked in the meantime were heavy: else the
//!   service is slow, not the client heavy.
//! - **Fields:** `api_key`, else `user`, else `client_ip`; `latency_ms`, `output_tokens`; `input_tokens`, else
//!   `prompt`.
//! - **False alarms:** the sum must exceed 12, or 1.3 times the most that honest clients reached in the second half
//!   of learning. Fewer than three other clients in the meantime: it waits.
//! - **Least effect:** some five heavy requests in a row, or three of ten over a few dozen.
//! - **Blind spots:** inputs that are as heavy as their length; attacks from most clients at once; requests that
//!   fail early; clients beyond the 1,024 busiest.
//! - **ATLAS:** AML.T0029 (denial of AI service), AML.T0034.001 (resource-intensive queries), AML.T0034 (cost
//!   harvesting).

use arrow::array::{Array, AsArray, Float64Array, StringArray};
use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    client_rows::UsageColumns,
    clients::{ClientTable, Pending},
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    repeats::Repeats,
    wording::{clock_time, number},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "sponge_inputs",
    budget_share: 0.05,
    method: "latency and tokens beyond what the input's length explains, by client",
    atlas: &["AML.T0029", "AML.T0034", "AML.T0034.001"],
    build: |_: &DetectorBudget| Box::new(SpongeInputs::default()),
};

const MOST_CLIENTS: usize = 1_024;
const LENGTHS: usize = 24;
/// What is watched.
const LOADS: usize = 2;
const NAMES: [&str; LOADS] = ["latency_ms", "output_tokens"];
const SAID: [&str; LOADS] = ["took far longer", "made far more tokens"];
/// The fewest requests of a length that it is judged from.
const LEAST_LEARNED: f64 = 50.0;
/// A heavy request is so many spreads and so many times above the mean.
const SPREADS: f64 = 3.0;
const TIMES: f64 = 3.0;
/// The share of heavy requests that is bet on, and the least that is normal.
const ATTACK_SHARE: f64 = 0.3;
const LEAST_SHARE: f64 = 0.01;
const LEAST_LIMIT: f64 = 12.0;
/// The fewest other clients that must have asked in the meantime.
const LEAST_OTHERS: u32 = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct SpongeInputs {
    /// By load and length.
    loads: [Vec<Spread>; LOADS],
    clients: ClientTable<Heaviness, MOST_CLIENTS>,
    /// Requests of the second half of learning, and the heavy ones.
    learned: [(u64, u64); LOADS],
    most_honest: [f64; LOADS],
    pending: Pending,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Spread {
    n: f64,
    mean: f64,
    squares: f64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Heaviness {
    sums: [f64; LOADS],
    /// Since the sum was last zero: when, requests, heavy ones, and the logarithms of how heavy.
    since: [Option<Timestamp>; LOADS],
    requests: [u64; LOADS],
    heavy: [u64; LOADS],
    excess: [f64; LOADS],
    was_heavy: [bool; LOADS],
    told: Option<Repeats>,
}

impl Spread {
    fn learn(&mut self, value: f64) {
        self.n += 1.0;
        let step = value - self.mean;
        self.mean += step / self.n;
        self.squares += step * (value - self.mean);
    }

    /// How far a value is above the mean, if that is heavy.
    fn heavy(&self, value: f64) -> Option<(bool, f64)> {
        let spread = (self.squares / (self.n - 1.0).max(1.0)).sqrt();
        let above = value - self.mean;
        (self.n >= LEAST_LEARNED).then_some((above > (SPREADS * spread).max(TIMES.ln()), above))
    }
}

/// The columns that say how long an input is and how heavy it was.
struct LoadColumns<'a, 's> {
    usage: &'s UsageColumns<'a>,
    latency: Option<&'a Float64Array>,
    prompt: Option<&'a StringArray>,
}

impl<'a, 's> LoadColumns<'a, 's> {
    fn of(rows: &EventRows<'a, 's>) -> Self {
        let prompt = rows.batch.column("prompt").and_then(|array| array.as_string_opt::<i32>());
        Self { usage: rows.usage(), latency: rows.batch.number("latency_ms"), prompt }
    }

    /// Which doubling of the length.
    fn length(&self, row: usize) -> Option<usize> {
        let tokens = self.usage.input_length(row) as u64;
        let bytes =
            || self.prompt.filter(|prompt| prompt.is_valid(row)).map_or(0, |prompt| prompt.value(row).len() as u64);
        let length = if tokens > 0 { tokens } else { bytes() };
        (length > 0).then(|| (length.ilog2() as usize).min(LENGTHS - 1))
    }

    fn loads(&self, row: usize) -> [Option<f64>; LOADS] {
        let latency = self.latency.filter(|latency| latency.is_valid(row)).map(|latency| latency.value(row));
        let logarithm = |value: f64| (value > 0.0 && value.is_finite()).then(|| value.ln());
        [latency.and_then(logarithm), logarithm(self.usage.output_length(row))]
    }
}

impl Detector for SpongeInputs {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference {
            return;
        }
        let Some(columns) = rows.clients() else { return };
        let loads = LoadColumns::of(rows);
        let now = state.second.start;
        let is_watching = state.phase == Phase::Watching;
        let is_late = state.started.is_some_and(|started| now.since(started) >= state.learning_span(started) / 2);
        for row in rows.range.clone() {
            let (Some(name), Some(length)) = (rows.client(row), loads.length(row)) else { continue };
            let values = loads.loads(row);
            if values.iter().all(Option::is_none) {
                continue;
            }
            let Some(client) = self.clients.ask(state.client_room, columns, &name, row, now, Heaviness::default) else {
                continue;
            };
            for (load, value) in values.into_iter().enumerate() {
                let Some(value) = value else { continue };
                self.loads[load].resize(LENGTHS, Spread::default());
                let spread = &mut self.loads[load][length];
                let heavy = spread.heavy(value);
                if !is_watching {
                    spread.learn(value);
                }
                let Some((is_heavy, above)) = heavy.filter(|_| is_watching || is_late) else { continue };
                let usual = usual_share(self.learned[load]);
                let sum = client.habit.add(load, is_heavy, above, usual, now);
                if !is_watching {
                    self.learned[load].0 += 1;
                    self.learned[load].1 += u64::from(is_heavy);
                    self.most_honest[load] = self.most_honest[load].max(sum);
                } else if is_heavy && sum >= limit_of(self.most_honest[load]) {
                    self.pending.add(name.key);
                }
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

fn usual_share((requests, heavy): (u64, u64)) -> f64 {
    (2.0 * heavy as f64 / (requests as f64).max(200.0)).clamp(LEAST_SHARE, 0.5 * ATTACK_SHARE)
}

fn limit_of(most_honest: f64) -> f64 {
    (1.3 * most_honest).max(LEAST_LIMIT)
}

impl Heaviness {
    fn add(&mut self, load: usize, is_heavy: bool, above: f64, usual: f64, now: Timestamp) -> f64 {
        let bet = if is_heavy { ATTACK_SHARE / usual } else { (1.0 - ATTACK_SHARE) / (1.0 - usual) };
        self.was_heavy[load] = is_heavy;
        self.sums[load] = (self.sums[load] + bet.ln()).max(0.0);
        if self.sums[load] == 0.0 {
            (self.since[load], self.requests[load], self.heavy[load], self.excess[load]) = (None, 0, 0, 0.0);
        } else {
            self.since[load].get_or_insert(now);
            self.requests[load] += 1;
            self.heavy[load] += u64::from(is_heavy);
            self.excess[load] += if is_heavy { above } else { 0.0 };
        }
        self.sums[load]
    }
}

impl SpongeInputs {
    /// Whether other clients asked since then, and the latest requests of few of them were heavy.
    fn others_are_light(&self, key: u64, load: usize, since: Timestamp) -> bool {
        let (mut all, mut heavy) = (0_u32, 0_u32);
        for (other, client) in self.clients.sorted() {
            if other != key && client.last >= since {
                all += 1;
                heavy += u32::from(client.habit.was_heavy[load]);
            }
        }
        all >= LEAST_OTHERS && f64::from(heavy) <= 0.2 * f64::from(all)
    }

    fn tell(&mut self, state: &ModelState, key: u64, now: Timestamp) -> Option<Finding> {
        let ratio = |load: usize, sums: &[f64; LOADS]| sums[load] / limit_of(self.most_honest[load]);
        let sums = self.clients.get(key)?.habit.sums;
        let load = usize::from(ratio(1, &sums) > ratio(0, &sums));
        let since = self.clients.get(key)?.habit.since[load].unwrap_or(now);
        if !self.others_are_light(key, load, since) {
            return None;
        }
        let effect = ratio(load, &sums);
        let usual = self.learned[load];
        let client = self.clients.get_mut(key)?;
        let heaviness = &mut client.habit;
        if !Repeats::tell(&mut heaviness.told, now, since, 2 * Timestamp::HOUR) {
            return None;
        }
        let heaviness = &client.habit;
        let (requests, heavy) = (heaviness.requests[load], heaviness.heavy[load]);
        let times = (heaviness.excess[load] / heavy.max(1) as f64).exp();
        let mut finding = draft(state, SPEC.name, FindingKind::Cost, NAMES[load], now);
        finding.slice = client.slice();
        finding.responsible = vec![Carrier { name: client.label(), share: 1.0, interval: None }];
        (finding.onset, finding.onset_interval) = (since, (since, now));
        finding.observed = heavy as f64 / requests.max(1) as f64;
        finding.expected = usual.1 as f64 / usual.0.max(1) as f64;
        finding.unit = "share".to_owned();
        (finding.n_observed, finding.n_expected) = (requests, usual.0);
        (finding.effect, finding.effect_name) = (effect, "times_the_limit".to_owned());
        finding.severity = Severity::Ticket;
        finding.atlas = ["AML.T0029", "AML.T0034.001", "AML.T0034"].map(str::to_owned).to_vec();
        finding.title = format!(
            "{heavy} of {requests} requests of {} to {} since {} {} than inputs of their length do, {} times as a rule",
            client.words(),
            state.name,
            clock_time(since, now),
            SAID[load],
            number(times),
        );
        finding.evidence = evidence::usage(&finding);
        Some(sealed(finding))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        client_stream::{Ask, Habit, accused, learning, population, requests, watched},
        stream::{Told, monday},
    };
    use wardline_domain::Timestamp;

    fn told(change: impl Fn(&mut Ask)) -> Told {
        let mut asks = population(8, 40, 40, 12);
        asks.extend(requests(71, "sponge", (Habit::Steady, 240.0), 0..24 * 12, |_, _| {}));
        let from = monday().plus(251 * Timestamp::HOUR);
        asks.iter_mut().filter(|ask| ask.time >= from).for_each(change);
        watched(learning(10), &mut asks, 4_000)
    }

    #[test]
    fn alerts_on_inputs_that_take_far_longer_than_their_length() {
        let found = told(|ask| {
            if ask.client == "sponge" {
                ask.latency_ms *= 12.0;
            }
        });
        assert_eq!(accused(&found, "sponge_inputs"), ["api_key=sponge"]);
    }

    /// Goal: a service that is slow for all, and longer inputs that take longer, accuse nobody.
    #[test]
    fn stays_quiet_on_a_slow_service_and_on_long_inputs() {
        assert_eq!(accused(&told(|ask| ask.latency_ms *= 12.0), "sponge_inputs"), [] as [&str; 0]);
        let longer = told(|ask| {
            if ask.client == "sponge" {
                ask.latency_ms += 0.2 * 3.0 * ask.input_tokens as f64;
                ask.input_tokens *= 4;
            }
        });
        assert_eq!(accused(&longer, "sponge_inputs"), [] as [&str; 0]);
    }
}
