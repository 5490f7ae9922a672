//! A key that burns far more than it ever did: stolen, or harvested for its costs.
//!
//! - **Method:** money (where `prices` are set), else tokens, else requests of each client over the last hour, six
//!   hours and day, against the most that it ever used so fast ([`crate::usage`]). The ratio is shared with the
//!   rise of everybody else. It must exceed a limit that is learned: 1.3 times what the first half of learning
//!   would have had to allow the second half for all but one in 200 clients, at least 3 (4 for clients that ask in
//!   bursts) and at most 8. Signs that the key is in other hands lower it to three quarters (one sign) or half
//!   (two): half of the requests come from addresses, from a country or at hours that the client never had in the
//!   days before, or a quarter of the inputs are longer than any before. A sign counts only for clients that were
//!   seen for three days and of whose usual requests at most 5 % show it. The whole model's usage is watched in the
//!   same way, for clients without a past.
//! - **Fields:** `api_key`, else `user`, else `client_ip`; `input_tokens`, `output_tokens`; `client_ip` (its
//!   network), the attribute `country`, `tenant`. Setting: `prices`.
//! - **False alarms:** the limit is conformal among the clients of the learning period; without a sign, an excess
//!   under 2 % of the model's own usual usage tells nothing; clients of less than a week have a higher limit.
//! - **Least effect:** twice the most ever with signs, three times without (four for clients that ask in bursts).
//! - **Blind spots:** a thief that stays within what the owner uses at his busiest; clients of less than a day,
//!   until the whole model uses three times the most ever; clients beyond the 1,024 busiest; abuse that grows by
//!   less than a fifth a day.
//! - **ATLAS:** AML.T0034 (cost harvesting), AML.T0034.000 (excessive queries), AML.T0012 (valid accounts) and
//!   AML.T0055 (unsecured credentials) where the signs speak for other hands.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Finding, FindingKind, RecordKind, Severity, Slice, Span, Timestamp};

use super::{Detector, DetectorBudget, DetectorSpec, EventRows, saved_whole};
use crate::{
    client_rows::UsageColumns,
    clients::{Client, ClientTable},
    draft::{draft, sealed},
    evidence,
    model_state::{ModelState, Phase},
    repeats::Repeats,
    usage::{CELL, Growth, Sightings, Usage, WINDOWS},
    wording::{number, percent, span},
};

pub(super) const SPEC: DetectorSpec = DetectorSpec {
    name: "token_cost",
    budget_share: 0.08,
    method: "usage of each client against the most it ever used so fast, and signs of other hands",
    atlas: &["AML.T0034", "AML.T0034.000", "AML.T0012", "AML.T0055"],
    build: |_: &DetectorBudget| Box::new(TokenCost::default()),
};

/// Most clients of a model whose habits are kept.
const MOST_CLIENTS: usize = 1_024;
/// Bounds of the learned limit.
const LEAST_RATIOS: [f64; 2] = [3.0, 4.0];
const MOST_RATIO: f64 = 8.0;
/// A client asks in bursts if its busiest hour is above so many mean ones.
const BURSTS: f64 = 8.0;
/// Fewer clients of a kind than this: the limit of all.
const LEAST_OF_A_KIND: usize = 8;
/// The limit of the whole model.
const WHOLE_RATIO: f64 = 3.0;
/// So many usual requests more or less are chance.
const SLACK_REQUESTS: f64 = 10.0;
/// The least part of the model's usual usage that an excess without a sign must be.
const LEAST_PART: f64 = 0.02;
/// What is lately is forgotten at this rate a cell.
const KEPT_A_CELL: f32 = 0.75;
/// What has not been seen for so long starts anew.
const QUIET: Span = 2 * Timestamp::HOUR;
const SIGNS: [&str; 4] = [
    "from addresses new to it",
    "from countries new to it",
    "at hours at which it never asked",
    "with inputs longer than it ever sent",
];
/// The share of requests that must show each sign.
const SIGN_SHARES: [f32; 4] = [0.5, 0.5, 0.5, 0.25];

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct TokenCost {
    clients: ClientTable<KeyHabit, MOST_CLIENTS>,
    whole: Usage,
    whole_told: Option<Repeats>,
    /// Whether any request ever had tokens: else requests are counted.
    has_tokens: bool,
    is_halved: bool,
    /// The learned limits: of clients that ask evenly, and of those that ask in bursts.
    limits: Option<[f64; 2]>,
    /// The model's usual usage a microsecond.
    usual_rate: f64,
    /// Clients to judge when the second ends.
    pending: Vec<u64>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct KeyHabit {
    usage: Usage,
    addresses: Sightings,
    countries: Sightings,
    /// By hour of the day, the hour of the first request in it, from one; 0: none yet.
    hours: [u32; 24],
    longest: f64,
    longest_day: i32,
    /// Requests lately, and those that show each sign.
    lately: [f32; 5],
    /// The same of usual requests.
    usual: [u32; 5],
    /// Requests since usage runs high.
    high_requests: u64,
    told: Option<Repeats>,
    is_pending: bool,
}

/// A client or the model above its limit.
struct Excess {
    window: usize,
    used: f64,
    most: f64,
    ratio: f64,
    limit: f64,
}

impl Detector for TokenCost {
    fn on_rows(&mut self, state: &ModelState, rows: &EventRows<'_, '_>, _findings: &mut Vec<Finding>) {
        if rows.batch.kind != RecordKind::Inference {
            return;
        }
        let Some(clients) = rows.clients() else { return };
        let columns = rows.usage();
        let now = state.second.start;
        let is_watching = state.phase == Phase::Watching;
        self.whole.advance(now, growth(is_watching, 7 * Timestamp::DAY));
        for row in rows.range.clone() {
            let Some(name) = rows.client(row) else { continue };
            self.has_tokens |= columns.has_tokens(row);
            let units = if self.has_tokens { columns.units(row, state.settings.prices.as_ref()) } else { 1.0 };
            self.whole.add(units);
            let slack = SLACK_REQUESTS * self.mean_request();
            let Some(client) = self.clients.ask(state.client_room, clients, &name, row, now, KeyHabit::default) else {
                continue;
            };
            let age = now.since(client.first);
            let habit = &mut client.habit;
            habit.advance(now, growth(is_watching, age));
            habit.usage.add(units);
            habit.note_signs(columns, row, now, age, is_watching);
            if is_watching && habit.usage.is_beyond(2.0, slack) {
                habit.high_requests += 1;
                if !habit.is_pending && self.pending.len() < 64 {
                    habit.is_pending = true;
                    self.pending.push(name.key);
                }
            }
        }
    }

    fn on_second(&mut self, state: &ModelState, findings: &mut Vec<Finding>) {
        if state.phase != Phase::Watching {
            return;
        }
        let now = state.second.start;
        for key in std::mem::take(&mut self.pending) {
            self.judge(state, key, now, findings);
        }
        self.whole.advance(now, growth(true, 7 * Timestamp::DAY));
        if self.has_tokens {
            self.judge_whole(state, now, findings);
        }
    }

    fn on_time(&mut self, state: &ModelState, now: Timestamp, _findings: &mut Vec<Finding>) {
        let Some(started) = state.started else { return };
        if !self.is_halved && now.since(started) >= state.learning_span(started) / 2 {
            self.is_halved = true;
            self.whole.halve();
            self.clients.each(|client| client.habit.usage.halve());
        }
        if self.limits.is_none() && state.phase == Phase::Watching {
            self.finish_learning(now.since(started));
        }
    }

    saved_whole!();
}

impl TokenCost {
    fn mean_request(&self) -> f64 {
        self.whole.total / self.whole.requests.max(1) as f64
    }

    fn finish_learning(&mut self, length: Span) {
        let slack = SLACK_REQUESTS * self.mean_request();
        let mut ratios: [Vec<f64>; 2] = Default::default();
        for (_, client) in self.clients.sorted().into_iter().filter(|(_, client)| client.requests >= 50) {
            let usage = &client.habit.usage;
            if let Some(ratio) = usage.growth_in_learning(slack) {
                ratios[usize::from(usage.peak(length) > BURSTS)].push(ratio);
            }
        }
        let all: Vec<f64> = ratios.concat();
        let [even, bursts] = ratios.map(|kind| if kind.len() >= LEAST_OF_A_KIND { kind } else { all.clone() });
        self.limits = Some([limit_of(even, LEAST_RATIOS[0]), limit_of(bursts, LEAST_RATIOS[1])]);
        self.usual_rate = self.whole.total / length.max(Timestamp::HOUR) as f64;
    }

    fn judge(&mut self, state: &ModelState, key: u64, now: Timestamp, findings: &mut Vec<Finding>) {
        let slack = SLACK_REQUESTS * self.mean_request();
        let (whole, usual_rate, learned) =
            (self.whole.clone(), self.usual_rate, self.limits.unwrap_or([MOST_RATIO; 2]));
        let unit = self.unit(state);
        let Some(client) = self.clients.get_mut(key) else { return };
        client.habit.is_pending = false;
        let age = now.since(client.first);
        let signs = client.habit.signs(age);
        let learned = learned[usize::from(client.habit.usage.peak(age) > BURSTS)];
        let excess = (0..WINDOWS.len())
            .filter(|&window| age >= least_age(window))
            .map(|window| {
                let usage = &client.habit.usage;
                let others = (whole.sums[window] - usage.sums[window]) / whole.most[window].max(1e-9);
                let most = usage.most[window] * others.max(1.0);
                let limit = (learned * youth(age) * [1.0, 0.75, 0.5][signs.len().min(2)]).max(2.0);
                let ratio = (usage.sums[window] + slack) / (most + slack);
                Excess { window, used: usage.sums[window], most, ratio, limit }
            })
            .filter(|excess| {
                let part = (excess.used - excess.most) / (usual_rate * length_of(excess.window) as f64).max(1e-9);
                excess.ratio >= excess.limit && (part >= LEAST_PART || !signs.is_empty())
            })
            .max_by(|left, right| (left.ratio / left.limit).total_cmp(&(right.ratio / right.limit)));
        let Some(excess) = excess else { return };
        let onset = client.habit.usage.high_since();
        if Repeats::tell(&mut client.habit.told, now, onset, QUIET) {
            findings.push(client_finding(state, client, &excess, &signs, &unit, &whole, now));
        }
    }

    fn judge_whole(&mut self, state: &ModelState, now: Timestamp, findings: &mut Vec<Finding>) {
        let slack = SLACK_REQUESTS * self.mean_request();
        let limit = WHOLE_RATIO * self.limits.map_or(2.0, |[even, _]| even / LEAST_RATIOS[0]).min(1.7);
        let window = (0..WINDOWS.len()).find(|&window| {
            let is_old = state.started.is_some_and(|started| now.since(started) >= least_age(window));
            is_old && self.whole.sums[window] + slack >= limit * (self.whole.most[window] + slack)
        });
        let Some(window) = window else { return };
        let all = self.clients.sorted();
        if all.iter().any(|(_, client)| client.habit.told.is_some_and(|told| told.quiet_for(now) < Timestamp::DAY)) {
            return;
        }
        let onset = self.whole.high_since();
        if !Repeats::tell(&mut self.whole_told, now, onset, QUIET) {
            return;
        }
        let used = self.whole.sums[window];
        let ratio = (used + slack) / (self.whole.most[window] + slack);
        let excess = Excess { window, used, most: self.whole.most[window], ratio, limit };
        let top = all
            .iter()
            .map(|(_, client)| (client.habit.usage.share_of(&self.whole, window, now), *client))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        findings.push(whole_finding(state, top, &excess, &self.unit(state), now));
    }

    fn unit(&self, state: &ModelState) -> String {
        match &state.settings.prices {
            Some(prices) if self.has_tokens => prices.currency.clone(),
            _ if self.has_tokens => "tokens".to_owned(),
            _ => "requests".to_owned(),
        }
    }
}

impl KeyHabit {
    #[inline]
    fn advance(&mut self, now: Timestamp, growth: Growth) {
        let passed = self.usage.advance(now, growth);
        if passed > 0 {
            let kept = KEPT_A_CELL.powi(i32::try_from(passed).unwrap_or(i32::MAX));
            self.lately.iter_mut().for_each(|count| *count *= kept);
            if self.usage.sums[0] <= self.usage.most[0] {
                self.high_requests = 0;
            }
        }
    }

    /// Counts a request and the signs that it shows.
    #[inline]
    fn note_signs(&mut self, columns: &UsageColumns<'_>, row: usize, now: Timestamp, age: Span, is_watching: bool) {
        let hour = (now.micros().div_euclid(Timestamp::HOUR)) as u32;
        let first = &mut self.hours[now.hour_of_day()];
        let is_new_hour = *first == 0 || hour + 1 < first.saturating_add(48);
        if *first == 0 {
            *first = hour + 1;
        }
        let new_address = columns.network(row).is_some_and(|network| self.addresses.is_new(network, hour));
        let new_country = columns.country(row).is_some_and(|country| self.countries.is_new(country, hour));
        let length = columns.input_length(row);
        let is_longer = length > 1.2 * self.longest;
        self.note_length(length, now, is_watching && age >= 3 * Timestamp::DAY);
        let shown = [true, new_address, new_country, is_new_hour, is_longer];
        let is_calm = self.usage.sums[0] <= self.usage.most[0];
        let is_usual = u32::from(is_calm && age >= 2 * Timestamp::DAY);
        for (sign, _) in shown.into_iter().enumerate().filter(|&(_, is_shown)| is_shown) {
            self.lately[sign] += 1.0;
            self.usual[sign] = self.usual[sign].saturating_add(is_usual);
        }
    }

    fn note_length(&mut self, length: f64, now: Timestamp, is_careful: bool) {
        if length <= self.longest {
            return;
        }
        let day = now.micros().div_euclid(Timestamp::DAY) as i32;
        if !is_careful {
            self.longest = length;
        } else if self.longest_day != day {
            self.longest_day = day;
            self.longest = length.min(1.2 * self.longest);
        }
    }

    /// The signs of other hands: which, and the share of requests lately that show them.
    fn signs(&self, age: Span) -> Vec<(usize, f64)> {
        let [requests, ..] = self.lately;
        let [usual, ..] = self.usual;
        if age < 3 * Timestamp::DAY || requests < 10.0 || usual < 50 {
            return Vec::new();
        }
        let is_full = [self.addresses.is_full(), self.countries.is_full(), false, false];
        (0..SIGNS.len())
            .filter(|&sign| !is_full[sign] && self.lately[sign + 1] >= SIGN_SHARES[sign] * requests)
            .filter(|&sign| f64::from(self.usual[sign + 1]) <= 0.05 * f64::from(usual))
            .map(|sign| (sign, f64::from(self.lately[sign + 1] / requests)))
            .collect()
    }
}

/// 1.3 times what must be allowed so that one in 200 clients of the learning period is above it.
fn limit_of(mut ratios: Vec<f64>, least: f64) -> f64 {
    ratios.sort_unstable_by(|left, right| right.total_cmp(left));
    let allowed = ratios.get(ratios.len() / 200).copied().unwrap_or(1.0);
    (1.3 * allowed).clamp(least, MOST_RATIO)
}

/// How fast a profile may grow: freely while learning, then with care.
fn growth(is_watching: bool, age: Span) -> Growth {
    let factor = match age {
        _ if !is_watching => f64::INFINITY,
        age if age < Timestamp::DAY => f64::INFINITY,
        age if age < 3 * Timestamp::DAY => 2.0,
        _ => 1.2,
    };
    Growth { factor }
}

/// Clients that are known for less than a week have more to show yet.
fn youth(age: Span) -> f64 {
    match age / Timestamp::DAY {
        ..3 => 2.0,
        3..7 => 1.4,
        _ => 1.0,
    }
}

/// How long a client must be known before a window tells anything.
fn least_age(window: usize) -> Span {
    (4 * length_of(window)).clamp(Timestamp::DAY, 3 * Timestamp::DAY)
}

fn length_of(window: usize) -> Span {
    WINDOWS[window] as i64 * CELL
}

fn fill(finding: &mut Finding, excess: &Excess, onset: Timestamp, unit: &str) {
    finding.onset = onset;
    finding.onset_interval = (onset.plus(-CELL), onset.plus(2 * CELL));
    (finding.observed, finding.expected) = (excess.used, excess.most);
    finding.unit = format!("{unit} in {}", span(length_of(excess.window)));
    (finding.effect, finding.effect_name) = (excess.ratio, "ratio".to_owned());
}

fn client_finding(
    state: &ModelState,
    client: &Client<KeyHabit>,
    excess: &Excess,
    signs: &[(usize, f64)],
    unit: &str,
    whole: &Usage,
    now: Timestamp,
) -> Finding {
    let mut finding = draft(state, SPEC.name, FindingKind::Cost, "usage", now);
    let habit = &client.habit;
    finding.slice = client.slice();
    fill(&mut finding, excess, habit.usage.high_since(), unit);
    (finding.n_observed, finding.n_expected) = (habit.high_requests, client.requests - habit.high_requests);
    let share = (excess.used / whole.sums[excess.window].max(1e-9)).clamp(0.0, 1.0);
    finding.responsible = vec![Carrier { name: client.label(), share, interval: None }];
    let is_surely_harmful = signs.len() >= 2 || (excess.ratio >= 2.0 * excess.limit && share >= 0.3);
    finding.severity = if is_surely_harmful { Severity::Page } else { Severity::Ticket };
    finding.atlas = ["AML.T0034", "AML.T0034.000"].map(str::to_owned).to_vec();
    if !signs.is_empty() {
        finding.atlas.extend(["AML.T0012", "AML.T0055"].map(str::to_owned));
    }
    let shown: Vec<String> =
        signs.iter().map(|&(sign, share)| format!("{} of its requests {}", percent(share), SIGNS[sign])).collect();
    let shown = if shown.is_empty() { String::new() } else { format!("; {}", shown.join(", ")) };
    let before = (habit.usage.total - habit.usage.sums[2]).max(0.0);
    let month = 30.0 * before / (now.since(client.first) as f64 / Timestamp::DAY as f64).max(1.0);
    let a_day = excess.used * Timestamp::DAY as f64 / length_of(excess.window) as f64;
    finding.title = format!(
        "{} used {} {unit} of {} within {}, {} times the most it ever did so fast{shown}; at this rate what it uses in a month is gone in {} days (n={})",
        client.words(),
        number(excess.used),
        state.name,
        span(length_of(excess.window)),
        number(excess.used / excess.most.max(1e-9)),
        number(month / a_day.max(1e-9)),
        habit.high_requests,
    );
    finding.evidence = evidence::usage(&finding);
    sealed(finding)
}

fn whole_finding(
    state: &ModelState,
    top: Option<(f64, &Client<KeyHabit>)>,
    excess: &Excess,
    unit: &str,
    now: Timestamp,
) -> Finding {
    let mut finding = draft(state, SPEC.name, FindingKind::Cost, "model_usage", now);
    fill(&mut finding, excess, state.second.start, unit);
    finding.onset = now.plus(-length_of(excess.window));
    finding.onset_interval = (finding.onset, now);
    finding.atlas = ["AML.T0034", "AML.T0034.000"].map(str::to_owned).to_vec();
    let mut carried = String::new();
    if let Some((share, client)) = top.filter(|(share, _)| *share >= 0.3) {
        finding.slice = client.slice();
        finding.responsible = vec![Carrier { name: client.label(), share, interval: None }];
        finding.n_observed = client.requests;
        let days = now.since(client.first) as f64 / Timestamp::DAY as f64;
        carried = format!("; {} of it by {}, known for {} days", percent(share), client.words(), number(days));
    } else {
        finding.slice = Slice::whole();
    }
    finding.title = format!(
        "{} used {} {unit} within {}, {} times the most it ever did so fast{carried}",
        state.name,
        number(excess.used),
        span(length_of(excess.window)),
        number(excess.used / excess.most.max(1e-9)),
    );
    finding.evidence = evidence::usage(&finding);
    sealed(finding)
}

#[cfg(test)]
mod tests;
