//! Evidence is frozen before anything is done, and nothing is done where that fails.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode};
use futures::future::BoxFuture;
use wardline_domain::ActionError;
use wardline_store::metadata::Metadata;

use super::{Desk, Freeze, Order, RunState, RunView};
use crate::settings::Settings;

/// Says what was asked for, together with how much the target had been asked by then.
struct Freezer {
    asked: Mutex<Vec<(String, usize)>>,
    done: Arc<AtomicUsize>,
    is_broken: bool,
}

impl Freeze for Freezer {
    fn before_first_action<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<String, ActionError>> {
        self.asked.lock().unwrap().push((incident.to_owned(), self.done.load(Ordering::SeqCst)));
        let refused = || ActionError::Refused { target: "evidence".to_owned(), reason: "the disk is full".to_owned() };
        Box::pin(async move { if self.is_broken { Err(refused()) } else { Ok("pack-1".to_owned()) } })
    }
}

/// Runs `extraction` up to its first approval, for an incident or for none; the freezer, and how often the target was asked.
async fn run(incident: Option<&str>, is_broken: bool, playbook: &str) -> (RunView, Arc<Freezer>, usize) {
    let done: Arc<AtomicUsize> = Arc::default();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let counter = Arc::clone(&done);
    let target = Router::new().fallback(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { (StatusCode::OK, "{}") }
    });
    tokio::spawn(async move { axum::serve(listener, target).await });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wardline.toml");
    let actions =
        ["throttle_key", "set_budget"].map(|name| format!("{name} = {{ url = \"{url}/{name}\" }}\n")).concat();
    let books = folder.path().display();
    std::fs::write(
        &file,
        format!("[playbooks]\nfolder = \"{books}\"\n[[actuators]]\nname = \"gateway\"\nkind = \"http\"\n[actuators.actions]\n{actions}"),
    )
    .unwrap();
    // The same playbook without the step that freezes: what is asked for then comes from the product itself.
    let shipped = wardline_respond::playbook::SHIPPED.iter().find(|known| known.name == "cost_harvesting").unwrap();
    std::fs::write(folder.path().join("careless.json"), shipped.json.replace("freeze_evidence", "throttle_key"))
        .unwrap();
    let settings = Settings::load(Some(&file), std::iter::empty()).unwrap();
    let metadata = Metadata::open(&folder.path().join("metadata.sqlite")).await.unwrap();
    let desk = Arc::new(Desk::open(metadata, &settings).await.unwrap());
    let freezer = Arc::new(Freezer { asked: Mutex::default(), done: Arc::clone(&done), is_broken });
    desk.set_freeze(Arc::clone(&freezer) as Arc<dyn Freeze>);
    let runner = desk.run();
    let given = [("incident", "INC-9"), ("model", "fraud"), ("key", "k-1")];
    let given: BTreeMap<String, String> =
        given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let order =
        Order { playbook: playbook.to_owned(), incident: incident.map(str::to_owned), given, ..Order::default() };
    let mut view = desk.start(order, "ana").await.unwrap();
    for _ in 0..3_000 {
        if !view.is_at_work() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        view = desk.run_view(&view.run).await.unwrap();
    }
    assert!(!view.is_at_work(), "{view:?}");
    runner.abort();
    (view, freezer, done.load(Ordering::SeqCst))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_playbook_freezes_through_the_product_first() {
    let (view, freezer, n_done) = block_on(run(Some("INC-9"), false, "cost_harvesting"));
    assert_eq!(*freezer.asked.lock().unwrap(), [("INC-9".to_owned(), 0)]);
    assert_eq!((n_done, view.state), (1, RunState::Running));
    assert!(
        view.log.iter().any(|record| record.by == "evidence"
            && record.text.as_deref() == Some("\"Freeze the evidence\": done, now pack-1"))
    );
}

#[test]
fn a_run_for_an_incident_freezes_before_its_first_action_whatever_its_playbook_says() {
    let (_, freezer, n_done) = block_on(run(Some("INC-9"), false, "careless"));
    assert_eq!(*freezer.asked.lock().unwrap(), [("INC-9".to_owned(), 0)], "once, before anything else");
    assert_eq!(n_done, 2);
    let (_, freezer, n_done) = block_on(run(None, false, "careless"));
    assert!(freezer.asked.lock().unwrap().is_empty(), "there is no incident");
    assert_eq!(n_done, 2);
}

#[test]
fn nothing_is_done_where_evidence_cannot_be_frozen() {
    let (view, freezer, n_done) = block_on(run(Some("INC-9"), true, "careless"));
    assert!(!freezer.asked.lock().unwrap().is_empty());
    assert_eq!(n_done, 0, "{view:?}");
    let failed = view.log.iter().find_map(|record| record.text.clone().filter(|text| text.contains("has failed")));
    assert!(failed.unwrap().contains("the disk is full"));
}
