//! The tables that a statement may name.
//!
//! | name | rows |
//! | --- | --- |
//! | `inference`, `training_row` | of all models: fixed columns, attributes and groups, no features |
//! | `outcome`, `deployment`, `metric`, `log`, `finding`, `alert` | all |
//! | `model_NAME` or `"model.Name"` | inferences of one model, with its features |
//! | `training_NAME` or `"training.Name"` | training rows of one model, with their features |
//! | `labelled`, `labelled_NAME` or `"labelled.Name"` | predictions with what turned out to be true |
//!
//! `NAME` is the model's name in small letters with `_` for everything but letters and digits. Where two
//! models would have one name, the later in the alphabet gets `_` and eight digits of its hash behind it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::{CatalogProvider, SchemaProvider, TableProvider},
    common::Result,
};
use wardline_domain::{RecordKind, column, schema};

use super::{alert_table::AlertTable, labelled, lake_table::LakeTable};
use crate::{
    lake::{Shared, TableName, TableSnapshot},
    metadata::Metadata,
};

/// Tables without a model in their name.
const FIXED: [&str; 9] =
    ["alert", "deployment", "finding", "inference", "labelled", "log", "metric", "outcome", "training_row"];

/// The only catalogue.
pub(super) const CATALOG: &str = "wardline";
/// Its only schema.
pub(super) const SCHEMA: &str = "public";

/// The tables of one statement: whatever names a table twice sees the same rows.
pub(super) struct Tables {
    lake: Arc<Shared>,
    metadata: Option<Metadata>,
    known: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl Tables {
    pub(super) fn new(lake: Arc<Shared>, metadata: Option<Metadata>) -> Self {
        Self { lake, metadata, known: Mutex::new(HashMap::new()) }
    }

    fn make(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(Some(match name {
            "alert" => match &self.metadata {
                Some(metadata) => Arc::new(AlertTable::new(metadata.clone())),
                None => return Ok(None),
            },
            "deployment" => self.shared_table(&TableName::Deployment),
            "finding" => self.shared_table(&TableName::Finding),
            "log" => self.shared_table(&TableName::Log),
            "metric" => self.shared_table(&TableName::Metric),
            "outcome" => self.shared_table(&TableName::Outcome),
            "inference" => self.all_models(RecordKind::Inference),
            "training_row" => self.all_models(RecordKind::TrainingRow),
            "labelled" => {
                labelled::view(self.all_models(RecordKind::Inference), self.shared_table(&TableName::Outcome))?
            }
            _ => return self.make_for_model(name),
        }))
    }

    fn make_for_model(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some((family, rest)) = name.split_once(['.', '_']) else { return Ok(None) };
        let kind = if family == "training" { RecordKind::TrainingRow } else { RecordKind::Inference };
        let Some(table) = self.model_table(kind, name, rest) else { return Ok(None) };
        let Some(snapshot) = self.lake.snapshot(&table) else { return Ok(None) };
        let predictions = self.provider(&snapshot.schema.clone(), vec![snapshot]);
        Ok(match family {
            "model" | "training" => Some(predictions),
            "labelled" => Some(labelled::view(predictions, self.shared_table(&TableName::Outcome))?),
            _ => None,
        })
    }

    /// The table that `name` means: the model's own name behind a dot, its SQL name behind `_`.
    fn model_table(&self, kind: RecordKind, name: &str, rest: &str) -> Option<TableName> {
        let of_kind = self.lake.names().into_iter().filter(|table| table.kind() == Some(kind));
        let by_name: BTreeMap<String, TableName> =
            of_kind.filter_map(|table| Some((table.model()?.to_owned(), table))).collect();
        if name.as_bytes().get(name.len() - rest.len() - 1) == Some(&b'.') {
            return by_name.get(rest).cloned();
        }
        let model = sql_names(by_name.keys()).remove(rest)?;
        by_name.get(&model).cloned()
    }

    fn shared_table(&self, name: &TableName) -> Arc<dyn TableProvider> {
        match self.lake.snapshot(name) {
            Some(snapshot) => self.provider(&snapshot.schema.clone(), vec![snapshot]),
            None => self.provider(&TableSnapshot::empty_schema(name), Vec::new()),
        }
    }

    fn all_models(&self, kind: RecordKind) -> Arc<dyn TableProvider> {
        let tables = self.lake.tables_where(|name| name.kind() == Some(kind));
        self.provider(&shared_columns(kind, &tables), tables)
    }

    fn provider(&self, schema: &SchemaRef, tables: Vec<TableSnapshot>) -> Arc<dyn TableProvider> {
        Arc::new(LakeTable::new(self.lake.root().clone(), schema, tables))
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        let mut names: Vec<String> = FIXED.iter().map(|name| (*name).to_owned()).collect();
        for (kind, families) in
            [(RecordKind::Inference, &["model", "labelled"][..]), (RecordKind::TrainingRow, &["training"])]
        {
            let models: Vec<String> = self
                .lake
                .names()
                .iter()
                .filter(|table| table.kind() == Some(kind))
                .filter_map(|table| table.model().map(str::to_owned))
                .collect();
            let sql_names = sql_names(models.iter());
            names.extend(
                families.iter().flat_map(|family| sql_names.keys().map(move |name| format!("{family}_{name}"))),
            );
        }
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = known().get(name) {
            return Ok(Some(Arc::clone(table)));
        }
        let made = self.make(name)?;
        if let Some(table) = &made {
            known().insert(name.to_owned(), Arc::clone(table));
        }
        Ok(made)
    }

    fn table_exist(&self, name: &str) -> bool {
        FIXED.contains(&name) || self.table_names().iter().any(|known| known == name)
    }
}

/// The catalogue that holds the one schema.
#[derive(Debug)]
pub(super) struct OneSchema(pub(super) Arc<Tables>);

impl CatalogProvider for OneSchema {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        (name == SCHEMA).then(|| Arc::clone(&self.0) as Arc<dyn SchemaProvider>)
    }
}

/// Models by the name that SQL knows them by.
fn sql_names<'a>(models: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let mut sorted: Vec<&String> = models.collect();
    sorted.sort();
    let mut names = BTreeMap::new();
    for model in sorted {
        let mut name: String =
            model.to_lowercase().chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
        if names.contains_key(&name) {
            name = format!("{name}_{}", &blake3::hash(model.as_bytes()).to_hex()[..8]);
        }
        names.insert(name, model.clone());
    }
    names
}

/// The fixed columns of a kind, and every attribute and group that one of its tables has.
fn shared_columns(kind: RecordKind, tables: &[TableSnapshot]) -> SchemaRef {
    let base = schema::base(kind);
    let mut fields: BTreeMap<String, Arc<Field>> = BTreeMap::new();
    for field in tables.iter().flat_map(|table| table.schema.fields()) {
        let is_shared =
            [column::ATTRIBUTE_PREFIX, column::GROUP_PREFIX].iter().any(|prefix| field.name().starts_with(prefix));
        if is_shared {
            fields.entry(field.name().clone()).or_insert_with(|| Arc::clone(field));
        }
    }
    let fixed =
        base.fields().iter().map(|field| Field::new(field.name(), schema::table_type(field.data_type()), true).into());
    Arc::new(Schema::new(fixed.chain(fields.into_values()).collect::<Vec<Arc<Field>>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_would_share_a_name_get_two() {
        let models = ["Fraud EU".to_owned(), "fraud-eu".to_owned(), "churn".to_owned()];
        let names: Vec<String> = sql_names(models.iter()).into_keys().collect();
        assert_eq!(names.len(), 3);
        assert_eq!(names[..2], ["churn", "fraud_eu"]);
        assert!(names[2].starts_with("fraud_eu_"));
    }
}
