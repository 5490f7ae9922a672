//! `wardline hunts`: saved questions for signs of known attacks.

use std::{collections::BTreeMap, io::Write as _};

use anyhow::{Context as _, bail};
use arrow::{array::AsArray as _, datatypes::Int64Type};
use wardline_domain::Timestamp;

use super::{
    Outcome,
    answer::{Answer, Tables},
};
use crate::{
    cli::{HuntsArguments, HuntsCommand, HuntsRunArguments},
    hunts::{self, Hunt, Presence, Question, TableColumns, presence_sql},
    pipeline::now,
    screen,
    server::QueryRequest,
    settings::Settings,
};

/// What is looked at where nothing is said.
const USUAL_RANGE: wardline_domain::Span = 7 * Timestamp::DAY;

pub(super) async fn run(arguments: &HuntsArguments, settings: Settings) -> anyhow::Result<Outcome> {
    match &arguments.command {
        HuntsCommand::List { json } => list(*json),
        HuntsCommand::Show { name, json } => show(name, *json),
        HuntsCommand::Run(arguments) => ask(arguments, settings).await,
    }
}

fn list(is_json: bool) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    if is_json {
        let headings: Vec<_> = hunts::all().iter().map(|hunt| &hunt.heading).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&headings)?)?;
    } else {
        let rows = hunts::all().iter().map(|hunt| {
            let heading = &hunt.heading;
            vec![heading.name.clone(), heading.title.clone(), heading.atlas.join(", ")]
        });
        write!(out, "{}", screen::table(&["hunt", "what it finds", "ATLAS"], rows))?;
    }
    Ok(Outcome::Good)
}

fn named(name: &str) -> anyhow::Result<&'static Hunt> {
    hunts::named(name).with_context(|| format!("there is no hunt `{name}`: `wardline hunts list` lists them"))
}

fn show(name: &str, is_json: bool) -> anyhow::Result<Outcome> {
    let hunt = named(name)?;
    let heading = &hunt.heading;
    let mut out = std::io::stdout().lock();
    if is_json {
        let shown = serde_json::json!({ "heading": heading, "sql": hunt.sql });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
        return Ok(Outcome::Good);
    }
    writeln!(out, "{}: {}\n\n{}\n", heading.name, heading.title, heading.looks_for)?;
    writeln!(out, "ATLAS       {}", heading.atlas.join(", "))?;
    let fields: Vec<String> = heading.fields.iter().map(|field| heading.field_by_default(field)).collect();
    writeln!(out, "needs       {}\n", fields.join(", "))?;
    let rows = heading.parameters.iter().map(|(name, parameter)| {
        let default = parameter.default_text().unwrap_or_else(|| "must be set".to_owned());
        vec![name.clone(), parameter.kind.name().to_owned(), default, parameter.about.clone()]
    });
    writeln!(out, "{}\n{}", screen::table(&["parameter", "type", "default", "meaning"], rows), hunt.sql)?;
    Ok(Outcome::Good)
}

async fn ask(arguments: &HuntsRunArguments, settings: Settings) -> anyhow::Result<Outcome> {
    let hunt = named(&arguments.name)?;
    let range = range(arguments.from.as_deref(), arguments.to.as_deref())?;
    let written = arguments.parameters.iter().map(|text| assignment(text)).collect::<Result<Vec<_>, _>>()?;
    let question = Question::new(hunt, range, arguments.model.clone(), &written)?;
    let tables = Tables::open(&arguments.remote, arguments.local, settings).await?;
    let answer = answer(&tables, &question, range, arguments.sql).await;
    tables.close().await?;
    let mut out = std::io::stdout().lock();
    let answer = match answer? {
        Asked::Sql(sql) => {
            writeln!(out, "{sql}")?;
            return Ok(Outcome::Good);
        }
        Asked::Answer(answer) => answer,
    };
    if arguments.json {
        answer.write_json(&mut out)?;
    } else if arguments.csv {
        answer.write_csv(&mut out)?;
    } else if answer.n_rows() == 0 {
        writeln!(out, "nothing: no sign of it between {} and {}", range.0, range.1)?;
    } else {
        writeln!(out, "{}\n", hunt.heading.looks_for)?;
        answer.write_table(&mut out)?;
    }
    out.flush()?;
    if answer.truncated {
        eprintln!("only the first {} rows: narrow --from and --to, or raise a limit of the hunt", answer.n_rows());
    }
    Ok(if answer.n_rows() == 0 { Outcome::Good } else { Outcome::Wrong })
}

/// What came of a question.
enum Asked {
    Sql(String),
    Answer(Answer),
}

/// Asks, once it is clear that the tables have what the hunt needs.
async fn answer(
    tables: &Tables,
    question: &Question,
    range: (Timestamp, Timestamp),
    is_sql_wanted: bool,
) -> anyhow::Result<Asked> {
    let columns = check(tables, question, range).await?;
    let sql = question.sql(&columns)?;
    if is_sql_wanted {
        return Ok(Asked::Sql(sql));
    }
    Ok(Asked::Answer(tables.ask(&QueryRequest { sql, max_rows: None, timeout_seconds: None }).await?))
}

/// Checks that everything is there, and gives the features of the model's tables.
async fn check(tables: &Tables, question: &Question, range: (Timestamp, Timestamp)) -> anyhow::Result<TableColumns> {
    let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in question.needs() {
        needed.entry(table).or_default().push(column);
    }
    let mut columns = TableColumns::default();
    let mut obstacles = Vec::new();
    for (table, names) in needed {
        let sql_name = question.table(&table);
        let found = columns_of(tables, &sql_name).await?;
        let features = TableColumns::features_of(found.iter().map(String::as_str));
        match table.as_str() {
            "model" => columns.features = features,
            "training" => columns.training_features = features,
            _ => {}
        }
        let lacks_features = match table.as_str() {
            "model" => columns.features.is_empty() && names.iter().any(|name| name != "$input"),
            "training" => columns.shared_features().is_empty(),
            _ => false,
        };
        if lacks_features {
            obstacles.push(format!("`{sql_name}` has no features that the hunt could compare: send `features`"));
            continue;
        }
        let names: Vec<String> =
            names.into_iter().filter(|name| !name.starts_with(['$', '*']) && !name.ends_with('*')).collect();
        if let Some(missing) = names.iter().find(|name| !found.contains(name)) {
            let another = question
                .parameter_of(missing)
                .map(|name| format!(", or name another column with --param {name}=COLUMN"))
                .unwrap_or_default();
            obstacles.push(format!("no row of `{table}` ever had `{missing}`: send it{another}"));
            continue;
        }
        let has_model = found.iter().any(|name| name == wardline_domain::column::MODEL);
        let is_timed = matches!(table.as_str(), "inference" | "model" | "training_row");
        let condition = if is_timed { question.condition(has_model) } else { "TRUE".to_owned() };
        let sql = presence_sql(&sql_name, &names, &condition);
        let counted = tables.ask(&QueryRequest { sql, max_rows: None, timeout_seconds: None }).await?;
        obstacles.extend(
            presences(&table, &names, &counted).iter().filter_map(|presence| presence.obstacle(question, range)),
        );
    }
    if let Some(obstacle) = obstacles.into_iter().next() {
        bail!("{obstacle}");
    }
    Ok(columns)
}

async fn columns_of(tables: &Tables, table: &str) -> anyhow::Result<Vec<String>> {
    let sql = format!("SELECT * FROM {table} LIMIT 0");
    let answer = tables.ask(&QueryRequest { sql, max_rows: None, timeout_seconds: None }).await?;
    Ok(answer.schema.fields().iter().map(|field| field.name().clone()).collect())
}

/// The counts of a presence statement: all rows, then those with each column and those whose text is as it came.
fn presences(table: &str, names: &[String], counted: &Answer) -> Vec<Presence> {
    let count = |place: usize| {
        let batch = counted.batches.first()?;
        let column = batch.columns().get(place)?.as_primitive_opt::<Int64Type>()?;
        u64::try_from(*column.values().first()?).ok()
    };
    let rows = count(0).unwrap_or(0);
    let one = |(column, place): (&str, usize)| Presence {
        table: table.to_owned(),
        column: column.to_owned(),
        rows,
        present: count(place).unwrap_or(0),
        readable: count(place + 1).unwrap_or(0),
    };
    if names.is_empty() {
        return vec![Presence { table: table.to_owned(), column: String::new(), rows, present: 1, readable: 1 }];
    }
    names.iter().map(String::as_str).zip((1..).step_by(2)).map(one).collect()
}

/// The time that is looked at.
pub(super) fn range(from: Option<&str>, to: Option<&str>) -> anyhow::Result<(Timestamp, Timestamp)> {
    let to = to.map(Timestamp::parse).transpose()?.unwrap_or_else(now);
    let from = from.map(Timestamp::parse).transpose()?.unwrap_or_else(|| to.plus(-USUAL_RANGE));
    if to <= from {
        bail!("--from is {from}, and --to is {to}, which is not later");
    }
    Ok((from, to))
}

fn assignment(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) =
        text.split_once('=').with_context(|| format!("`{text}` sets nothing: write --param name=value"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}
