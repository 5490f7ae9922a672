//! Every route with the role that it needs: what is not here is not served.
//!
//! A new route is one line in [`routes`]:
//!
//! - [`Route::get`] reads;
//! - [`Route::post`], [`Route::put`] and [`Route::delete`] change something, and are in the audit log before they are
//!   answered;
//! - [`Route::ask`] is a POST that changes nothing an operator decides about: events, queries, webhooks that ask.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::Method,
    middleware,
    routing::{self, MethodRouter},
};

use super::{
    Shared, accounts, alerts, atlas, audit, baseline, budget, dead_letters, evidence, exports,
    guard::{self, Guard},
    health, incidents, intake, lineage, notifications, playbooks, query, rollouts, slos,
};
use crate::accounts::Role::{self, Admin, Analyst, Responder, Sender, Viewer};

/// Several times the largest release of ATLAS.
const MOST_CATALOGUE_BYTES: usize = 8 << 20;

/// Every route, but the two that say whether the server lives and is ready, which need no role.
#[rustfmt::skip]
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::ask("/v1/events", Sender, intake::post_events),
        Route::ask("/v1/query", Viewer, query::post_query),

        Route::get("/v1/alerts", Viewer, alerts::list),
        Route::get("/v1/alerts/{id}", Viewer, alerts::one),
        Route::post("/v1/alerts/{id}/acknowledgement", Analyst, budget::acknowledge),
        Route::get("/v1/budget", Viewer, budget::budget),
        Route::get("/v1/entities", Viewer, budget::entities),
        Route::get("/v1/slos", Viewer, slos::list),
        Route::get("/v1/models", Viewer, baseline::models),
        Route::get("/v1/models/{model}/baseline", Viewer, baseline::baseline),
        Route::get("/v1/atlas", Viewer, atlas::report),
        Route::post("/v1/atlas", Admin, atlas::import).with_body_limit(MOST_CATALOGUE_BYTES),
        Route::get("/v1/atlas/{technique}", Viewer, atlas::technique),
        Route::get("/v1/dead-letters", Viewer, dead_letters::list),
        Route::post("/v1/dead-letters/replay", Analyst, dead_letters::replay),

        Route::get("/v1/incidents", Viewer, incidents::list),
        Route::post("/v1/incidents", Analyst, incidents::declare),
        Route::get("/v1/incidents/{id}", Viewer, incidents::one),
        Route::get("/v1/incidents/{id}/log", Viewer, incidents::log),
        Route::get("/v1/incidents/{id}/radius", Viewer, incidents::radius),
        Route::post("/v1/incidents/{id}/commands", Analyst, incidents::command),
        Route::post("/v1/incidents/{id}/evidence", Responder, evidence::freeze),
        Route::get("/v1/evidence/packs/{name}", Responder, evidence::one),
        Route::get("/v1/evidence/key", Viewer, evidence::key),
        Route::get("/v1/lineage", Viewer, lineage::graph),
        Route::ask("/v1/lineage", Sender, lineage::take_in),
        Route::ask("/api/v1/lineage", Sender, lineage::take_in),
        Route::get("/v1/lineage/radius", Viewer, lineage::radius),

        Route::get("/v1/playbooks", Viewer, playbooks::list),
        Route::get("/v1/playbooks/runs", Viewer, playbooks::runs),
        Route::post("/v1/playbooks/runs", Responder, playbooks::start),
        Route::get("/v1/playbooks/runs/{run}", Viewer, playbooks::one),
        Route::post("/v1/playbooks/runs/{run}/{input}", Responder, playbooks::input),
        Route::get("/v1/rollouts", Viewer, rollouts::list),
        Route::post("/v1/rollouts", Responder, rollouts::start),
        Route::post("/v1/rollouts/{model}/{decision}", Responder, rollouts::decide),
        Route::ask("/v1/flagger/{hook}", Viewer, rollouts::flagger),
        Route::get("/v1/argo/{model}", Viewer, rollouts::argo),

        Route::get("/v1/notifications", Viewer, notifications::list),
        Route::post("/v1/notifications/{id}/retry", Analyst, notifications::retry),
        Route::post("/v1/notifications/test", Responder, notifications::test),
        Route::get("/v1/export/alerts", Viewer, exports::alerts),

        Route::get("/v1/users", Admin, accounts::users),
        Route::post("/v1/users", Admin, accounts::add_user).recorded_by_itself(),
        Route::delete("/v1/users/{user}", Admin, accounts::remove_user).recorded_by_itself(),
        Route::get("/v1/tokens", Admin, accounts::tokens),
        Route::post("/v1/tokens", Admin, accounts::create_token).recorded_by_itself(),
        Route::delete("/v1/tokens/{token}", Admin, accounts::revoke_token).recorded_by_itself(),
        Route::get("/v1/audit", Viewer, audit::list),
        Route::get("/v1/audit/verification", Viewer, audit::verify),
        Route::get("/v1/audit/chain", Viewer, audit::chain),

        Route::get("/metrics", Viewer, health::metrics),
    ]
}

/// A route.
pub(super) struct Route {
    /// Its method.
    pub(super) method: Method,
    /// Its path, with parameters in braces.
    pub(super) path: &'static str,
    /// The least role that may use it.
    pub(super) needs: Role,
    /// Whether the guard writes to the audit log what it changed.
    pub(super) is_recorded: bool,
    handler: MethodRouter<Arc<Shared>>,
}

impl Route {
    fn get<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Self {
        Self { method: Method::GET, path, needs, is_recorded: false, handler: routing::get(handler) }
    }

    fn post<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Self {
        Self { method: Method::POST, path, needs, is_recorded: true, handler: routing::post(handler) }
    }

    fn delete<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Self {
        Self { method: Method::DELETE, path, needs, is_recorded: true, handler: routing::delete(handler) }
    }

    fn ask<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, needs: Role, handler: H) -> Self {
        Self { is_recorded: false, ..Self::post(path, needs, handler) }
    }

    /// It writes a record of its own kind to the audit log.
    fn recorded_by_itself(self) -> Self {
        Self { is_recorded: false, ..self }
    }

    fn with_body_limit(self, most_bytes: usize) -> Self {
        Self { handler: self.handler.layer(DefaultBodyLimit::max(most_bytes)), ..self }
    }
}

/// The routes, each behind its guard.
pub(super) fn router(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    routes().into_iter().fold(Router::new(), |router, route| {
        let guard = Guard { shared: Arc::clone(shared), needs: route.needs, is_recorded: route.is_recorded };
        router.route(route.path, route.handler.route_layer(middleware::from_fn_with_state(guard, guard::check)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: nothing that changes something is open to those who read, and nothing is left out of the audit log.
    #[test]
    fn what_changes_something_needs_more_than_reading() {
        for route in routes() {
            let reads = route.method == Method::GET;
            assert!(!(reads && route.is_recorded), "{}", route.path);
            if route.is_recorded {
                assert!(Analyst <= route.needs, "{} {}", route.method, route.path);
            }
            if route.path.starts_with("/v1/users") || route.path.starts_with("/v1/tokens") {
                assert_eq!(route.needs, Admin, "{}", route.path);
            }
        }
    }

    /// What is a POST and not in the audit log is named here, so that nobody leaves a change out by a slip.
    #[test]
    fn what_is_not_recorded_is_known() {
        let routes = routes();
        let asks: Vec<&str> = routes
            .iter()
            .filter(|route| route.method != Method::GET && !route.is_recorded && route.needs != Admin)
            .map(|route| route.path)
            .collect();
        assert_eq!(asks, ["/v1/events", "/v1/query", "/v1/lineage", "/api/v1/lineage", "/v1/flagger/{hook}"]);
    }
}
