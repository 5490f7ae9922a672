//! Notifications of a server: what happened to alerts and incidents becomes messages, which are written together with it;
//! a runner sends them until each was taken or is given up.
//!
//! Nothing here holds up intake or detection. A message is sent at least once; what is sent twice has the same ids.

mod alert_notice;
mod desk;
mod incident_notice;
mod retry;
mod routing;
mod runner;
mod view;

pub(crate) use desk::{NotificationDesk, TestError};
pub(crate) use view::{MessageView, notifications_table};
