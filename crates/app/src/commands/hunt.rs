//! `wardline hunt`: files in, what is wrong with them out. The same detectors as live, at the speed of the disk.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use wardline_adapters::{
    Decoded, SchemaRegistry,
    files::{Files, FilesSettings, time_span},
};
use wardline_detect::{Observed, Watch, WatchSettings};
use wardline_domain::{
    Alert, AlertChange, DeadLetter, Learning, ModelSettings, PrivacyKey, PrivacyPolicy, RecordKind, Severity, Timestamp,
};
use wardline_respond::{
    incident::Triage,
    judge::{DecisionRecord, Trials},
};

use super::{Outcome, hunt_report};
use crate::{
    cli::HuntArguments,
    incidents::{IncidentView, incidents_table, views_of},
    report, rule_files, screen,
    settings::Settings,
};

/// What a hunt read, and what it found.
pub(crate) struct Hunted {
    pub(crate) watch: Watch,
    /// Versions on trial.
    pub(crate) trials: Trials,
    /// Alerts of one cause, joined.
    pub(crate) triage: Triage,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) n_findings: u64,
    pub(crate) n_events: u64,
    pub(crate) by_kind: BTreeMap<RecordKind, u64>,
    pub(crate) dead_letters: BTreeMap<&'static str, Refused>,
    pub(crate) policy: Option<PrivacyPolicy>,
    pub(crate) unreadable: Vec<String>,
    pub(crate) n_bytes: u64,
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    pub(crate) seconds: f64,
}

/// Records that were refused for one reason.
pub(crate) struct Refused {
    pub(crate) count: u64,
    pub(crate) first: DeadLetter,
}

pub(super) fn run(arguments: &HuntArguments, settings: &Settings) -> anyhow::Result<Outcome> {
    let hunted = hunt(&arguments.paths, settings, arguments.learn_until.as_deref(), arguments.no_progress)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&hunted.alerts)?);
    } else {
        print!("{}", screen::alerts_table(&hunted.alerts));
        let incidents = views_of(hunted.triage.incidents());
        if !incidents.is_empty() {
            print!("\n{}", incidents_table(&incidents));
        }
    }
    if let Some(file) = &arguments.incidents {
        let incidents: Vec<IncidentView> = views_of(hunted.triage.incidents());
        std::fs::write(file, serde_json::to_vec_pretty(&incidents)?)
            .with_context(|| format!("cannot write the incidents to `{}`", file.display()))?;
    }
    if arguments.baseline {
        let baselines = hunted.watch.models().filter_map(|model| hunted.watch.baseline(model));
        baselines.for_each(|baseline| print!("{}", baseline.to_text()));
    }
    eprint!("{}", summary(&hunted));
    if let Some(file) = &arguments.report {
        let page = report::render(&hunt_report::input_of(&hunted, &arguments.paths, settings)?)?;
        std::fs::write(file, page).with_context(|| format!("cannot write the report to `{}`", file.display()))?;
        eprintln!("report: {}", file.display());
    }
    if !hunted.unreadable.is_empty() {
        bail!("these files could not be read to their end, and the rest was:\n  {}", hunted.unreadable.join("\n  "));
    }
    let wrong = hunted.alerts.iter().any(|alert| alert.severity > Severity::Info);
    Ok(if wrong { Outcome::Wrong } else { Outcome::Good })
}

/// Reads the files through every detector.
pub(crate) fn hunt(
    paths: &[PathBuf],
    settings: &Settings,
    learn_until: Option<&str>,
    no_progress: bool,
) -> anyhow::Result<Hunted> {
    read_through(paths, settings, watch_settings(paths, settings, learn_until)?, None, no_progress)
}

/// Reads the events of files before a moment through the detectors under given settings.
pub(super) fn read_through(
    paths: &[PathBuf],
    settings: &Settings,
    watch: WatchSettings,
    until: Option<Timestamp>,
    no_progress: bool,
) -> anyhow::Result<Hunted> {
    let started = Instant::now();
    let watch = Watch::new(watch);
    let mut hunted = Hunted {
        watch,
        trials: Trials::new(settings.model_default.clone(), settings.models.clone()),
        triage: Triage::default(),
        alerts: Vec::new(),
        n_findings: 0,
        n_events: 0,
        by_kind: BTreeMap::new(),
        dead_letters: BTreeMap::new(),
        policy: policy(settings)?,
        unreadable: Vec::new(),
        n_bytes: 0,
        span: None,
        seconds: 0.0,
    };
    let mut files = open(paths, settings)?;
    hunted.n_bytes = files.total_bytes();
    let progress = progress(files.total_bytes(), no_progress);
    let mut alerts = BTreeMap::new();
    let mut order = Vec::new();
    while let Some(decoded) = files.next() {
        match decoded {
            Ok(decoded) => hunted.see(before(decoded, until)?, &mut |change| keep(change, &mut alerts, &mut order))?,
            // The other files still come.
            Err(error) => hunted.unreadable.push(error.to_string()),
        }
        progress.set_position(files.bytes_read());
    }
    let observed = hunted.watch.finish();
    let decided = hunted.trials.finish();
    hunted.take(&decided, observed, &mut |change| keep(change, &mut alerts, &mut order));
    progress.finish_and_clear();
    hunted.alerts = order.into_iter().filter_map(|id| alerts.remove(&id)).collect();
    hunted.seconds = started.elapsed().as_secs_f64();
    Ok(hunted)
}

/// What the privacy rules leave of the events, where there are rules: a report is a file like any other.
fn policy(settings: &Settings) -> anyhow::Result<Option<PrivacyPolicy>> {
    if settings.privacy.rules.is_empty() {
        return Ok(None);
    }
    let key = match &settings.privacy.key_file {
        Some(file) => settings.privacy.read_key(file)?,
        // Without a key of the operator's, tokens of this hunt match those of no other.
        None => PrivacyKey::new(rand::random(), settings.privacy.epoch_days),
    };
    Ok(Some(PrivacyPolicy::new(settings.privacy.rules.clone(), key)?))
}

/// Leaves of the events what the policy lets be shown.
pub(super) fn conceal(decoded: &mut Decoded, policy: Option<&PrivacyPolicy>) -> anyhow::Result<()> {
    let Some(policy) = policy else { return Ok(()) };
    for batch in &mut decoded.batches {
        *batch = PrivacyPolicy::for_statistics(batch, &policy.apply(batch)?)?;
    }
    Ok(())
}

/// Opens the files for one reading.
pub(super) fn open(paths: &[PathBuf], settings: &Settings) -> anyhow::Result<Files> {
    let registry = Arc::new(SchemaRegistry::new());
    let reading = FilesSettings { max_line_bytes: settings.intake.max_line_bytes, received: crate::pipeline::now() };
    Ok(Files::open(paths, registry, reading)?)
}

/// What happened before a moment.
fn before(mut decoded: Decoded, until: Option<Timestamp>) -> anyhow::Result<Decoded> {
    let Some(until) = until else { return Ok(decoded) };
    for batch in &mut decoded.batches {
        let keep: arrow::array::BooleanArray =
            batch.times()?.values().iter().map(|time| Some(*time < until.micros())).collect();
        batch.records = arrow::compute::filter_record_batch(&batch.records, &keep)?;
    }
    decoded.batches.retain(|batch| !batch.is_empty());
    Ok(decoded)
}

/// Keeps the latest word on an alert, at the place where it was raised.
fn keep(change: AlertChange, alerts: &mut BTreeMap<String, Alert>, order: &mut Vec<String>) {
    let (AlertChange::Raised(alert) | AlertChange::Extended(alert) | AlertChange::Closed(alert)) = change;
    if alerts.insert(alert.id.clone(), alert.clone()).is_none() {
        order.push(alert.id);
    }
}

impl Hunted {
    fn see(&mut self, mut decoded: Decoded, keep: &mut dyn FnMut(AlertChange)) -> anyhow::Result<()> {
        conceal(&mut decoded, self.policy.as_ref())?;
        for letter in &decoded.dead_letters {
            let refused = self.dead_letters.entry(letter.reason_name());
            refused.or_insert_with(|| Refused { count: 0, first: letter.clone() }).count += 1;
        }
        for batch in &decoded.batches {
            self.n_events += batch.len() as u64;
            *self.by_kind.entry(batch.kind).or_insert(0) += batch.len() as u64;
            if let Some((first, last)) = batch.time_range() {
                let (low, high) = self.span.unwrap_or((first, last));
                self.span = Some((low.min(first), high.max(last)));
            }
        }
        let decided = self.trials.observe(&decoded.batches);
        self.triage.observe(&decoded.batches)?;
        let observed = self.watch.observe_together(&decoded.batches);
        self.take(&decided, observed, keep);
        Ok(())
    }

    /// What was decided and found becomes alerts, and alerts become incidents.
    fn take(&mut self, decided: &[DecisionRecord], observed: Observed, keep: &mut dyn FnMut(AlertChange)) {
        self.n_findings += observed.findings.len() as u64;
        self.triage.observe_findings(&observed.findings);
        let decided = decided.iter().filter_map(DecisionRecord::alert).map(AlertChange::Raised);
        for change in decided.chain(observed.alerts) {
            if let Err(refused) = self.triage.take(change.alert()) {
                eprintln!("alert {} is in no incident: {refused}", change.alert().id);
            }
            keep(change);
        }
    }
}

/// The longest part of the files that is learned from, where nothing says otherwise.
const MOST_LEARNING_DAYS: i64 = 14;

/// Where no one says when learning ends, the first 30 % of the files are taken for normal.
pub(super) fn watch_settings(
    paths: &[PathBuf],
    settings: &Settings,
    learn_until: Option<&str>,
) -> anyhow::Result<WatchSettings> {
    let mut default_model = settings.model_default.clone();
    let mut models = settings.models.clone();
    let until = match learn_until {
        Some(text) => Some(Timestamp::parse(text).with_context(|| "--learn-until")?),
        None if settings.learning_is_set => None,
        None => learning_end(paths)?,
    };
    if let Some(until) = until {
        let apply = |settings: &mut ModelSettings| settings.learning = Learning::Until(until);
        apply(&mut default_model);
        let untouched = models
            .values_mut()
            .filter(|model| learn_until.is_some() || model.learning == settings.model_default.learning);
        untouched.for_each(apply);
    }
    let active = rule_files::active(&settings.rules)?;
    active.errors.iter().for_each(|error| eprintln!("a rule is left out: {error}"));
    Ok(WatchSettings { rules: active.set, ..settings.alerts.watch(default_model, models) })
}

fn learning_end(paths: &[PathBuf]) -> anyhow::Result<Option<Timestamp>> {
    let Some((first, last)) = time_span(paths)? else { return Ok(None) };
    let learning = (last.since(first) / 10 * 3).min(MOST_LEARNING_DAYS * Timestamp::DAY);
    let until = first.plus(learning);
    eprintln!("learning what is normal until {until} (set with --learn-until or `learning.until`)");
    Ok(Some(until))
}

fn summary(hunted: &Hunted) -> String {
    let kinds: Vec<String> = hunted.by_kind.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let rate = hunted.n_events as f64 / hunted.seconds.max(1e-9);
    let mut text = format!(
        "{} in {:.2} s ({rate:.0} events/s); {} findings in {} alerts\n",
        kinds.join(", "),
        hunted.seconds,
        hunted.n_findings,
        hunted.alerts.len()
    );
    let left_out = hunted.watch.rule_matches_left_out();
    if left_out > 0 {
        text.push_str(&format!("{left_out} matches of rules found no room among the groups that are remembered\n"));
    }
    if !hunted.dead_letters.is_empty() {
        text.push_str("refused:\n");
        for Refused { count, first } in hunted.dead_letters.values() {
            text.push_str(&format!("  {count} like {} at byte {}: {}\n", first.source, first.offset, first.reason));
        }
    }
    text
}

fn progress(total_bytes: u64, off: bool) -> ProgressBar {
    if off || std::env::var_os("NO_COLOR").is_some() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(total_bytes).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
