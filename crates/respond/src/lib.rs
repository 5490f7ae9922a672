//! Response to what was detected: judging rollouts, incidents, playbooks and evidence.

pub mod chain;
pub mod correlation;
pub mod dora;
pub mod evidence;
pub mod incident;
pub mod lineage;
pub mod playbook;
pub mod what_changed;
