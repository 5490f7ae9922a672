//! Wardline's own metrics: their names, in one place.

use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use wardline_detect::slo::SloCount;

/// Labels of what was refused: closed sets only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    /// The reason's stable name.
    pub(crate) reason: &'static str,
}

/// Labels of what was raised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Kind {
    /// The finding's kind.
    pub(crate) kind: &'static str,
    /// Its severity.
    pub(crate) severity: &'static str,
}

/// Labels of an objective: as many as the settings have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Objective {
    /// The service, or the model.
    pub(crate) service: String,
    /// The objective's name.
    pub(crate) slo: String,
}

/// Labels of what was told: receivers are those of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Delivery {
    /// The notifier.
    pub(crate) receiver: String,
    /// `sent`, `failed` or `dead`.
    pub(crate) outcome: &'static str,
}

/// Counters and gauges of one server.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) events_accepted: Counter,
    pub(crate) events_duplicate: Counter,
    pub(crate) dead_letters: Family<Reason, Counter>,
    pub(crate) requests_unavailable: Counter,
    pub(crate) alerts: Family<Kind, Counter>,
    pub(crate) notifications: Family<Delivery, Counter>,
    pub(crate) acknowledge_seconds: Histogram,
    pub(crate) alert_delay_seconds: Histogram,
    pub(crate) detection_lag_records: Gauge<i64, AtomicI64>,
    pub(crate) tail_bytes: Gauge<i64, AtomicI64>,
    slo_events: Family<Objective, Counter>,
    slo_bad_events: Family<Objective, Counter>,
}

impl Metrics {
    /// Metrics at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("wardline");
        let metrics = Self {
            events_accepted: Counter::default(),
            events_duplicate: Counter::default(),
            dead_letters: Family::default(),
            requests_unavailable: Counter::default(),
            alerts: Family::default(),
            notifications: Family::default(),
            acknowledge_seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 14)),
            alert_delay_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            detection_lag_records: Gauge::default(),
            tail_bytes: Gauge::default(),
            slo_events: Family::default(),
            slo_bad_events: Family::default(),
            registry: Registry::default(),
        };
        registry.register("events_accepted", "Events that are durable", metrics.events_accepted.clone());
        registry.register(
            "events_duplicate",
            "Events that were stored before and are not stored again",
            metrics.events_duplicate.clone(),
        );
        registry.register("dead_letters", "Records that could not be taken in", metrics.dead_letters.clone());
        registry.register("requests_unavailable", "Requests answered with 503", metrics.requests_unavailable.clone());
        registry.register("alerts", "Alerts that were raised", metrics.alerts.clone());
        registry.register(
            "notifications",
            "Notifications, by what came of sending them",
            metrics.notifications.clone(),
        );
        let seconds = Unit::Seconds;
        registry.register_with_unit(
            "acknowledge",
            "From a body's arrival to its acknowledgement",
            seconds,
            metrics.acknowledge_seconds.clone(),
        );
        registry.register_with_unit(
            "alert_delay",
            "From the arrival of the event that decided to the stored alert",
            Unit::Seconds,
            metrics.alert_delay_seconds.clone(),
        );
        registry.register(
            "detection_lag_records",
            "Journal records that detection has yet to see",
            metrics.detection_lag_records.clone(),
        );
        registry.register_with_unit(
            "tail",
            "Events in memory that no table holds yet",
            Unit::Bytes,
            metrics.tail_bytes.clone(),
        );
        registry.register("slo_events", "Predictions that an objective counts", metrics.slo_events.clone());
        registry.register(
            "slo_bad_events",
            "Predictions that an objective counts as bad",
            metrics.slo_bad_events.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Takes over what was counted for objectives. One that is set is there from the start, at zero, so that its first
    /// bad event is an increase.
    pub(crate) fn count_slos(&self, counts: &[SloCount]) {
        for count in counts {
            let labels = Objective { service: count.service.clone(), slo: count.slo.clone() };
            self.slo_events.get_or_create(&labels).inner().store(count.events, Ordering::Relaxed);
            self.slo_bad_events.get_or_create(&labels).inner().store(count.bad, Ordering::Relaxed);
        }
    }

    /// All of them in the OpenMetrics text format.
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
