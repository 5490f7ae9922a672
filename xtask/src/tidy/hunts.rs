//! The page of saved hunts, made from their headings.

use toml::{Table, Value};

use super::{Complaint, tree::Tree};

const FOLDER: &str = "hunts/";
const PAGE: &str = "docs/hunts.md";
const LIST: &str = "crates/app/src/hunts/mod.rs";
const PLANTS: &str = "crates/app/tests/it/hunts/plants.rs";

const INTRODUCTION: &str = "<!-- Made from the headings in `hunts/` by `cargo xtask pages`; edit those. -->

# Saved hunts

A hunt is a question for signs of one attack, asked when somebody wants to know. `wardline hunts list` lists them,
`wardline hunts show NAME` shows one with its SQL, and `wardline hunts run NAME --model MODEL --param NAME=VALUE` asks a
server (`--local`: a data folder). Every hunt looks at a time (`--from`, `--to`; the last week by default) and, with
`--model`, at one model; those that compare features need one. Its rows are leads, the most suspicious first: each names
what to look at next. Where the telemetry lacks what a hunt needs, it says so.

";

pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let mut complain = |path: &str, what: String| {
        complaints.push(Complaint { path: path.to_owned(), line: None, what });
    };
    let text_of = |path: &str| tree.files.get(path).map(String::as_str).unwrap_or_default();
    for (path, name, text) in hunts(tree) {
        if !text_of(LIST).contains(&format!("hunts/{name}.sql\"")) {
            complain(path, format!("is in no line of `{LIST}`, so nobody can run it"));
        }
        if !text_of(PLANTS).contains(&format!("fn {name}(")) {
            complain(
                path,
                format!("has no plant in `{PLANTS}`: data in which it finds something, and data in which not"),
            );
        }
        if let Err(error) = section(text) {
            complain(path, error);
        }
    }
    let Some((path, page)) = page(tree) else { return };
    if tree.files.get(&path).is_none_or(|written| *written != page) {
        complain(&path, "is missing or old: run `cargo xtask pages`".to_owned());
    }
}

/// The page of all hunts: its path below the repository, and its text; `None` where there are no hunts.
pub(crate) fn page(tree: &Tree) -> Option<(String, String)> {
    let sections: Vec<String> = hunts(tree).filter_map(|(_, _, text)| section(text).ok()).collect();
    (!sections.is_empty()).then(|| (PAGE.to_owned(), format!("{INTRODUCTION}{}", sections.join("\n"))))
}

fn hunts(tree: &Tree) -> impl Iterator<Item = (&str, &str, &str)> {
    tree.files.iter().filter_map(|(path, text)| {
        let name = path.strip_prefix(FOLDER)?.strip_suffix(".sql")?;
        (!name.contains('/')).then_some((path.as_str(), name, text.as_str()))
    })
}

/// The part of the page about one hunt.
fn section(text: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("--")).collect();
    let heading: Table = lines.join("\n").parse().map_err(|error| format!("its heading is no TOML: {error}"))?;
    let said = |key: &str| {
        heading.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("its heading lacks `{key}`"))
    };
    let listed = |key: &str| -> Result<Vec<String>, String> {
        let list = heading.get(key).and_then(Value::as_array).ok_or_else(|| format!("its heading lacks `{key}`"))?;
        Ok(list.iter().filter_map(Value::as_str).map(|text| format!("`{text}`")).collect())
    };
    let mut section = format!("## `{}`\n\n{}. {}\n\n", said("name")?, said("title")?, said("looks_for")?);
    section.push_str(&format!("- **Needs:** {}\n", listed("fields")?.join(", ")));
    section.push_str(&format!("- **ATLAS:** {}\n", listed("atlas")?.join(", ")));
    let Some(parameters) = heading.get("parameters").and_then(Value::as_table) else { return Ok(section) };
    section.push_str("\n| parameter | type | default | meaning |\n| --- | --- | --- | --- |\n");
    for (name, parameter) in parameters {
        let of = |key: &str| match parameter.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let default = match of("default") {
            default if default.is_empty() => "must be set".to_owned(),
            // A bar would end the cell, also within a regular expression.
            default => format!("`{}`", default.replace('|', "\\|")),
        };
        section.push_str(&format!("| `{name}` | {} | {default} | {} |\n", of("type"), of("about")));
    }
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUNT: &str = "-- name = \"late\"\n-- title = \"Late\"\n-- looks_for = \"Somebody is late.\"\n-- atlas = [\"AML.T0029\"]\n\
        -- fields = [\"inference.user\"]\n-- parameters.pattern = { type = \"text\", default = \"a|b\", about = \"what\" }\n\nSELECT 1\n";

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let mut complaints = Vec::new();
        check(&Tree::of(files), &mut complaints);
        complaints.into_iter().map(|complaint| complaint.what).collect()
    }

    #[test]
    fn a_hunt_is_listed_planted_and_on_the_page() {
        let (_, page) = page(&Tree::of(&[("hunts/late.sql", HUNT)])).unwrap();
        assert!(page.contains("## `late`\n\nLate. Somebody is late.\n\n- **Needs:** `inference.user`\n"), "{page}");
        assert!(page.contains("| `pattern` | text | `a\\|b` | what |"), "{page}");
        let good = [
            ("hunts/late.sql", HUNT),
            (LIST, "include_str!(\"../../../../hunts/late.sql\")"),
            (PLANTS, "fn late(lines"),
            (PAGE, page.as_str()),
        ];
        assert!(complaints(&good).is_empty(), "{:?}", complaints(&good));
        assert_eq!(complaints(&good[..1]).len(), 3);
    }
}
