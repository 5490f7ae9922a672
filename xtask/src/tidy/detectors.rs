//! Each detector is registered, has a page, and a test on both sides: what must alert, what must not.

use super::{Complaint, rust_text::code_of, tree::Tree};

const FOLDER: &str = "crates/detect/src/detectors/";
const PAGES: &str = "docs/detectors/";

/// What a detector's module documentation must say: its page is that text.
const SAID: [&str; 4] = ["**Method:**", "**Fields:**", "**False alarms:**", "**Blind spots:**"];

pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(list) = tree.files.get(&format!("{FOLDER}mod.rs")) else { return };
    let list = code_of(list);
    for (path, name, text) in detectors(tree) {
        let mut complain = |what: String| complaints.push(Complaint { path: path.to_owned(), line: None, what });
        if !list.contains(&format!("{name}::SPEC")) {
            complain("is in no line of `DETECTORS`, so it never runs".to_owned());
        }
        for said in SAID {
            if !text.contains(said) {
                complain(format!("its module documentation lacks {said}, and its page is made of that"));
            }
        }
        let tests: String = tree
            .files
            .iter()
            .filter(|(other, _)| *other == path || other.starts_with(&format!("{FOLDER}{name}/")))
            .map(|(_, text)| text.as_str())
            .collect();
        for (start, meaning) in
            [("fn alerts_", "the least that must alert"), ("fn stays_quiet_", "the most that must not")]
        {
            if !tests.contains(start) {
                complain(format!("has no test `{}…`: {meaning}", start.trim_start_matches("fn ")));
            }
        }
        let page = format!("{PAGES}{name}.md");
        if tree.files.get(&page).is_none_or(|written| *written != page_of(name, text)) {
            complain(format!("its page `{page}` is missing or old: run `cargo xtask pages`"));
        }
    }
}

/// Every detector's page: its path below the repository, and its text.
pub(crate) fn pages(tree: &Tree) -> Vec<(String, String)> {
    detectors(tree).map(|(_, name, text)| (format!("{PAGES}{name}.md"), page_of(name, text))).collect()
}

/// Files with a specification, by path and name.
fn detectors(tree: &Tree) -> impl Iterator<Item = (&str, &str, &str)> {
    tree.files.iter().filter_map(|(path, text)| {
        let name = path.strip_prefix(FOLDER)?.strip_suffix(".rs")?;
        let is_one = !name.contains('/') && name != "mod" && code_of(text).contains("const SPEC: DetectorSpec");
        is_one.then_some((path.as_str(), name, text.as_str()))
    })
}

/// The page of a detector: its module documentation.
fn page_of(name: &str, text: &str) -> String {
    let body: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    // Links of the code's documentation lead nowhere on a page.
    let body = body.join("\n").replace("[`crate::", "[`").replace("[`super::", "[`");
    let body = body.replace("[`", "`").replace("`]", "`");
    format!(
        "<!-- Made from the module documentation by `cargo xtask pages`; edit that. -->\n\n# `{name}`\n\n{}\n",
        body.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "//! Alerts when it is late.\n//!\n//! - **Method:** [`crate::rate`].\n//! - **Fields:** `time`.\n\
        //! - **False alarms:** one a year.\n//! - **Blind spots:** night.\n\npub(super) const SPEC: DetectorSpec = x;\n\
        fn alerts_late() {}\nfn stays_quiet_early() {}\n";
    const LIST: &str = "//! All.\npub const DETECTORS: &[DetectorSpec] = &[late::SPEC];\n";

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let mut tree = Tree::of(files);
        for (path, page) in pages(&tree) {
            tree.files.entry(path).or_insert(page);
        }
        let mut complaints = Vec::new();
        check(&tree, &mut complaints);
        complaints.into_iter().map(|complaint| complaint.what).collect()
    }

    #[test]
    fn a_registered_detector_with_both_tests_is_fine() {
        let (list, late) = (format!("{FOLDER}mod.rs"), format!("{FOLDER}late.rs"));
        assert!(complaints(&[(&list, LIST), (&late, GOOD)]).is_empty());
        let one_sided = GOOD.replace("fn stays_quiet_early() {}", "");
        assert_eq!(
            complaints(&[(&list, LIST), (&late, &one_sided)]),
            ["has no test `stays_quiet_…`: the most that must not"]
        );
        assert_eq!(
            complaints(&[(&list, "//! All."), (&late, GOOD)]),
            ["is in no line of `DETECTORS`, so it never runs"]
        );
        let silent = GOOD.replace("**Blind spots:**", "");
        assert_eq!(complaints(&[(&list, LIST), (&late, &silent)]).len(), 1);
        let old = [(list.as_str(), LIST), (&late, GOOD), ("docs/detectors/late.md", "# Old")];
        assert_eq!(complaints(&old), ["its page `docs/detectors/late.md` is missing or old: run `cargo xtask pages`"]);
    }

    #[test]
    fn a_page_is_the_documentation_without_links_into_code() {
        let page = page_of("late", GOOD);
        assert!(page.contains("# `late`\n\nAlerts when it is late.\n\n- **Method:** `rate`.\n"), "{page}");
    }
}
