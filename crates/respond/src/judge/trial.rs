//! One trial: every event of two versions in, and at each of them whether to go on, hold, send back or promote.

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_stats::sequential::{BernoulliE, Coin, Direction, McNemarE, Renewed, Sides};

use super::{
    baseline::{Frozen, Learning},
    event::{JudgedEvent, JudgedOutcome, Role},
    fairness::Fairness,
    guard::{Ballot, Count, NotWorse, Rate},
    key::Key,
    latency::Latency,
    outputs::{Decisions, Scores},
    predictions::{Judged, Predictions},
    requests::{Replicas, Requests, Seen, Sessions},
    settings::{Audience, Guardrail, JudgeSettings, Measure, SettingError},
    share::{CountedShare, ShareBounds},
    trace::Trace,
    verdict::{Change, Hold, State},
};

/// Evidence at which a trial holds.
const HOLD_AT: f64 = 20.0;
/// Requests that the version on trial should have answered by now, while it answered none.
const MOST_RUN: f64 = 3.0;
/// Canary requests between two looks at whether it may be promoted.
const BETWEEN_PROMOTIONS: u64 = 16;
/// Labels of the standing version during the trial after which a promotion asks about labels.
const LEAST_LABELS: u64 = 20;

/// The place of a measure in [`Measure::ALL`], and the bit of its vote.
const fn place(measure: Measure) -> usize {
    measure as usize
}

/// A bit for each measure in which an event was bad.
pub type BadIn = u16;

/// One trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub(super) settings: JudgeSettings,
    weights: [f64; Measure::ALL.len()],
    learning: Option<Learning>,
    frozen: Frozen,
    pub(super) share: CountedShare,
    session_share: CountedShare,
    requests: Requests,
    mirrored: Requests,
    sessions: Sessions,
    replicas: Replicas,
    predictions: Predictions,
    pub(super) errors: Rate,
    pub(super) refusals: Rate,
    pub(super) labels: Rate,
    pub(super) latency: Option<Latency>,
    pub(super) scores: Option<Scores>,
    pub(super) decisions: Option<Decisions>,
    pub(super) fairness: Option<Fairness>,
    flips: Renewed<BernoulliE>,
    pub(super) flip_count: Count,
    pairs: Renewed<McNemarE>,
    success: Option<BernoulliE>,
    slow: Option<BernoulliE>,
    /// Each measure's `E`, as it was when it was last computed, and those that have changed since.
    evidence: [f64; Measure::ALL.len()],
    stale: BadIn,
    pub(super) state: State,
    pub(super) hold: Option<Hold>,
    pub(super) canary_requests: u64,
    /// The standing version's requests since the version on trial last answered.
    standing_run: u64,
    pub(super) trace: Trace,
}

impl Trial {
    /// A trial against what was frozen before it; with `None` it is learned from the standing version's first
    /// events, and until then latencies, scores and decisions do not count.
    ///
    /// # Errors
    /// [`SettingError`] where a setting cannot be.
    pub fn new(
        settings: JudgeSettings,
        frozen: Option<Frozen>,
        plan: Option<f64>,
        audience: Audience,
    ) -> Result<Self, SettingError> {
        settings.check()?;
        let rate = |coin: Option<Coin>| {
            let not_worse = NotWorse::new(settings.excluded_ratio, settings.margin);
            coin.zip(not_worse).map(|(coin, not_worse)| Rate::new(coin, not_worse))
        };
        let wrong = || SettingError { key: "tolerated_ratio", found: settings.tolerated_ratio, expected: "a ratio" };
        let errors = rate(Coin::new(settings.tolerated_ratio)).ok_or_else(wrong)?;
        let labels = rate(Coin::fine(settings.tolerated_ratio)).ok_or_else(wrong)?;
        let flips = BernoulliE::new(settings.tolerated_flips, Direction::Increase).ok_or_else(wrong)?;
        let objective = |p0: f64| BernoulliE::new(p0, Direction::Increase);
        let mut trial = Self {
            weights: weights(&settings, frozen.as_ref(), audience),
            learning: frozen.is_none().then(Learning::default),
            share: CountedShare::new(plan),
            session_share: CountedShare::new(plan),
            requests: Requests::default(),
            mirrored: Requests::default(),
            sessions: Sessions::new(settings.sticky),
            replicas: Replicas::default(),
            predictions: Predictions::default(),
            refusals: errors.clone(),
            errors,
            labels,
            latency: None,
            scores: None,
            decisions: None,
            fairness: None,
            flips: Renewed::new(flips),
            flip_count: Count::default(),
            pairs: Renewed::new(McNemarE::new(Sides::Above)),
            success: settings.success.and_then(|success| objective(1.0 - success)),
            slow: settings.latency_ms.and_then(|_| objective(settings.latency_budget)),
            evidence: [1.0; Measure::ALL.len()],
            stale: 0,
            state: State::Observe,
            hold: None,
            canary_requests: 0,
            standing_run: u64::MAX,
            trace: Trace::default(),
            frozen: Frozen::default(),
            settings,
        };
        trial.adopt(frozen.unwrap_or_default());
        Ok(trial)
    }

    fn adopt(&mut self, frozen: Frozen) {
        self.replicas = Replicas::warm(frozen.replicas.iter().copied());
        self.latency = Latency::new(&frozen, &self.settings);
        self.scores = Scores::new(&frozen, &self.settings);
        self.decisions = Decisions::new(&frozen, &self.settings);
        self.fairness = Fairness::new(&frozen, &self.settings);
        self.frozen = frozen;
    }

    /// Where the trial stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the trial is compared with.
    pub const fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Requests that the version on trial has answered.
    pub const fn canary_requests(&self) -> u64 {
        self.canary_requests
    }

    /// Another share was asked for: at a step of the rollout.
    pub fn plan(&mut self, percent: f64) {
        self.share.plan(Some(percent / 100.0));
        self.session_share.plan(Some(percent / 100.0));
    }

    /// Takes one prediction; answers in which measures it was bad, and the change of state where there is one.
    pub fn observe(&mut self, event: &JudgedEvent) -> (BadIn, Option<Change>) {
        if self.state.is_final() {
            return (0, None);
        }
        if event.role == Role::Shadow {
            return (self.mirror(event), self.decide(event.time, event.role));
        }
        if !self.requests.is_new(event.request) {
            return (0, None);
        }
        self.learn(event);
        let share = self.share.bounds();
        let seen = self.sessions.see(event.session, event.role, event.time, share.map_or(0.5, |share| share.high));
        let is_sticky = !event.session.is_none() && self.sessions.is_sticky();
        let bounds = if is_sticky { self.session_share.bounds() } else { share };
        let judged = self.predictions.remember(event, bounds);
        let mut bad = judged.map_or(0, |judged| self.judge(judged));
        if self.predictions.join(event).is_some_and(|differs| self.flip(differs)) {
            bad |= 1 << place(Measure::Flips);
        }
        // The share for a request comes from those before it, so it is counted last.
        if let Some(bounds) = bounds.filter(|bounds| !self.is_silent(*bounds)) {
            let is_counted = !is_sticky || seen == Seen::First;
            bad |= self.vote(event, Ballot { role: event.role, is_counted, bounds }, is_sticky);
        }
        let is_canary = event.role == Role::Canary;
        self.share.count(is_canary);
        if seen == Seen::First {
            self.session_share.count(is_canary);
        }
        self.canary_requests += u64::from(is_canary);
        self.standing_run = if is_canary { 0 } else { self.standing_run.saturating_add(1) };
        (bad, self.decide(event.time, event.role))
    }

    /// Takes requests that were good in everything, all of the same moment.
    ///
    /// For simulations: it is the same as that many events without latency, score and decision.
    pub fn observe_good(&mut self, canary: u64, standing: u64, time: Timestamp) -> Option<Change> {
        if self.state.is_final() {
            return None;
        }
        self.errors.observe_good(canary, standing);
        if let Some(success) = &mut self.success {
            success.observe_counts(0, canary);
        }
        self.share.count_many(canary, standing);
        let before = self.canary_requests / BETWEEN_PROMOTIONS;
        self.canary_requests += canary;
        self.standing_run = if canary > 0 { 0 } else { self.standing_run.saturating_add(standing) };
        if self.canary_requests / BETWEEN_PROMOTIONS != before { self.promote(time) } else { None }
    }

    /// Takes an outcome.
    pub fn observe_outcome(&mut self, outcome: &JudgedOutcome) -> (BadIn, Option<Change>) {
        if self.state.is_final() {
            return (0, None);
        }
        let judged = self.predictions.outcome(outcome);
        let bad = judged.map_or(0, |judged| self.judge(judged));
        let role = judged.map_or(Role::Standing, |judged| judged.role);
        (bad, self.decide(outcome.time, role))
    }

    /// Whether the version on trial seems to get nothing: before its first request, and while it has not answered for
    /// three times as many requests as it should. It must not be held against it that the other one then answers all;
    /// and as this is known before each request, leaving those out is fair.
    fn is_silent(&self, bounds: ShareBounds) -> bool {
        self.standing_run as f64 * bounds.low > MOST_RUN
    }

    /// The baseline is learned from the standing version's first events, where there was none before.
    fn learn(&mut self, event: &JudgedEvent) {
        if event.role != Role::Standing {
            return;
        }
        let Some(learning) = &mut self.learning else { return };
        learning.observe(event);
        if let Some(frozen) = learning.freeze() {
            self.learning = None;
            self.adopt(frozen);
        }
    }

    fn vote(&mut self, event: &JudgedEvent, ballot: Ballot, is_sticky: bool) -> BadIn {
        let (mut bad, mut moved) = (0, 0);
        let sessions = &mut self.sessions;
        let mut may_vote = |bit: usize| !is_sticky || sessions.vote(event.session, bit as u32);
        let votes = event.is_error && may_vote(place(Measure::Errors));
        self.errors.observe(ballot, event.is_error, votes);
        mark(&mut bad, Measure::Errors, event.is_error);
        if let Some(is_refusal) = event.is_refusal {
            let votes = is_refusal && may_vote(place(Measure::Refusals));
            self.refusals.observe(ballot, is_refusal, votes);
            mark(&mut bad, Measure::Refusals, is_refusal);
        }
        let is_canary = event.role == Role::Canary;
        if is_canary
            && (ballot.is_counted || votes)
            && let Some(success) = &mut self.success
        {
            success.observe(event.is_error);
        }
        if !event.is_error {
            let is_warming = self.replicas.is_warming(event.instance, self.settings.warm_up_requests);
            if let Some(latency) = self.latency.as_mut().filter(|_| !is_warming) {
                latency.observe(ballot, event.latency_ms, |threshold| may_vote(8 + threshold as usize));
                mark(&mut moved, Measure::Latency, latency.is_slow(event.latency_ms));
                mark(&mut bad, Measure::Latency, latency.is_far(event.latency_ms));
            }
            if is_canary
                && !is_warming
                && ballot.is_counted
                && !event.latency_ms.is_nan()
                && let (Some(slow), Some(limit)) = (&mut self.slow, self.settings.latency_ms)
            {
                slow.observe(event.latency_ms > limit);
            }
            if let Some(scores) = &mut self.scores {
                scores.observe(ballot, event.score);
                mark(&mut moved, Measure::Scores, event.score.is_finite());
            }
            if let Some(decisions) = &mut self.decisions {
                decisions.observe(ballot, event.decision);
                mark(&mut moved, Measure::Decisions, !event.decision.is_none());
            }
            if let Some(fairness) = &mut self.fairness {
                let is_bad = fairness.observe(ballot, event);
                mark(&mut bad, Measure::Fairness, is_bad);
            }
        }
        // Where every event says something, none is "a bad one".
        self.stale |= bad | moved;
        bad
    }

    fn judge(&mut self, judged: Judged) -> BadIn {
        let mut bad = 0;
        if let Some(shadow_is_wrong) = judged.shadow_is_wrong {
            self.pairs.count(1);
            for pairs in self.pairs.copies_mut() {
                pairs.observe(!judged.is_wrong, !shadow_is_wrong);
            }
            mark(&mut bad, Measure::Pairs, shadow_is_wrong && !judged.is_wrong);
        }
        if let Some(bounds) = judged.bounds {
            self.labels.observe(Ballot { role: judged.role, is_counted: true, bounds }, judged.is_wrong, true);
            mark(&mut bad, Measure::Labels, judged.is_wrong);
        }
        self.stale |= bad;
        bad
    }

    fn mirror(&mut self, event: &JudgedEvent) -> BadIn {
        if !self.mirrored.is_new(event.request) {
            return 0;
        }
        match self.predictions.join(event) {
            Some(differs) => u16::from(self.flip(differs)) << place(Measure::Flips),
            None => 0,
        }
    }

    fn flip(&mut self, differs: bool) -> bool {
        self.flip_count.add(differs);
        self.flips.count(1);
        self.flips.copies_mut().iter_mut().for_each(|flips| flips.observe(differs));
        self.stale |= u16::from(differs) << place(Measure::Flips);
        differs
    }

    /// Looks at all evidence. Only a canary's bad event can raise it, or any event where either way counts.
    fn decide(&mut self, time: Timestamp, role: Role) -> Option<Change> {
        let is_off = self.hold.is_none() && self.share.off().is_some();
        if is_off || self.stale != 0 && (role != Role::Standing || self.hold.is_some() || self.may_rise_either_way()) {
            let bound: f64 =
                (0..Measure::ALL.len()).map(|at| self.weights[at] * self.at_most(at).min(690.0).exp()).sum();
            if bound >= HOLD_AT || self.hold.is_some() {
                self.refresh();
            }
            if let Some(change) = self.worse(time) {
                return Some(change);
            }
        }
        if role == Role::Canary && self.canary_requests.is_multiple_of(BETWEEN_PROMOTIONS) {
            return self.promote(time);
        }
        None
    }

    /// Too few of something at the canary shows by the standing version's events.
    const fn may_rise_either_way(&self) -> bool {
        self.scores.is_some() || self.decisions.is_some()
    }

    fn worse(&mut self, time: Timestamp) -> Option<Change> {
        let e = self.combined();
        if e >= 1.0 / self.settings.alpha {
            return Some(self.change(time, State::RollBack, None));
        }
        if self.state == State::Promote {
            return None;
        }
        // A trial that holds goes on once a quarter of the evidence is left, so that it does not do both in turn.
        let part = if self.hold.is_some() { 0.25_f64 } else { 1.0 };
        let least = part.ln() - self.settings.alpha.ln();
        let objective = |e: &Option<BernoulliE>| e.is_some_and(|e| e.log_e() >= least);
        let hold = if e >= part * HOLD_AT {
            Some(Hold::Evidence)
        } else if objective(&self.success) {
            Some(Hold::Success)
        } else if objective(&self.slow) {
            Some(Hold::Latency)
        } else if self.fairness.as_ref().is_some_and(Fairness::has_alarm) {
            Some(Hold::Fairness)
        } else if self.share.off().is_some() {
            Some(Hold::Split)
        } else {
            None
        };
        if hold == self.hold {
            return None;
        }
        let state = if hold.is_some() { State::Hold } else { State::Observe };
        Some(self.change(time, state, hold))
    }

    fn change(&mut self, time: Timestamp, state: State, hold: Option<Hold>) -> Change {
        self.refresh();
        self.state = state;
        self.hold = hold;
        self.trace.sample(time, self.canary_requests, self.combined());
        Change { time, state, hold, e: self.combined(), cause: self.cause(), canary_requests: self.canary_requests }
    }

    /// A bound on the logarithm of a measure's `E`; what has not changed has the one it had.
    fn at_most(&self, at: usize) -> f64 {
        if self.stale & (1 << at) == 0 {
            return self.evidence[at].ln();
        }
        match Measure::ALL[at].0 {
            Measure::Errors => self.errors.at_most(),
            Measure::Latency => self.latency.as_ref().map_or(0.0, Latency::at_most),
            Measure::Refusals => self.refusals.at_most(),
            Measure::Scores => self.scores.as_ref().map_or(0.0, Scores::at_most),
            Measure::Decisions => self.decisions.as_ref().map_or(0.0, Decisions::at_most),
            Measure::Labels => self.labels.at_most(),
            Measure::Fairness => self.fairness.as_ref().map_or(0.0, Fairness::at_most),
            Measure::Flips | Measure::Pairs => self.measured(at).ln(),
        }
    }

    fn measured(&self, at: usize) -> f64 {
        match Measure::ALL[at].0 {
            Measure::Errors => self.errors.e(),
            Measure::Latency => self.latency.as_ref().map_or(1.0, Latency::e),
            Measure::Refusals => self.refusals.e(),
            Measure::Scores => self.scores.as_ref().map_or(1.0, Scores::e),
            Measure::Decisions => self.decisions.as_ref().map_or(1.0, Decisions::e),
            Measure::Labels => self.labels.e(),
            Measure::Flips => self.flips.e(BernoulliE::log_e),
            Measure::Pairs => self.pairs.e(McNemarE::log_e),
            Measure::Fairness => self.fairness.as_ref().map_or(1.0, Fairness::e),
        }
    }

    fn refresh(&mut self) {
        for at in 0..Measure::ALL.len() {
            // Good events move what can fall: flips are renewed with the rest.
            if self.stale & (1 << at) != 0 || matches!(Measure::ALL[at].0, Measure::Flips | Measure::Pairs) {
                self.evidence[at] = self.measured(at);
            }
        }
        self.stale = 0;
    }

    /// `E` of the trial: of each measure by its part of the error rate.
    fn combined(&self) -> f64 {
        self.weights.iter().zip(&self.evidence).map(|(weight, e)| weight * e).sum()
    }

    /// `E` of the trial and of each measure, as of now.
    pub fn evidence(&self) -> (f64, Vec<(Measure, f64)>) {
        let each: Vec<(Measure, f64)> =
            Measure::ALL.iter().enumerate().map(|(at, (measure, ..))| (*measure, self.measured(at))).collect();
        (each.iter().zip(&self.weights).map(|((_, e), weight)| weight * e).sum(), each)
    }

    /// The measure with most of the evidence.
    pub(super) fn cause(&self) -> Measure {
        let part = |at: &usize| self.weights[*at] * self.evidence[*at];
        let strongest = (0..Measure::ALL.len()).max_by(|left, right| part(left).total_cmp(&part(right)));
        strongest.map_or(Measure::Errors, |at| Measure::ALL[at].0)
    }

    fn promote(&mut self, time: Timestamp) -> Option<Change> {
        if self.trace.is_due(self.canary_requests) {
            let e = (0..Measure::ALL.len()).map(|at| self.weights[at] * self.measured(at)).sum();
            self.trace.sample(time, self.canary_requests, e);
        }
        if self.state != State::Observe || self.canary_requests < self.settings.least_requests {
            return None;
        }
        let least = -self.settings.beta.ln();
        if self.not_worse().iter().any(|(_, log_e)| *log_e < least) {
            return None;
        }
        Some(self.change(time, State::Promote, None))
    }

    /// Evidence that each measure which a promotion asks about is not worse, as logarithms.
    pub fn not_worse(&self) -> Vec<(Measure, f64)> {
        let mut all = vec![(Measure::Errors, self.errors.not_worse.log_e())];
        if self.learning.is_some() {
            // Nothing is promoted before there is something to compare with.
            return vec![(Measure::Latency, 0.0)];
        }
        if let Some(latency) = &self.latency {
            all.push((Measure::Latency, latency.log_e_not_worse()));
        }
        if self.frozen.has_texts {
            all.push((Measure::Refusals, self.refusals.not_worse.log_e()));
        }
        if let Some(scores) = &self.scores {
            all.push((Measure::Scores, scores.log_e_not_worse()));
        }
        if let Some(log_e) = self.decisions.as_ref().and_then(Decisions::log_e_not_worse) {
            all.push((Measure::Decisions, log_e));
        }
        if self.labels.counts.standing.all >= LEAST_LABELS {
            all.push((Measure::Labels, self.labels.not_worse.log_e()));
        }
        all.retain(|(measure, _)| self.settings.guardrail(*measure) == Guardrail::RollBack);
        all
    }

    /// A measure's part of the error rate.
    pub(super) const fn part(&self, measure: Measure) -> f64 {
        self.weights[place(measure)]
    }

    /// The pairs in which the version on trial was worse, and better.
    pub(super) fn pair_counts(&self) -> (u64, u64) {
        self.pairs.first().counts()
    }

    /// Between which numbers the canary's share lies.
    pub(super) const fn share_bounds(&self) -> Option<ShareBounds> {
        self.share.bounds()
    }

    /// Segments that are worse off, the surest first; in the long run 5 % of such lists are wrong.
    pub fn segments_worse_off(&self) -> Vec<Key> {
        self.worse_off().into_iter().map(|(segment, ..)| segment).collect()
    }

    /// Segments that are worse off, with `ln E` and counts.
    pub(super) fn worse_off(&self) -> Vec<(Key, f64, super::guard::Counts)> {
        self.fairness.as_ref().map(Fairness::worse_off).unwrap_or_default()
    }
}

fn mark(bad: &mut BadIn, measure: Measure, is_bad: bool) {
    *bad |= u16::from(is_bad) << place(measure);
}

/// Each measure's part of the error rate. What a trial cannot have gives its part to what it has.
fn weights(settings: &JudgeSettings, frozen: Option<&Frozen>, audience: Audience) -> [f64; Measure::ALL.len()] {
    let may_be = |measure: Measure| {
        let known = frozen.is_none_or(|frozen| match measure {
            Measure::Latency => !frozen.latency_ms.is_empty(),
            Measure::Refusals => frozen.has_texts,
            Measure::Scores => !frozen.scores_above.is_empty(),
            Measure::Decisions | Measure::Labels | Measure::Flips | Measure::Pairs => !frozen.decisions.is_empty(),
            Measure::Fairness => !frozen.segments.is_empty(),
            Measure::Errors => true,
        });
        let asked = measure != Measure::Fairness || !settings.segments.is_empty();
        known && asked && settings.guardrail(measure) == Guardrail::RollBack
    };
    let parts = Measure::ALL.map(|(measure, people, copies)| match audience {
        Audience::People if may_be(measure) => people,
        Audience::Copies if may_be(measure) => copies,
        _ => 0.0,
    });
    let sum: f64 = parts.iter().sum();
    // Where everything is only observed, nothing decides.
    parts.map(|part| if sum > 0.0 { part / sum } else { 0.0 })
}
