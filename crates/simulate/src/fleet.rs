//! The models that scenarios put into service, healthy.

use wardline_domain::{ModelSettings, Objectives, Timestamp};

use crate::{
    decision::DecisionSpec,
    feature::{FeatureSpec, Shape},
    model::{LabelSpec, ModelSpec, ServingSpec, Shares, TextSpec, VersionSpec},
    rhythm::{OFFICE, Rhythm, WAKING},
};

/// Kinds of document, and how long each is against the median.
pub(crate) const DOCUMENT_LENGTHS: Shares = &[("invoice", 0.8), ("letter", 0.6), ("contract", 2.2), ("report", 1.5)];

/// Sorts messages to a shop's help desk: a text classifier with four classes.
pub(crate) fn ticket_router(from: Timestamp) -> ModelSpec {
    ModelSpec {
        name: "ticket-router",
        service: "router-api",
        versions: vec![VersionSpec::stable("1.4.0", from)],
        rhythm: Rhythm { peak_per_hour: 260.0, hours: WAKING, weekend: 0.7, holidays: Vec::new() },
        users: 4_000,
        visit_length: 1.3,
        channels: &[("web-form", 0.5), ("email", 0.3), ("app", 0.2)],
        attributes: &[("language", &[("de", 0.45), ("en", 0.35), ("fr", 0.2)])],
        features: vec![
            FeatureSpec::new("characters", Shape::PerToken { factor: 5.2 }).decimals(0),
            FeatureSpec::new("upper_case_share", Shape::LogNormal { median: 0.035, spread: 0.4 })
                .within(0.0, 1.0)
                .decimals(3)
                .steadiness(0.4),
            FeatureSpec::new("question_marks", Shape::LogNormal { median: 0.9, spread: 0.6 })
                .within(0.0, 12.0)
                .decimals(0)
                .steadiness(0.2),
        ],
        text: Some(TextSpec { median_tokens: 58.0, spread: 0.55, most_tokens: 512.0, longer_by: None }),
        serving: ServingSpec {
            instances: 2,
            workers: 4,
            base_ms: 21.0,
            spread: 0.18,
            per_token_ms: 0.22,
            tail_share: 0.006,
            error_rate: 0.000_8,
            metrics_every: None,
        },
        decision: DecisionSpec::Classes {
            classes: &[("delivery", 0.42), ("billing", 0.27), ("returns", 0.21), ("account", 0.10)],
            margin: 3.2,
        },
        labels: None,
        settings: objectives(0.995, 150.0),
    }
}

/// Judges card payments: tabular, busy, labels when a charge is disputed or not.
pub(crate) fn card_fraud(from: Timestamp) -> ModelSpec {
    const COUNTRIES: Shares = &[("DE", 0.4), ("FR", 0.2), ("IT", 0.15), ("NL", 0.12), ("ES", 0.08), ("PL", 0.05)];
    ModelSpec {
        name: "card-fraud",
        service: "fraud-api",
        versions: vec![VersionSpec::stable("3.1", from)],
        rhythm: Rhythm { peak_per_hour: 700.0, hours: WAKING, weekend: 1.1, holidays: Vec::new() },
        users: 12_000,
        visit_length: 1.4,
        channels: &[("card-network", 0.55), ("web-shop", 0.3), ("mobile-app", 0.15)],
        attributes: &[("country", COUNTRIES)],
        features: vec![
            FeatureSpec::new("amount", Shape::LogNormal { median: 38.0, spread: 1.0 })
                .within(0.5, 9_000.0)
                .weight(0.7)
                .steadiness(0.3),
            FeatureSpec::new("card_age_days", Shape::LogNormal { median: 620.0, spread: 0.8 })
                .within(1.0, 5_000.0)
                .decimals(0)
                .weight(-0.5)
                .steadiness(0.99),
            FeatureSpec::new("payments_last_hour", Shape::LogNormal { median: 1.1, spread: 0.7 })
                .within(0.0, 60.0)
                .decimals(0)
                .weight(0.6)
                .steadiness(0.2),
            FeatureSpec::new("distance_km", Shape::LogNormal { median: 6.0, spread: 1.5 })
                .within(0.0, 18_000.0)
                .decimals(1)
                .weight(0.5)
                .weekend(0.25)
                .steadiness(0.5),
            FeatureSpec::new(
                "merchant",
                Shape::Category(&[
                    ("grocery", 0.34),
                    ("fuel", 0.17),
                    ("online", 0.27),
                    ("travel", 0.09),
                    ("restaurant", 0.13),
                ]),
            )
            .weekend(0.2)
            .steadiness(0.2),
            FeatureSpec::new("chip_used", Shape::Flag { share: 0.71 }).weight(0.4).steadiness(0.3),
        ],
        text: None,
        serving: ServingSpec {
            instances: 3,
            workers: 8,
            base_ms: 24.0,
            spread: 0.28,
            per_token_ms: 0.0,
            tail_share: 0.004,
            error_rate: 0.000_3,
            metrics_every: None,
        },
        decision: DecisionSpec::Binary { positive: "fraud", negative: "legit", intercept: -4.2, threshold: 0.35 },
        labels: Some(LabelSpec { share: 0.1, mean_delay_hours: 30.0, source: "chargeback-desk" }),
        settings: objectives(0.999, 120.0),
    }
}

/// Reads scanned documents: heavy, by length, on a few instances that report metrics.
pub(crate) fn document_reader(from: Timestamp) -> ModelSpec {
    ModelSpec {
        name: "document-reader",
        service: "reader-api",
        versions: vec![VersionSpec::stable("2.3.1", from)],
        rhythm: Rhythm { peak_per_hour: 210.0, hours: OFFICE, weekend: 0.35, holidays: Vec::new() },
        users: 900,
        visit_length: 1.8,
        channels: &[("scanner", 0.5), ("email", 0.35), ("upload", 0.15)],
        attributes: &[("doc_type", &[("invoice", 0.46), ("letter", 0.28), ("contract", 0.14), ("report", 0.12)])],
        features: vec![
            FeatureSpec::new("characters", Shape::PerToken { factor: 4.6 }).decimals(0),
            FeatureSpec::new("scan_quality", Shape::Normal { mean: 0.82, deviation: 0.08 })
                .within(0.0, 1.0)
                .decimals(3)
                .steadiness(0.5),
        ],
        text: Some(TextSpec {
            median_tokens: 320.0,
            spread: 0.38,
            most_tokens: 8_192.0,
            longer_by: Some(("doc_type", DOCUMENT_LENGTHS)),
        }),
        serving: ServingSpec {
            instances: 3,
            workers: 2,
            base_ms: 85.0,
            spread: 0.2,
            per_token_ms: 0.62,
            tail_share: 0.003,
            error_rate: 0.001_5,
            metrics_every: Some(5 * Timestamp::MINUTE),
        },
        decision: DecisionSpec::Classes {
            classes: &[("pay", 0.44), ("archive", 0.3), ("legal", 0.16), ("ask", 0.1)],
            margin: 2.6,
        },
        labels: None,
        settings: objectives(0.99, 1_900.0),
    }
}

/// Grants credit limits: tabular, with a feature pipeline of its own.
pub(crate) fn credit_limit(from: Timestamp) -> ModelSpec {
    ModelSpec {
        name: "credit-limit",
        service: "limit-api",
        versions: vec![VersionSpec::stable("5.0", from)],
        rhythm: Rhythm { peak_per_hour: 190.0, hours: WAKING, weekend: 0.6, holidays: Vec::new() },
        users: 6_000,
        visit_length: 1.1,
        channels: &[("branch", 0.25), ("web", 0.45), ("app", 0.3)],
        attributes: &[("product", &[("card", 0.6), ("overdraft", 0.4)])],
        features: vec![
            FeatureSpec::new("income_eur", Shape::LogNormal { median: 2_650.0, spread: 0.42 })
                .within(0.0, 40_000.0)
                .decimals(0)
                .weight(0.9)
                .steadiness(0.98),
            FeatureSpec::new("debt_ratio", Shape::Normal { mean: 0.34, deviation: 0.13 })
                .within(0.0, 1.4)
                .decimals(3)
                .weight(-0.8)
                .steadiness(0.9),
            FeatureSpec::new("age", Shape::Normal { mean: 43.0, deviation: 13.0 })
                .within(18.0, 95.0)
                .decimals(0)
                .weight(0.2)
                .weekend(-0.2)
                .steadiness(0.99),
            FeatureSpec::new("account_months", Shape::LogNormal { median: 54.0, spread: 0.9 })
                .within(0.0, 600.0)
                .decimals(0)
                .weight(0.3)
                .steadiness(0.98),
            FeatureSpec::new(
                "employment",
                Shape::Category(&[("salaried", 0.66), ("self-employed", 0.14), ("retired", 0.13), ("student", 0.07)]),
            )
            .steadiness(0.97),
            FeatureSpec::new("late_payments", Shape::LogNormal { median: 0.35, spread: 1.0 })
                .within(0.0, 24.0)
                .decimals(0)
                .weight(-0.5)
                .steadiness(0.9),
        ],
        text: None,
        serving: ServingSpec {
            instances: 2,
            workers: 4,
            base_ms: 33.0,
            spread: 0.24,
            per_token_ms: 0.0,
            tail_share: 0.005,
            error_rate: 0.000_6,
            metrics_every: None,
        },
        decision: DecisionSpec::Binary { positive: "raise", negative: "keep", intercept: 0.2, threshold: 0.5 },
        labels: None,
        settings: objectives(0.995, 140.0),
    }
}

/// Chooses offers for a shop's customers: other people come at weekends.
pub(crate) fn offer_ranker(from: Timestamp) -> ModelSpec {
    const SEGMENTS: Shares = &[("family", 0.35), ("single", 0.3), ("senior", 0.2), ("student", 0.15)];
    ModelSpec {
        name: "offer-ranker",
        service: "offer-api",
        versions: vec![VersionSpec::stable("4.1.0", from)],
        rhythm: Rhythm { peak_per_hour: 420.0, hours: WAKING, weekend: 1.35, holidays: Vec::new() },
        users: 8_000,
        visit_length: 2.2,
        channels: &[("shop", 0.6), ("app", 0.3), ("partner", 0.1)],
        attributes: &[("region", &[("north", 0.3), ("south", 0.3), ("west", 0.25), ("east", 0.15)])],
        features: vec![
            FeatureSpec::new("age", Shape::Normal { mean: 41.0, deviation: 14.0 })
                .within(16.0, 95.0)
                .decimals(0)
                .weight(0.2)
                .weekend(-0.5)
                .steadiness(0.99),
            FeatureSpec::new("basket_eur", Shape::LogNormal { median: 46.0, spread: 0.7 })
                .within(1.0, 3_000.0)
                .weight(0.7)
                .weekend(0.45)
                .steadiness(0.4),
            FeatureSpec::new("visits_last_month", Shape::LogNormal { median: 3.2, spread: 0.7 })
                .within(0.0, 60.0)
                .decimals(0)
                .weight(0.4)
                .weekend(-0.3)
                .steadiness(0.95),
            FeatureSpec::new("segment", Shape::Category(SEGMENTS)).weekend(-0.4).steadiness(0.98),
            FeatureSpec::new("newsletter", Shape::Flag { share: 0.4 }).steadiness(0.98),
        ],
        text: None,
        serving: ServingSpec {
            instances: 2,
            workers: 6,
            base_ms: 19.0,
            spread: 0.25,
            per_token_ms: 0.0,
            tail_share: 0.004,
            error_rate: 0.000_5,
            metrics_every: None,
        },
        decision: DecisionSpec::Binary { positive: "offer", negative: "none", intercept: -0.9, threshold: 0.5 },
        labels: None,
        settings: objectives(0.99, 110.0),
    }
}

/// Objectives that a healthy model keeps with room to spare.
fn objectives(success: f64, latency_p99_ms: f64) -> ModelSettings {
    let objectives =
        Objectives { success: Some(success), latency_p99_ms: Some(latency_p99_ms), ..Objectives::default() };
    ModelSettings { objectives: Some(objectives), ..ModelSettings::default() }
}
