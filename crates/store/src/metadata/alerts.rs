//! Alerts in the metadata store.

use sqlx::{QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};
use wardline_domain::{Alert, AlertStatus, Severity, Timestamp};

use super::{Metadata, MetadataError};

/// Which alerts; without a condition, all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertFilter {
    /// Raised at this time or later.
    pub since: Option<Timestamp>,
    /// Raised before this time.
    pub until: Option<Timestamp>,
    /// Changed after this update, in the order of updates: `(updated, id)` of the last one seen. Who
    /// follows alerts with it sees each change once.
    pub changed_after: Option<(Timestamp, String)>,
    /// Of this model.
    pub model: Option<String>,
    /// With this status.
    pub status: Option<AlertStatus>,
    /// At least as severe.
    pub least_severity: Option<Severity>,
    /// At most so many. They come newest first, or by update where `changed_after` is set.
    pub limit: Option<u32>,
}

impl Metadata {
    /// Writes alerts, each over the one of the same id.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written; then none is.
    pub async fn upsert_alerts(&self, alerts: &[Alert]) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write alerts", source };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for alert in alerts {
            let body =
                serde_json::to_string(alert).map_err(|source| MetadataError::Body { id: alert.id.clone(), source })?;
            sqlx::query(
                "INSERT INTO alert (id, time, updated, status, kind, severity, model, version, body)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT (id) DO UPDATE SET time = excluded.time, updated = excluded.updated,
                     status = excluded.status, kind = excluded.kind, severity = excluded.severity,
                     model = excluded.model, version = excluded.version, body = excluded.body",
            )
            .bind(&alert.id)
            .bind(alert.time.micros())
            .bind(alert.updated.micros())
            .bind(status_name(alert.status))
            .bind(alert.kind.name())
            .bind(alert.severity.name())
            .bind(&alert.model)
            .bind(&alert.version)
            .bind(body)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Alerts that fit a filter.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read alerts", source };
        let rows = select(filter).build().fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(read).collect()
    }

    /// One alert; `None` where there is none of that id.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn alert(&self, id: &str) -> Result<Option<Alert>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read an alert", source };
        let query = sqlx::query("SELECT id, body FROM alert WHERE id = $1").bind(id);
        query.fetch_optional(&self.pool).await.map_err(failed)?.as_ref().map(read).transpose()
    }
}

/// The name of a status, as in JSON.
pub(crate) const fn status_name(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Open => "open",
        AlertStatus::Closed => "closed",
    }
}

fn select(filter: &AlertFilter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT id, body FROM alert WHERE 1 = 1");
    if let Some(since) = filter.since {
        query.push(" AND time >= ").push_bind(since.micros());
    }
    if let Some(until) = filter.until {
        query.push(" AND time < ").push_bind(until.micros());
    }
    if let Some((updated, id)) = &filter.changed_after {
        let updated = updated.micros();
        query.push(" AND (updated > ").push_bind(updated);
        query.push(" OR (updated = ").push_bind(updated).push(" AND id > ").push_bind(id.clone()).push("))");
    }
    if let Some(model) = &filter.model {
        query.push(" AND model = ").push_bind(model.clone());
    }
    if let Some(status) = filter.status {
        query.push(" AND status = ").push_bind(status_name(status));
    }
    if let Some(least) = filter.least_severity {
        query.push(" AND severity IN (");
        let mut names = query.separated(", ");
        for severity in [Severity::Info, Severity::Ticket, Severity::Page] {
            if least <= severity {
                names.push_bind(severity.name());
            }
        }
        query.push(")");
    }
    query.push(if filter.changed_after.is_some() { " ORDER BY updated, id" } else { " ORDER BY time DESC, id" });
    if let Some(limit) = filter.limit {
        query.push(" LIMIT ").push_bind(i64::from(limit));
    }
    query
}

fn read(row: &SqliteRow) -> Result<Alert, MetadataError> {
    let failed = |source| MetadataError::Statement { doing: "read an alert", source };
    let id: String = row.try_get("id").map_err(failed)?;
    let body: String = row.try_get("body").map_err(failed)?;
    serde_json::from_str(&body).map_err(|source| MetadataError::Body { id, source })
}
