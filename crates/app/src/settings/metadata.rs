//! `[metadata]`: where alerts, logs and what was learned are kept.

use wardline_store::metadata::Postgres;

use super::reader::Reader;

/// Where the metadata is.
#[derive(Clone, Debug, Default)]
pub(crate) struct MetadataSettings {
    /// PostgreSQL; a SQLite file in the data folder where there is none.
    pub(crate) postgres: Option<Postgres>,
}

impl MetadataSettings {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let url = reader.text("url");
        let password = reader.text("password_file").and_then(|file| match std::fs::read_to_string(&file) {
            Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                reader.problem("password_file", format!("`{file}` cannot be read: {error}"), None);
                None
            }
        });
        if password.is_some() && url.is_none() {
            let hint = "set `url` to postgres://USER@HOST/DATABASE, or leave `password_file` out";
            reader.problem("password_file", "is of no use without `url`", Some(hint));
        }
        let postgres = url.map(|url| Postgres::at(&url, password.as_deref()));
        match postgres.transpose() {
            Ok(postgres) => Self { postgres },
            Err(error) => {
                reader.problem("url", format!("cannot be used: {error}"), None);
                Self::default()
            }
        }
    }
}
