//! `wardline estimate`: how good a model must have been while its labels are missing, chunk by chunk.

use std::collections::BTreeMap;

use anyhow::bail;
use comfy_table::{Table, presets};
use wardline_detect::{EstimatedChunks, PerformanceEstimates};
use wardline_domain::{EventBatch, Learning, RecordKind, Timestamp};

use super::{Outcome, hunt};
use crate::{cli::EstimateArguments, screen, settings::Settings};

pub(super) fn run(arguments: &EstimateArguments, settings: &Settings) -> anyhow::Result<Outcome> {
    let watch = hunt::watch_settings(&arguments.paths, settings, arguments.learn_until.as_deref())?;
    let mut estimates: BTreeMap<String, PerformanceEstimates> = BTreeMap::new();
    for decoded in hunt::open(&arguments.paths, settings)? {
        for batch in decoded?.batches {
            meet(&batch, &watch, &mut estimates);
            estimates.values_mut().for_each(|estimates| estimates.observe(&batch));
        }
    }
    if estimates.is_empty() {
        bail!(
            "no model in these files has a `positive_class` in the settings: name the decision whose probability `score` is, \
             as `positive_class = \"…\"` below `[models.\"NAME\"]`"
        );
    }
    let mut answers = BTreeMap::new();
    for (model, estimates) in &estimates {
        let Learning::Until(learned) = watch.of(model).learning else {
            bail!("say with --learn-until when the learning period ends, whose labels the estimates rest on");
        };
        match estimates.chunks(learned, arguments.chunks.get()) {
            Some(chunks) => drop(answers.insert(model.clone(), chunks)),
            None => eprintln!("{}", too_little(model, learned)),
        }
        if estimates.left_out() > 0 {
            eprintln!("{model}: {} predictions found no room and are left out", estimates.left_out());
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&answers)?);
    } else {
        answers.iter().for_each(|(model, chunks)| print!("{}", table(model, chunks)));
    }
    Ok(Outcome::Good)
}

/// Makes room for a model that was not met before and has a positive class.
fn meet(
    batch: &EventBatch,
    watch: &wardline_detect::WatchSettings,
    estimates: &mut BTreeMap<String, PerformanceEstimates>,
) {
    let Some(model) = batch.model.as_deref().filter(|_| batch.kind == RecordKind::Inference) else { return };
    if !estimates.contains_key(model)
        && let Some(positive) = &watch.of(model).positive_class
    {
        estimates.insert(model.to_owned(), PerformanceEstimates::new(model, positive));
    }
}

fn too_little(model: &str, learned: Timestamp) -> String {
    format!(
        "{model}: too little data: 200 labelled predictions before {learned}, with scores between 0 and 1, and as many predictions \
         after it as chunks are needed"
    )
}

fn table(model: &str, chunks: &EstimatedChunks) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["chunk", "from", "to", "predictions", "area under ROC", "accuracy", "F1"]);
    for (number, chunk) in chunks.chunks.iter().enumerate() {
        let (roc, accuracy, f1) = (chunks.roc_auc[number], chunks.accuracy[number], chunks.f1[number]);
        table.add_row([
            (number + 1).to_string(),
            chunk.from.to_string(),
            chunk.to.to_string(),
            chunk.predictions.to_string(),
            format!("{roc:.4}"),
            format!("{accuracy:.4}"),
            format!("{f1:.4}"),
        ]);
    }
    format!("{}: performance estimated without labels\n{table}\n", screen::plain(model))
}
