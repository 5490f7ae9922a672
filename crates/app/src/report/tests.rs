pub(crate) mod sample;

use super::{DeadLetterCount, ReportInput, render};
use sample::input;

/// The page without tags, style and drawings: what a reader who hears it is told.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let (mut in_tag, mut skipping) = (false, None::<&str>);
    let mut rest = page;
    while let Some(character) = rest.chars().next() {
        match skipping {
            Some(end) if rest.starts_with(end) => skipping = None,
            Some(_) => {}
            None if rest.starts_with("<style") => skipping = Some("</style"),
            None if rest.starts_with("<svg") => skipping = Some("</svg"),
            None => {}
        }
        match character {
            '<' => (in_tag, text) = (true, text + " "),
            '>' => in_tag = false,
            other if !in_tag && skipping.is_none() => text.push(other),
            _ => {}
        }
        rest = &rest[character.len_utf8()..];
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_says_what_is_wrong_in_the_order_of_urgency() {
    let text = text_of(&render(&input()).unwrap());
    let from = text.find("Skip to").unwrap();
    let until = text.find("Evidence").unwrap();
    let told = text[from..until].replace(". ", ".\n").replace(" ▲", "\n▲").replace(" ■", "\n■");
    insta::assert_snapshot!(told);
}

#[test]
fn a_quiet_hunt_says_so_and_lists_what_is_normal() {
    let quiet = ReportInput { alerts: Vec::new(), dead_letters: Vec::new(), ..input() };
    let page = render(&quiet).unwrap();
    let text = text_of(&page);
    assert!(text.contains("Nothing is wrong with any of 4 models"), "{text}");
    assert!(text.contains("latency p99 612 ms") && text.contains("as normal"), "{text}");
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
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}";
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
        alert.responsible = vec![wardline_domain::Carrier { name: HOSTILE.to_owned(), share: f64::NAN, interval: None }];
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
    assert!(!page.contains("49"), "an expression was evaluated");
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
