//! Watches facts (failed, slow) in the whole model, its versions and its slices, and tells a rise once,
//! with the slices that carry it.

use serde::{Deserialize, Serialize};
use wardline_domain::{Carrier, Span, Timestamp};

use crate::{
    carrier,
    groups::{LEFT_OUT, WHOLE},
    model_state::ModelState,
    rate::{Rate, RateHistory, Rise, RiseDetector, with_odds},
    second::{Fact, Second},
};

/// Active seconds in a week, the unit of the false-alarm budget.
const WEEK_SECONDS: f64 = 604_800.0;
/// A rise goes on until no fresh evidence came for this long.
const QUIET_SPAN: Span = 50 * Timestamp::MINUTE;
/// Evidence a second that counts as fresh: by chance, one in twenty (Markov).
const FRESH_EVIDENCE: f64 = 20.0;
/// Beyond this much, more evidence says nothing more.
const MOST_MARGIN: f64 = 1e100;

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
    /// Events since the onset of the rise that is going on, and of how many the fact held.
    since: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    group: u16,
    fact: usize,
    onset: i64,
    interval: (i64, i64),
    raised: Timestamp,
    confirmed: Timestamp,
    next_report: Timestamp,
    /// By how much all of its evidence exceeds the bar. Each telling rests on seconds after the one before, so evidence
    /// multiplies.
    margin: f64,
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
    /// Chance of as much in one active second, at most.
    pub(crate) p_value: f64,
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
            Some(episode) => self.go_on(state, second.start, episode),
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
                since: (0, 0),
            });
        }
        let Some(watch) = slot else { return };
        watch.history.push(second.start.micros(), events, yes);
        watch.since = (watch.since.0 + u64::from(events), watch.since.1 + u64::from(yes));
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
            confirmed: second.start,
            next_report: second.start.plus(Timestamp::MINUTE),
            margin: evidence.clamp(1.0, MOST_MARGIN),
        };
        self.episode = Some(episode);
        for watch in self.groups.iter_mut().flatten().flatten() {
            watch.detector.reset();
            watch.since = watch.history.since(rise.onset);
        }
        Some(self.report(state, episode, rise))
    }

    /// Tells it again, ever more rarely, as long as fresh evidence comes: the detector begins anew at each
    /// telling. It is over when none came for a while.
    fn go_on(&mut self, state: &ModelState, now: Timestamp, mut episode: Episode) -> Option<RiseReport> {
        if now < episode.next_report {
            return None;
        }
        let watch = self.groups[episode.fact].get_mut(episode.group as usize)?.as_mut()?;
        // While nothing is wrong, the mean of the evidence is at most the seconds since it began.
        let seconds = (now.since(episode.confirmed) as f64 / Timestamp::SECOND as f64).max(1.0);
        let evidence = watch.detector.evidence();
        if evidence < FRESH_EVIDENCE * seconds {
            if now.since(episode.confirmed) > QUIET_SPAN {
                self.end();
            }
            return None;
        }
        watch.detector.reset();
        let (events, yes) = watch.since;
        let waited = now.since(episode.raised);
        episode.next_report = now.plus(waited.clamp(Timestamp::MINUTE, QUIET_SPAN / 2));
        episode.confirmed = now;
        episode.margin = (episode.margin * evidence / seconds).clamp(1.0, MOST_MARGIN);
        self.episode = Some(episode);
        let rise = Rise { onset: episode.onset, interval: episode.interval, events, yes };
        Some(self.report(state, episode, rise))
    }

    fn end(&mut self) {
        self.episode = None;
        for watch in self.groups.iter_mut().flatten().flatten() {
            watch.detector.reset();
        }
    }

    fn report(&self, state: &ModelState, episode: Episode, rise: Rise) -> RiseReport {
        let fact = episode.fact;
        let odds_ratio = self.odds_ratio_of_whole(fact);
        let shares = |group: u16| {
            let watch = self.groups[fact].get(group as usize)?.as_ref()?;
            let (events, yes) = (watch.since.0 as f64, watch.since.1 as f64);
            let normal = watch.rate.share;
            let share = ((yes + 0.5) / (events + 1.0)).max(normal);
            Some(carrier::Excess {
                events,
                excess: yes - normal * events,
                ordinary: (with_odds(normal, odds_ratio) - normal) * events,
                variance: watch.rate.clumping * share * (1.0 - share) * events,
            })
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
            p_value: self.weekly_budget / WEEK_SECONDS / episode.margin,
            version: carrier::version(state, shares),
            carriers: carrier::slices(state, shares),
        }
    }

    /// By how much the odds rose in the whole traffic.
    fn odds_ratio_of_whole(&self, fact: usize) -> f64 {
        let Some(whole) = self.groups[fact].get(WHOLE as usize).and_then(Option::as_ref) else { return 1.0 };
        let odds = |share: f64| share / (1.0 - share).max(1e-9);
        let share = (whole.since.1 as f64 + 0.5) / (whole.since.0 as f64 + 1.0);
        (odds(share) / odds(whole.rate.share).max(1e-9)).max(1.0)
    }

    /// Whether a rise is going on, and since when.
    pub(crate) fn going_on_since(&self) -> Option<Timestamp> {
        self.episode.map(|episode| Timestamp::from_micros(episode.onset))
    }
}
