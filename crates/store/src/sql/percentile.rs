//! `percentile(x, share)`: quantiles that are the same to the last digit in every run.
//!
//! `quantile_exact(x, share)` and `median(x)` keep every number instead, and are exact: see [`Numbers`].
//! `percentile` also answers to `approx_percentile_cont`, whose own sketch depends on the order in which
//! threads finish. Over a moving window it is exact. See [`Sketch`] for its error.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, RecordBatch},
    datatypes::{DataType, Field, FieldRef, Float64Type, Schema},
};
use datafusion::{
    common::{DataFusionError, Result, ScalarValue, plan_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, EmitTo, GroupsAccumulator, Signature,
        TypeSignature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::format_state_name,
    },
};

use super::{
    numbers::Numbers,
    sketch::{Sketch, interpolate},
};

/// The function, under a name of ours and under that of the one it replaces.
pub(super) fn functions() -> Vec<AggregateUDF> {
    let of_numbers = || vec![TypeSignature::Exact(vec![DataType::Float64])];
    let exact = |name, types| AggregateUDF::from(Percentile { is_exact: true, ..Percentile::named(name, types) });
    let shares = || {
        vec![
            TypeSignature::Exact(vec![DataType::Float64, DataType::Float64]),
            TypeSignature::Exact(vec![DataType::Float64, DataType::Float64, DataType::Int64]),
        ]
    };
    vec![
        AggregateUDF::from(Percentile::named("percentile", shares())),
        AggregateUDF::from(Percentile::named("approx_percentile_cont", shares())),
        AggregateUDF::from(Percentile::named("approx_median", of_numbers())),
        exact("quantile_exact", shares()),
        exact("median", of_numbers()),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    name: &'static str,
    is_exact: bool,
    signature: Signature,
}

impl Percentile {
    fn named(name: &'static str, types: Vec<TypeSignature>) -> Self {
        Self { name, is_exact: false, signature: Signature::one_of(types, Volatility::Immutable) }
    }

    fn share(&self, args: &AccumulatorArgs<'_>) -> Result<f64> {
        let share = match args.exprs.get(1) {
            None => 0.5,
            Some(expression) => {
                let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
                match expression.evaluate(&nothing) {
                    Ok(ColumnarValue::Scalar(ScalarValue::Float64(Some(share)))) => share,
                    _ => {
                        return plan_err!(
                            "the second argument of `{}` must be a number such as 0.95, the same for every row",
                            self.name
                        );
                    }
                }
            }
        };
        if !(0.0..=1.0).contains(&share) {
            return plan_err!("the second argument of `{}` is {share}, and must lie between 0 and 1", self.name);
        }
        // `WITHIN GROUP (ORDER BY x DESC)` counts from the greatest.
        let descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        Ok(if descending { 1.0 - share } else { share })
    }
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sketch"), DataType::Binary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("`{}` does not take DISTINCT: use it over a subquery with SELECT DISTINCT", self.name);
        }
        let share = self.share(&args)?;
        Ok(if self.is_exact {
            Box::new(One { share, held: Numbers::default() })
        } else {
            Box::new(One { share, held: Sketch::default() })
        })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Moving { share: self.share(&args)?, sorted: Vec::new() }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let share = self.share(&args)?;
        Ok(if self.is_exact {
            Box::new(Groups::<Numbers> { share, held: Vec::new(), bytes: 0 })
        } else {
            Box::new(Groups::<Sketch> { share, held: Vec::new(), bytes: 0 })
        })
    }
}

/// What is held of a group's numbers.
trait Held: Clone + Default + std::fmt::Debug + Send + Sync + 'static {
    /// Takes in a number, and returns by how many bytes that made this larger.
    fn observe(&mut self, value: f64) -> usize;
    fn merge_bytes(&mut self, bytes: &[u8]) -> Result<()>;
    fn to_bytes(&self) -> Result<Vec<u8>>;
    fn into_quantile(self, share: f64) -> Option<f64>;
    fn size(&self) -> usize;
}

impl Held for Sketch {
    fn observe(&mut self, value: f64) -> usize {
        self.observe(value)
    }

    fn merge_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let other = Self::from_bytes(bytes).map_err(|error| DataFusionError::External(error.into()))?;
        self.merge(&other);
        Ok(())
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        self.to_bytes().map_err(|error| DataFusionError::External(error.into()))
    }

    fn into_quantile(self, share: f64) -> Option<f64> {
        self.into_quantile(share)
    }

    fn size(&self) -> usize {
        self.size()
    }
}

impl Held for Numbers {
    fn observe(&mut self, value: f64) -> usize {
        self.observe(value)
    }

    fn merge_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.merge_bytes(bytes)
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.to_bytes())
    }

    fn into_quantile(self, share: f64) -> Option<f64> {
        self.into_quantile(share)
    }

    fn size(&self) -> usize {
        self.size()
    }
}

/// All rows in one group.
#[derive(Debug)]
struct One<H> {
    share: f64,
    held: H,
}

impl<H: Held> Accumulator for One<H> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers(values)?.iter().flatten() {
            self.held.observe(value);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // A running window asks after every row, and goes on.
        Ok(ScalarValue::Float64(self.held.clone().into_quantile(self.share)))
    }

    fn size(&self) -> usize {
        self.held.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.held.to_bytes()?))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in binaries(states)?.iter().flatten() {
            self.held.merge_bytes(bytes)?;
        }
        Ok(())
    }
}

/// A moving window, whose numbers are kept in order.
#[derive(Debug)]
struct Moving {
    share: f64,
    sorted: Vec<f64>,
}

impl Accumulator for Moving {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers(values)?.iter().flatten().filter(|value| !value.is_nan()) {
            let at = self.sorted.partition_point(|held| held.total_cmp(&value).is_lt());
            self.sorted.insert(at, value);
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers(values)?.iter().flatten().filter(|value| !value.is_nan()) {
            if let Ok(at) = self.sorted.binary_search_by(|held| held.total_cmp(&value)) {
                self.sorted.remove(at);
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let last = self.sorted.len().checked_sub(1);
        Ok(ScalarValue::Float64(last.map(|last| interpolate(&self.sorted, self.share * last as f64))))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sorted.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        plan_err!("a moving percentile has no partial state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        plan_err!("a moving percentile has no partial state")
    }
}

/// Numbers of each group.
#[derive(Debug)]
struct Groups<H> {
    share: f64,
    held: Vec<H>,
    bytes: usize,
}

impl<H: Held> Groups<H> {
    fn make_room(&mut self, groups: usize) {
        self.bytes += groups.saturating_sub(self.held.len()) * size_of::<H>();
        self.held.resize_with(groups, H::default);
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<H> {
        let taken = emit_to.take_needed(&mut self.held);
        self.bytes = self.held.iter().map(H::size).sum();
        taken
    }
}

impl<H: Held> GroupsAccumulator for Groups<H> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.make_room(total_num_groups);
        let values = numbers(values)?;
        if opt_filter.is_none() && values.null_count() == 0 {
            for (&group, &value) in group_indices.iter().zip(values.values()) {
                self.bytes += self.held[group].observe(value);
            }
            return Ok(());
        }
        for (row, (&group, &value)) in group_indices.iter().zip(values.values()).enumerate() {
            let wanted = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if wanted && values.is_valid(row) {
                self.bytes += self.held[group].observe(value);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let share = self.share;
        let answers: Float64Array = self.take(emit_to).into_iter().map(|held| held.into_quantile(share)).collect();
        Ok(Arc::new(answers))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.take(emit_to).iter().map(H::to_bytes).collect::<Result<Vec<_>>>()?;
        Ok(vec![Arc::new(BinaryArray::from_iter_values(states))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.make_room(total_num_groups);
        let states = binaries(values)?;
        for (row, &group) in group_indices.iter().enumerate() {
            if states.is_valid(row) {
                let held = &mut self.held[group];
                let before = held.size();
                held.merge_bytes(states.value(row))?;
                self.bytes = (self.bytes + held.size()).saturating_sub(before);
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let states = numbers(values)?.iter().enumerate().map(|(row, value)| {
            let mut held = H::default();
            let wanted = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if let Some(value) = value.filter(|_| wanted) {
                held.observe(value);
            }
            held.to_bytes()
        });
        Ok(vec![Arc::new(BinaryArray::from_iter_values(states.collect::<Result<Vec<_>>>()?))])
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

fn numbers(values: &[ArrayRef]) -> Result<&Float64Array> {
    let array = values.first().and_then(|array| array.as_primitive_opt::<Float64Type>());
    array.ok_or_else(|| DataFusionError::Internal("a percentile was given other than numbers".to_owned()))
}

fn binaries(states: &[ArrayRef]) -> Result<&BinaryArray> {
    let array = states.first().and_then(|array| array.as_binary_opt::<i32>());
    array.ok_or_else(|| DataFusionError::Internal("a percentile's state is no binary".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_window_asks_again_and_again() {
        fn running<H: Held>() -> Vec<ScalarValue> {
            let mut median = One { share: 0.5, held: H::default() };
            let mut after_each = |value: f64| {
                median.update_batch(&[Arc::new(Float64Array::from(vec![value]))]).unwrap();
                median.evaluate().unwrap()
            };
            vec![after_each(1.0), after_each(5.0), after_each(4.0)]
        }
        let expected = [1.0, 3.0, 4.0].map(|answer| ScalarValue::Float64(Some(answer)));
        assert_eq!(running::<Numbers>(), expected);
        assert_eq!(running::<Sketch>(), expected);
    }
}
