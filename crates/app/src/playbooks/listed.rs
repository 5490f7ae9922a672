//! Playbooks as they are listed, and dry runs that need no server.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_respond::{
    incident::Actor,
    playbook::{Command, Condition, Filled, Playbook, Run, Step, StepKind},
};

use super::{
    Actuators, Book, RunView,
    kept::Origin,
    values::{fit, plain},
    view::{approvals_of, handle},
};

/// A playbook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BookView {
    pub(crate) name: String,
    /// Its file; nothing where it comes with the product.
    pub(crate) path: Option<String>,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) id: String,
    pub(crate) modified: String,
    pub(crate) types: Vec<String>,
    pub(crate) sha256: String,
    /// Everything that is wrong with it; nothing where it can be run.
    pub(crate) problems: Vec<String>,
    /// What is given from outside.
    pub(crate) variables: Vec<VariableView>,
    pub(crate) steps: Vec<StepView>,
}

/// A variable that is given from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VariableView {
    pub(crate) name: String,
    pub(crate) description: String,
    /// What it is where nothing is given; it must be given where nothing stands here.
    pub(crate) value: Option<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepView {
    pub(crate) step: String,
    pub(crate) handle: String,
    pub(crate) name: String,
    /// What it does, with variables in it.
    pub(crate) what: Vec<String>,
    pub(crate) approvals: u32,
    /// Whether an actuator does it.
    pub(crate) is_automatic: bool,
    pub(crate) delay_ms: u64,
    pub(crate) timeout_ms: u64,
    /// Where it goes on: when, and the step.
    pub(crate) leads: Vec<(String, String)>,
}

impl BookView {
    pub(crate) fn of(book: &Book) -> Self {
        let mut view = Self {
            name: book.name.clone(),
            path: book.path.as_ref().map(|path| path.display().to_string()),
            title: String::new(),
            description: String::new(),
            id: String::new(),
            modified: String::new(),
            types: Vec::new(),
            sha256: wardline_respond::chain::sha256(&book.bytes),
            problems: Vec::new(),
            variables: Vec::new(),
            steps: Vec::new(),
        };
        match &book.read {
            Err(problems) => view.problems = problems.iter().map(ToString::to_string).collect(),
            Ok(playbook) => view.fill(playbook),
        }
        view
    }

    fn fill(&mut self, playbook: &Playbook) {
        self.title.clone_from(&playbook.name);
        self.description.clone_from(&playbook.description);
        self.id.clone_from(&playbook.id);
        self.modified.clone_from(&playbook.modified);
        self.types.clone_from(&playbook.types);
        let external = playbook.variables.iter().filter(|(_, variable)| variable.external);
        self.variables = external
            .map(|(name, variable)| VariableView {
                name: plain(name).to_owned(),
                description: variable.description.clone().unwrap_or_default(),
                value: variable.value.clone(),
            })
            .collect();
        self.steps = in_order(playbook).into_iter().filter_map(|id| step_view(playbook, id)).collect();
    }
}

/// Steps in the order in which a run comes to them, branches before what comes after.
fn in_order(playbook: &Playbook) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let mut order = Vec::new();
    for start in std::iter::once(&playbook.start).chain(&playbook.exception) {
        let mut stack = vec![start.as_str()];
        while let Some(id) = stack.pop() {
            let Some((id, step)) = playbook.steps.get_key_value(id) else { continue };
            if !seen.insert(id.as_str()) {
                continue;
            }
            order.push(id.as_str());
            stack.extend(leads(step).into_iter().rev().map(|(_, to)| to));
        }
    }
    order
}

/// Where a step goes on: when, and the step.
fn leads(step: &Step) -> Vec<(String, &str)> {
    let mut leads: Vec<(String, &str)> = match &step.kind {
        StepKind::If { condition, on_true, on_false } => {
            let no = on_false.iter().map(|to| ("otherwise".to_owned(), to.as_str()));
            std::iter::once((format!("where {}", readable(condition)), on_true.as_str())).chain(no).collect()
        }
        StepKind::While { condition, on_true } => {
            vec![(format!("as long as {}", readable(condition)), on_true.as_str())]
        }
        StepKind::Switch { variable, cases } => {
            cases.iter().map(|(value, to)| (format!("where {} is {value}", plain(variable)), to.as_str())).collect()
        }
        StepKind::Parallel { branches } => {
            branches.iter().map(|to| ("at the same time".to_owned(), to.as_str())).collect()
        }
        StepKind::Start | StepKind::End | StepKind::Action { .. } => Vec::new(),
    };
    let flow = &step.flow;
    let then = flow.on_completion.iter().chain(&flow.on_success).map(|to| ("then".to_owned(), to.as_str()));
    leads.extend(then);
    leads.extend(flow.on_failure.iter().map(|to| ("where it fails".to_owned(), to.as_str())));
    leads
}

/// A condition as people write it: `trained = 'true'`.
fn readable(condition: &Condition) -> String {
    let text = condition.to_string();
    let words = text.split(' ').map(|word| if word.ends_with("__:value") { plain(word) } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn step_view(playbook: &Playbook, id: &str) -> Option<StepView> {
    let step = playbook.steps.get(id)?;
    if matches!(step.kind, StepKind::Start | StepKind::End) {
        return None;
    }
    let commands = match &step.kind {
        StepKind::Action { commands, .. } => commands.as_slice(),
        _ => &[],
    };
    // A value for each variable that reads as the variable does in the file.
    let names = playbook.variables.keys().map(|name| (name.clone(), format!("<{}>", plain(name)))).collect();
    let what =
        |command: &Command| Filled::of(command, &names).map_or_else(|problem| problem, |filled| filled.to_string());
    let name_of = |to: &str| playbook.steps.get(to).map_or(to, |step| step.name.as_str()).to_owned();
    Some(StepView {
        step: id.to_owned(),
        handle: handle(id).to_owned(),
        name: step.name.clone(),
        what: commands.iter().map(what).collect(),
        approvals: approvals_of(playbook, id),
        is_automatic: commands.iter().any(|command| matches!(command, Command::Automatic(_))),
        delay_ms: step.delay_ms,
        timeout_ms: step.timeout_ms,
        leads: leads(step).into_iter().map(|(when, to)| (when, name_of(to))).collect(),
    })
}

/// Goes through a playbook with nothing done and nothing written.
///
/// # Errors
/// Everything that is wrong with the playbook or with the values.
pub(crate) fn dry_run(
    book: &Book,
    given: &BTreeMap<String, String>,
    actuators: &Actuators,
    time: Timestamp,
) -> Result<RunView, Vec<String>> {
    let read = book.read.clone();
    let playbook = read.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let values = fit(&playbook, given, &BTreeMap::new())?;
    let by = Actor::Person("you".to_owned());
    let run = Run::start("dry-run", playbook, &values, true, &by, time).map_err(|error| vec![error.to_string()])?;
    Ok(RunView::of(&run, &Origin { name: book.name.clone(), ..Origin::default() }, actuators))
}
