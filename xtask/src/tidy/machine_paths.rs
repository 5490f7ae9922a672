//! Paths of one machine, which mean nothing on any other.

use super::{Complaint, tree::Tree};

/// Folders of a machine. They are put together here so that this file does not name them itself.
const FOLDERS: [&str; 2] = [concat!("/", "work"), concat!("/", "root")];

pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    for (path, text) in &tree.files {
        for (index, line) in text.lines().enumerate() {
            if let Some(folder) = FOLDERS.iter().find(|folder| names(line, folder)) {
                let what = format!(
                    "`{folder}` is a folder of one machine: write a path below the repository, or take it as an argument"
                );
                complaints.push(Complaint { path: path.clone(), line: Some(index + 1), what });
            }
        }
    }
}

/// Whether a line names the folder at the start of an absolute path.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let starts_path = before
            .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '/' | '.' | '_' | '-' | '~' | '}' | ')' | '*' | '>'));
        starts_path && after.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_are_found() {
        let [work, _] = FOLDERS;
        assert!(names(&format!("cd {work}/main"), work));
        assert!(names(&format!("\"{work}\""), work));
        for innocent in ["/workspace", "a/work", "net", "./work/x", "$HOME}/work"] {
            assert!(!names(innocent, work), "{innocent}");
        }
    }
}
