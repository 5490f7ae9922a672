//! Who asks: a bearer token, off only where the server listens on loopback and has none.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use subtle::ConstantTimeEq as _;

use super::{Shared, error::ApiError};
use crate::settings::Token;

/// The name of the token that a request came with.
#[derive(Clone, Debug)]
pub(super) struct Sender(pub(super) Arc<str>);

/// Lets a request through when it carries a token, and notes whose it is.
pub(super) async fn require_token(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let tokens = &shared.settings.server.tokens;
    let sender = if tokens.is_empty() {
        Some("local")
    } else {
        let secret = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        secret.and_then(|value| value.strip_prefix("Bearer ")).and_then(|secret| holder(tokens, secret.trim()))
    };
    let Some(sender) = sender else {
        let message =
            "a valid token is needed: send `Authorization: Bearer TOKEN` (the command line: --token or WARDLINE_TOKEN)";
        return ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message).into_response();
    };
    let sender = Sender(Arc::from(sender));
    request.extensions_mut().insert(sender);
    next.run(request).await
}

/// Whose token it is. Every token is compared, in constant time, so that timing tells nothing.
fn holder<'a>(tokens: &'a [Token], secret: &str) -> Option<&'a str> {
    let hash = blake3::hash(secret.as_bytes());
    tokens.iter().fold(
        None,
        |found, token| if token.hash.ct_eq(hash.as_bytes()).into() { Some(token.name.as_str()) } else { found },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_opens() {
        let tokens = [Token::new("ci", "0123456789abcdef"), Token::new("edge", "fedcba9876543210")];
        assert_eq!(holder(&tokens, "fedcba9876543210"), Some("edge"));
        assert_eq!(holder(&tokens, "fedcba987654321"), None);
        assert_eq!(holder(&tokens, ""), None);
    }
}
