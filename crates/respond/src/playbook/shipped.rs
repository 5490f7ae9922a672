//! The playbooks that come with the product.

/// A playbook that comes with the product.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name in settings and commands.
    pub name: &'static str,
    /// The file.
    pub json: &'static str,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// Every playbook that comes with the product.
        pub const SHIPPED: &[Shipped] = &[$(
            Shipped { name: $name, json: include_str!(concat!("../../../../playbooks/", $name, ".json")) },
        )*];
    };
}

shipped![
    "adversarial_input",
    "bad_canary",
    "cost_harvesting",
    "drift",
    "extraction",
    "fairness_breach",
    "latency",
    "poisoning_by_channel",
    "prompt_injection",
    "silent_decay",
];
