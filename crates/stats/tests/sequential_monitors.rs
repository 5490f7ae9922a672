//! Whatever numbers come: no detector panics, none is blinded, and saved state goes on.

use proptest::prelude::*;
use wardline_stats::classic::{Adwin, BernoulliCusum, Cusum, Ddm, Eddm, Ewma, HddmA, HddmW, Kswin, PageHinkley};
use wardline_stats::sequential::{
    BernoulliE, BernsteinMean, BettingMean, BoundedMeanE, ConformalWatch, Direction, EAlarm, EDetector, ESaffron,
    HistogramBet, Lord, McNemarE, Monitor, NormalMixture, Promise, RateWatch, Sides, SimpleJumper, Stop,
};

type Monitors = Vec<(&'static str, Box<dyn Monitor>)>;

fn monitors() -> Option<Monitors> {
    let boxed: Monitors = vec![
        ("rate watch", Box::new(RateWatch::new(1e3, 1)?)),
        ("rate watch told", Box::new(RateWatch::expecting(0.2, 1e3, 1)?)),
        ("conformal watch", Box::new(ConformalWatch::from_sample(&[0.0, 1.0, 2.0, 3.0].repeat(10), 1e3, 1)?)),
        ("e-detector", Box::new(EAlarm::new(EDetector::new(0.2, Direction::Increase)?, 1e3)?)),
        ("Bernoulli", Box::new(Stop::new(BernoulliE::new(0.2, Direction::Decrease)?, 0.01)?)),
        ("bounded mean", Box::new(Stop::new(BoundedMeanE::new(0.1, Sides::Both)?, 0.01)?)),
        ("jumper", Box::new(Stop::new(SimpleJumper::new(0.01)?, 0.01)?)),
        ("histogram", Box::new(Stop::new(HistogramBet::new(), 0.01)?)),
        ("normal mixture", Box::new(Stop::new(NormalMixture::new(0.5, 1.0, 0.1)?, 0.01)?)),
        ("McNemar", Box::new(Stop::new(McNemarE::new(Sides::Above), 0.01)?)),
        ("ADWIN", Box::new(Adwin::new(0.002)?)),
        ("Page-Hinkley", Box::new(PageHinkley::new(0.005, 10.0)?)),
        ("CUSUM", Box::new(Cusum::calibrated(0.2, 0.4, 1.0, 500.0)?)),
        ("Bernoulli CUSUM", Box::new(BernoulliCusum::new(0.2, 0.6, 500.0)?)),
        ("EWMA", Box::new(Ewma::new(0.2, 0.4, 0.1, 2.814)?)),
        ("KSWIN", Box::new(Kswin::new(0.005, 60, 20, 1)?)),
        ("DDM", Box::new(Ddm::default())),
        ("EDDM", Box::new(Eddm::default())),
        ("HDDM-A", Box::new(HddmA::new(0.001, 0.005, true)?)),
        ("HDDM-W", Box::new(HddmW::new(0.001, 0.005, 0.05, true)?)),
    ];
    Some(boxed)
}

/// Those that no single number blinds: bits, or ranks. A number of 1e80 within the sums of ADWIN,
/// Page-Hinkley, CUSUM or EWMA is a rise after which nothing is large; one-time tests may have stopped.
const SEE_A_RISE: [&str; 10] = [
    "rate watch",
    "rate watch told",
    "conformal watch",
    "e-detector",
    "Bernoulli CUSUM",
    "KSWIN",
    "DDM",
    "EDDM",
    "HDDM-A",
    "HDDM-W",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_number_does_harm(values in proptest::collection::vec(any::<f64>(), 0..200)) {
        let mut monitors = monitors().unwrap();
        for (name, monitor) in &mut monitors {
            for value in values.iter().chain(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]) {
                monitor.watch(*value);
            }
            // What is no bit or no measurable number has changed nothing that lasts: a stream of ones
            // and noughts goes on being understood, and then a rise is seen.
            if SEE_A_RISE.contains(name) {
                let mut alarms = 0;
                for at in 0..14_000_u32 {
                    // Golden-ratio bits at 20 %, then 80 %; distances between them vary.
                    let share = if at < 11_000 { 0.2 } else { 0.8 };
                    let even = (f64::from(at) * 0.618_033_988_749_894_9 + f64::from(at).sqrt()).fract();
                    let alarm = monitor.watch(f64::from(u8::from(even < share)));
                    alarms += u32::from(alarm && at >= 11_000);
                }
                prop_assert!(alarms > 0, "{name}");
            }
            match monitor.promise() {
                Promise::RunLength(n) | Promise::AboutRunLength(n) => prop_assert!(n >= 1.0),
                Promise::Ever(alpha) => prop_assert!(0.0 < alpha && alpha <= 1.0),
                Promise::Nothing => {}
            }
        }
    }

    #[test]
    fn intervals_and_findings_stay_in_order(values in proptest::collection::vec(any::<f64>(), 0..200)) {
        let mut betting = BettingMean::new(0.05, 50).unwrap();
        let mut bernstein = BernsteinMean::new(0.05).unwrap();
        let (mut saffron, mut lord) = (ESaffron::new(0.1).unwrap(), Lord::new(0.1).unwrap());
        let mut before = (0.0, 1.0);
        for value in values.iter().flat_map(|value| [*value, value.abs().fract()]) {
            betting.observe(value);
            bernstein.observe(value);
            saffron.test(value);
            lord.test(value);
            for held in [betting.interval(), bernstein.interval()].into_iter().flatten() {
                prop_assert!(0.0 <= held.low && held.low <= held.high && held.high <= 1.0);
            }
            // What was excluded stays excluded.
            if let Some(held) = betting.interval() {
                prop_assert!(before.0 <= held.low && held.high <= before.1);
                before = (held.low, held.high);
            }
            prop_assert!(saffron.level() > 0.0 && saffron.level() <= 0.25);
            prop_assert!(lord.level() > 0.0 && lord.level() < 1.0);
        }
    }
}
