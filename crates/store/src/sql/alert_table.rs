//! The `alert` table: read from the metadata store when a statement asks for it.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DataFusionError, Result},
    datasource::memory::MemorySourceConfig,
    logical_expr::{Expr, TableType},
    physical_plan::ExecutionPlan,
};
use wardline_domain::{Alert, Timestamp, schema as event_schema};

use crate::metadata::{AlertFilter, Metadata};

/// The most alerts that a statement sees, the newest.
const MAX_ALERTS: u32 = 100_000;

/// All alerts.
#[derive(Debug)]
pub(super) struct AlertTable {
    metadata: Metadata,
    schema: SchemaRef,
}

impl AlertTable {
    pub(super) fn new(metadata: Metadata) -> Self {
        let time = |name: &str| Field::new(name, event_schema::timestamp(), true);
        let text = |name: &str| Field::new(name, DataType::Utf8View, true);
        let schema = Schema::new(vec![
            time("time"),
            time("updated"),
            text("id"),
            text("status"),
            text("kind"),
            text("severity"),
            text("model"),
            text("version"),
            text("slice"),
            time("onset"),
            text("title"),
            text("atlas"),
            text("responsible"),
            text("features"),
            Field::new("n_findings", DataType::Int64, true),
            text("body"),
        ]);
        Self { metadata, schema: Arc::new(schema) }
    }

    fn rows(&self, alerts: &[Alert]) -> Result<RecordBatch> {
        let time = |of: fn(&Alert) -> Timestamp| -> ArrayRef {
            let micros: TimestampMicrosecondArray = alerts.iter().map(|alert| Some(of(alert).micros())).collect();
            Arc::new(micros.with_timezone("UTC"))
        };
        let text = |of: fn(&Alert) -> Option<String>| -> ArrayRef {
            Arc::new(alerts.iter().map(of).collect::<StringViewArray>())
        };
        let json = |of: fn(&Alert) -> serde_json::Result<String>| -> Result<ArrayRef> {
            let texts = alerts.iter().map(of).collect::<Result<Vec<_>, _>>();
            let texts = texts.map_err(|error| DataFusionError::External(error.into()))?;
            Ok(Arc::new(StringViewArray::from_iter_values(texts)))
        };
        let columns: Vec<ArrayRef> = vec![
            time(|alert| alert.time),
            time(|alert| alert.updated),
            text(|alert| Some(alert.id.clone())),
            text(|alert| Some(crate::metadata::status_name(alert.status).to_owned())),
            text(|alert| Some(alert.kind.name().to_owned())),
            text(|alert| Some(alert.severity.name().to_owned())),
            text(|alert| Some(alert.model.clone())),
            text(|alert| alert.version.clone()),
            text(|alert| Some(alert.slice.to_string())),
            time(|alert| alert.onset),
            text(|alert| Some(alert.title.clone())),
            json(|alert| serde_json::to_string(&alert.atlas))?,
            json(|alert| serde_json::to_string(&alert.responsible))?,
            json(|alert| serde_json::to_string(&alert.features))?,
            Arc::new(alerts.iter().map(|alert| i64::try_from(alert.n_findings).ok()).collect::<Int64Array>()),
            json(serde_json::to_string)?,
        ];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

#[async_trait]
impl TableProvider for AlertTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let filter = AlertFilter { limit: Some(MAX_ALERTS), ..AlertFilter::default() };
        let alerts = self.metadata.alerts(&filter).await.map_err(|error| DataFusionError::External(error.into()))?;
        let rows = self.rows(&alerts)?;
        Ok(MemorySourceConfig::try_new_exec(&[vec![rows]], Arc::clone(&self.schema), projection.cloned())?)
    }
}
