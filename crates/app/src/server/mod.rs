//! The HTTP server: intake, queries, alerts, dead letters, health, and its own metrics.

mod alerts;
mod atlas;
mod auth;
mod baseline;
mod body;
mod budget;
mod dead_letters;
mod error;
mod health;
mod intake;
mod query;
mod slos;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
    serve::ListenerExt as _,
};
use tokio::net::TcpListener;
use tower_http::{request_id, trace::TraceLayer};

use self::body::Bodies;
pub(crate) use self::{
    budget::{BudgetAnswer, EntitiesAnswer},
    dead_letters::{Letters, ListedLetter},
    query::{QueryRequest, TRUNCATED_HEADER, answer},
    slos::SlosAnswer,
};
use crate::{pipeline::Pipeline, settings::Settings};

/// Several times the largest release of ATLAS.
const MOST_CATALOGUE_BYTES: usize = 8 << 20;

/// What every handler can reach.
pub(crate) struct Shared {
    /// The live data plane.
    pub(crate) pipeline: Pipeline,
    /// Checked settings.
    pub(crate) settings: Settings,
    bodies: Bodies,
}

impl Shared {
    /// What handlers reach, of a data plane that runs.
    pub(crate) fn new(pipeline: Pipeline, settings: Settings) -> Self {
        Self { bodies: Bodies::new(&settings.intake), pipeline, settings }
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
    let guarded = Router::new()
        .route("/v1/events", post(intake::post_events))
        .route("/v1/query", post(query::post_query))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/alerts/{id}", get(alerts::one))
        .route("/v1/alerts/{id}/acknowledgement", post(budget::acknowledge))
        .route("/v1/budget", get(budget::budget))
        .route("/v1/entities", get(budget::entities))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/replay", post(dead_letters::replay))
        .route("/v1/models", get(baseline::models))
        .route("/v1/slos", get(slos::list))
        .route("/v1/models/{model}/baseline", get(baseline::baseline))
        .route("/v1/atlas", get(atlas::report).post(atlas::import).layer(DefaultBodyLimit::max(MOST_CATALOGUE_BYTES)))
        .route("/v1/atlas/{technique}", get(atlas::technique))
        .route("/metrics", get(health::metrics))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&shared), auth::require_token));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(error::not_found)
        .layer(request_id::PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http())
        .layer(request_id::SetRequestIdLayer::x_request_id(request_id::MakeRequestUuid))
        .with_state(shared)
}
