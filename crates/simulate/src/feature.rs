//! Inputs of a model: how a feature's values come about.

/// How a feature's values are spread.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// Normal around a mean.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        deviation: f64,
    },
    /// Log-normal around a median.
    LogNormal {
        /// The median.
        median: f64,
        /// Standard deviation of the logarithm.
        spread: f64,
    },
    /// One of a few names.
    Category(&'static [(&'static str, f64)]),
    /// True or false.
    Flag {
        /// Share of true.
        share: f64,
    },
    /// A multiple of the prediction's input tokens, such as its characters.
    PerToken {
        /// Units per token.
        factor: f64,
    },
}

/// One input of a model.
#[derive(Clone, Debug)]
pub(crate) struct FeatureSpec {
    /// Its name.
    pub(crate) name: &'static str,
    /// How its values are spread.
    pub(crate) shape: Shape,
    /// Least value.
    pub(crate) low: f64,
    /// Greatest value.
    pub(crate) high: f64,
    /// Digits behind the point.
    pub(crate) decimals: usize,
    /// How much it moves the score: log odds per standard deviation.
    pub(crate) weight: f64,
    /// How far weekend customers differ, in standard deviations.
    pub(crate) weekend: f64,
    /// Share of its variance that belongs to the person, 0 to 1: people stay who they are.
    pub(crate) steadiness: f64,
}

/// What a feature is worth in one prediction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FeatureValue {
    /// A number.
    Number(f64),
    /// A name.
    Text(String),
    /// True or false.
    Flag(bool),
    /// Missing.
    Null,
}

impl FeatureSpec {
    /// A numeric feature without influence on the score, to be refined by the setters below.
    pub(crate) const fn new(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, low: f64::MIN, high: f64::MAX, decimals: 2, weight: 0.0, weekend: 0.0, steadiness: 0.7 }
    }

    /// Keeps values within a range.
    pub(crate) const fn within(mut self, low: f64, high: f64) -> Self {
        self.low = low;
        self.high = high;
        self
    }

    /// Digits behind the point.
    pub(crate) const fn decimals(mut self, decimals: usize) -> Self {
        self.decimals = decimals;
        self
    }

    /// Log odds that one standard deviation adds to the score.
    pub(crate) const fn weight(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Standard deviations by which weekend customers differ.
    pub(crate) const fn weekend(mut self, weekend: f64) -> Self {
        self.weekend = weekend;
        self
    }

    /// Share of its variance that belongs to the person.
    pub(crate) const fn steadiness(mut self, steadiness: f64) -> Self {
        self.steadiness = steadiness;
        self
    }

    /// The value at a place `latent` of the standard normal scale.
    pub(crate) fn value(&self, latent: f64, input_tokens: i64) -> FeatureValue {
        match &self.shape {
            Shape::Normal { mean, deviation } => self.number(mean + deviation * latent),
            Shape::LogNormal { median, spread } => self.number(median * (spread * latent).exp()),
            Shape::PerToken { factor } => self.number(factor * input_tokens as f64 * (0.06 * latent).exp()),
            Shape::Flag { share } => FeatureValue::Flag(normal_share(latent) < *share),
            Shape::Category(names) => FeatureValue::Text(category(names, normal_share(latent)).to_owned()),
        }
    }

    /// Where a number lies on the standard normal scale: what the model makes of it.
    pub(crate) fn latent_of(&self, number: f64) -> f64 {
        let latent = match &self.shape {
            Shape::Normal { mean, deviation } => (number - mean) / deviation,
            Shape::LogNormal { median, spread } => (number.max(1e-9) / median).ln() / spread,
            Shape::Category(_) | Shape::Flag { .. } | Shape::PerToken { .. } => 0.0,
        };
        // A model saturates: nobody's score moves by more than a very unusual person's.
        latent.clamp(-4.0, 4.0)
    }

    fn number(&self, number: f64) -> FeatureValue {
        let unit = 10f64.powi(self.decimals as i32);
        FeatureValue::Number((number.clamp(self.low, self.high) * unit).round() / unit)
    }
}

fn category<'a>(names: &[(&'a str, f64)], share: f64) -> &'a str {
    let total: f64 = names.iter().map(|(_, weight)| weight).sum();
    let mut left = share * total;
    for (name, weight) in names {
        left -= weight;
        if left < 0.0 {
            return name;
        }
    }
    names.last().map_or("", |(name, _)| name)
}

/// Share of the standard normal distribution below `x`, to 2e-4 (the logistic approximation of Bowling
/// et al., 2009): good enough to draw with, and monotone.
fn normal_share(x: f64) -> f64 {
    1.0 / (1.0 + (-(0.07056 * x * x * x + 1.5976 * x)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn categories_and_flags_have_their_shares() {
        const COUNTRIES: &[(&str, f64)] = &[("DE", 0.5), ("FR", 0.3), ("IT", 0.2)];
        let country = FeatureSpec::new("country", Shape::Category(COUNTRIES));
        let gift = FeatureSpec::new("gift", Shape::Flag { share: 0.1 });
        let mut random = Random::new(3, "shares");
        let (mut germany, mut gifts) = (0, 0);
        for _ in 0..20_000 {
            let latent = random.normal();
            germany += i32::from(country.value(latent, 0) == FeatureValue::Text("DE".to_owned()));
            gifts += i32::from(gift.value(random.normal(), 0) == FeatureValue::Flag(true));
        }
        assert!((9_700..10_300).contains(&germany), "{germany}");
        assert!((1_850..2_150).contains(&gifts), "{gifts}");
    }

    #[test]
    fn what_the_model_sees_of_a_number_undoes_how_it_was_made() {
        let income = FeatureSpec::new("income", Shape::LogNormal { median: 2_400.0, spread: 0.5 });
        let FeatureValue::Number(number) = income.value(1.2, 0) else { panic!("a number was expected") };
        assert!((income.latent_of(number) - 1.2).abs() < 1e-3);
        assert_eq!(income.latent_of(number * 100.0), 4.0);
    }
}
