//! Who fed a model bad rows.
//!
//! | function | answers |
//! | --- | --- |
//! | [`OutsideNeighbours`] | which channel's labels disagree with how other channels call such rows, in all or for a pair of classes |
//! | [`channel_lift`] | which items one channel promotes or demotes, and by whose ratings |
//! | [`profile_marks`] | how unlike others each user rates |
//! | [`triggers`], [`OutsideNeighbours::triggers`] | which rare token, or two, force a class |
//! | [`channel_influence`] | whether a model is better off without a channel |
//! | [`spectral_signatures`] | which rows of a class pull its embeddings along a direction of their own |
//! | [`activation_clusters`] | whether a class's embeddings fall into two groups |
//! | [`knn_shapley`] | what each training row adds to, or takes from, a nearest-neighbour model's accuracy |
//! | [`knn_shapley_by_channel`] | the same by channel, with its error |
//!
//! All say how rows or channels differ from others; none says that it was meant.

mod between_channels;
mod channel_lift;
mod channel_value;
mod clusters;
mod disagreement;
mod influence;
mod knn_shapley;
mod outside_neighbours;
mod profiles;
mod spectral;
mod trigger;

pub use between_channels::ChannelExcess;
pub use channel_lift::{ItemLift, ItemRatings, LiftSettings, Push, channel_lift};
pub use channel_value::{ChannelValue, knn_shapley_by_channel};
pub use clusters::{ClassClusters, activation_clusters};
pub use disagreement::{ChannelDisagreement, DisagreementSettings};
pub use influence::{ChannelInfluence, channel_influence};
pub use knn_shapley::{LabelledRows, knn_shapley};
pub use outside_neighbours::{ChannelRows, NeighbourSettings, OutsideNeighbours};
pub use profiles::{ProfileMarks, profile_marks};
pub use spectral::{ClassSignature, spectral_signatures};
pub use trigger::{Trigger, TriggerSettings, triggers};
