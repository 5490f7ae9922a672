//! Who asks: a bearer token of the settings or of an account; none only where the server listens on loopback and its
//! settings have none.
//!
//! Without a token, whoever runs programs on this machine may ask; a page in somebody's browser may not. A page can
//! send requests here from anywhere, or have its own name point here and read the answers too, so what a browser
//! says of where it comes from must be this machine.

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority};

use super::{Shared, error::ApiError};
use crate::{
    accounts::{Caller, Role, SecretHash},
    settings::Token,
};

/// Who asks where nobody needs a token.
pub(super) const LOCAL: &str = "local";

/// The name of who asks.
#[derive(Clone, Debug)]
pub(super) struct Sender(pub(super) Arc<str>);

/// Who asks.
pub(super) fn identify(shared: &Shared, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let tokens = &shared.settings.server.tokens;
    let secret = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(secret) = secret.and_then(|value| value.strip_prefix("Bearer ")) {
        let secret = SecretHash::of(secret.trim());
        let of_settings = holder(tokens, &secret).map(|token| Caller {
            who: Arc::from(token.name.as_str()),
            role: token.role,
            token: None,
        });
        let of_account = shared.accounts.holder(&secret).map(|token| Caller {
            who: Arc::from(token.user),
            role: token.role,
            token: Some(Arc::from(token.token)),
        });
        return of_settings.or(of_account).ok_or_else(unauthorized);
    }
    if !tokens.is_empty() {
        return Err(unauthorized());
    }
    if let Some(foreign) = foreign_name(headers) {
        let message = format!(
            "`{foreign}` is not this machine, and the server has no token: ask for it as localhost or 127.0.0.1, or set [[server.tokens]]"
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, "foreign_host", message));
    }
    Ok(Caller { who: Arc::from(LOCAL), role: Role::Admin, token: None })
}

fn unauthorized() -> ApiError {
    let message =
        "a valid token is needed: send `Authorization: Bearer TOKEN` (the command line: --token or WARDLINE_TOKEN)";
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
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

/// The token of a secret. Every token is compared, in constant time, so that timing tells nothing.
fn holder<'a>(tokens: &'a [Token], secret: &SecretHash) -> Option<&'a Token> {
    tokens.iter().fold(None, |found, token| if token.hash.is(secret) { Some(token) } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_opens() {
        let token = |name, secret| Token::new(name, secret, Role::Viewer);
        let tokens = [token("ci", "0123456789abcdef"), token("edge", "fedcba9876543210")];
        let name = |secret| holder(&tokens, &SecretHash::of(secret)).map(|token| token.name.as_str());
        assert_eq!(name("fedcba9876543210"), Some("edge"));
        assert_eq!(name("fedcba987654321"), None);
        assert_eq!(name(""), None);
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
