//! Streams of a model that is asked in texts, made from a seed: for the tests of detectors that read them.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use wardline_domain::{EventBatch, RecordKind, Timestamp};

use crate::{
    Watch,
    stream::{Dice, Told, monday, settings},
};

/// One exchange.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) time: Timestamp,
    pub(crate) user: String,
    pub(crate) channel: &'static str,
    pub(crate) session: String,
    pub(crate) prompt: String,
    pub(crate) output: String,
}

const SUBJECTS: [&str; 8] = [
    "my parcel",
    "the invoice of May",
    "a new router",
    "the train to Bern",
    "my password reset",
    "this recipe",
    "a python list",
    "the garden",
];
const ASKED: [&str; 8] = [
    "Where is",
    "Please tell me more about",
    "How do I change",
    "What does it cost to replace",
    "Can I ignore the warning about",
    "Write a short mail about",
    "What is the best way to store",
    "Summarise what you know of",
];

/// Six hours of learning and three more, an exchange about every five seconds, `change` applied to each.
pub(crate) fn said(change: impl Fn(usize, &mut Said, &mut Dice)) -> Told {
    watched(&exchanges(change), 500)
}

/// When learning ends.
pub(crate) fn learned() -> Timestamp {
    monday().plus(6 * Timestamp::HOUR)
}

pub(crate) fn exchanges(change: impl Fn(usize, &mut Said, &mut Dice)) -> Vec<Said> {
    let mut dice = Dice(5);
    let mut time = monday();
    let mut all = Vec::new();
    while time < learned().plus(3 * Timestamp::HOUR) {
        time = time.plus((dice.next() * 10.0 * Timestamp::SECOND as f64) as i64 + 1);
        let mut pick = |of: [&'static str; 8]| of[(dice.next() * 8.0) as usize];
        let prompt = format!("{} {}?", pick(ASKED), pick(SUBJECTS));
        let output = format!("Here is what I know about {}.", pick(SUBJECTS));
        let user = format!("u-{}", (dice.next() * 200.0) as u32);
        let channel = ["chat", "chat", "chat", "mail-connector"][(dice.next() * 4.0) as usize];
        let session = format!("{user}-{}", all.len() / 50);
        let mut one = Said { time, user, channel, session, prompt, output };
        change(all.len(), &mut one, &mut dice);
        all.push(one);
    }
    all
}

pub(crate) fn watched(said: &[Said], size: usize) -> Told {
    let mut watch = Watch::new(settings(learned()));
    let mut told = Told::default();
    for (number, part) in said.chunks(size).enumerate() {
        told.take(watch.observe(&batch(part, number * size)));
    }
    told.take(watch.finish());
    told
}

pub(crate) fn batch(said: &[Said], first: usize) -> EventBatch {
    let repeated = |of: &dyn Fn(&Said) -> String| -> ArrayRef {
        let texts: Vec<String> = said.iter().map(of).collect();
        Arc::new(texts.iter().map(|text| Some(text.as_str())).collect::<DictionaryArray<Int32Type>>())
    };
    let plain = |of: &dyn Fn(&Said) -> String| -> ArrayRef {
        Arc::new(said.iter().map(|one| Some(of(one))).collect::<StringArray>())
    };
    let times =
        TimestampMicrosecondArray::from_iter_values(said.iter().map(|one| one.time.micros())).with_timezone("UTC");
    let ids: StringArray = (0..said.len()).map(|row| Some(format!("p-{}", first + row))).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", Arc::new(times)),
        ("id", Arc::new(ids)),
        ("version", repeated(&|_| "1".to_owned())),
        ("user", repeated(&|one| one.user.clone())),
        ("channel", repeated(&|one| one.channel.to_owned())),
        ("session", plain(&|one| one.session.clone())),
        ("prompt", plain(&|one| one.prompt.clone())),
        ("output", plain(&|one| one.output.clone())),
    ];
    let named = columns.into_iter().map(|(name, array)| (name, array, true));
    let records = RecordBatch::try_from_iter_with_nullable(named).unwrap();
    EventBatch { kind: RecordKind::Inference, model: Some("helpdesk".into()), records }
}
