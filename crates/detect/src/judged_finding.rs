//! What findings from judged predictions have in common: where, since when, who carries it, on how many it rests.

use wardline_domain::{Finding, Slice, Timestamp};

use crate::{
    blame,
    draft::sealed,
    evidence::in_slice,
    groups::VERSION,
    judged_watch::JudgedAlarm,
    model_state::ModelState,
    wording::{carried_by, clock_time, model_and_version, percent},
};

/// The words of one finding.
pub(crate) struct Words {
    /// What happened: `accuracy fell from 93 % to 88 %`.
    pub(crate) what: String,
    /// Whether that says where, too.
    pub(crate) names_place: bool,
    pub(crate) of_what: &'static str,
    /// Share of the predictions that could be judged at all.
    pub(crate) share_kept: f64,
}

/// Until when predictions show what is normal; `None` before the first one.
pub(crate) fn learning_ends(state: &ModelState) -> Option<Timestamp> {
    let learned = state.learned.as_ref().map(|learned| learned.until);
    learned.or_else(|| state.started.map(|started| state.learning_ends(started).0))
}

/// Fills what every such finding has.
pub(crate) fn complete(
    state: &ModelState,
    mut finding: Finding,
    alarm: &JudgedAlarm,
    words: &Words,
    evidence: impl Fn(&Finding) -> String,
) -> Finding {
    let culprits = if alarm.suspects.is_empty() { blame::culprits(&alarm.rows) } else { alarm.suspects.clone() };
    finding.onset = alarm.onset.min(alarm.time);
    finding.onset_interval = (finding.onset, alarm.time);
    (finding.n_observed, finding.n_expected) = (alarm.n, alarm.reference.0);
    finding.p_value = Some((1.0 / alarm.evidence.max(1.0)).min(1.0));
    finding.responsible = blame::carriers(&culprits, &state.entities);
    if let Some(entity) = alarm.entity {
        let (dimension, value) = (state.entities.dimension(entity.0), state.entities.value(entity.0, entity.1));
        if dimension == VERSION {
            finding.version = Some(value.to_owned());
        } else {
            finding.slice = Slice::of(dimension, value);
        }
        let name = format!("{dimension}={value}");
        if !finding.responsible.iter().any(|carrier| carrier.name == name) {
            let carrier = wardline_domain::Carrier { name, share: 1.0, interval: None };
            finding.responsible.insert(0, carrier);
        }
    }
    let sampled = if words.share_kept < 1.0 {
        format!("; a sample of {} of the predictions", percent(words.share_kept))
    } else {
        String::new()
    };
    finding.title = format!(
        "{}{}: {} since {} (n={} {}, normal from {}{sampled}){}",
        model_and_version(&state.name, finding.version.as_deref()),
        if words.names_place { String::new() } else { in_slice(&finding.slice) },
        words.what,
        clock_time(finding.onset, alarm.time),
        alarm.n,
        words.of_what,
        alarm.reference.0,
        if alarm.entity.is_none() { carried_by(&finding.responsible) } else { String::new() },
    );
    finding.evidence = evidence(&finding);
    sealed(finding)
}
