//! What is to be done on each course, in which order.

use std::collections::BTreeMap;

use wardline_domain::{Action, ActionRequest};

use super::{log::Course, plan::RolloutPlan};

/// The actuator that tells people: Wardline's own alerts and notifiers.
pub const TELL: &str = "wardline";

/// A stage of a course. Everything in a stage may be done at once; the next one waits for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The share is set.
    Share,
    /// The stream shows it.
    Verify,
    /// Another way to cut the version off, where the first did not.
    Escalate,
    /// The stream shows it.
    VerifyAgain,
    /// A person is paged.
    Page,
    /// The registry is restored, or moved.
    Alias,
    /// The version is labelled.
    Tag,
    /// People are told.
    Tell,
    /// Nothing is left.
    End,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Task {
    pub(super) actuator: String,
    pub(super) request: ActionRequest,
}

/// The tasks of a stage. Ids say rollout, course, stage and actuator, so a task has the same one after a restart.
pub(super) fn tasks(
    rollout: &str,
    plan: &RolloutPlan,
    course: Course,
    step: usize,
    stage: Stage,
    reason: &str,
) -> Vec<Task> {
    let task = |actuator: &str, name: &str, action: Action| Task {
        actuator: actuator.to_owned(),
        request: ActionRequest { id: format!("{rollout}/{name}/{actuator}"), action, reason: reason.to_owned() },
    };
    match stage {
        Stage::Share => {
            let percent = percent_of(plan, course, step);
            let name = if course == Course::Forward { format!("step-{step}") } else { course.name().to_owned() };
            let share = |percent| Action::SetShare {
                model: plan.model.clone(),
                version: plan.version.clone(),
                standing: plan.standing.clone(),
                percent,
            };
            let each = plan.actuators.iter();
            each.map(|actuator| task(actuator, &format!("{name}/share"), share(percent))).collect()
        }
        Stage::Escalate => {
            let action = Action::SetShare {
                model: plan.model.clone(),
                version: plan.version.clone(),
                standing: plan.standing.clone(),
                percent: 0.0,
            };
            plan.escalate_to.iter().map(|actuator| task(actuator, "back/escalate", action.clone())).collect()
        }
        Stage::Alias => {
            registry_task(plan, course).into_iter().map(|(at, action)| task(&at, course.name(), action)).collect()
        }
        Stage::Tag => tag_task(rollout, plan, course, reason)
            .into_iter()
            .map(|(at, action)| task(&at, &format!("{}/tag", course.name()), action))
            .collect(),
        Stage::Page | Stage::Tell => {
            let name = if stage == Stage::Page { "page" } else { "notify" };
            let parameters = BTreeMap::from([
                ("model".to_owned(), plan.model.clone()),
                ("version".to_owned(), plan.version.clone()),
                ("course".to_owned(), course.name().to_owned()),
                ("text".to_owned(), reason.to_owned()),
            ]);
            let action = Action::Named { name: name.to_owned(), parameters };
            vec![task(TELL, &format!("{}/{name}", course.name()), action)]
        }
        Stage::Verify | Stage::VerifyAgain | Stage::End => Vec::new(),
    }
}

/// The share that a course aims at.
pub(super) fn percent_of(plan: &RolloutPlan, course: Course, step: usize) -> f64 {
    match course {
        Course::Forward => plan.steps.get(step).map_or(0.0, |step| step.weight),
        Course::Back => 0.0,
        Course::Through => 100.0,
    }
}

/// On the way back the alias is moved only from the new version, so that nobody else's move is undone.
fn registry_task(plan: &RolloutPlan, course: Course) -> Option<(String, Action)> {
    let registry = plan.registry.as_ref()?;
    let standing = registry.standing.clone().unwrap_or_else(|| plan.standing.clone());
    let version = registry.version.clone().unwrap_or_else(|| plan.version.clone());
    let (version, from) = if course == Course::Back { (standing, version) } else { (version, standing) };
    let action = Action::MoveAlias {
        model: registry.model.clone().unwrap_or_else(|| plan.model.clone()),
        alias: registry.alias.clone(),
        version,
        from: Some(from),
    };
    Some((registry.actuator.clone(), action))
}

fn tag_task(rollout: &str, plan: &RolloutPlan, course: Course, reason: &str) -> Option<(String, Action)> {
    let registry = plan.registry.as_ref()?;
    let key = if course == Course::Back { "wardline.rolled_back" } else { "wardline.promoted" };
    let action = Action::TagVersion {
        model: registry.model.clone().unwrap_or_else(|| plan.model.clone()),
        version: registry.version.clone().unwrap_or_else(|| plan.version.clone()),
        key: key.to_owned(),
        value: format!("{rollout}: {reason}"),
    };
    Some((registry.actuator.clone(), action))
}
