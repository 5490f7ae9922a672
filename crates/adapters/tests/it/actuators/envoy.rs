//! Envoy between clients and two versions.

use super::{
    block_on, build,
    proxies::Envoy,
    share,
    traffic::{Clients, answers},
};

#[test]
fn a_share_is_set_and_nothing_reaches_the_version_after_the_acknowledgement() {
    let proxy = Envoy::start(true);
    block_on(async {
        let mesh = build(proxy.settings());
        let before = answers(&proxy.url(), 500).await;
        // Each request is drawn for itself: 50 on average, and outside of this once in a million tests.
        assert!((15..=90).contains(&before["2.1"]), "{before:?}");

        let done = mesh.carry_out(&share(0.0)).await.unwrap();
        assert_eq!(done.before.as_deref(), Some("split.fraud.v21=as configured split.fraud.v20=as configured"));
        assert_eq!(done.after.as_deref(), Some("split.fraud.v21=0 split.fraud.v20=10000"));
        assert_eq!(answers(&proxy.url(), 500).await, [("2.0".to_owned(), 500)].into());
        assert!(mesh.carry_out(&share(0.0)).await.unwrap().was_so);

        mesh.carry_out(&share(100.0)).await.unwrap();
        assert_eq!(answers(&proxy.url(), 100).await, [("2.1".to_owned(), 100)].into());
        let third = mesh.carry_out(&share(33.33)).await.unwrap();
        assert_eq!(third.after.as_deref(), Some("split.fraud.v21=3333 split.fraud.v20=6667"));
        let split = answers(&proxy.url(), 300).await;
        assert!((55..=145).contains(&split["2.1"]), "{split:?}");
    });
}

#[test]
fn clients_that_ask_all_the_time_see_no_failure_and_no_leak() {
    let proxy = Envoy::start(true);
    block_on(async {
        let mesh = build(proxy.settings());
        for _ in 0..5 {
            mesh.carry_out(&share(50.0)).await.unwrap();
            let clients = Clients::start(&proxy.url(), 4, "2.1");
            mesh.carry_out(&share(0.0)).await.unwrap();
            clients.acknowledged();
            let seen = clients.seen_after(500).await;
            assert!(seen.leaked == 0 && seen.failed == 0 && seen.asked_after >= 500, "{seen:?}");
        }
    });
}

#[test]
fn a_proxy_without_an_admin_layer_says_what_to_add() {
    let proxy = Envoy::start(false);
    let error = block_on(async { build(proxy.settings()).carry_out(&share(0.0)).await.unwrap_err() });
    insta::assert_snapshot!(error, @"mesh refused: its `layered_runtime` has no `admin_layer`: add one as the last layer");
}
