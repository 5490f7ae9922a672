//! Objectives in the words of other tools.

use wardline_domain::Slo;

use super::{openslo_export, pyrra_rules, sloth_rules};

/// What objectives are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SloFormat {
    /// OpenSLO v1.
    OpenSlo,
    /// OpenSLO v1alpha, which Sloth reads; it knows no alerts.
    OpenSloV1Alpha,
    /// Rules for Prometheus under Sloth's names.
    SlothRules,
    /// Rules for Prometheus under Pyrra's names.
    PyrraRules,
}

/// Writes objectives as YAML.
pub fn export(slos: &[Slo], format: SloFormat) -> String {
    // The same objectives make the same text, in whatever order they were set.
    let mut slos = slos.to_vec();
    slos.sort_by(|left, right| (&left.service, &left.name).cmp(&(&right.service, &right.name)));
    let slos = slos.as_slice();
    match format {
        SloFormat::OpenSlo => openslo_export::v1(slos),
        SloFormat::OpenSloV1Alpha => openslo_export::v1alpha(slos),
        SloFormat::SlothRules => openslo_export::written(std::iter::once(sloth_rules::groups(slos))),
        SloFormat::PyrraRules => openslo_export::written(std::iter::once(pyrra_rules::groups(slos))),
    }
}
