//! A real SMTP server: what it was given is read from its folder, by Python's own parser of mail.

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use wardline_domain::NoticeChange;

use super::{
    SECRET, block_on, build, notice, now,
    programs::{self, Program, free_port},
};

struct Sink {
    program: Program,
    port: u16,
    folder: PathBuf,
    certificate: PathBuf,
}

impl Sink {
    fn start(folder: &Path, encryption: &str) -> Self {
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        let made = Command::new(programs::of_debian("openssl"))
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            // Whoever is trusted by itself has to be an authority for no other.
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-out")
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let messages = folder.join("messages");
        std::fs::create_dir(&messages).unwrap();
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/notifiers/smtp_sink.py");
        let mut command = Command::new(programs::installed().join("python"));
        command.arg(script).arg(port.to_string()).arg(&messages).arg(encryption).arg(&certificate).arg(&key);
        let mut program = Program::start(&mut command, folder);
        program.wait_until("the mail server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { program, port, folder: messages, certificate }
    }

    fn settings(&self, encryption: &str) -> Value {
        let mut table = json!({
            "name": "owners", "kind": "email", "host": "127.0.0.1", "port": self.port, "encryption": encryption,
            "from": "Wardline <wardline@example.org>", "to": ["Zoë <owners@example.org>", "on-call@example.org"],
            "time_limit_ms": 60_000,
        });
        if encryption != "none" {
            let fields = table.as_object_mut().unwrap();
            fields.insert("user".to_owned(), json!("wardline"));
            fields.insert("password".to_owned(), json!({"environment": "PASSWORD"}));
            fields.insert("ca_file".to_owned(), json!(self.certificate));
        }
        table
    }

    fn messages(&mut self, n: usize) -> Vec<Value> {
        let folder = self.folder.clone();
        let read = move || {
            let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
            files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
            files.sort();
            files
        };
        self.program.wait_until(&format!("{n} messages came"), || read().len() == n);
        read().iter().map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
    }
}

/// The headers and parts of a message, as Python reads them.
fn parsed(text: &str) -> Value {
    let script = "import email, email.policy, json, sys\nmail = email.message_from_string(sys.stdin.read(), policy=email.policy.default)\nparts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}\nprint(json.dumps({'headers': {k.lower(): str(v) for k, v in mail.items()}, 'parts': parts, 'type': mail.get_content_type()}))\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let python = programs::installed().join("python");
    let output = Command::new(python).args(["-c", script]).stdin(file.reopen().unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_message_is_a_thread_of_text_and_html_and_nothing_in_it_is_a_header() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = Sink::start(folder.path(), "none");
    let notifier = build(sink.settings("none"));
    for change in [NoticeChange::Opened, NoticeChange::Opened, NoticeChange::Resolved] {
        block_on(notifier.send(&notice(change), now())).unwrap();
    }
    let kept = sink.messages(3);
    assert_eq!(kept[0]["to"], json!(["owners@example.org", "on-call@example.org"]));
    let mails: Vec<Value> = kept.iter().map(|kept| parsed(kept["text"].as_str().unwrap())).collect();
    let headers = &mails[0]["headers"];
    let subject = headers["subject"].as_str().unwrap();
    assert!(subject.starts_with("[Page opened] fraud <!channel> & co: p99 of *fraud* is 900 ms Bcc: "), "{subject}");
    assert!(headers["bcc"].is_null(), "{headers}");
    assert_eq!(headers["to"], "Zoë <owners@example.org>, on-call@example.org");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert_eq!(mails[0]["type"], "multipart/alternative");
    assert_eq!(headers["message-id"], mails[1]["headers"]["message-id"], "the same notice has the same id");
    assert_ne!(headers["message-id"], mails[2]["headers"]["message-id"]);
    assert_eq!(headers["references"], mails[2]["headers"]["references"], "all of one alert is one thread");
    let html = mails[0]["parts"]["text/html"].as_str().unwrap();
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>") && !html.contains("<https"), "{html}");
    let plain = mails[0]["parts"]["text/plain"].as_str().unwrap();
    assert!(
        plain.contains("slice: channel=<web> \"x\"") && plain.contains("https://wardline.example/v1/alerts/a-17"),
        "{plain}"
    );
}

#[test]
fn both_kinds_of_encryption_sign_in_and_a_wrong_certificate_is_refused() {
    for encryption in ["starttls", "tls"] {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = Sink::start(folder.path(), encryption);
        block_on(build(sink.settings(encryption)).send(&notice(NoticeChange::Opened), now())).unwrap();
        let kept = sink.messages(1).remove(0);
        assert_eq!((&kept["user"], &kept["encrypted"]), (&json!("wardline"), &json!(true)), "{encryption}");

        let mut untrusted = sink.settings(encryption);
        untrusted.as_object_mut().unwrap().remove("ca_file");
        let error = block_on(build(untrusted).send(&notice(NoticeChange::Opened), now())).unwrap_err();
        assert!(error.is_temporary() && !error.to_string().contains(SECRET), "{error}");

        let wrong =
            wardline_adapters::notifiers::build(&sink.settings(encryption), &|_| Some("wrong-password".to_owned()));
        let error = block_on(wrong.unwrap().send(&notice(NoticeChange::Opened), now())).unwrap_err();
        assert!(!error.is_temporary() && !error.to_string().contains("wrong-password"), "{error}");
    }
}

#[test]
fn an_address_that_there_is_not_keeps_it_from_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = Sink::start(folder.path(), "none");
    let mut settings = sink.settings("none");
    settings["to"] = json!(["owners@example.org", "nobody@example.org", "on-call@example.org"]);
    let error = block_on(build(settings.clone()).send(&notice(NoticeChange::Opened), now())).unwrap_err();
    assert!(!error.is_temporary(), "{error}");
    assert!(error.to_string().contains("these did not get it: nobody@example.org (the mail server said:"), "{error}");
    let got: Vec<Value> = sink.messages(2).iter().map(|kept| kept["to"][0].clone()).collect();
    assert_eq!(got, ["owners@example.org", "on-call@example.org"]);
    settings["to"] = json!(["later@example.org"]);
    let error = block_on(build(settings).send(&notice(NoticeChange::Opened), now())).unwrap_err();
    assert!(error.is_temporary(), "{error}");
}

#[test]
fn settings_that_would_show_a_password_or_reach_nobody_are_refused() {
    let complaint = |extra: Value| {
        let mut table = json!({"name": "owners", "kind": "email", "host": "h", "encryption": "none", "from": "w@example.org", "to": ["o@example.org"]});
        table.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let built = wardline_adapters::notifiers::build(&table, &|_| Some(SECRET.to_owned()));
        built.err().map(|error| error.to_string()).unwrap_or_default()
    };
    insta::assert_snapshot!(complaint(json!({"user": "u", "password": {"environment": "P"}})), @"the settings of the notifier `owners` cannot be used: a password would be sent in the clear: set `encryption` to `starttls` or `tls`");
    insta::assert_snapshot!(complaint(json!({"to": []})), @"the settings of the notifier `owners` cannot be used: `to` is empty: write at least one address");
    insta::assert_snapshot!(complaint(json!({"password": {"environment": "P"}})), @"the settings of the notifier `owners` cannot be used: write both `user` and `password`, or neither");
    let error = complaint(json!({"from": "nobody\nBcc: x@example.org"}));
    assert!(error.contains("is no address") && !error.contains('\n'), "{error}");
}
