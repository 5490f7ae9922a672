//! Lines of telemetry, and customers who do nothing wrong.

/// 2026-11-02T00:00:00Z, a Monday.
pub(crate) const START: u64 = 1_793_577_600;

/// Lines of one model, and a source of chance that is the same in every run.
pub(crate) struct Lines {
    pub(crate) text: String,
    model: String,
    start: u64,
    n: u64,
    state: u64,
}

impl Lines {
    pub(crate) fn new(model: &str, start: u64) -> Self {
        Self { text: String::new(), model: model.to_owned(), start, n: 0, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Between 0 and 1 (xorshift64*).
    pub(crate) fn share(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        self.share() < chance
    }

    /// `a` 60 %, `b` 30 %, `c` 10 %.
    pub(crate) fn decision(&mut self) -> &'static str {
        match self.share() {
            share if share < 0.6 => "a",
            share if share < 0.9 => "b",
            _ => "c",
        }
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A prediction some seconds after the start.
    pub(crate) fn event(&mut self, seconds: u64, fields: &str) {
        self.n += 1;
        let id = format!("{}-{}", self.model, self.n);
        self.named_event(&id, seconds, fields);
    }

    pub(crate) fn named_event(&mut self, id: &str, seconds: u64, fields: &str) {
        let (model, time) = (self.model.clone(), self.start + seconds);
        let version = if fields.contains("\"version\"") { "" } else { "\"version\":\"1\"," };
        self.push(&format!(r#"{{"id":"{id}","time":{time},"model":"{model}",{version}{fields}}}"#));
    }

    /// A prediction, and what turned out to be true of it an hour later.
    pub(crate) fn labelled(&mut self, seconds: u64, fields: &str, outcome: &str) {
        self.event(seconds, fields);
        let (id, time) = (format!("{}-{}", self.model, self.n), self.start + seconds + 3_600);
        self.push(&format!(r#"{{"kind":"outcome","id":"{id}","time":{time},{outcome}}}"#));
    }

    pub(crate) fn training(&mut self, seconds: u64, fields: &str) {
        self.n += 1;
        let (model, n, time) = (self.model.clone(), self.n, self.start + seconds);
        self.push(&format!(
            r#"{{"kind":"training_row","time":{time},"model":"{model}","row_id":"{model}-{n}",{fields}}}"#
        ));
    }

    pub(crate) fn deployment(&mut self, seconds: u64, version: &str) {
        let (model, time) = (self.model.clone(), self.start + seconds);
        self.push(&format!(
            r#"{{"kind":"deployment","time":{time},"model":"{model}","version":"{version}","action":"deploy","by":"ci"}}"#
        ));
    }

    /// A day of ten customers.
    pub(crate) fn customers(&mut self, n: u64) {
        for i in 0..n {
            let (client, session) = (i % 10, i / 10);
            let (age, amount) = (18 + (self.share() * 60.0) as u64, (self.share() * 50.0) as u64);
            let plan = ["basic", "plus", "pro"][(self.share() * 3.0) as usize % 3];
            let (score, decision) = (self.share(), self.decision());
            let who = format!(r#""api_key":"k{client}","user":"u{client}","session":"s{client}-{session}""#);
            let fields = format!(
                r#"{who},"client_ip":"10.0.{client}.7","channel":"web","score":{score},"decision":"{decision}","features":{{"age":{age},"amount":{amount},"plan":"{plan}"}}"#
            );
            self.event(i * 140, &fields);
        }
    }
}
