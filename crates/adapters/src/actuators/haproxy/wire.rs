//! HAProxy's run-time API on the wire: a line there, text back, then the end.

use std::path::PathBuf;

use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};

use super::super::checked::Fault;

/// Longest answer that is read: a backend of some thousand servers.
const MOST_BYTES: u64 = 1 << 20;

/// Where the run-time API listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(PathBuf::from(path))),
            Some(("tcp", address)) if address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => {
                Ok(Self::Tcp(address.to_owned()))
            }
            _ => Err(format!("`{text}` is no address: write `unix:/run/haproxy/admin.sock` or `tcp:127.0.0.1:9999`")),
        }
    }
}

impl Address {
    /// Sends one line, and reads all that is answered.
    pub(super) async fn ask(&self, line: &str) -> Result<String, Fault> {
        let answer = match self {
            Self::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => talk(stream, line).await,
                Err(error) => Err(error),
            },
            Self::Tcp(address) => match TcpStream::connect(address).await {
                Ok(stream) => talk(stream, line).await,
                Err(error) => Err(error),
            },
        };
        answer.map_err(|error| {
            Fault::Unreachable(format!(
                "its run-time API at {self} does not answer ({error}): see that HAProxy runs, and `stats socket` in its \
                 configuration"
            ))
        })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "{}", path.display()),
            Self::Tcp(address) => formatter.write_str(address),
        }
    }
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, line: &str) -> std::io::Result<String> {
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    // It answers a line at least, so nothing at all is a connection that broke before the command was read.
    if answer.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_a_socket_or_a_host_with_a_port() {
        assert_eq!(Address::try_from("unix:/a b".to_owned()), Ok(Address::Unix("/a b".into())));
        assert_eq!(Address::try_from("tcp:[::1]:99".to_owned()), Ok(Address::Tcp("[::1]:99".to_owned())));
        for wrong in ["/run/haproxy.sock", "unix:haproxy.sock", "tcp:localhost", "tcp:localhost:x", ""] {
            let error = Address::try_from(wrong.to_owned()).unwrap_err();
            assert!(error.contains("write `unix:/run/haproxy/admin.sock`"), "{error}");
        }
    }
}
