//! `/v1/users` and `/v1/tokens`: who may ask this server.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::{HeaderName, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;

use super::{Shared, auth, error::ApiError, guard};
use crate::accounts::{AccountError, AccountToken, Caller, NewToken, Refused, Role, User};

/// A user to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Adding {
    user: String,
    role: Role,
}

/// Users, by name.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub(crate) struct Users {
    /// The users.
    pub(crate) users: Vec<User>,
}

/// A token to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Creating {
    user: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// Whose tokens are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokensQuery {
    user: Option<String>,
}

/// Tokens without their secrets.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub(crate) struct Tokens {
    /// The tokens.
    pub(crate) tokens: Vec<AccountToken>,
}

/// A token that was made, with its secret, which is shown this once.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub(crate) struct CreatedToken {
    /// The token.
    #[serde(flatten)]
    pub(crate) token: AccountToken,
    /// Its secret.
    pub(crate) secret: String,
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let refused = match error {
            AccountError::Refused(refused) => refused,
            AccountError::NotWritten(error) => return guard::not_recorded(&format!("{error:#}")),
        };
        let (status, code) = match &refused {
            Refused::BadName(_) => (StatusCode::BAD_REQUEST, "bad_name"),
            Refused::UserExists(_) => (StatusCode::CONFLICT, "user_exists"),
            Refused::NoSuchUser(_) => (StatusCode::NOT_FOUND, "no_such_user"),
            Refused::NoSuchToken(_) => (StatusCode::NOT_FOUND, "no_such_token"),
            Refused::TooMuch { .. } => (StatusCode::BAD_REQUEST, "role_too_high"),
            Refused::Expired(_) => (StatusCode::BAD_REQUEST, "expired"),
            Refused::TooMany(_) => (StatusCode::CONFLICT, "too_many"),
        };
        Self::new(status, code, refused.to_string())
    }
}

fn read<T>(body: Result<Json<T>, JsonRejection>, example: &str) -> Result<T, ApiError> {
    let unreadable = |rejected: JsonRejection| {
        let message = format!("{}: send JSON such as {example}", rejected.body_text());
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
    };
    body.map(|Json(body)| body).map_err(unreadable)
}

/// Lists users.
pub(super) async fn users(State(shared): State<Arc<Shared>>) -> Json<Users> {
    Json(Users { users: shared.accounts.users() })
}

/// Adds a user.
pub(super) async fn add_user(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Adding>, JsonRejection>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let Adding { user, role } = read(body, r#"{"user": "anna", "role": "analyst"}"#)?;
    let mut reserved = vec![auth::LOCAL];
    reserved.extend(shared.settings.server.tokens.iter().map(|token| token.name.as_str()));
    let added = shared.accounts.add_user(&caller, &user, role, &reserved).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Removes a user with all tokens.
pub(super) async fn remove_user(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(user): Path<String>,
) -> Result<StatusCode, ApiError> {
    shared.accounts.remove_user(&caller, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists tokens.
pub(super) async fn tokens(State(shared): State<Arc<Shared>>, Query(query): Query<TokensQuery>) -> Json<Tokens> {
    let mut tokens = shared.accounts.tokens();
    tokens.retain(|token| query.user.as_ref().is_none_or(|user| token.user == *user));
    Json(Tokens { tokens })
}

/// Makes a token.
pub(super) async fn create_token(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Creating>, JsonRejection>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<CreatedToken>), ApiError> {
    let Creating { user, name, role, expires } = read(body, r#"{"user": "anna", "name": "laptop"}"#)?;
    let new = NewToken { user, name: name.unwrap_or_else(|| "token".to_owned()), role, expires };
    let created = shared.accounts.create_token(&caller, &new).await?;
    let answer = CreatedToken { token: created.token, secret: created.secret };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(answer)))
}

/// Revokes a token.
pub(super) async fn revoke_token(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(token): Path<String>,
) -> Result<StatusCode, ApiError> {
    shared.accounts.revoke_token(&caller, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}
