//! Reads a playbook, and checks it as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{
    APPROVAL_EXTENSION, Command, Flow, Playbook, PlaybookError, Step, StepKind,
    condition::{Condition, is_variable, variables_in},
    model::Variable,
};
use crate::chain::sha256;

/// Most bytes of a playbook.
const MAX_BYTES: usize = 4 << 20;
/// Most steps.
const MAX_STEPS: usize = 2_000;
/// A step that says nothing else has failed after a day.
const DEFAULT_TIMEOUT_MS: u64 = 24 * 3_600 * 1_000;
/// No step takes longer than ninety days.
const MAX_TIMEOUT_MS: u64 = 90 * 24 * 3_600 * 1_000;
/// Most people that a step can ask to approve it.
const MAX_APPROVALS: u64 = 10;

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    spec_version: String,
    id: String,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    playbook_types: Vec<String>,
    created_by: String,
    created: String,
    modified: String,
    #[serde(default)]
    revoked: bool,
    workflow_start: String,
    workflow_exception: Option<String>,
    #[serde(default)]
    playbook_variables: BTreeMap<String, Variable>,
    workflow: BTreeMap<String, StepFile>,
    #[serde(default)]
    agent_definitions: BTreeMap<String, Value>,
    #[serde(default)]
    target_definitions: BTreeMap<String, Value>,
    #[serde(default)]
    extension_definitions: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct StepFile {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    delay: u64,
    timeout: Option<u64>,
    on_completion: Option<String>,
    on_success: Option<String>,
    on_failure: Option<String>,
    #[serde(default)]
    commands: Vec<CommandFile>,
    agent: Option<String>,
    #[serde(default)]
    targets: Vec<String>,
    condition: Option<String>,
    on_true: Option<String>,
    on_false: Option<String>,
    switch: Option<String>,
    #[serde(default)]
    cases: BTreeMap<String, String>,
    #[serde(default)]
    next_steps: Vec<String>,
    #[serde(default)]
    step_extensions: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct CommandFile {
    #[serde(rename = "type")]
    kind: String,
    command: Option<String>,
    content: Option<String>,
}

fn wrong(place: impl Into<String>, problem: impl Into<String>) -> PlaybookError {
    PlaybookError::Wrong { place: place.into(), problem: problem.into() }
}

impl Playbook {
    /// Reads a playbook, and checks it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<PlaybookError>> {
        if MAX_BYTES < bytes.len() {
            let reason = format!("it has {} bytes, and at most {MAX_BYTES} are read", bytes.len());
            return Err(vec![PlaybookError::NotRead(reason)]);
        }
        let not_read = |error: serde_json::Error| vec![PlaybookError::NotRead(error.to_string())];
        let file: File = serde_json::from_slice(bytes).map_err(not_read)?;
        let mut problems = check_head(&file);
        let mut steps = BTreeMap::new();
        for (id, step) in &file.workflow {
            match read_step(id, step, &file) {
                Ok(step) => {
                    steps.insert(id.clone(), step);
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            check_paths(&file, &steps, &mut problems);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            id: file.id,
            name: file.name,
            description: file.description,
            modified: file.modified,
            types: file.playbook_types,
            start: file.workflow_start,
            exception: file.workflow_exception,
            variables: file.playbook_variables,
            steps,
            sha256: sha256(bytes),
        })
    }
}

fn check_head(file: &File) -> Vec<PlaybookError> {
    let mut problems = Vec::new();
    let mut must = |holds: bool, place: &str, problem: &str| {
        if !holds {
            problems.push(wrong(place, problem));
        }
    };
    must(file.kind == "playbook", "type", "must be `playbook`");
    must(file.spec_version == "cacao-2.0", "spec_version", "must be `cacao-2.0`");
    must(is_identifier(&file.id, "playbook"), "id", "must be `playbook--` and a UUID");
    must(is_identifier(&file.created_by, "identity"), "created_by", "must be `identity--` and a UUID");
    must(is_time(&file.created), "created", "must be a UTC time with milliseconds, such as 2026-11-02T06:36:05.995Z");
    must(is_time(&file.modified), "modified", "must be a UTC time with milliseconds, such as 2026-11-02T06:36:05.995Z");
    must(file.created <= file.modified, "modified", "must not be before `created`");
    must(!file.revoked, "revoked", "is true: its author took it back");
    must(!file.name.trim().is_empty(), "name", "is empty");
    must(file.workflow.len() <= MAX_STEPS, "workflow", "has too many steps");
    must(is_identifier(&file.workflow_start, "start"), "workflow_start", "must name a step of type `start`");
    for name in file.playbook_variables.keys() {
        must(is_variable(name), name, "is no name of a variable: write `__name__`");
    }
    for (definitions, kind) in [(&file.agent_definitions, "agent"), (&file.target_definitions, "target")] {
        for (id, definition) in definitions {
            let named = definition.get("type").and_then(Value::as_str).unwrap_or_default();
            must(is_identifier(id, named), id, &format!("must be the type of its {kind} and a UUID"));
            must(definition.get("name").is_some_and(Value::is_string), id, "has no `name`");
        }
    }
    for (id, definition) in &file.extension_definitions {
        must(is_identifier(id, "extension-definition"), id, "must be `extension-definition--` and a UUID");
        for field in ["type", "name", "created_by", "schema", "version"] {
            must(definition.get(field).is_some_and(Value::is_string), id, &format!("has no `{field}`"));
        }
    }
    problems
}

fn read_step(id: &str, step: &StepFile, file: &File) -> Result<Step, Vec<PlaybookError>> {
    let mut problems = Vec::new();
    if !is_identifier(id, &step.kind) {
        problems.push(wrong(id, "must be the type of its step and a UUID"));
    }
    if step.on_completion.is_some() && (step.on_success.is_some() || step.on_failure.is_some()) {
        problems.push(wrong(id, "has `on_completion` beside `on_success` or `on_failure`: keep one or the other"));
    }
    let timeout_ms = step.timeout.unwrap_or(DEFAULT_TIMEOUT_MS);
    if MAX_TIMEOUT_MS < timeout_ms || MAX_TIMEOUT_MS < step.delay {
        problems.push(wrong(id, "waits for more than ninety days"));
    }
    let kind = match kind_of(id, step, file) {
        Ok(kind) if problems.is_empty() => kind,
        Ok(_) => return Err(problems),
        Err(problem) => {
            problems.push(problem);
            return Err(problems);
        }
    };
    let flow = Flow {
        on_completion: step.on_completion.clone(),
        on_success: step.on_success.clone(),
        on_failure: step.on_failure.clone(),
    };
    let name = if step.name.is_empty() { id.to_owned() } else { step.name.clone() };
    Ok(Step { name, description: step.description.clone(), delay_ms: step.delay, timeout_ms, flow, kind })
}

fn kind_of(id: &str, step: &StepFile, file: &File) -> Result<StepKind, PlaybookError> {
    let needs = |field: &Option<String>, name: &str| field.clone().ok_or_else(|| wrong(id, format!("has no `{name}`")));
    let condition = || {
        let text = needs(&step.condition, "condition")?;
        Condition::parse(&text).map_err(|problem| wrong(id, format!("has a condition that is none: {problem}")))
    };
    Ok(match step.kind.as_str() {
        "start" => StepKind::Start,
        "end" => StepKind::End,
        "action" => action(id, step, file)?,
        "if-condition" => StepKind::If {
            condition: condition()?,
            on_true: needs(&step.on_true, "on_true")?,
            on_false: step.on_false.clone(),
        },
        "while-condition" => StepKind::While { condition: condition()?, on_true: needs(&step.on_true, "on_true")? },
        "switch-condition" => {
            let variable = needs(&step.switch, "switch")?;
            let variable = variable.trim_end_matches(":value").to_owned();
            if !is_variable(&variable) || step.cases.is_empty() {
                return Err(wrong(id, "must switch on a variable, and have cases"));
            }
            StepKind::Switch { variable, cases: step.cases.clone() }
        }
        "parallel" if 2 <= step.next_steps.len() => StepKind::Parallel { branches: step.next_steps.clone() },
        "parallel" => return Err(wrong(id, "must have two `next_steps` or more")),
        "playbook-action" => {
            return Err(wrong(id, "calls another playbook, which is not done here: copy its steps into this one"));
        }
        _ => return Err(wrong(id, "has a type that CACAO 2.0 does not know")),
    })
}

fn action(id: &str, step: &StepFile, file: &File) -> Result<StepKind, PlaybookError> {
    let agent = step.agent.as_ref().ok_or_else(|| wrong(id, "has no `agent`"))?;
    if !file.agent_definitions.contains_key(agent) {
        return Err(wrong(id, format!("names the agent `{agent}`, which is not in `agent_definitions`")));
    }
    if let Some(target) = step.targets.iter().find(|target| !file.target_definitions.contains_key(*target)) {
        return Err(wrong(id, format!("names the target `{target}`, which is not in `target_definitions`")));
    }
    if step.commands.is_empty() {
        return Err(wrong(id, "has no commands"));
    }
    let commands = step.commands.iter().map(|command| read_command(id, command)).collect::<Result<Vec<_>, _>>()?;
    let is_automatic = commands.iter().any(|command| matches!(command, Command::Automatic(_)));
    let approvals = step.step_extensions.get(APPROVAL_EXTENSION).map(|extension| {
        extension.get("approvals").and_then(Value::as_u64).filter(|approvals| *approvals <= MAX_APPROVALS)
    });
    let approvals = match approvals {
        None => u32::from(is_automatic),
        Some(Some(approvals)) => approvals as u32,
        Some(None) => return Err(wrong(id, "must say `approvals` as a whole number up to 10 in its extension")),
    };
    if step.step_extensions.keys().any(|extension| !file.extension_definitions.contains_key(extension)) {
        return Err(wrong(id, "uses an extension that is not in `extension_definitions`"));
    }
    Ok(StepKind::Action { commands, approvals })
}

fn read_command(id: &str, command: &CommandFile) -> Result<Command, PlaybookError> {
    match command.kind.as_str() {
        "manual" => command.command.clone().map(Command::Manual).ok_or_else(|| wrong(id, "has a command without text")),
        "http-api" => {
            let content = command.content.as_deref().unwrap_or_default();
            let value: Value = serde_json::from_str(content)
                .map_err(|error| wrong(id, format!("has an `http-api` command whose content is no JSON: {error}")))?;
            // With variables in it, it is an action already: they stand in texts only.
            serde_json::from_value::<wardline_domain::Action>(value.clone())
                .map_err(|error| wrong(id, format!("has an `http-api` command whose content is no action: {error}")))?;
            Ok(Command::Automatic(value))
        }
        other => {
            Err(wrong(id, format!("has a command of type `{other}`: `manual` and `http-api` are carried out here")))
        }
    }
}

/// Checks that every step that is named is there, that every path ends, and that every variable is declared.
fn check_paths(file: &File, steps: &BTreeMap<String, Step>, problems: &mut Vec<PlaybookError>) {
    let mut reached = BTreeSet::new();
    let mut queue: Vec<&str> = vec![&file.workflow_start];
    queue.extend(file.workflow_exception.as_deref());
    while let Some(id) = queue.pop() {
        let Some(step) = steps.get(id) else {
            problems.push(wrong(id, "is named as a step and is not in `workflow`"));
            continue;
        };
        if !reached.insert(id) {
            continue;
        }
        queue.extend(step.flow.all());
        queue.extend(branches(step));
        if !matches!(step.kind, StepKind::End) && step.flow.all().next().is_none() {
            problems.push(wrong(id, "leads nowhere: give it `on_completion` or `on_success`"));
        }
        for name in variables(step) {
            if !file.playbook_variables.contains_key(&name) {
                problems.push(wrong(id, format!("uses `{name}`, which is not in `playbook_variables`")));
            }
        }
    }
    for id in steps.keys().filter(|id| !reached.contains(id.as_str())) {
        problems.push(wrong(id, "is never reached: remove it, or lead to it"));
    }
    if !steps.values().any(|step| matches!(step.kind, StepKind::Action { .. })) {
        problems.push(wrong("workflow", "has no step that does anything"));
    }
}

/// Where branches of a step begin.
fn branches(step: &Step) -> Vec<&str> {
    match &step.kind {
        StepKind::If { on_true, on_false, .. } => {
            std::iter::once(on_true).chain(on_false).map(String::as_str).collect()
        }
        StepKind::While { on_true, .. } => vec![on_true],
        StepKind::Switch { cases, .. } => cases.values().map(String::as_str).collect(),
        StepKind::Parallel { branches } => branches.iter().map(String::as_str).collect(),
        StepKind::Start | StepKind::End | StepKind::Action { .. } => Vec::new(),
    }
}

fn variables(step: &Step) -> Vec<String> {
    match &step.kind {
        StepKind::If { condition, .. } | StepKind::While { condition, .. } => {
            condition.variables().map(str::to_owned).collect()
        }
        StepKind::Switch { variable, .. } => vec![variable.clone()],
        StepKind::Action { commands, .. } => {
            let texts = commands.iter().map(|command| match command {
                Command::Manual(text) => text.clone(),
                Command::Automatic(value) => value.to_string(),
            });
            texts.flat_map(|text| variables_in(&text)).collect()
        }
        StepKind::Start | StepKind::End | StepKind::Parallel { .. } => Vec::new(),
    }
}

/// Whether a text is `kind--UUID`, of a UUID of a version from 1 to 5.
fn is_identifier(text: &str, kind: &str) -> bool {
    let Some(uuid) = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix("--")) else { return false };
    let groups: Vec<&str> = uuid.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    !kind.is_empty()
        && lengths == [8, 4, 4, 4, 12]
        && uuid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        && (b'1'..=b'5').contains(&groups[2].as_bytes()[0])
        && b"89abAB".contains(&groups[3].as_bytes()[0])
}

fn is_time(text: &str) -> bool {
    text.len() == 24 && text.as_bytes()[19] == b'.' && wardline_domain::Timestamp::parse(text).is_ok()
}
