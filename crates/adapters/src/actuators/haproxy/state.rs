//! What HAProxy says of its servers, and which weights make a share.

use std::collections::BTreeMap;

use super::super::{checked::Fault, settings::Word, split::Split};

/// The largest weight that HAProxy knows.
const LARGEST_WEIGHT: u32 = 256;

/// Bits of `srv_admin_state` that somebody set: forced into maintenance, set so in the configuration, forced to drain.
const MAINTENANCE: u32 = 0x01 | 0x04;
const DRAIN: u32 = 0x08;

/// One server of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Server {
    running: bool,
    admin: u32,
    weight: u64,
    initial_weight: u64,
}

impl Server {
    /// Whether it would answer.
    pub(super) fn is_up(&self) -> bool {
        // One that was taken out counts as one that can be brought back.
        self.running || self.admin & MAINTENANCE != 0
    }
}

/// The servers of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Servers(BTreeMap<String, Server>);

impl Servers {
    /// Reads the answer to `show servers state`, whose second line names its columns.
    pub(super) fn parse(answer: &str) -> Result<Self, String> {
        let unreadable = || format!("it answered `{}` to `show servers state`", answer.trim().escape_debug());
        let mut lines = answer.lines().skip_while(|line| !line.starts_with("# "));
        let header: Vec<&str> = lines.next().ok_or_else(unreadable)?.split_whitespace().skip(1).collect();
        let column = |name: &str| header.iter().position(|found| *found == name).ok_or_else(unreadable);
        let name = column("srv_name")?;
        let [operation, admin, weight, initial] =
            [column("srv_op_state")?, column("srv_admin_state")?, column("srv_uweight")?, column("srv_iweight")?];
        let mut servers = BTreeMap::new();
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).ok_or_else(unreadable);
            let server = Server {
                running: number(operation)? > 0,
                admin: u32::try_from(number(admin)?).map_err(|_| unreadable())?,
                weight: number(weight)?,
                initial_weight: number(initial)?,
            };
            servers.insert(fields.get(name).ok_or_else(unreadable)?.to_string(), server);
        }
        Ok(Self(servers))
    }

    /// One of them; where there is none, the names of those there are.
    pub(super) fn server(&self, name: &Word) -> Result<&Server, String> {
        self.0.get(name.as_str()).ok_or_else(|| self.0.keys().cloned().collect::<Vec<_>>().join(", "))
    }

    fn is(&self, name: &Word, what: impl Fn(&Server) -> bool) -> bool {
        self.0.get(name.as_str()).is_some_and(what)
    }

    /// Whether somebody took it out of service, wholly or for new sessions.
    pub(super) fn is_taken_out(&self, name: &Word) -> bool {
        self.is(name, |server| server.admin & (MAINTENANCE | DRAIN) != 0)
    }

    /// Whether nothing reaches it.
    pub(super) fn is_in_maintenance(&self, name: &Word) -> bool {
        self.is(name, |server| server.admin & MAINTENANCE != 0)
    }

    /// The weights of those of them together that are not taken out of service.
    pub(super) fn weight_in_service(&self, names: &[Word]) -> u64 {
        let in_service: Vec<Word> = names.iter().filter(|name| !self.is_taken_out(name)).cloned().collect();
        self.weight_of(&in_service)
    }

    /// The weights of some of them together.
    pub(super) fn weight_of(&self, names: &[Word]) -> u64 {
        names.iter().filter_map(|name| self.0.get(name.as_str())).map(|server| server.weight).sum()
    }

    /// The weight of the configuration, at least 1.
    pub(super) fn initial_weight(&self, name: &Word) -> String {
        self.0.get(name.as_str()).map_or(1, |server| server.initial_weight.max(1)).to_string()
    }

    /// One of them, for people.
    pub(super) fn describe(&self, name: &Word) -> String {
        let Some(server) = self.0.get(name.as_str()) else { return format!("{name} unknown") };
        let state = match server {
            Server { admin, .. } if admin & MAINTENANCE != 0 => " maintenance",
            Server { admin, .. } if admin & DRAIN != 0 => " drain",
            Server { running: false, .. } => " down",
            _ => "",
        };
        format!("{name} weight {}{state}", server.weight)
    }
}

/// The weights of each server of a version, and of each of the standing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) version: u32,
    pub(super) standing: u32,
}

/// The whole weights that come nearest to a share between nothing and everything.
pub(super) fn weights(split: &Split, n_version: usize, n_standing: usize) -> Result<Weights, Fault> {
    let share = split.percent / 100.0;
    let odds = share / (1.0 - share) * n_standing as f64 / n_version as f64;
    let candidates = (1..=LARGEST_WEIGHT).map(|standing| {
        let nearest = (f64::from(standing) * odds).round().clamp(1.0, f64::from(LARGEST_WEIGHT)) as u32;
        Weights { version: nearest, standing }
    });
    let made = |weights: &Weights| {
        let (version, standing) =
            (f64::from(weights.version) * n_version as f64, f64::from(weights.standing) * n_standing as f64);
        version / (version + standing)
    };
    let apart = |weights: &Weights| (made(weights) - share).abs();
    let best = candidates.min_by(|left, right| apart(left).total_cmp(&apart(right)));
    // A tenth of the smaller side: closer is not needed, and further would be another share than was decided on.
    match best {
        Some(weights) if apart(&weights) <= share.min(1.0 - share) / 10.0 => Ok(weights),
        _ => Err(Fault::Refused(format!(
            "weights up to {LARGEST_WEIGHT} make no share of {} % with {n_version} and {n_standing} servers",
            split.percent
        ))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(percent: f64) -> Split {
        Split { version: "2.1".to_owned(), standing: "2.0".to_owned(), percent }
    }

    #[test]
    fn usual_shares_are_exact_with_the_smallest_weights() {
        assert_eq!(weights(&split(10.0), 1, 1).unwrap(), Weights { version: 1, standing: 9 });
        assert_eq!(weights(&split(50.0), 1, 1).unwrap(), Weights { version: 1, standing: 1 });
        assert_eq!(weights(&split(10.0), 1, 3).unwrap(), Weights { version: 1, standing: 3 });
        assert_eq!(weights(&split(99.0), 1, 1).unwrap(), Weights { version: 99, standing: 1 });
        assert!(weights(&split(0.1), 1, 1).is_err());
    }

    #[test]
    fn an_answer_that_is_no_list_is_shown_in_the_complaint() {
        let error = Servers::parse("Can't find backend.\n\n").unwrap_err();
        assert_eq!(error, r"it answered `Can\'t find backend.` to `show servers state`");
        assert!(Servers::parse("1\n# be_id srv_name\n1 v20\n").is_err());
    }

    proptest! {
        #[test]
        fn a_share_is_met_or_refused(hundredths in 1_u32..10_000, n_version in 1_usize..5, n_standing in 1_usize..20) {
            let asked = split(f64::from(hundredths) / 100.0);
            if let Ok(made) = weights(&asked, n_version, n_standing) {
                prop_assert!(1 <= made.version && made.version <= 256 && 1 <= made.standing && made.standing <= 256);
                let (version, standing) = (f64::from(made.version) * n_version as f64, f64::from(made.standing) * n_standing as f64);
                let percent = version / (version + standing) * 100.0;
                prop_assert!((percent - asked.percent).abs() <= asked.percent.min(100.0 - asked.percent) / 10.0 + 1e-9);
            }
        }

        #[test]
        fn no_answer_panics(answer in ".{0,200}", tail in "[ 0-9a-z#_\n]{0,200}") {
            let _ = Servers::parse(&answer);
            let _ = Servers::parse(&format!("1\n# srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\n{tail}"));
        }
    }
}
