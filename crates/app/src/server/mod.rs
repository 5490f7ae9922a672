//! The HTTP server: intake, queries, alerts, dead letters, health, and its own metrics.

mod accounts;
mod alerts;
mod atlas;
mod audit;
mod auth;
mod baseline;
mod body;
mod budget;
mod dead_letters;
mod error;
mod evidence;
mod exports;
mod guard;
mod health;
mod incidents;
mod intake;
mod lineage;
mod notifications;
mod openapi;
mod playbooks;
mod query;
mod rollouts;
mod routes;
mod slos;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use axum::{Router, routing::get, serve::ListenerExt as _};
use tokio::net::TcpListener;
use tower_http::{request_id, trace::TraceLayer};

// A new route is a line in `routes.rs`.
use self::body::Bodies;
pub(crate) use self::{
    accounts::{CreatedToken, Tokens, Users},
    audit::AuditList,
    budget::{BudgetAnswer, EntitiesAnswer},
    dead_letters::{Letters, ListedLetter},
    evidence::KeyAnswer,
    incidents::{Declared, IncidentList, RadiusAnswer},
    lineage::TakenIn,
    notifications::NotificationList,
    openapi::document as api_document,
    query::{QueryRequest, TRUNCATED_HEADER, answer},
    slos::SlosAnswer,
};
use crate::{accounts::Accounts, pipeline::Pipeline, settings::Settings};

/// What every handler can reach.
pub(crate) struct Shared {
    /// The live data plane.
    pub(crate) pipeline: Pipeline,
    /// Checked settings.
    pub(crate) settings: Settings,
    /// Users, tokens and the audit log.
    accounts: Accounts,
    bodies: Bodies,
}

impl Shared {
    /// What handlers reach, of a data plane that runs.
    ///
    /// # Errors
    /// The audit log cannot be read.
    pub(crate) async fn open(pipeline: Pipeline, settings: Settings) -> anyhow::Result<Self> {
        let accounts = Accounts::open(pipeline.metadata().clone(), &settings.data).await?;
        Ok(Self { accounts, bodies: Bodies::new(&settings.intake), pipeline, settings })
    }
}

/// A server that has its port, and is not yet answering.
pub(crate) struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Server {
    /// Opens the port. With port 0 the system chooses one; [`Server::address`] tells which.
    ///
    /// # Errors
    /// The address is in use or not this machine's.
    pub(crate) async fn bind(shared: Arc<Shared>) -> anyhow::Result<Self> {
        let listen = shared.settings.server.listen;
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}: choose another with --listen, or stop what uses it")
        })?;
        Ok(Self { listener, shared })
    }

    /// The address that was opened.
    ///
    /// # Errors
    /// The socket is gone.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Answers until `stop` resolves, then lets requests under way finish.
    ///
    /// # Errors
    /// The socket failed.
    pub(crate) async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        // Answers are small and somebody waits for each.
        let listener = self.listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router(self.shared)).with_graceful_shutdown(stop).await?;
        Ok(())
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(routes::router(&shared))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(error::not_found)
        .layer(request_id::PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http())
        .layer(request_id::SetRequestIdLayer::x_request_id(request_id::MakeRequestUuid))
        .with_state(shared)
}
