//! HAProxy, as Debian has it, between clients and two versions.

use std::path::Path;

use serde_json::json;

use super::{
    block_on, build, named,
    proxies::HaProxy,
    share,
    traffic::{Clients, answers},
};

#[test]
fn a_share_is_set_and_nothing_reaches_the_version_after_the_acknowledgement() {
    let proxy = HaProxy::start();
    block_on(async {
        let edge = build(proxy.settings());
        let before = answers(&proxy.url(), 500).await;
        assert!((40..=60).contains(&before["2.1"]), "{before:?}");
        assert_eq!(edge.read(&share(0.0).action).await.unwrap(), "v21 weight 10, v20 weight 90");

        let done = edge.carry_out(&share(0.0)).await.unwrap();
        assert_eq!(done.before.as_deref(), Some("v21 weight 10, v20 weight 90"));
        assert_eq!(done.after.as_deref(), Some("v21 weight 0, v20 weight 90"));
        assert!(!done.was_so);
        assert_eq!(answers(&proxy.url(), 500).await, [("2.0".to_owned(), 500)].into());

        let again = edge.carry_out(&share(0.0)).await.unwrap();
        assert!(again.was_so && again.after == done.after, "{again:?}");

        let half = edge.carry_out(&share(50.0)).await.unwrap();
        assert_eq!(half.after.as_deref(), Some("v21 weight 1, v20 weight 1"));
        let split = answers(&proxy.url(), 100).await;
        assert!((40..=60).contains(&split["2.1"]), "{split:?}");

        edge.carry_out(&share(100.0)).await.unwrap();
        assert_eq!(answers(&proxy.url(), 50).await, [("2.1".to_owned(), 50)].into());
        // The standing version had weight 0, so it is raised before the other is lowered.
        let back = edge.carry_out(&share(0.0)).await.unwrap();
        assert_eq!(back.after.as_deref(), Some("v21 weight 0, v20 weight 90"));
        assert_eq!(answers(&proxy.url(), 50).await, [("2.0".to_owned(), 50)].into());
    });
}

#[test]
fn clients_that_ask_all_the_time_see_no_failure_and_no_leak() {
    let proxy = HaProxy::start();
    block_on(async {
        let edge = build(proxy.settings());
        for _ in 0..5 {
            edge.carry_out(&share(50.0)).await.unwrap();
            let clients = Clients::start(&proxy.url(), 4, "2.1");
            edge.carry_out(&share(0.0)).await.unwrap();
            clients.acknowledged();
            let seen = clients.seen_after(500).await;
            assert!(seen.leaked == 0 && seen.failed == 0 && seen.asked_after >= 500, "{seen:?}");
        }
    });
}

#[test]
fn nothing_may_mean_out_of_service_too() {
    let proxy = HaProxy::start();
    block_on(async {
        for (at_zero, shown) in
            [("drain", "v21 weight 0 drain, v20 weight 90"), ("maintenance", "v21 weight 0 maintenance, v20 weight 90")]
        {
            let edge = build(proxy.with("at_zero", at_zero));
            assert_eq!(edge.carry_out(&share(0.0)).await.unwrap().after.as_deref(), Some(shown));
            assert!(edge.carry_out(&share(0.0)).await.unwrap().was_so);
            // What we took out, we bring back.
            assert_eq!(
                edge.carry_out(&share(10.0)).await.unwrap().after.as_deref(),
                Some("v21 weight 1, v20 weight 9")
            );
            set_weights(proxy.folder.path(), 90, 10);
        }
    });
}

/// As an operator would by hand.
fn set_weights(folder: &Path, v20: u32, v21: u32) {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(folder.join("admin.sock")).unwrap();
    writeln!(stream, "set weight fraud/v20 {v20}; set weight fraud/v21 {v21}").unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
}

#[test]
fn the_last_resort_cuts_a_version_off_and_only_who_asks_brings_it_back() {
    let proxy = HaProxy::start();
    block_on(async {
        let edge = build(proxy.settings());
        let cut = edge.carry_out(&named("cut_off", &[("model", "fraud"), ("version", "2.1")])).await.unwrap();
        assert_eq!(cut.after.as_deref(), Some("v21 weight 10 maintenance"));
        assert_eq!(answers(&proxy.url(), 100).await, [("2.0".to_owned(), 100)].into());
        let error = edge.carry_out(&share(10.0)).await.unwrap_err();
        assert!(!error.is_temporary());
        insta::assert_snapshot!(error, @"edge refused: server v21 was taken out of service: bring it back with `readmit` or `set server fraud/v21 state ready`");
        assert!(!edge.can(&named("cut_off", &[("model", "churn"), ("version", "2.1")]).action));
        edge.carry_out(&named("readmit", &[("model", "fraud"), ("version", "2.1")])).await.unwrap();
        assert!(answers(&proxy.url(), 100).await["2.1"] > 0);
    });
}

#[test]
fn it_is_reached_over_tcp_as_well_and_says_what_it_lacks() {
    let proxy = HaProxy::start();
    block_on(async {
        let edge = build(proxy.with("address", format!("tcp:127.0.0.1:{}", proxy.tcp_port)));
        assert!(!edge.carry_out(&share(0.0)).await.unwrap().was_so);

        let unknown = build(proxy.with("servers", json!({}))).carry_out(&share(0.0)).await.unwrap_err();
        insta::assert_snapshot!(unknown, @"edge refused: its backend fraud has no such server; it has v20, v21: see `servers`");
        let backend = build(proxy.with("backend", "churn")).carry_out(&share(0.0)).await.unwrap_err();
        insta::assert_snapshot!(backend, @r"edge refused: it answered `Can\'t find backend.` to `show servers state`");
        let fine = edge.carry_out(&share(0.05)).await.unwrap_err();
        insta::assert_snapshot!(fine, @"edge refused: weights up to 256 make no share of 0.05 % with 1 and 1 servers");

        let mut hostile = share(0.0);
        let wardline_domain::Action::SetShare { version, .. } = &mut hostile.action else { unreachable!() };
        *version = "v21 0; disable server fraud/v20".to_owned();
        let error = edge.carry_out(&hostile).await.unwrap_err();
        insta::assert_snapshot!(error, @"edge refused: `v21 0; disable server fraud/v20` is no name: use letters, digits, `_`, `-`, `.` and `:`");
        assert_eq!(answers(&proxy.url(), 20).await, [("2.0".to_owned(), 20)].into());
    });
}
