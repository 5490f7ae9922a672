//! Response to what was detected: judging rollouts, incidents, playbooks and evidence.
//!
//! **Invariant:** nothing here waits, reads, writes or looks at a clock. Time comes with events and receipts; what is
//! to be done goes out as requests that an actuator carries out elsewhere.

pub mod chain;
pub mod correlation;
pub mod dora;
pub mod evidence;
pub mod incident;
pub mod judge;
pub mod lineage;
pub mod playbook;
pub mod rollout;
pub mod what_changed;
