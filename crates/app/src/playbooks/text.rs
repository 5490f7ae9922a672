//! Playbooks and runs as people read them: what is done, who is needed for what, and what to type next.

use std::fmt::Write as _;

use wardline_domain::Timestamp;

use super::{
    BookView, RunState, RunView,
    listed::{StepView, VariableView},
    view::{NeedView, Waits},
};

/// Every playbook, one line each.
pub(crate) fn shelf_text(books: &[BookView]) -> String {
    let width = books.iter().map(|book| book.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for book in books {
        let said = match book.problems.as_slice() {
            [] => book.title.clone(),
            [problem] => format!("cannot be used: {problem}"),
            problems => format!("cannot be used: {} things are wrong with it", problems.len()),
        };
        let from = book.path.as_ref().map_or_else(String::new, |path| format!("  ({path})"));
        let _ = writeln!(text, "{:<width$}  {said}{from}", book.name);
    }
    text.push_str("\nwardline playbook show NAME      what it does, and what it needs\n");
    text.push_str("wardline playbook check FILE     everything that is wrong with a file\n");
    text
}

/// A length of time, in words.
fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    for (unit, size) in [("day", 86_400), ("hour", 3_600), ("minute", 60)] {
        if size <= seconds && seconds.is_multiple_of(size) {
            let number = seconds / size;
            return format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
        }
    }
    format!("{seconds} seconds")
}

/// One playbook, with its steps.
pub(crate) fn book_text(book: &BookView) -> String {
    let mut text = String::new();
    if !book.problems.is_empty() {
        let _ = writeln!(text, "{}: cannot be used", book.name);
        for problem in &book.problems {
            let _ = writeln!(text, "  {problem}");
        }
        return text;
    }
    let _ = writeln!(text, "{}: {}\n{}\n", book.name, book.title, book.description);
    let set = |variable: &VariableView| format!("--set {}={}", variable.name, variable.value.as_deref().unwrap_or("…"));
    let width = book.variables.iter().map(|variable| set(variable).chars().count()).max().unwrap_or(0);
    let mut example = format!("wardline playbook run {} --dry-run", book.name);
    for (title, is_required) in [("It needs", true), ("It can be given", false)] {
        let of_them = book.variables.iter().filter(|variable| variable.value.is_none() == is_required);
        for (number, variable) in of_them.enumerate() {
            if number == 0 {
                let _ = writeln!(text, "{title}");
            }
            let _ = writeln!(text, "  {:<width$}  {}", set(variable), variable.description);
            if is_required {
                let _ = write!(example, " {}", set(variable));
            }
        }
    }
    text.push_str("\nSteps\n");
    book.steps.iter().for_each(|step| text.push_str(&step_text(step)));
    let _ = writeln!(text, "\nGo through it with nothing done:\n  {example}");
    text
}

fn step_text(step: &StepView) -> String {
    let mut text = format!("  {}  {}", step.handle, step.name);
    if !step.what.is_empty() {
        let approval = match (step.is_automatic, step.approvals) {
            (false, 0) => "people do it".to_owned(),
            (_, 0) => "automatic".to_owned(),
            (_, 1) => "1 person approves".to_owned(),
            (_, approvals) => format!("{approvals} people approve"),
        };
        let delay = if step.delay_ms == 0 { String::new() } else { format!(", after {}", span(step.delay_ms)) };
        let _ = write!(text, "  ({approval}{delay}, within {})", span(step.timeout_ms));
    }
    text.push('\n');
    for what in &step.what {
        let _ = writeln!(text, "            {what}");
    }
    for (when, to) in step.leads.iter().filter(|(when, _)| when != "then") {
        let _ = writeln!(text, "            {when}: {to}");
    }
    text
}

/// Runs, one line each.
pub(crate) fn runs_text(runs: &[RunView]) -> String {
    if runs.is_empty() {
        return "no run\n".to_owned();
    }
    let width = runs.iter().map(|run| run.run.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for run in runs {
        let state = if run.dry_run { "dry run" } else { run.state.name() };
        let _ =
            writeln!(text, "{:<width$}  {state:<8}  {}  {}{}", run.run, seconds(run.started), run.title, waiting(run));
    }
    text
}

/// What a run waits for, in a few words.
fn waiting(run: &RunView) -> String {
    let waits: Vec<String> = run.needs.iter().map(|need| format!("{} \"{}\"", verb(need), need.name)).collect();
    match (&run.problem, waits.as_slice()) {
        (Some(problem), _) => problem.clone(),
        (None, []) => String::new(),
        (None, waits) => format!(": {}", waits.join(", ")),
    }
}

const fn verb(need: &NeedView) -> &'static str {
    match need.waits {
        Waits::Approval => "to approve:",
        Waits::Answer => "to do:",
        Waits::Actuator => "at work:",
        Waits::Delay => "waits:",
    }
}

/// A time to the second.
fn seconds(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('.').map_or_else(|| text.clone(), |(whole, _)| format!("{whole}Z"))
}

/// One run: its log, and what it waits for.
pub(crate) fn run_text(run: &RunView) -> String {
    if let Some(problem) = &run.problem {
        return format!("{}: cannot go on: {problem}\n", run.run);
    }
    if run.dry_run {
        return dry_run_text(run);
    }
    let mut text = format!("{}: {}\n{}", run.run, run.title, run.state.name());
    let _ = write!(text, "; begun by {} at {}", run.by, seconds(run.started));
    text.push_str(&run.incident.as_ref().map_or_else(String::new, |incident| format!(", for incident {incident}")));
    text.push_str(&run.alert.as_ref().map_or_else(String::new, |alert| format!(", for alert {alert}")));
    text.push_str("\n\n");
    let width = run.log.iter().map(|record| record.by.chars().count()).max().unwrap_or(0);
    for record in &run.log {
        // What follows from an input is nobody's doing.
        let by = if record.event.is_input() { record.by.as_str() } else { "" };
        if let Some(said) = &record.text {
            let _ = writeln!(text, "  {}  {by:<width$}  {said}", seconds(record.time));
        }
    }
    if !run.needs.is_empty() {
        text.push_str("\nIt waits for\n");
    }
    for need in &run.needs {
        text.push_str(&need_text(&run.run, need));
    }
    text
}

fn need_text(run: &str, need: &NeedView) -> String {
    let until = need.until.map_or_else(String::new, |until| format!(" until {}", seconds(until)));
    let NeedView { name, handle, .. } = need;
    let mut text = match need.waits {
        Waits::Approval => {
            let left = (need.approvals as usize).saturating_sub(need.approved.len());
            let people = if left == 1 { "1 person".to_owned() } else { format!("{left} people") };
            let already = match need.approved.as_slice() {
                [] => String::new(),
                approved => format!(" besides {}", approved.join(", ")),
            };
            format!("  {people}{already} to approve \"{name}\"{until}\n")
        }
        Waits::Answer => format!("  people to do \"{name}\"{until}\n"),
        Waits::Actuator => format!("  an actuator to do \"{name}\"{until}\n"),
        Waits::Delay => format!("  its time: \"{name}\" begins at{}\n", until.trim_start_matches(" until")),
    };
    for what in &need.what {
        let _ = writeln!(text, "    {}", what.replace('\n', "\n    "));
    }
    if let Some(trouble) = &need.trouble {
        let _ = writeln!(text, "    in vain {} times, and tried again: {trouble}", need.attempts);
    }
    match need.waits {
        Waits::Approval => {
            let _ = writeln!(text, "      wardline playbook approve {run} {handle}");
            let _ = writeln!(text, "      wardline playbook reject {run} {handle} --reason \"…\"");
        }
        Waits::Answer => {
            let _ = writeln!(text, "      wardline playbook answer {run} {handle} --done \"…\"");
            let _ = writeln!(text, "      wardline playbook answer {run} {handle} --not-done \"…\"");
        }
        Waits::Actuator | Waits::Delay => {}
    }
    text
}

fn dry_run_text(run: &RunView) -> String {
    let mut text = format!("{}: {}\nA dry run: nothing is done.\n\n", run.playbook, run.title);
    let mut number = 0;
    for record in &run.log {
        let Some(said) = &record.text else { continue };
        match &record.event {
            wardline_respond::playbook::RunEvent::WouldDo { .. } => {
                number += 1;
                let _ = writeln!(text, "{number:>3}. {}", said.replace('\n', "\n     "));
            }
            wardline_respond::playbook::RunEvent::Started { .. } => {}
            _ => {
                let _ = writeln!(text, "   - {said}");
            }
        }
    }
    if run.state == RunState::Done {
        let mut command = format!("wardline playbook run {}", run.playbook);
        for (name, value) in run.values.iter().filter(|(_, value)| !value.is_empty()) {
            let value = if value.contains(' ') { format!("\"{value}\"") } else { value.clone() };
            let _ = write!(command, " --set {name}={value}");
        }
        let _ = writeln!(text, "\nIn earnest:\n  {command}");
    }
    text
}
