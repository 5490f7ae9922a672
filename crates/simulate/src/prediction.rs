//! Makes one prediction of a model: its input, its answer, how long it took, and its line.

use wardline_domain::Timestamp;

use crate::{
    Effect,
    decision::Answer,
    feature::{FeatureValue, Shape},
    json_line::JsonLine,
    model::{ModelPlan, ModelSpec, Role, TextSpec},
    random::{Random, mix},
    replica::{Pauses, Replica, Taken},
    rhythm::is_weekend,
};

/// Share of failures, by HTTP status and error type.
const FAILURES: [((i64, &str), f64); 3] =
    [((500, "InternalError"), 0.5), ((503, "UpstreamUnavailable"), 0.3), ((504, "Timeout"), 0.2)];

/// One person's visit: a few predictions that share who and where.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    user: usize,
    session: u64,
    channel: &'static str,
    attributes: Vec<(&'static str, &'static str)>,
}

/// A prediction, and the label that arrives later.
#[derive(Debug)]
pub(crate) struct Predicted {
    /// The line of the prediction.
    pub(crate) line: Vec<u8>,
    /// The line of the outcome, and when it arrives.
    pub(crate) outcome: Option<(Timestamp, Vec<u8>)>,
}

/// Makes predictions of one model.
#[derive(Debug)]
pub(crate) struct Predictor {
    random: Random,
    /// Who the people are: a row of standard normal traits each, one for each feature.
    traits: Vec<f64>,
    /// The instances.
    pub(crate) replicas: Vec<Replica>,
    ids: u64,
}

/// Where one prediction was served.
struct Served<'a> {
    version: &'a str,
    role: Role,
    instance: usize,
}

/// What went into one prediction.
struct Input {
    tokens: Option<i64>,
    features: Vec<(&'static str, FeatureValue)>,
    log_odds: f64,
}

impl Predictor {
    /// A model's people and instances, from a seed.
    pub(crate) fn new(spec: &ModelSpec, seed: u64) -> Self {
        let mut people = Random::new(seed, &format!("{} people", spec.name));
        let traits = (0..spec.users * spec.features.len()).map(|_| people.normal()).collect();
        let replicas =
            (0..spec.serving.instances).map(|index| Replica::new(spec.instance(index), spec.serving.workers)).collect();
        let mut random = Random::new(seed, spec.name);
        let ids = random.bits();
        Self { random, traits, replicas, ids }
    }

    /// Somebody comes.
    pub(crate) fn visit(&mut self, spec: &ModelSpec) -> Visit {
        // The square makes some people come more often than others.
        let user = ((self.random.unit().powi(2) * spec.users as f64) as usize).min(spec.users.saturating_sub(1));
        let mut choose = |shares: &'static [(&'static str, f64)]| shares[self.random.weighted(shares)].0;
        let channel = choose(spec.channels);
        let attributes = spec.attributes.iter().map(|(name, shares)| (*name, choose(shares))).collect();
        Visit { user, session: self.random.bits(), channel, attributes }
    }

    /// Microseconds until the same visit's next prediction; `None` when it ends.
    pub(crate) fn next_in_visit(&mut self, visit_length: f64) -> Option<i64> {
        self.random.chance(1.0 - 1.0 / visit_length).then(|| (self.random.exponential(45.0) * 1e6) as i64 + 1)
    }

    /// The time of the next visit.
    pub(crate) fn next_visit(&mut self, spec: &ModelSpec, time: Timestamp) -> Timestamp {
        spec.rhythm.next_visit(time, spec.visit_length, &mut self.random)
    }

    /// The lines of every instance's metrics.
    pub(crate) fn metrics(&mut self, plan: &ModelPlan, time: Timestamp, since: i64) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for replica in &mut self.replicas {
            let name = replica.name.clone();
            let pauses = plan.injections.iter().filter(|injection| injection.is_on(time)).find_map(|injection| {
                let here = injection.scope.holds("", |dimension| (dimension == "instance").then_some(name.as_str()));
                if here { pauses_of(&injection.effect, injection.from) } else { None }
            });
            lines.extend(replica.metrics(time, since, plan.spec.service, pauses, &mut self.random));
        }
        lines
    }

    /// One prediction; `None` where none arrives.
    pub(crate) fn predict(&mut self, plan: &ModelPlan, time: Timestamp, visit: &Visit) -> Option<Predicted> {
        let spec = &plan.spec;
        let version = spec.version_at(time, self.random.unit())?;
        let instance = self.random.below(self.replicas.len());
        let served = Served { version: &version.name, role: version.role, instance };
        let name = self.replicas.get(instance)?.name.clone();
        let effects: Vec<(&Effect, Timestamp)> = plan
            .injections
            .iter()
            .filter(|injection| {
                injection.is_on(time)
                    && injection.scope.holds(served.version, |dimension| visit.value(dimension, &name))
            })
            .map(|injection| (&injection.effect, injection.from))
            .collect();
        if effects.iter().any(|(effect, _)| **effect == Effect::Silence) {
            return None;
        }
        let input = self.input(spec, time, visit, &effects);
        let taken = self.serve(spec, time, instance, input.tokens, &effects);
        let failure = self.failure(spec, &effects);
        let answer = spec.decision.answer(input.log_odds, &mut self.random);
        self.ids = self.ids.wrapping_add(1);
        let id = format!("{:016x}", mix(self.ids));

        let mut line = JsonLine::new(time);
        line.text("id", &id);
        write_serving(&mut line, spec, &served, &name, failure, taken);
        write_request(&mut line, visit, &input);
        if failure.is_none() {
            write_answer(&mut line, &answer);
        }
        let outcome = if failure.is_none() { self.outcome(spec, time, &id, &answer) } else { None };
        Some(Predicted { line: line.finish(), outcome })
    }

    fn input(&mut self, spec: &ModelSpec, time: Timestamp, visit: &Visit, effects: &[(&Effect, Timestamp)]) -> Input {
        let tokens = spec.text.as_ref().map(|text| self.tokens(text, visit, effects));
        let mut log_odds = 0.0;
        let mut features = Vec::with_capacity(spec.features.len());
        for (index, feature) in spec.features.iter().enumerate() {
            let person = self.traits[visit.user * spec.features.len() + index];
            let weekend = if is_weekend(time) { feature.weekend } else { 0.0 };
            let latent =
                feature.steadiness.sqrt() * person + (1.0 - feature.steadiness).sqrt() * self.random.normal() + weekend;
            let mut value = feature.value(latent, tokens.unwrap_or(0));
            let mut seen = latent;
            for (effect, _) in effects {
                seen = self.corrupt(feature.name, effect, &mut value, seen);
            }
            if let (FeatureValue::Number(number), Shape::Normal { .. } | Shape::LogNormal { .. }) =
                (&value, &feature.shape)
            {
                seen = feature.latent_of(*number);
            }
            log_odds += feature.weight * seen;
            features.push((feature.name, value));
        }
        Input { tokens, features, log_odds }
    }

    /// Applies an effect to one feature, and gives what the model makes of the value now.
    fn corrupt(&mut self, name: &str, effect: &Effect, value: &mut FeatureValue, seen: f64) -> f64 {
        match effect {
            Effect::WrongUnit { feature, factor } if *feature == name => {
                if let FeatureValue::Number(number) = value {
                    *number = (*number * factor * 1e4).round() / 1e4;
                }
                seen
            }
            Effect::Missing { feature, share } if *feature == name && self.random.chance(*share) => {
                *value = FeatureValue::Null;
                0.0
            }
            Effect::NewCategory { feature, value: new, share } if *feature == name && self.random.chance(*share) => {
                *value = FeatureValue::Text((*new).to_owned());
                0.0
            }
            _ => seen,
        }
    }

    fn tokens(&mut self, text: &TextSpec, visit: &Visit, effects: &[(&Effect, Timestamp)]) -> i64 {
        let by_kind = text.longer_by.and_then(|(attribute, factors)| {
            let value = visit.attribute(attribute)?;
            factors.iter().find(|(name, _)| *name == value).map(|(_, factor)| *factor)
        });
        let longer: f64 = effects
            .iter()
            .map(|(effect, _)| if let Effect::LongerInputs { factor } = effect { *factor } else { 1.0 })
            .product();
        let median = text.median_tokens * by_kind.unwrap_or(1.0) * longer;
        (median * (text.spread * self.random.normal()).exp()).round().clamp(3.0, text.most_tokens) as i64
    }

    fn serve(
        &mut self,
        spec: &ModelSpec,
        time: Timestamp,
        instance: usize,
        tokens: Option<i64>,
        effects: &[(&Effect, Timestamp)],
    ) -> Taken {
        let serving = &spec.serving;
        let mut service_ms = serving.base_ms * (serving.spread * self.random.normal()).exp();
        service_ms += serving.per_token_ms * tokens.unwrap_or(0) as f64;
        if self.random.chance(serving.tail_share) {
            service_ms *= self.random.between(3.0, 6.0);
        }
        let mut pauses: Option<Pauses> = None;
        for (effect, from) in effects {
            match effect {
                Effect::Slower { share, factor } if self.random.chance(*share) => service_ms *= factor,
                other => pauses = pauses.or(pauses_of(other, *from)),
            }
        }
        match self.replicas.get_mut(instance) {
            Some(replica) => replica.serve(time, service_ms, pauses),
            None => Taken { queue_ms: 0.0, total_ms: service_ms },
        }
    }

    fn failure(&mut self, spec: &ModelSpec, effects: &[(&Effect, Timestamp)]) -> Option<(i64, &'static str)> {
        let rate = effects
            .iter()
            .find_map(|(effect, _)| if let Effect::ErrorRate(rate) = effect { Some(*rate) } else { None })
            .unwrap_or(spec.serving.error_rate);
        self.random.chance(rate).then(|| FAILURES[self.random.weighted(&FAILURES)].0)
    }

    fn outcome(
        &mut self,
        spec: &ModelSpec,
        time: Timestamp,
        id: &str,
        answer: &Answer,
    ) -> Option<(Timestamp, Vec<u8>)> {
        let labels = spec.labels.filter(|labels| self.random.chance(labels.share))?;
        let arrives = time.plus(
            (self.random.exponential(labels.mean_delay_hours) * Timestamp::HOUR as f64) as i64 + Timestamp::MINUTE,
        );
        let mut line = JsonLine::new(arrives);
        line.text("kind", "outcome");
        line.text("id", id);
        line.text("label", answer.truth);
        line.text("source", labels.source);
        Some((arrives, line.finish()))
    }
}

impl Visit {
    fn attribute(&self, name: &str) -> Option<&'static str> {
        self.attributes.iter().find(|(attribute, _)| *attribute == name).map(|(_, value)| *value)
    }

    fn value<'a>(&'a self, dimension: &str, instance: &'a str) -> Option<&'a str> {
        match dimension {
            "channel" => Some(self.channel),
            "instance" => Some(instance),
            attribute => self.attribute(attribute),
        }
    }
}

fn pauses_of(effect: &Effect, from: Timestamp) -> Option<Pauses> {
    match effect {
        Effect::Pauses { every_ms, pause_ms } => {
            Some(Pauses { from, every: (every_ms * 1e3) as i64, length: (pause_ms * 1e3) as i64 })
        }
        _ => None,
    }
}

fn write_serving(
    line: &mut JsonLine,
    spec: &ModelSpec,
    served: &Served<'_>,
    instance: &str,
    failure: Option<(i64, &str)>,
    taken: Taken,
) {
    debug_assert!(served.instance < spec.serving.instances);
    line.text("model", spec.name);
    line.text("version", served.version);
    line.text("role", served.role.name());
    line.text("service", spec.service);
    line.text("environment", "prod");
    line.text("instance", instance);
    match failure {
        Some((http_status, error)) => {
            line.text("status", "error");
            line.integer("http_status", http_status);
            line.text("error", error);
        }
        None => {
            line.text("status", "ok");
            line.integer("http_status", 200);
        }
    }
    line.number("latency_ms", taken.total_ms, 1);
    line.number("queue_ms", taken.queue_ms, 1);
}

fn write_request(line: &mut JsonLine, visit: &Visit, input: &Input) {
    if let Some(tokens) = input.tokens {
        line.integer("input_tokens", tokens);
    }
    line.text("user", &format!("u{:05}", visit.user));
    line.text("session", &format!("{:012x}", visit.session >> 16));
    line.text("channel", visit.channel);
    if !visit.attributes.is_empty() {
        line.object("attributes", |inside| {
            for (name, value) in &visit.attributes {
                inside.text(name, value);
            }
        });
    }
    line.object("features", |inside| {
        for (name, value) in &input.features {
            match value {
                FeatureValue::Number(number) => inside.number(name, *number, 4),
                FeatureValue::Text(text) => inside.text(name, text),
                FeatureValue::Flag(flag) => inside.flag(name, *flag),
                FeatureValue::Null => inside.null(name),
            }
        }
    });
}

fn write_answer(line: &mut JsonLine, answer: &Answer) {
    line.number("score", answer.score, 4);
    if !answer.scores.is_empty() {
        line.object("scores", |inside| {
            for (class, share) in &answer.scores {
                inside.number(class, *share, 4);
            }
        });
    }
    line.text("decision", answer.decision);
}
