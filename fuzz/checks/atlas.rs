//! What holds for every file that claims to be a release of MITRE ATLAS: a typed error, or facts that hold together.
//!
//! The fuzz target and the ordinary tests, which replay the corpus, share these.

use wardline_domain::atlas::Atlas;

/// Reads bytes, and checks what comes of it.
pub(crate) fn atlas(bytes: &[u8]) {
    match Atlas::read(bytes) {
        Err(error) => assert!(error.to_string().len() < 4_096, "an error is a sentence, not the file"),
        Ok(atlas) => {
            assert!(!atlas.tactics.is_empty() && !atlas.techniques.is_empty());
            for technique in &atlas.techniques {
                assert_eq!(atlas.technique(&technique.id), Some(technique), "every technique is found");
                assert!(technique.tactics.iter().all(|id| atlas.tactic(id).is_some()), "every tactic is known");
                let parent = technique.parent.as_deref().map(|parent| atlas.technique(parent));
                assert!(parent.is_none_or(|parent| parent.is_some_and(|parent| parent.parent.is_none())));
            }
            for mitigation in &atlas.mitigations {
                assert!(mitigation.techniques.iter().all(|id| atlas.technique(id).is_some()));
            }
        }
    }
}
