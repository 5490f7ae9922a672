//! `wardline playbook`: lists, checks, shows and runs playbooks, and says to a run what people decide.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, client::Api};
use crate::{
    cli::{PlaybookArguments, PlaybookCommand, PlaybookRunArguments, Remote, StepArguments},
    pipeline,
    playbooks::{
        Actuators, Book, BookView, RunState, RunView, Shelf, book_text, dry_run, run_text, runs_text, shelf_text,
    },
    settings::Settings,
};

/// How long a command waits for actuators before it shows what was done so far.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Deserialize)]
struct Listed {
    playbooks: Vec<BookView>,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Runs {
    runs: Vec<RunView>,
}

pub(super) async fn run(arguments: &PlaybookArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let remote = &arguments.remote;
    match &arguments.command {
        PlaybookCommand::List(list) => {
            let Listed { playbooks, problem } = playbooks(remote, &settings).await?;
            if list.json {
                println!("{}", serde_json::to_string_pretty(&playbooks)?);
            } else {
                print!("{}", shelf_text(&playbooks));
            }
            if let Some(problem) = &problem {
                eprintln!("{problem}");
            }
            let is_good = problem.is_none() && playbooks.iter().all(|book| book.problems.is_empty());
            Ok(if is_good { Outcome::Good } else { Outcome::Wrong })
        }
        PlaybookCommand::Check { file } => check(file),
        PlaybookCommand::Show { playbook, json } => show(playbook, *json, remote, &settings).await,
        PlaybookCommand::Run(run) => start(run, remote, &settings).await,
        PlaybookCommand::Runs(list) => {
            let Runs { runs } = Api::new(remote)?.get("/v1/playbooks/runs", &[]).await?;
            if list.json {
                println!("{}", serde_json::to_string_pretty(&runs)?);
            } else {
                print!("{}", runs_text(&runs));
            }
            Ok(Outcome::Good)
        }
        PlaybookCommand::Status { run, json } => {
            let view = Api::new(remote)?.get(&path_of(run), &[]).await?;
            print_run(&view, *json)
        }
        PlaybookCommand::Approve { step } => say(remote, step, "approve", json!({})).await,
        PlaybookCommand::Reject { step, reason } => say(remote, step, "reject", json!({ "reason": reason })).await,
        PlaybookCommand::Answer { step, done, not_done } => {
            let text = done.as_ref().or(not_done.as_ref());
            say(remote, step, "answer", json!({ "done": done.is_some(), "text": text })).await
        }
        PlaybookCommand::Stop { run, reason } => {
            let path = format!("{}/stop", path_of(run));
            let answer = Api::new(remote)?.ask(&path, &json!({ "reason": reason }), "application/json").await?;
            print!("{}", run_text(&answer.json().await?));
            Ok(Outcome::Good)
        }
    }
}

fn path_of(run: &str) -> String {
    format!("/v1/playbooks/runs/{run}")
}

/// The playbooks of the server, or where none answers, those that this program and its settings know.
async fn playbooks(remote: &Remote, settings: &Settings) -> anyhow::Result<Listed> {
    let api = Api::new(remote)?;
    if api.answers().await {
        return api.get("/v1/playbooks", &[]).await;
    }
    eprintln!("no server answers at {}: these are the playbooks of this program and its settings", remote.url);
    let shelf = Shelf::read(settings.playbooks.folder.as_deref());
    Ok(Listed { playbooks: shelf.books().map(BookView::of).collect(), problem: shelf.problem })
}

fn check(file: &Path) -> anyhow::Result<Outcome> {
    let book = Book::of_file(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let view = BookView::of(&book);
    if !view.problems.is_empty() {
        println!("{}: cannot be used, because of {}:", file.display(), view.problems.len());
        view.problems.iter().for_each(|problem| println!("  {problem}"));
        return Ok(Outcome::Wrong);
    }
    let automatic = view.steps.iter().filter(|step| step.is_automatic).count();
    let needs: Vec<&str> =
        view.variables.iter().filter(|variable| variable.value.is_none()).map(|known| known.name.as_str()).collect();
    println!(
        "{}: good: {}, {} steps, {automatic} of them automatic; it needs {}",
        file.display(),
        view.title,
        view.steps.len(),
        if needs.is_empty() { "no value".to_owned() } else { needs.join(", ") }
    );
    Ok(Outcome::Good)
}

async fn show(playbook: &str, json: bool, remote: &Remote, settings: &Settings) -> anyhow::Result<Outcome> {
    let path = Path::new(playbook);
    let view = if path.is_file() {
        BookView::of(&Book::of_file(path).with_context(|| format!("cannot read `{playbook}`"))?)
    } else {
        let Listed { playbooks, .. } = playbooks(remote, settings).await?;
        let names = playbooks.iter().map(|book| book.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = playbooks.into_iter().find(|book| book.name == playbook);
        found.with_context(|| format!("there is no playbook `{playbook}`; there are {names}"))?
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&view)?);
    } else {
        print!("{}", book_text(&view));
    }
    Ok(if view.problems.is_empty() { Outcome::Good } else { Outcome::Wrong })
}

fn values_of(set: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for pair in set {
        let Some((name, value)) = pair.split_once('=') else {
            bail!("`{pair}` is no value: write --set NAME=VALUE, such as --set model=fraud");
        };
        let name = name.trim().trim_end_matches(":value").trim_matches('_');
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            bail!("`{name}` is set twice: keep one");
        }
    }
    Ok(values)
}

async fn start(arguments: &PlaybookRunArguments, remote: &Remote, settings: &Settings) -> anyhow::Result<Outcome> {
    let values = values_of(&arguments.set)?;
    let api = Api::new(remote)?;
    let path = Path::new(&arguments.playbook);
    let is_file = path.is_file();
    if is_file && !arguments.dry_run {
        bail!(
            "`{}` is a file: go through it with --dry-run, and to run it, put it into the folder that the server's settings name (`playbooks.folder`)",
            path.display()
        );
    }
    let needs_server = !arguments.dry_run || arguments.alert.is_some() || arguments.incident.is_some();
    if is_file || (!needs_server && !api.answers().await) {
        return go_through(arguments, &values, settings);
    }
    let body = json!({
        "playbook": arguments.playbook, "incident": arguments.incident, "alert": arguments.alert,
        "values": values, "dry_run": arguments.dry_run,
    });
    let view: RunView = api.ask("/v1/playbooks/runs", &body, "application/json").await?.json().await?;
    print_run(&settled(&api, view).await?, arguments.json)
}

/// A dry run in this process.
fn go_through(
    arguments: &PlaybookRunArguments,
    values: &BTreeMap<String, String>,
    settings: &Settings,
) -> anyhow::Result<Outcome> {
    let path = Path::new(&arguments.playbook);
    let shelf = Shelf::read(settings.playbooks.folder.as_deref());
    let of_file;
    let book = if path.is_file() {
        of_file = Book::of_file(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        &of_file
    } else {
        let known = || format!("there is no playbook `{}`; there are {}", arguments.playbook, shelf.names());
        shelf.get(&arguments.playbook).with_context(known)?
    };
    match dry_run(book, values, &Actuators::new(settings), pipeline::now()) {
        Ok(view) => print_run(&view, arguments.json),
        Err(problems) => bail!("the playbook `{}` cannot be run like this:\n  {}", book.name, problems.join("\n  ")),
    }
}

async fn say(remote: &Remote, step: &StepArguments, what: &str, mut body: Value) -> anyhow::Result<Outcome> {
    let api = Api::new(remote)?;
    body["step"] = json!(step.step);
    let path = format!("{}/{what}", path_of(&step.run));
    let view: RunView = api.ask(&path, &body, "application/json").await?.json().await?;
    print_run(&settled(&api, view).await?, false)
}

/// The run once its actuators have done what they can, so that what is printed is of use; not later than patience ends.
async fn settled(api: &Api, mut view: RunView) -> anyhow::Result<RunView> {
    let end = Instant::now() + PATIENCE;
    while view.is_at_work() && Instant::now() < end {
        tokio::time::sleep(PAUSE).await;
        view = api.get(&path_of(&view.run), &[]).await?;
    }
    Ok(view)
}

fn print_run(view: &RunView, json: bool) -> anyhow::Result<Outcome> {
    if json {
        println!("{}", serde_json::to_string_pretty(view)?);
    } else {
        print!("{}", run_text(view));
    }
    Ok(if matches!(view.state, RunState::Failed | RunState::Damaged) { Outcome::Wrong } else { Outcome::Good })
}
