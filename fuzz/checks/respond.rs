//! What holds for every file that claims to be an evidence pack, a log, a playbook or lineage: a typed answer.
//!
//! The fuzz targets and the ordinary tests, which replay the corpus, share these.

use wardline_respond::{chain, evidence, lineage::sources, playbook::Playbook};

/// An evidence pack: whole, or every alteration is a sentence. What is whole stays whole only byte by byte.
pub(crate) fn pack(bytes: &[u8]) {
    let verification = evidence::verify(bytes, None);
    for alteration in &verification.alterations {
        assert!(alteration.to_string().len() < 4_096, "an alteration is a sentence, not the file");
    }
    if verification.is_whole() {
        assert!(verification.manifest.is_some() && verification.fingerprint.is_some());
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut altered = bytes.to_vec();
            altered[at] ^= 1;
            assert!(!evidence::verify(&altered, None).is_whole(), "byte {at} may be altered unnoticed");
        }
    }
}

/// The log of a run or of an incident.
pub(crate) fn log(bytes: &[u8]) {
    let breaks = chain::verify(bytes, None);
    assert!(breaks.len() <= 1_000);
    assert!(breaks.iter().all(|found| found.to_string().len() < 4_096));
}

/// A playbook.
pub(crate) fn playbook(bytes: &[u8]) {
    match Playbook::read(bytes) {
        Ok(playbook) => assert!(playbook.steps.contains_key(&playbook.start)),
        Err(problems) => assert!(!problems.is_empty(), "what is refused is refused for a reason"),
    }
}

/// OpenLineage, MLflow or CycloneDX.
pub(crate) fn lineage(bytes: &[u8]) {
    let read = [sources::openlineage(bytes), sources::mlflow(bytes), sources::cyclonedx(bytes)];
    for read in read {
        match read {
            Err(error) => assert!(error.to_string().len() < 4_096, "an error is a sentence, not the file"),
            Ok(graph) => {
                let n_nodes = graph.nodes().len();
                assert!(
                    graph.edges().iter().all(|(from, to, _)| (*from as usize) < n_nodes && (*to as usize) < n_nodes)
                );
                assert!(n_nodes <= bytes.len(), "no node without a byte of its own");
            }
        }
    }
}
