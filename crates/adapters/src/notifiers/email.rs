//! E-mail, through SMTP.
//!
//! ```toml
//! [[notifiers]]
//! name = "owners"
//! kind = "email"
//! host = "mail.internal"
//! encryption = "starttls"   # or "tls", or "none"
//! from = "Wardline <wardline@example.org>"
//! to = ["ml-owners@example.org", "on-call@example.org"]
//! user = "wardline"
//! password = { file = "/etc/wardline/smtp-password" }
//! ```
//!
//! All that is told of one alert or incident is one thread. A message says the same as plain text and as HTML.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use wardline_domain::{Notice, Timestamp};

use super::{
    NotifierSpec, text,
    timed::{Receiver, Trouble, timed},
};
use crate::remote::{
    Fault, SecretSource, TimeLimit,
    secret::{Secret, quoted},
};

pub(super) const SPEC: NotifierSpec = NotifierSpec {
    kind: "email",
    build: |ingredients| {
        let settings: Settings = ingredients.read()?;
        let password = ingredients.secret(settings.password.as_ref())?;
        settings.check().map_err(|reason| ingredients.unusable(reason))?;
        let limit = settings.time_limit_ms;
        let email = Email { settings, password };
        email.transport().map_err(|reason| ingredients.unusable(reason))?;
        Ok(timed(&ingredients.name, limit, email))
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encryption {
    /// The connection begins in the clear and is encrypted before anything is said.
    Starttls,
    /// Encrypted from its first byte.
    Tls,
    /// In the clear.
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The mail server.
    host: String,
    /// Its port; 587 with STARTTLS, 465 with TLS, 25 in the clear.
    port: Option<u16>,
    encryption: Encryption,
    /// Who it is from.
    from: Written,
    /// Who gets it.
    to: Vec<Written>,
    /// Who signs in, with `password`.
    user: Option<String>,
    password: Option<SecretSource>,
    /// Certificates to trust besides the usual ones.
    ca_file: Option<PathBuf>,
    #[serde(default = "TimeLimit::seconds::<30>")]
    time_limit_ms: TimeLimit,
}

/// Mail servers that look for spam take their time.
/// An address as it is written in settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Written(Mailbox);

impl TryFrom<String> for Written {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error| {
            format!(
                "`{}` is no address ({error}): write `name@example.org` or `Name <name@example.org>`",
                text.escape_debug()
            )
        })
    }
}

/// Programs that answer mail leave alone what says so.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Settings {
    fn check(&self) -> Result<(), String> {
        if self.to.is_empty() {
            return Err("`to` is empty: write at least one address".to_owned());
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("write both `user` and `password`, or neither".to_owned());
        }
        if self.password.is_some() && self.encryption == Encryption::None {
            return Err("a password would be sent in the clear: set `encryption` to `starttls` or `tls`".to_owned());
        }
        Ok(())
    }

    fn tls(&self) -> Result<Tls, String> {
        if self.encryption == Encryption::None {
            return Ok(Tls::None);
        }
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let unreadable = |error: String| format!("`ca_file` ({}) cannot be used: {error}", path.display());
            let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| unreadable(error.to_string()))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        let parameters = parameters.build_rustls().map_err(|error| format!("TLS cannot be used: {error}"))?;
        Ok(if self.encryption == Encryption::Tls { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(match self.encryption {
            Encryption::Starttls => 587,
            Encryption::Tls => 465,
            Encryption::None => 25,
        })
    }
}

struct Email {
    settings: Settings,
    password: Option<Secret>,
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

impl Email {
    fn transport(&self) -> Result<Transport, String> {
        let mut builder = Transport::builder_dangerous(&self.settings.host)
            .port(self.settings.port())
            .tls(self.settings.tls()?)
            .timeout(Some(self.settings.time_limit_ms.duration()));
        if let (Some(user), Some(password)) = (&self.settings.user, &self.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.text()?));
        }
        Ok(builder.build())
    }

    /// An id of RFC 5322 that is the same for the same text.
    fn message_id(&self, of: &str) -> String {
        let digest: String = Sha256::digest(of.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("<{digest}@{}>", self.settings.from.0.email.domain())
    }

    fn message_of(&self, notice: &Notice, now: Timestamp) -> Result<Message, String> {
        let thread = self.message_id(&notice.key);
        let subject = format!("[{}] {}: {}", text::heading(notice), notice.models_text(), notice.title);
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(now.micros().unsigned_abs());
        let mut builder = Message::builder()
            .from(self.settings.from.0.clone())
            .subject(text::one_line(&subject, 200))
            .message_id(Some(self.message_id(&notice.id)))
            .in_reply_to(thread.clone())
            .references(thread)
            .date(date)
            .header(AutoSubmitted);
        for to in &self.settings.to {
            builder = builder.to(to.0.clone());
        }
        let parts = MultiPart::alternative_plain_html(plain_of(notice), html_of(notice));
        builder.multipart(parts).map_err(|error| format!("the message cannot be built: {error}"))
    }

    fn fault(&self, error: &lettre::transport::smtp::Error) -> Fault {
        let mut reasons = vec![error.to_string()];
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            reasons.push(inner.to_string());
            cause = inner.source();
        }
        reasons.dedup();
        let secrets: Vec<Secret> = self.password.iter().cloned().collect();
        let said = quoted(&reasons.join(": "), &secrets);
        if error.is_permanent() || error.is_client() {
            return Fault::Refused(format!("the mail server said: {said}"));
        }
        Fault::Unreachable(format!("{said}; see that `host`, `port` and `encryption` are those of the mail server"))
    }

    async fn send_to(&self, transport: &Transport, to: &[Address], raw: &[u8]) -> Result<(), Fault> {
        let envelope = Envelope::new(Some(self.settings.from.0.email.clone()), to.to_vec())
            .map_err(|error| Fault::Refused(format!("nobody can be written to: {error}")))?;
        transport.send_raw(&envelope, raw).await.map(|_| ()).map_err(|error| self.fault(&error))
    }
}

#[async_trait]
impl Receiver for Email {
    async fn tell(&self, notice: &Notice, now: Timestamp) -> Result<(), Trouble> {
        let transport = self.transport().map_err(Fault::Refused)?;
        let raw = self.message_of(notice, now).map_err(Fault::Refused)?.formatted();
        let everybody: Vec<Address> = self.settings.to.iter().map(|to| to.0.email.clone()).collect();
        match self.send_to(&transport, &everybody, &raw).await {
            Err(Fault::Refused(_)) if everybody.len() > 1 => {
                // One address that there is not must not keep the message from everybody else.
                let mut refused = Vec::new();
                for one in everybody {
                    match self.send_to(&transport, std::slice::from_ref(&one), &raw).await {
                        Ok(()) => {}
                        Err(Fault::Refused(reason)) => refused.push(format!("{one} ({reason})")),
                        Err(fault) => return Err(fault.into()),
                    }
                }
                // Where each got it alone, only the number of them was refused.
                if refused.is_empty() {
                    return Ok(());
                }
                Err(Fault::Refused(format!("these did not get it: {}", refused.join(", "))).into())
            }
            sent => sent.map_err(Trouble::from),
        }
    }
}

/// Longest text of a message.
const MOST_CHARACTERS: usize = 20_000;

fn plain_of(notice: &Notice) -> String {
    let mut lines = vec![text::one_line(&notice.title, MOST_CHARACTERS), String::new()];
    if !notice.text.is_empty() {
        lines.extend([text::lines(&notice.text, MOST_CHARACTERS), String::new()]);
    }
    lines.extend(
        text::fields(notice).iter().map(|(name, value)| format!("{name}: {}", text::lines(value, MOST_CHARACTERS))),
    );
    lines.push(String::new());
    lines.extend(notice.links.iter().map(|link| format!("{}: {}", text::one_line(&link.label, 200), link.url)));
    lines.join("\r\n").replace("\r\n", "\n").replace('\n', "\r\n")
}

fn html_of(notice: &Notice) -> String {
    let escaped_title = escaped(&text::one_line(&notice.title, MOST_CHARACTERS));
    let mut html = format!("<!DOCTYPE html>\r\n<html><body><h3>{escaped_title}</h3>\r\n");
    if !notice.text.is_empty() {
        html += &format!(
            "<p style=\"white-space: pre-wrap\">{}</p>\r\n",
            escaped(&text::lines(&notice.text, MOST_CHARACTERS))
        );
    }
    html += "<table>\r\n";
    for (name, value) in text::fields(notice) {
        let value = escaped(&text::lines(&value, MOST_CHARACTERS));
        html += &format!("<tr><td>{}</td><td style=\"white-space: pre-wrap\">{value}</td></tr>\r\n", escaped(name));
    }
    html += "</table>\r\n";
    for link in &notice.links {
        html += &format!(
            "<p><a href=\"{}\">{}</a></p>\r\n",
            escaped(&link.url),
            escaped(&text::one_line(&link.label, 200))
        );
    }
    html + "</body></html>\r\n"
}

fn escaped(text: &str) -> String {
    let pairs = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];
    pairs.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
