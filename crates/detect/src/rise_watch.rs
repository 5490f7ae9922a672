//! Watches facts (failed, slow) in the whole model, its versions and its slices, and tells a rise once,
//! with the slices that carry it.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Span, Timestamp};

use crate::{
    carrier,
    groups::{LEFT_OUT, WHOLE},
    model_state::ModelState,
    rate::{Rate, RateHistory, Rise, RiseDetector},
    second::{Fact, Second},
};

/// Active seconds in a week, the unit of the false-alarm budget.
const WEEK_SECONDS: f64 = 604_800.0;
/// A rise goes on until the share was tolerable for this long, and for so many events.
const QUIET_SPAN: Span = 10 * Timestamp::MINUTE;
const QUIET_EVENTS: u64 = 100;

/// A fact that is watched, and the ratio of odds below which a rise is of no practical interest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WatchedFact {
    pub(crate) fact: Fact,
    pub(crate) odds_ratio: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct GroupWatch {
    detector: RiseDetector,
    history: RateHistory,
    rate: Rate,
    tolerated: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    group: u16,
    fact: usize,
    onset: i64,
    interval: (i64, i64),
    raised: Timestamp,
    next_report: Timestamp,
}

/// What a detector makes a finding of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RiseReport {
    /// The group in which it was seen first.
    pub(crate) group: u16,
    pub(crate) fact: Fact,
    /// What is normal there.
    pub(crate) rate: Rate,
    pub(crate) rise: Rise,
    /// One in so many active seconds would show as much by chance, at most.
    pub(crate) evidence: f64,
    /// The version that carries it, where more than one serves and one does.
    pub(crate) version: Option<String>,
    /// Slices that carry it.
    pub(crate) carriers: Vec<Carrier>,
}

/// Watches some facts of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RiseWatch {
    facts: Vec<WatchedFact>,
    /// By fact, by group.
    groups: Vec<Vec<Option<GroupWatch>>>,
    /// False alarms that are accepted in a week.
    weekly_budget: f64,
    episode: Option<Episode>,
}

impl RiseWatch {
    pub(crate) fn new(facts: &[WatchedFact], weekly_budget: f64) -> Self {
        Self { facts: facts.to_vec(), groups: vec![Vec::new(); facts.len()], weekly_budget, episode: None }
    }

    /// Takes a second; answers where a rise began, or goes on and is due to be told again.
    pub(crate) fn on_second(&mut self, state: &ModelState, second: &Second) -> Option<RiseReport> {
        let judged = state.groups.n_judged().max(1) as f64;
        let mut alarm: Option<(f64, u16, usize)> = None;
        for fact in 0..self.facts.len() {
            self.observe(state, second, fact, WHOLE, 2.0, &mut alarm);
            for &group in &second.touched {
                self.observe(state, second, fact, group, 2.0 * judged, &mut alarm);
            }
        }
        match self.episode {
            None => {
                let (evidence, group, fact) = alarm?;
                self.begin(state, second, evidence, group, fact)
            }
            Some(episode) => self.go_on(state, second, episode),
        }
    }

    /// Takes one group's counts. Half the budget is the whole's, half is shared by the groups.
    fn observe(
        &mut self,
        state: &ModelState,
        second: &Second,
        fact: usize,
        group: u16,
        weight: f64,
        alarm: &mut Option<(f64, u16, usize)>,
    ) {
        let counts = if group == WHOLE { second.whole } else { second.of(group) };
        let (events, yes) = counts.share(self.facts[fact].fact);
        if events == 0 || group == LEFT_OUT {
            return;
        }
        let WatchedFact { fact: kind, odds_ratio } = self.facts[fact];
        let watches = &mut self.groups[fact];
        if watches.len() <= group as usize {
            watches.resize(group as usize + 1, None);
        }
        let slot = &mut watches[group as usize];
        if slot.is_none() {
            let Some(rate) = state.rate(group, kind) else { return };
            let tolerated = rate.tolerated(odds_ratio);
            *slot = Some(GroupWatch {
                detector: RiseDetector::new(tolerated, rate.clumping),
                history: RateHistory::default(),
                rate,
                tolerated,
            });
        }
        let Some(watch) = slot else { return };
        watch.history.push(second.start.micros(), events, yes);
        let evidence = watch.detector.observe(events, yes);
        let bar = WEEK_SECONDS / self.weekly_budget * weight * self.facts.len() as f64;
        if evidence >= bar && state.groups.is_judged(group) {
            // The group whose evidence exceeds its own bar by most is where the rise shows best.
            let margin = evidence / bar;
            if alarm.is_none_or(|(most, ..)| margin > most) {
                *alarm = Some((margin, group, fact));
            }
        }
    }

    fn begin(
        &mut self,
        state: &ModelState,
        second: &Second,
        evidence: f64,
        group: u16,
        fact: usize,
    ) -> Option<RiseReport> {
        let watch = self.groups[fact].get(group as usize)?.as_ref()?;
        let rise = watch.history.rise(watch.rate.upper.max(watch.rate.share))?;
        let episode = Episode {
            group,
            fact,
            onset: rise.onset,
            interval: rise.interval,
            raised: second.start,
            next_report: second.start.plus(Timestamp::MINUTE),
        };
        self.episode = Some(episode);
        Some(self.report(state, episode, rise, evidence))
    }

    /// Tells it again after 1, 5, 25, 125 … minutes, while it goes on.
    fn go_on(&mut self, state: &ModelState, second: &Second, mut episode: Episode) -> Option<RiseReport> {
        if second.start < episode.next_report {
            return None;
        }
        let watch = self.groups[episode.fact].get(episode.group as usize)?.as_ref()?;
        let (events, yes) = watch.history.since(second.start.plus(-QUIET_SPAN).micros());
        let is_over = second.start.since(episode.raised) >= QUIET_SPAN
            && events >= QUIET_EVENTS
            && (yes as f64) <= watch.tolerated * events as f64;
        if is_over {
            self.end();
            return None;
        }
        let goes_on = (yes as f64) > watch.tolerated * events as f64;
        let waited = second.start.since(episode.raised);
        let step = if goes_on && events > 0 {
            (waited * 4).clamp(Timestamp::MINUTE, 30 * Timestamp::MINUTE)
        } else {
            Timestamp::MINUTE
        };
        episode.next_report = second.start.plus(step);
        self.episode = Some(episode);
        if !goes_on {
            return None;
        }
        let (events, yes) = watch.history.since(episode.onset);
        let rise = Rise { onset: episode.onset, interval: episode.interval, events, yes };
        Some(self.report(state, episode, rise, f64::INFINITY))
    }

    fn end(&mut self) {
        self.episode = None;
        for watch in self.groups.iter_mut().flatten().flatten() {
            watch.detector.reset();
        }
    }

    fn report(&self, state: &ModelState, episode: Episode, rise: Rise, evidence: f64) -> RiseReport {
        let fact = episode.fact;
        let shares = |group: u16| {
            let watch = self.groups[fact].get(group as usize)?.as_ref()?;
            let (events, yes) = watch.history.since(episode.onset);
            Some(carrier::Excess { events: events as f64, excess: yes as f64 - watch.rate.share * events as f64 })
        };
        let rate = self.groups[fact]
            .get(episode.group as usize)
            .and_then(Option::as_ref)
            .map_or(Rate { share: 0.0, upper: 0.0, clumping: 1.0, wander: 0.0, events: 0 }, |watch| watch.rate);
        RiseReport {
            group: episode.group,
            fact: self.facts[fact].fact,
            rate,
            rise,
            evidence,
            version: carrier::version(state, shares),
            carriers: carrier::slices(state, shares),
        }
    }

    /// Whether a rise is going on, and since when.
    pub(crate) fn going_on_since(&self) -> Option<Timestamp> {
        self.episode.map(|episode| Timestamp::from_micros(episode.onset))
    }
}
