//! What there is to PostgreSQL as the metadata store beside what it has in common with SQLite.

use std::path::Path;

use wardline_domain::Severity;
use wardline_store::{
    Metadata, MetadataError,
    metadata::{AlertFilter, LogLine, Postgres as Address, State, Together},
};

use crate::{metadata::alert, postgres::Postgres, rows::monday};

async fn open(address: &str, folder: &Path) -> Result<Metadata, MetadataError> {
    Metadata::open_postgres(&Address::at(address, None).unwrap(), folder, monday()).await
}

/// Goal: two servers never share a store by accident, not even where both begin at the same moment.
#[tokio::test]
async fn a_store_belongs_to_one_data_folder() {
    let postgres = Postgres::shared();
    let address = postgres.database();
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let opened = futures::future::join_all(folders.iter().map(|folder| open(&address, folder.path()))).await;
    let (owners, refused): (Vec<_>, Vec<_>) = opened.into_iter().zip(&folders).partition(|(opened, _)| opened.is_ok());
    assert_eq!((owners.len(), refused.len()), (1, 3));
    let owner = owners[0].1.path();
    for (error, folder) in refused {
        let error = error.unwrap_err();
        assert!(matches!(error, MetadataError::Claimed { .. }), "{error}");
        assert!(error.to_string().contains(&owner.display().to_string()), "{error}");
        Metadata::open(&folder.path().join("metadata.sqlite")).await.unwrap();
    }
    open(&address, owner).await.unwrap();

    postgres.ask(&address, "CREATE SCHEMA second");
    let another = tempfile::tempdir().unwrap();
    open(&format!("{address}?options[search_path]=second"), another.path()).await.unwrap();
    assert_eq!(postgres.ask(&address, "SELECT count(*) FROM second.owner"), "1");
}

/// Goal: one setting takes a data folder to PostgreSQL with everything that it has, and not back by accident.
#[tokio::test]
async fn what_was_in_sqlite_goes_along() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("metadata.sqlite");
    let before = Metadata::open(&file).await.unwrap();
    let alerts = [alert(2, Severity::Page), alert(1, Severity::Info)];
    before.upsert_alerts(&alerts).await.unwrap();
    let line = LogLine {
        log: "audit".to_owned(),
        subject: "server".to_owned(),
        sequence: 0,
        time: monday(),
        line: "{}".to_owned(),
    };
    let state = State { sequence: None, body: vec![0, 255] };
    let states = vec![("schema".to_owned(), state.clone())];
    before.write_together(&Together { lines: vec![line.clone()], states, messages: vec![] }).await.unwrap();
    before.close().await;

    let address = Postgres::shared().database();
    for _ in 0..2 {
        let metadata = open(&address, folder.path()).await.unwrap();
        assert_eq!(metadata.alerts(&AlertFilter::default()).await.unwrap(), alerts);
        assert_eq!(metadata.get_state("schema").await.unwrap(), Some(state.clone()));
        assert_eq!(metadata.log_lines("audit", None).await.unwrap(), std::slice::from_ref(&line));
        metadata.close().await;
    }
    assert!(!file.exists() && folder.path().join("metadata.sqlite.moved").exists());
    let error = Metadata::open(&file).await.unwrap_err();
    assert!(matches!(error, MetadataError::Elsewhere { .. }), "{error}");
    assert!(!file.exists());
}

/// Goal: the store goes on by itself once PostgreSQL is back, with all that was acknowledged.
#[tokio::test]
async fn a_crash_of_postgresql_is_survived() {
    let postgres = Postgres::start();
    let address = postgres.database();
    let folder = tempfile::tempdir().unwrap();
    let metadata = open(&address, folder.path()).await.unwrap();
    let mut written = Vec::new();
    for number in 0..3 {
        for place in 0..5 {
            let alert = alert(number * 5 + place, Severity::Ticket);
            metadata.upsert_alerts(std::slice::from_ref(&alert)).await.unwrap();
            written.push(alert.id);
        }
        postgres.crash_and_start_again();
    }
    postgres.crash();
    let error = open(&address, folder.path()).await.unwrap_err();
    assert!(matches!(error, MetadataError::Connect { .. }), "{error}");
    postgres.crash_and_start_again();
    let found = metadata.alerts(&AlertFilter::default()).await.unwrap();
    assert_eq!(found.iter().rev().map(|alert| alert.id.clone()).collect::<Vec<_>>(), written);
}

#[tokio::test]
async fn a_database_that_cannot_hold_all_characters_is_refused() {
    let address = Postgres::shared().database_with(&["--encoding=SQL_ASCII", "--locale=C"]);
    let folder = tempfile::tempdir().unwrap();
    let error = open(&address, folder.path()).await.unwrap_err();
    assert!(matches!(&error, MetadataError::Encoding { encoding, .. } if encoding == "SQL_ASCII"), "{error}");
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_told() {
    let said = |url: &str| Address::at(url, None).unwrap_err().to_string();
    assert!(said("mysql://host/db").contains("it does not begin with postgres://"));
    assert!(said("host/db").contains("write postgres://USER@HOST/DATABASE"));
    assert!(said("postgres://me:secret@host/db").contains("password_file"));
    assert!(!said("postgres://host/db?password=secret").contains("secret"));
    let address = Address::at("postgres://me@host:5433/db", Some("secret")).unwrap();
    assert_eq!(format!("{address} {address:?}"), "postgres://host:5433/db Postgres(\"postgres://host:5433/db\")");

    let folder = tempfile::tempdir().unwrap();
    let missing = Postgres::shared().database().replace("/test_", "/missing_");
    let error = open(&missing, folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}
