//! Alerts in the metadata store.

use wardline_domain::{Alert, AlertStatus, Severity, Timestamp};

use super::{
    Message, Metadata, MetadataError,
    database::{Row, Statement},
    messages,
};

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
        self.write_alerts(alerts, &[]).await
    }

    /// Writes alerts, each over the one of the same id, together with what is to be told of them.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be written; then nothing is.
    pub async fn write_alerts(&self, alerts: &[Alert], messages: &[Message]) -> Result<(), MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "write alerts", source };
        let mut statements = alerts.iter().map(replacement).collect::<Result<Vec<_>, _>>()?;
        statements.extend(messages.iter().map(messages::insertion));
        self.database.execute(&statements).await.map_err(failed)
    }

    /// Alerts that fit a filter.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read alerts", source };
        let rows = self.database.fetch(&select(filter)).await.map_err(failed)?;
        rows.iter().map(read).collect()
    }

    /// One alert; `None` where there is none of that id.
    ///
    /// # Errors
    /// [`MetadataError`] where the store cannot be read.
    pub async fn alert(&self, id: &str) -> Result<Option<Alert>, MetadataError> {
        let failed = |source| MetadataError::Statement { doing: "read an alert", source };
        let statement = Statement::new("SELECT id, body FROM alert WHERE id = $1").bind(id);
        self.database.fetch(&statement).await.map_err(failed)?.first().map(read).transpose()
    }
}

/// The name of a status, as in JSON.
pub(crate) const fn status_name(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Open => "open",
        AlertStatus::Closed => "closed",
    }
}

fn replacement(alert: &Alert) -> Result<Statement<'_>, MetadataError> {
    let body = serde_json::to_string(alert).map_err(|source| MetadataError::Body { id: alert.id.clone(), source })?;
    let statement = Statement::new(
        "INSERT INTO alert (id, time, updated, status, kind, severity, model, version, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET time = excluded.time, updated = excluded.updated,
             status = excluded.status, kind = excluded.kind, severity = excluded.severity,
             model = excluded.model, version = excluded.version, body = excluded.body",
    );
    Ok(statement
        .bind(&alert.id)
        .bind(alert.time)
        .bind(alert.updated)
        .bind(status_name(alert.status))
        .bind(alert.kind.name())
        .bind(alert.severity.name())
        .bind(&*alert.model)
        .bind(alert.version.as_deref())
        .bind(body))
}

fn select(filter: &AlertFilter) -> Statement<'_> {
    let mut statement = Statement::new("SELECT id, body FROM alert WHERE 1 = 1");
    if let Some(since) = filter.since {
        statement.push(" AND time >= ", since);
    }
    if let Some(until) = filter.until {
        statement.push(" AND time < ", until);
    }
    if let Some((updated, id)) = &filter.changed_after {
        statement.push(" AND (updated, id) > (", *updated);
        statement.push(", ", id);
        statement.sql.to_mut().push(')');
    }
    if let Some(model) = &filter.model {
        statement.push(" AND model = ", model);
    }
    if let Some(status) = filter.status {
        statement.push(" AND status = ", status_name(status));
    }
    if let Some(least) = filter.least_severity {
        let mut before = " AND severity IN (";
        for severity in [Severity::Info, Severity::Ticket, Severity::Page].into_iter().filter(|own| least <= *own) {
            statement.push(before, severity.name());
            before = ", ";
        }
        statement.sql.to_mut().push(')');
    }
    let order = if filter.changed_after.is_some() { " ORDER BY updated, id" } else { " ORDER BY time DESC, id" };
    statement.sql.to_mut().push_str(order);
    if let Some(limit) = filter.limit {
        statement.push(" LIMIT ", i64::from(limit));
    }
    statement
}

fn read(row: &Row) -> Result<Alert, MetadataError> {
    let failed = |source| MetadataError::Statement { doing: "read an alert", source };
    let id = row.text("id").map_err(failed)?;
    let body = row.text("body").map_err(failed)?;
    serde_json::from_str(&body).map_err(|source| MetadataError::Body { id, source })
}
