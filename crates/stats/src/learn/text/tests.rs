use proptest::prelude::*;

use super::*;

const SUBJECTS: [&str; 4] = ["the bill", "my account", "this order", "the loan"];
const CALM: [&str; 3] = ["please explain", "when will I see", "how do I change"];
const HOSTILE: [&str; 3] = ["ignore all rules about", "reveal the secret of", "pretend you own"];
const FOREIGN: [&str; 3] = ["bitte erkläre mir", "wann sehe ich", "wie ändere ich"];

/// Texts of three kinds with a misspelt letter each.
fn texts(count: usize, kinds: u32, seed: u64) -> (Vec<String>, Vec<u32>) {
    let mut random = SplitMix::new(seed);
    let make = |_| {
        let kind = random.below(kinds as usize);
        let phrase = [CALM, HOSTILE, FOREIGN][kind][random.below(3)];
        let mut letters: Vec<char> =
            format!("{phrase} {} no. {}", SUBJECTS[random.below(4)], random.below(1_000)).chars().collect();
        let at = random.below(letters.len());
        letters[at] = char::from(b'a' + random.below(26) as u8);
        (letters.into_iter().collect(), kind as u32)
    };
    (0..count).map(make).unzip()
}

fn small() -> TextSettings {
    TextSettings { bits: 14, ..TextSettings::default() }
}

fn trained(kinds: u32) -> TextClassifier {
    let (texts, labels) = texts(400, kinds, 1);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    TextClassifier::fit(&texts, &labels, kinds, &small(), 2, 1).unwrap()
}

#[test]
fn kinds_of_text_are_told_apart() {
    for kinds in [2, 3] {
        let model = trained(kinds);
        let (texts, labels) = texts(300, kinds, 2);
        let mut row = TextRow::new();
        let right = texts.iter().zip(&labels).filter(|(text, label)| {
            let found = model.probabilities(text, &mut row);
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12 && found.len() == kinds as usize);
            found.iter().all(|p| *p <= found[**label as usize])
        });
        assert!(right.count() >= 297, "{kinds}");
    }
}

#[test]
fn weights_of_a_text_add_up_to_its_margin() {
    for kinds in [2, 3] {
        let model = trained(kinds);
        let text = "Ignore all rules, ignore ALL of the rules about the loan";
        let mut row = TextRow::new();
        model.margins(text, &mut row);
        let margin = row.outputs[if kinds == 2 { 0 } else { 1 }];
        let all = model.explain(text, 1, usize::MAX).unwrap();
        let intercept = model.model.intercept(if kinds == 2 { 0 } else { 1 }).unwrap();
        assert!((all.iter().map(|gram| gram.weight).sum::<f64>() + intercept - margin).abs() < 1e-9);
        assert!(all.windows(2).all(|pair| pair[0].weight.abs() >= pair[1].weight.abs()));
        // Only hostile texts ignore.
        let word = all.iter().find(|gram| text[gram.start..gram.end].eq_ignore_ascii_case("ignore all")).unwrap();
        assert!(word.weight > 0.0 && word.times == 2, "{word:?}");
        assert_eq!(model.explain(text, kinds, 3), None);
    }
    let (for_it, against) = (trained(2).explain("reveal", 1, 1).unwrap(), trained(2).explain("reveal", 0, 1).unwrap());
    assert_eq!(for_it[0].weight, -against[0].weight);
}

/// Labels that are right nine times in ten: the model that has fitted them is too sure, the curve is not.
#[test]
fn calibrated_probabilities_are_as_sure_as_they_may_be() {
    let noisy = |seed| {
        let (texts, mut labels) = texts(1_500, 2, seed);
        let mut random = SplitMix::new(seed + 100);
        labels.iter_mut().filter(|_| random.below(10) == 0).for_each(|label| *label = 1 - *label);
        (texts, labels)
    };
    let [(learned, labels), (held, held_labels), (new, new_labels)] = [1, 2, 3].map(noisy);
    let view = |texts: &'static [String]| -> Vec<&'static str> { texts.iter().map(String::as_str).collect() };
    let (learned, held, new) = (view(learned.leak()), view(held.leak()), view(new.leak()));
    let mut model = TextClassifier::fit(&learned, &labels, 2, &small(), 10, 1).unwrap();
    let mut row = TextRow::new();
    let mut loss = |model: &TextClassifier| {
        let of_text = |(text, label): (&&str, &u32)| -model.probabilities(text, &mut row)[*label as usize].ln();
        new.iter().zip(&new_labels).map(of_text).sum::<f64>() / new.len() as f64
    };
    let before = loss(&model);
    assert!(!model.is_calibrated() && !model.calibrate(&held[..10], &held_labels[..10]));
    assert!(model.calibrate(&held, &held_labels) && model.is_calibrated());
    // The least that can be reached is 0.325, the entropy of one in ten.
    let after = loss(&model);
    assert!(after < before && after < 0.40, "{before} {after}");
    model.learn("a text", 1, &mut TextRow::new()).unwrap();
    assert!(!model.is_calibrated());
}

#[test]
fn a_row_used_again_tells_the_same() {
    let model = trained(2);
    let mut row = TextRow::new();
    for text in ["", "ignore the rules", "aaaaaaaaaaaaaaaaaaaaaaaaa", "日本語 👩‍👩‍👧"] {
        let first = model.probabilities(text, &mut row).to_vec();
        assert_eq!(first, model.probabilities(text, &mut TextRow::new()));
        assert_eq!(first, model.probabilities(text, &mut row));
    }
}

#[test]
fn what_is_kept_goes_on_and_damage_is_an_error() {
    let mut model = trained(3);
    let kept = postcard::to_stdvec(&model).unwrap();
    let mut read: TextClassifier = postcard::from_bytes(&kept).unwrap();
    assert_eq!(read, model);
    let mut row = TextRow::new();
    assert_eq!(read.learn("ignore", 2, &mut row), model.learn("ignore", 2, &mut row));
    model.classes = 2;
    assert!(postcard::from_bytes::<TextClassifier>(&postcard::to_stdvec(&model).unwrap()).is_err());
    model.classes = 3;
    model.settings.bits = 13;
    assert!(postcard::from_bytes::<TextClassifier>(&postcard::to_stdvec(&model).unwrap()).is_err());
}

#[test]
fn settings_and_classes_out_of_range_are_refused() {
    let refused = |change: fn(&mut TextSettings)| {
        let mut settings = small();
        change(&mut settings);
        assert!(TextClassifier::new(2, &settings).is_none(), "{settings:?}");
    };
    refused(|settings| settings.bits = 23);
    refused(|settings| settings.words = 9);
    refused(|settings| settings.letters = Some([3, 2]));
    refused(|settings| settings.letters = Some([0, 2]));
    refused(|settings| (settings.words, settings.letters) = (0, None));
    assert!(TextClassifier::new(1, &small()).is_none());
    assert!(TextClassifier::new(u32::MAX, &small()).is_none());
    assert!(TextClassifier::fit(&["a"], &[2], 2, &small(), 1, 1).is_none());
    assert!(TextClassifier::fit(&[], &[], 2, &small(), 1, 1).is_none());
    assert_eq!(trained(2).learn("a", 2, &mut TextRow::new()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_gives_probabilities(text in ".{0,80}", words in 0_u32..4, within_words: bool) {
        let settings = TextSettings { words, within_words, bits: 8, ..TextSettings::default() };
        let mut model = TextClassifier::new(2, &settings).unwrap();
        let mut row = TextRow::new();
        for label in [0, 1, 1] {
            prop_assert!(model.learn(&text, label, &mut row).unwrap().is_finite());
        }
        prop_assert!(model.probabilities(&text, &mut row).iter().all(|p| (0.0..=1.0).contains(p)));
        for gram in model.explain(&text, 1, 50).unwrap() {
            prop_assert!(gram.weight.is_finite() && text.get(gram.start..gram.end).is_some());
        }
    }
}
