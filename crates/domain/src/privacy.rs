//! Privacy before the journal: each field of each model is kept, dropped, or replaced by a keyed hash.
//!
//! Detectors see a batch before the policy, so that drift is still measured on what is then hashed.
//! What is written is the batch after it.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, StringArray, StringBuilder},
    compute::cast,
    datatypes::{DataType, Field, Float64Type, Int32Type, Schema},
    error::ArrowError,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{EventBatch, Timestamp, column};

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Written as it came.
    Keep,
    /// Not written.
    Drop,
    /// Replaced by a keyed BLAKE3 hash of 128 bits.
    Hash,
    /// Replaced by HMAC-SHA-256, cut to 128 bits, for those who must name a FIPS algorithm.
    Hmac,
}

/// A rule: which model's which field is treated how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// A model's name; every model where left out.
    #[serde(default)]
    pub model: Option<String>,
    /// A column, such as `user`, `prompt`, `feature_age`, `attribute_store`; `feature_*` for all of them.
    pub field: String,
    /// What becomes of it.
    pub treatment: Treatment,
}

impl FieldRule {
    /// Whether the rule is about a column. An attribute may be named with or without its prefix, because a
    /// sender may write it at the top of an event.
    fn names(&self, column: &str) -> bool {
        match self.field.strip_suffix('*') {
            Some(prefix) => column.starts_with(prefix),
            None => self.field == column || column::attribute_of(column) == Some(&self.field),
        }
    }

    /// Whether the rule can be about an attribute.
    fn may_name_attribute(&self) -> bool {
        !self.field.starts_with(column::FEATURE_PREFIX) && !self.field.starts_with(column::GROUP_PREFIX)
    }
}

/// A secret of 32 bytes, and the epoch it serves. Tokens of different epochs do not match.
#[derive(Clone)]
pub struct PrivacyKey {
    secret: [u8; 32],
    epoch_days: u32,
}

/// Why a policy could not be made or applied.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// The key file's text is no key.
    #[error(
        "a privacy key is 64 hexadecimal digits (32 bytes), and this has {0} characters: make one with `openssl rand -hex 32`"
    )]
    Key(usize),
    /// Fields on which statistics and joins rest.
    #[error("`{0}` cannot be dropped or hashed: time and model order the tables")]
    Required(String),
    /// A rule for the id of one model.
    #[error(
        "a rule for `id` cannot name a model: outcomes refer to predictions by id and name none; leave `model` out"
    )]
    IdOfOneModel,
    /// Arrow could not carry it out.
    #[error("the privacy policy could not be applied")]
    Arrow(#[from] ArrowError),
}

impl PrivacyKey {
    /// A key from its secret. `epoch_days` rotates tokens: 0 never.
    pub const fn new(secret: [u8; 32], epoch_days: u32) -> Self {
        Self { secret, epoch_days }
    }

    /// Reads a key of 64 hexadecimal digits. `epoch_days` rotates tokens: 0 never.
    ///
    /// # Errors
    /// [`PrivacyError::Key`].
    pub fn from_hex(text: &str, epoch_days: u32) -> Result<Self, PrivacyError> {
        let text = text.trim();
        let mut secret = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(PrivacyError::Key(text.len()));
        }
        for (byte, digits) in secret.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| PrivacyError::Key(text.len()))?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| PrivacyError::Key(text.len()))?;
        }
        Ok(Self { secret, epoch_days })
    }

    /// A key for another purpose, from which this one cannot be told.
    pub fn derive_key(&self, purpose: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(b"wardline purpose 1\0");
        hasher.update(purpose.as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The number of the epoch that holds a moment.
    fn epoch(&self, time: Timestamp) -> i64 {
        match self.epoch_days {
            0 => 0,
            days => time.micros().div_euclid(Timestamp::DAY * i64::from(days)),
        }
    }

    /// A key for one field in one epoch, so that equal values of two fields do not match.
    fn derive(&self, field: &str, epoch: i64) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(b"wardline privacy 1\0");
        hasher.update(field.as_bytes());
        hasher.update(&[0]);
        hasher.update(&epoch.to_le_bytes());
        *hasher.finalize().as_bytes()
    }
}

impl std::fmt::Debug for PrivacyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivacyKey").field("epoch_days", &self.epoch_days).finish_non_exhaustive()
    }
}

/// The rules and the key. Later rules win over earlier ones, and rules that name a model over those that do not.
#[derive(Clone, Debug)]
pub struct PrivacyPolicy {
    rules: Vec<FieldRule>,
    key: PrivacyKey,
}

impl PrivacyPolicy {
    /// What holds where nothing is set: raw prompts and outputs are hashed, all else is kept.
    pub const DEFAULT_HASHED: [&'static str; 2] = ["prompt", "output"];

    /// What the column of a hashed number, list or map is called: `feature_age` becomes `feature_age_token`.
    pub const TOKEN_SUFFIX: &str = "_token";

    /// Checks the rules.
    ///
    /// # Errors
    /// [`PrivacyError::Required`] for a rule that would change a column that orders the tables.
    pub fn new(rules: Vec<FieldRule>, key: PrivacyKey) -> Result<Self, PrivacyError> {
        for rule in &rules {
            let required = ["time", "received", "sender", "model", "version"].contains(&rule.field.as_str());
            if required && rule.treatment != Treatment::Keep {
                return Err(PrivacyError::Required(rule.field.clone()));
            }
            if rule.model.is_some() && rule.field == column::ID {
                return Err(PrivacyError::IdOfOneModel);
            }
        }
        Ok(Self { rules, key })
    }

    /// What becomes of a column of a model.
    pub fn treatment(&self, model: Option<&str>, column: &str) -> Treatment {
        let mut found = if Self::DEFAULT_HASHED.contains(&column) { Treatment::Hash } else { Treatment::Keep };
        for named in [false, true] {
            for rule in self.rules.iter().filter(|rule| rule.model.is_some() == named) {
                // An outcome or a log line names no model, so what is hidden of any model is hidden there.
                let of_model = rule.model.is_none() || rule.model.as_deref() == model;
                let of_no_model = model.is_none() && rule.treatment != Treatment::Keep;
                if (of_model || of_no_model) && rule.names(column) {
                    found = rule.treatment;
                }
            }
        }
        found
    }

    /// The batch as it may be written.
    ///
    /// Hashed text keeps its column; the token of anything else goes to a text column of its own, named
    /// with [`PrivacyPolicy::TOKEN_SUFFIX`], so that no column ever changes its type. A dropped column is
    /// null. In `attributes`, where fields without a column of their own are kept as JSON, each field is
    /// treated as its column would be.
    ///
    /// # Errors
    /// [`PrivacyError::Arrow`] where a column cannot be rearranged.
    pub fn apply(&self, batch: &EventBatch) -> Result<EventBatch, PrivacyError> {
        let model = batch.model.as_deref();
        let schema = batch.records.schema();
        let batch = &self.apply_to_left_over(batch)?;
        let treated: BTreeMap<usize, Treatment> = (schema.fields().iter().enumerate())
            .map(|(index, field)| (index, self.treatment(model, field.name())))
            .filter(|(index, treatment)| {
                *treatment != Treatment::Keep && batch.records.column(*index).null_count() < batch.len()
            })
            .collect();
        if treated.is_empty() || batch.is_empty() {
            return Ok(batch.clone());
        }
        let epochs = self.epochs(batch);
        let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        let mut columns = batch.records.columns().to_vec();
        for (index, treatment) in treated {
            let array = &batch.records.columns()[index];
            let name = schema.field(index).name();
            let nothing = arrow::array::new_null_array(array.data_type(), array.len());
            if treatment == Treatment::Drop {
                columns[index] = nothing;
                continue;
            }
            // A prediction and its outcome share an id, so both must get the same token for ever.
            let epochs: &[i64] = if name == "id" { &[0] } else { &epochs };
            let tokens = self.hash(name, array, epochs, treatment)?;
            if crate::batch::text_of(array).is_some() {
                columns[index] = cast(&tokens, array.data_type())?;
            } else {
                columns[index] = nothing;
                fields.push(Field::new(format!("{name}{}", Self::TOKEN_SUFFIX), tokens.data_type().clone(), true));
                columns.push(tokens);
            }
        }
        let records = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        Ok(EventBatch { kind: batch.kind, model: batch.model.clone(), records })
    }

    /// Treats what `attributes` holds as JSON.
    fn apply_to_left_over(&self, batch: &EventBatch) -> Result<EventBatch, PrivacyError> {
        let hides = |rule: &FieldRule| rule.treatment != Treatment::Keep && rule.may_name_attribute();
        let place = batch.records.schema_ref().index_of(column::ATTRIBUTES).ok();
        let Some((place, text)) = place.and_then(|place| Some((place, batch.text(column::ATTRIBUTES)?))) else {
            return Ok(batch.clone());
        };
        if !self.rules.iter().any(hides) || batch.records.column(place).null_count() == batch.len() {
            return Ok(batch.clone());
        }
        let epochs = self.epochs(batch);
        let mut treated = StringBuilder::new();
        for row in 0..batch.len() {
            let epoch = epochs.get(row).or_else(|| epochs.first()).copied().unwrap_or(0);
            treated.append_option(text.get(row).map(|text| self.left_over(batch.model.as_deref(), text, epoch)));
        }
        let mut columns = batch.records.columns().to_vec();
        columns[place] = Arc::new(treated.finish());
        let records = RecordBatch::try_new(batch.records.schema(), columns)?;
        Ok(EventBatch { kind: batch.kind, model: batch.model.clone(), records })
    }

    fn left_over(&self, model: Option<&str>, text: &str, epoch: i64) -> String {
        // What is no JSON object is nothing that the decoder left over, and is not kept.
        let Ok(fields) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) else {
            return "{}".to_owned();
        };
        let treated = fields.into_iter().filter_map(|(name, value)| {
            let column = format!("{}{name}", column::ATTRIBUTE_PREFIX);
            match self.treatment(model, &column) {
                Treatment::Keep => Some((name, value)),
                Treatment::Drop => None,
                treatment => {
                    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                    let token = Tokens::new(&self.key, &column, epoch, treatment).one(&text);
                    Some((name, token.into()))
                }
            }
        });
        serde_json::Value::Object(treated.collect()).to_string()
    }

    /// The batch as detectors may see it: text as it will be written, so that no finding repeats what is
    /// hashed; numbers as they came, so that their statistics still hold. Numbers that are hashed or
    /// dropped are rounded to 1 %, because a saved minimum would otherwise be somebody's exact value.
    /// `written` is what [`PrivacyPolicy::apply`] made of `arrived`.
    ///
    /// # Errors
    /// [`PrivacyError::Arrow`] where the two batches do not belong together.
    pub fn for_statistics(arrived: &EventBatch, written: &EventBatch) -> Result<EventBatch, PrivacyError> {
        let schema = arrived.records.schema();
        let columns = (schema.fields().iter().enumerate())
            .map(|(index, field)| {
                let (before, after) = (arrived.records.column(index), written.records.column(index));
                let is_number = field.data_type().is_primitive() || field.data_type() == &DataType::Boolean;
                let is_concealed = after.null_count() == after.len() && before.null_count() < before.len();
                match field.data_type() {
                    DataType::Float64 if is_concealed => {
                        Arc::new(before.as_primitive::<Float64Type>().unary::<_, Float64Type>(coarse))
                    }
                    _ if is_number || field.name() == "embedding" => Arc::clone(before),
                    _ => Arc::clone(after),
                }
            })
            .collect();
        let records = RecordBatch::try_new(schema, columns)?;
        Ok(EventBatch { kind: arrived.kind, model: arrived.model.clone(), records })
    }

    /// Whether a batch has tokens in the place of numbers: then its statistics say nothing.
    pub fn has_tokens(batch: &EventBatch) -> bool {
        batch.records.schema_ref().fields().iter().any(|field| field.name().ends_with(Self::TOKEN_SUFFIX))
    }

    /// The epoch of each row, or one for all where they share it.
    fn epochs(&self, batch: &EventBatch) -> Vec<i64> {
        let Some((first, last)) = batch.time_range() else { return Vec::new() };
        if self.key.epoch(first) == self.key.epoch(last) {
            return vec![self.key.epoch(first)];
        }
        batch.times().map_or_else(
            |_| Vec::new(),
            |times| times.values().iter().map(|&time| self.key.epoch(Timestamp::from_micros(time))).collect(),
        )
    }

    fn hash(
        &self,
        field: &str,
        array: &ArrayRef,
        epochs: &[i64],
        treatment: Treatment,
    ) -> Result<ArrayRef, ArrowError> {
        if let ([epoch], Some(dictionary)) = (epochs, array.as_dictionary_opt::<Int32Type>()) {
            let token = Tokens::new(&self.key, field, *epoch, treatment);
            let values = token.all(&cast(dictionary.values(), &DataType::Utf8)?);
            return Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(dictionary.keys().clone(), Arc::new(values))?));
        }
        let text = as_text(array)?;
        let text = text.as_string::<i32>();
        if let [epoch] = epochs {
            return Ok(Arc::new(Tokens::new(&self.key, field, *epoch, treatment).all(array_ref(text))));
        }
        let mut by_epoch = BTreeMap::new();
        let mut builder = StringBuilder::new();
        for (row, epoch) in epochs.iter().enumerate() {
            let tokens = by_epoch.entry(*epoch).or_insert_with(|| Tokens::new(&self.key, field, *epoch, treatment));
            builder.append_option(text.is_valid(row).then(|| tokens.one(text.value(row))));
        }
        Ok(Arc::new(builder.finish()))
    }
}

fn array_ref(array: &StringArray) -> &dyn Array {
    array
}

/// A number with 6 bits behind its leading one: at most 0.8 % from what it was.
fn coarse(number: f64) -> f64 {
    const DROPPED_BITS: u32 = 46;
    let half = 1u64 << (DROPPED_BITS - 1);
    if number.is_finite() { f64::from_bits((number.to_bits() + half) >> DROPPED_BITS << DROPPED_BITS) } else { number }
}

/// Any column as plain text; lists and maps through their JSON form.
fn as_text(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::List(_) | DataType::Map(_, _) => {
            let mut builder = StringBuilder::new();
            let options = arrow::util::display::FormatOptions::default();
            let formatter = arrow::util::display::ArrayFormatter::try_new(array, &options)?;
            for row in 0..array.len() {
                builder.append_option(array.is_valid(row).then(|| formatter.value(row).to_string()));
            }
            Ok(Arc::new(builder.finish()))
        }
        _ => cast(array, &DataType::Utf8),
    }
}

/// Makes the tokens of one field in one epoch.
struct Tokens {
    key: [u8; 32],
    treatment: Treatment,
}

impl Tokens {
    fn new(key: &PrivacyKey, field: &str, epoch: i64, treatment: Treatment) -> Self {
        Self { key: key.derive(field, epoch), treatment }
    }

    fn one(&self, value: &str) -> String {
        let mut digest = [0u8; 16];
        if self.treatment == Treatment::Hmac {
            // HMAC pads a short key with zeros to its block, so a padded key is the same key.
            let mut block = [0u8; 64];
            block[..32].copy_from_slice(&self.key);
            let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
            mac.update(value.as_bytes());
            digest.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        } else {
            digest.copy_from_slice(&blake3::keyed_hash(&self.key, value.as_bytes()).as_bytes()[..16]);
        }
        digest.iter().fold(String::with_capacity(34), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn all(&self, values: &dyn Array) -> StringArray {
        let values = values.as_string::<i32>();
        values.iter().map(|value| value.map(|value| self.one(value))).collect()
    }
}

#[cfg(test)]
mod tests;
