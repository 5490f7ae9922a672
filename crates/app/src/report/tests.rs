pub(crate) mod sample;

use super::{DeadLetterCount, ReportInput, render};
use sample::input;

/// The page without tags, style and drawings: what a reader who hears it is told, a line for each block.
fn text_of(page: &str) -> String {
    const WITHIN_A_LINE: [&str; 11] = ["span", "small", "b>", "b ", "code", "a ", "a>", "strong", "td", "dd", "i "];
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = rest[start + 1..].trim_start_matches('/');
        text.push(if WITHIN_A_LINE.iter().any(|name| tag.starts_with(name)) { ' ' } else { '\n' });
        // The contents of these are no text.
        let skipped = ["style", "svg"].iter().find(|name| rest[start + 1..].starts_with(**name));
        let from = skipped.map_or(start, |name| start + rest[start..].find(&format!("</{name}")).unwrap());
        rest = &rest[from + rest[from..].find('>').unwrap() + 1..];
    }
    for (entity, character) in [
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&quot;", "\""),
        ("&gt;", ">"),
        ("&lt;", "<"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_says_what_is_wrong_in_the_order_of_urgency() {
    let text = text_of(&render(&input()).unwrap());
    let from = text.find("Wardline hunt").unwrap();
    let until = text.find("■ ticket look at it").unwrap();
    let told = &text[from..until];
    insta::assert_snapshot!(told, @r#"
    Wardline hunt report
    3 alerts in 3 of 4 models, 1 of them urgent
    telemetry/2026-11/
    Read
    302,118 records, 161 MiB
    In
    0.94 s, 321,402 records/s
    Predictions
    244,816 of 4 models
    Not taken in
    17 records
    From
    Mon 2 Nov 2026, 00:00:00
    To
    Wed 11 Nov 2026, 00:00:00 (9 d)
    What happened when times are UTC
    Alerts
    Severity
    Model
    What
    Since
    ▲ page
    card-fraud
    version 3.2
    6.1 % of card-fraud 3.2's predictions fail, 0.03 % of 3.1's beside it (n=312 against 2,804)
    Mon 9 Nov 2026, 19:00:00
    ■ ticket
    document-reader
    latency p99 of document-reader 2.3.1 rose from 612 ms to 2.1 s since 08:24 (n=412), carried by instance reader-api-1 (93 %) and 1 more sign
    Mon 9 Nov 2026, 08:24:00
    ■ ticket
    credit-limit
    version 5.1
    raise is 94 % of credit-limit 5.1's decisions, normally 55 %, since 09:00 (n=840): income_eur is 100 times what it was
    Tue 10 Nov 2026, 09:00:00
    ▲ page look at it now · errors · card-fraud 3.2
    6.1 % of card-fraud 3.2's predictions fail, 0.03 % of 3.1's beside it (n=312 against 2,804)
    status
    observed 6.1 % n = 412
    normal 0.030 % n = 48,120
    ratio 203
    When
    Began
    Mon 9 Nov 2026, 19:00:00
    between 18:48:00 and 19:04:00
    Raised
    Mon 9 Nov 2026, 19:04:12, 4 min 12 s after the onset
    Now
    last seen Mon 9 Nov 2026, 21:36:00 · 4 findings
    Error rate
    Volume predictions/h
    normal for the hour
    Evidence: ask the tables yourself
    SELECT date_bin(INTERVAL '1 hour', time) AS hour, instance, count(*) AS n,
    percentile(status, 0.99) AS p99
    FROM "model.card-fraud"
    WHERE time >= TIMESTAMP '2026-11-09T19:00:00.000Z'
    GROUP BY 1, 2 ORDER BY 1, 2
    "#);
}

#[test]
fn a_quiet_hunt_says_so_and_lists_what_is_normal() {
    let quiet = ReportInput { alerts: Vec::new(), dead_letters: Vec::new(), ..input() };
    let page = render(&quiet).unwrap();
    let text = text_of(&page);
    assert!(text.contains("Nothing is wrong with any of 4 models"), "{text}");
    assert!(text.contains("latency p99\n612 ms") && text.contains("as normal"), "{text}");
    assert!(!text.contains("were not taken in"));
    assert!(!page.contains("class=\"onset\""));
}

#[test]
fn nothing_at_all_is_a_page_as_well() {
    let text = text_of(&render(&ReportInput::default()).unwrap());
    assert!(text.contains("No model was seen"), "{text}");
}

/// Goal: telemetry cannot put code on the page. Method: every text of the input is hostile.
#[test]
fn hostile_names_stay_text() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7919*7919 }}";
    let mut hostile = input();
    for model in &mut hostile.models {
        model.name = HOSTILE.to_owned();
        model.versions = vec![HOSTILE.to_owned()];
        model.normal[0].value = HOSTILE.to_owned();
        for plot in &mut model.plots {
            plot.title = HOSTILE.to_owned();
            plot.unit = HOSTILE.to_owned();
            plot.lines[0].name = HOSTILE.to_owned();
        }
    }
    for alert in &mut hostile.alerts {
        for text in [&mut alert.model, &mut alert.title, &mut alert.id] {
            *text = HOSTILE.to_owned();
        }
        alert.version = Some(HOSTILE.to_owned());
        alert.slice = wardline_domain::Slice::of(HOSTILE, HOSTILE);
        alert.atlas = vec![HOSTILE.to_owned()];
        alert.responsible =
            vec![wardline_domain::Carrier { name: HOSTILE.to_owned(), share: f64::NAN, interval: None }];
        for finding in &mut alert.findings {
            finding.evidence = HOSTILE.to_owned();
            finding.measure = HOSTILE.to_owned();
            finding.unit = HOSTILE.to_owned();
        }
    }
    let mut histogram = hostile.distributions.remove("a-3").unwrap();
    histogram[0].title = HOSTILE.to_owned();
    histogram[0].bins[0].label = HOSTILE.to_owned();
    hostile.distributions.insert(HOSTILE.to_owned(), histogram);
    hostile.read.sources = vec![HOSTILE.to_owned()];
    hostile.dead_letters = vec![DeadLetterCount {
        reason: HOSTILE.to_owned(),
        count: 1,
        example: HOSTILE.to_owned(),
        place: HOSTILE.to_owned(),
    }];
    let page = render(&hostile).unwrap();
    assert!(!page.contains("<script") && !page.contains("<img"), "a tag came through");
    assert!(!page.contains("62710561"), "an expression was evaluated");
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn the_page_loads_nothing() {
    let page = render(&input()).unwrap();
    for forbidden in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.len() < 400_000, "{} bytes", page.len());
}

#[test]
fn the_same_input_gives_the_same_page() {
    assert_eq!(render(&input()).unwrap(), render(&input()).unwrap());
}
