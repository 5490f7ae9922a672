//! Layers for the ATT&CK Navigator, which shows ATLAS as a matrix.

use serde_json::{Value, json};

use super::Atlas;

/// What a layer says of a technique.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRow {
    /// The technique's id.
    pub technique: String,
    /// Its score; `None` leaves it without a colour.
    pub score: Option<f64>,
    /// What a person reads who points at it.
    pub comment: String,
}

const FORMAT: &str = "4.5";
const NAVIGATOR: &str = "5.1.0";
/// The matrix it is a layer of.
const DOMAIN: &str = "atlas";

/// A layer of format 4.5, with every technique under each of its tactics.
pub fn layer(atlas: &Atlas, name: &str, description: &str, rows: &[LayerRow]) -> Value {
    let most = rows.iter().filter_map(|row| row.score).fold(1.0, f64::max);
    let techniques: Vec<Value> = rows.iter().flat_map(|row| entries(atlas, row)).collect();
    json!({
        "name": name,
        "description": description,
        "versions": { "attack": atlas.version, "navigator": NAVIGATOR, "layer": FORMAT },
        "domain": DOMAIN,
        "filters": { "platforms": ["ATLAS"] },
        "sorting": 3,
        "layout": { "layout": "side", "showName": true, "showID": true, "showAggregateScores": true,
                    "aggregateFunction": "sum", "countUnscored": false, "expandedSubtechniques": "annotated" },
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": { "colors": ["#ffffff", "#7fb3d5", "#1f618d"], "minValue": 0, "maxValue": most },
        "legendItems": [],
        "metadata": [{ "name": "atlas_data_version", "value": atlas.version }],
        "links": [],
        "showTacticRowBackground": false,
        "selectTechniquesAcrossTactics": true,
        "selectSubtechniquesWithParent": false,
        "selectVisibleTechniques": false,
    })
}

fn entries(atlas: &Atlas, row: &LayerRow) -> Vec<Value> {
    let Some(technique) = atlas.technique(&row.technique) else { return Vec::new() };
    let has_forms = atlas.sub_techniques(&technique.id).next().is_some();
    let tactics = technique.tactics.iter().filter_map(|id| atlas.tactic(id));
    tactics
        .map(|tactic| {
            let mut entry = json!({
                "techniqueID": technique.id,
                "tactic": tactic.short_name(),
                "color": "",
                "comment": row.comment,
                "enabled": true,
                "metadata": [],
                "links": [],
                "showSubtechniques": has_forms,
            });
            if let (Some(score), Some(fields)) = (row.score, entry.as_object_mut()) {
                fields.insert("score".to_owned(), json!(score));
            }
            entry
        })
        .collect()
}
