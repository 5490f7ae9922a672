//! Which crate may import which: dependencies point one way.

use toml::Table;

use super::{Complaint, Limits, tree::Tree};

pub(super) fn check(tree: &Tree, limits: &Limits, complaints: &mut Vec<Complaint>) {
    for (path, text) in &tree.files {
        let parts: Vec<&str> = path.split('/').collect();
        let ["crates", name, "Cargo.toml"] = parts.as_slice() else { continue };
        let mut complain = |what: String| complaints.push(Complaint { path: path.clone(), line: None, what });
        let Some((_, allowed)) = limits.edges.iter().find(|(crate_name, _)| crate_name == name) else {
            complain(format!("`{name}` is not in the table of crates: add it, with what it may import"));
            continue;
        };
        match text.parse::<Table>() {
            Err(error) => complain(format!("is not TOML: {error}")),
            Ok(manifest) => {
                // What tests use may point the other way; what is built may not.
                for dependency in manifest
                    .get("dependencies")
                    .and_then(|section| section.as_table())
                    .into_iter()
                    .flat_map(Table::keys)
                {
                    check_one(name, dependency, allowed, limits, &mut complain);
                }
            }
        }
    }
}

fn check_one(name: &str, dependency: &str, allowed: &[&str], limits: &Limits, complain: &mut impl FnMut(String)) {
    if let Some(ours) = dependency.strip_prefix("wardline-")
        && !allowed.contains(&ours)
    {
        complain(format!("`{name}` may not import `{ours}`: it may import {allowed:?}"));
    }
    if let Some((_, seen_by)) = limits.seen_by.iter().find(|(crate_name, _)| *crate_name == dependency)
        && !seen_by.contains(&name)
    {
        complain(format!("`{name}` may not see `{dependency}`: only {seen_by:?} may"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::LIMITS;

    fn complaints(name: &str, manifest: &str) -> Vec<String> {
        let mut complaints = Vec::new();
        check(&Tree::of(&[(&format!("crates/{name}/Cargo.toml"), manifest)]), &LIMITS, &mut complaints);
        complaints.into_iter().map(|complaint| complaint.what).collect()
    }

    #[test]
    fn edges_of_the_table_are_allowed_and_no_others() {
        let manifest =
            "[dependencies]\nwardline-stats.workspace = true\n[dev-dependencies]\nwardline-simulate.workspace = true\n";
        assert!(complaints("detect", manifest).is_empty());
        assert_eq!(complaints("store", manifest), [r#"`store` may not import `stats`: it may import ["domain"]"#]);
        assert_eq!(
            complaints("kitchen", "")[0],
            "`kitchen` is not in the table of crates: add it, with what it may import"
        );
    }

    #[test]
    fn only_the_store_sees_the_engine() {
        let manifest = "[dependencies]\ndatafusion.workspace = true\n";
        assert!(complaints("store", manifest).is_empty());
        assert_eq!(complaints("app", manifest), [r#"`app` may not see `datafusion`: only ["store"] may"#]);
    }
}
