//! What holds for every file that claims to be a model: a typed error, or a model that answers every row.
//!
//! The fuzz targets and the ordinary tests, which replay damaged models, share these.

use wardline_stats::{
    learn::Features,
    trees::{Ensemble, LoadError},
};

/// Reads bytes, and asks what comes of it.
pub(crate) fn model(bytes: &[u8], read: fn(&[u8]) -> Result<Ensemble, LoadError>) {
    match read(bytes) {
        Err(error) => assert!(error.to_string().len() < 4_096, "an error is a sentence, not the file"),
        Ok(ensemble) => {
            let nodes: usize = ensemble.trees().iter().map(|tree| tree.nodes().len()).sum();
            assert!(nodes <= bytes.len(), "no node without a byte of its own");
            let rows = [0.0, 1.5, -3.0, f64::NAN, 1e300];
            let columns = vec![&rows[..]; ensemble.width()];
            let features = Features::new(columns).expect("the width of a model is that of a table");
            let margins = ensemble.margins(&features).expect("the width fits");
            let predictions = ensemble.predict(&features).expect("the width fits");
            assert_eq!(margins.len(), rows.len() * ensemble.outputs());
            assert_eq!(predictions.len(), margins.len());
            assert!(margins.iter().all(|margin| !margin.is_nan()), "a margin is a number");
        }
    }
}
