//! Who asks: a bearer token, off only where the server listens on loopback and has none.
//!
//! Without a token, whoever runs programs on this machine may ask; a page in somebody's browser may not. A page can
//! send requests here from anywhere, or have its own name point here and read the answers too, so what a browser
//! says of where it comes from must be this machine.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority},
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
        if let Some(foreign) = foreign_name(request.headers()) {
            let message = format!(
                "`{foreign}` is not this machine, and the server has no token: ask for it as localhost or 127.0.0.1, or set [[server.tokens]]"
            );
            return ApiError::new(StatusCode::FORBIDDEN, "foreign_host", message).into_response();
        }
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

/// The name of another machine that the request was meant for, or of a page elsewhere that made it.
fn foreign_name(headers: &HeaderMap) -> Option<String> {
    let said =
        |name| headers.get(name).map(|value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let host = said(header::HOST).filter(|host| !is_this_machine(host));
    // `null` is what a page from a file or in a sandbox says.
    let is_here = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| is_this_machine(host));
    host.or_else(|| said(header::ORIGIN).filter(|origin| !is_here(origin)))
}

/// Whether a host, with or without a port, can only mean the machine that it is used on.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_local = |name: &str| name.eq_ignore_ascii_case("localhost");
    name.parse::<IpAddr>().map_or_else(
        |_| is_local(name) || name.rsplit_once('.').is_some_and(|(_, last)| is_local(last)),
        |address| address.is_loopback(),
    )
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

    #[test]
    fn a_page_elsewhere_does_not_open_a_server_without_a_token() {
        let foreign = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            foreign_name(&headers)
        };
        for host in ["localhost:7430", "127.0.0.1:7430", "127.8.0.1", "[::1]:7430", "LocalHost", "wardline.localhost"] {
            assert_eq!(foreign(host, None), None, "{host}");
        }
        for host in ["evil.example:7430", "localhost.evil.example", "10.0.0.8", "[fe80::1]:7430", "", "a b"] {
            assert_eq!(foreign(host, None).as_deref(), Some(host));
        }
        assert_eq!(foreign("localhost:7430", Some("http://127.0.0.1:5173")), None);
        for origin in ["https://evil.example", "null", "http://localhost.evil.example:7430"] {
            assert_eq!(foreign("localhost:7430", Some(origin)).as_deref(), Some(origin));
        }
    }
}
