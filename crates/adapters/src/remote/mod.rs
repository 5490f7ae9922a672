//! What everything that speaks to another system needs: secrets, time limits, web requests, and strict settings.

mod fault;
mod ingredients;
pub(crate) mod secret;
mod time_limit;
pub(crate) mod web;

pub(crate) use self::{
    fault::Fault,
    ingredients::{Ingredients, Spec, build},
    time_limit::TimeLimit,
};
pub use self::{
    ingredients::{Part, RemoteSettingsError},
    secret::{Environment, SecretSource},
};
