//! Lets a request through where whoever asks may do that, and writes down what was changed before it is answered.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;

use super::{
    Shared,
    auth::{self, Sender},
    error::ApiError,
};
use crate::accounts::{Caller, Deed, Role};

/// Longest path that is written down, in bytes.
const LONGEST_PATH: usize = 1_024;

/// What stands before a route.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) shared: Arc<Shared>,
    /// The least role.
    pub(super) needs: Role,
    /// Whether the route changes something that belongs into the audit log.
    pub(super) is_recorded: bool,
}

/// Finds out who asks, whether they may, and what comes of it.
pub(super) async fn check(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let caller = match auth::identify(&guard.shared, request.headers()) {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    if !caller.role.may(guard.needs) {
        let (who, has, needs) = (&*caller.who, caller.role, guard.needs);
        tracing::warn!(who, role = has.name(), needs = needs.name(), method = %request.method(), path = request.uri().path(), "refused");
        let message = format!("this needs the role {needs}, and the token of `{who}` has the role {has}");
        return ApiError::new(StatusCode::FORBIDDEN, "forbidden", message).into_response();
    }
    request.extensions_mut().insert(Sender(Arc::clone(&caller.who)));
    request.extensions_mut().insert(caller.clone());
    if !guard.is_recorded {
        return next.run(request).await;
    }
    // The work goes on when the caller hangs up: what was changed must also be written down.
    let work = tokio::spawn(change(guard.shared, caller, request, next).in_current_span());
    work.await.unwrap_or_else(|error| ApiError::internal(&error).into_response())
}

async fn change(shared: Arc<Shared>, caller: Caller, request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let path = path.get(..LONGEST_PATH).map_or_else(|| path.clone(), ToOwned::to_owned);
    let response = next.run(request).await;
    let status = response.status();
    // What was refused changed nothing.
    if status.is_client_error() {
        return response;
    }
    match shared.accounts.record(&caller, Deed::Changed { method, path, status: status.as_u16() }).await {
        Ok(()) => response,
        Err(error) => not_recorded(&error).into_response(),
    }
}

/// A change that nobody could be held to is not confirmed.
pub(super) fn not_recorded(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(error = %error, "a change could not be written to the audit log");
    let message = "the audit log could not be written, so this is not confirmed; it may have been done: look before you ask again, and see the server's log";
    ApiError::unavailable("not_recorded", message)
}
