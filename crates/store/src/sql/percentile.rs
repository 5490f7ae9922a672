//! `percentile(x, share)`: quantiles that are the same to the last digit in every run.
//!
//! `quantile_exact(x, share)` and `median(x)` keep every number instead, and are exact. `percentile` also answers to `approx_percentile_cont`, whose own sketch depends on the order in which threads
//! finish. Over a moving window it is exact. See [`Sketch`] for its error.

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

use super::sketch::{Sketch, interpolate};

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

    const fn empty(&self) -> fn() -> Sketch {
        if self.is_exact { Sketch::exact } else { Sketch::default }
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
        Ok(Box::new(One { share: self.share(&args)?, sketch: self.empty()() }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Moving { share: self.share(&args)?, sorted: Vec::new() }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups { share: self.share(&args)?, empty: self.empty(), sketches: Vec::new(), bytes: 0 }))
    }
}

/// All rows in one group.
#[derive(Debug)]
struct One {
    share: f64,
    sketch: Sketch,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in numbers(values)?.iter().flatten() {
            self.sketch.observe(value);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.sketch.quantile(self.share)))
    }

    fn size(&self) -> usize {
        self.sketch.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(to_bytes(&self.sketch)?))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in binaries(states)?.iter().flatten() {
            self.sketch.merge(&from_bytes(bytes)?);
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
        let mut sketch = Sketch::exact();
        for &value in &self.sorted {
            sketch.observe(value);
        }
        Ok(vec![ScalarValue::Binary(Some(to_bytes(&sketch)?))])
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        plan_err!("a moving percentile has no partial state")
    }
}

/// A sketch for each group.
#[derive(Debug)]
struct Groups {
    share: f64,
    empty: fn() -> Sketch,
    sketches: Vec<Sketch>,
    bytes: usize,
}

impl Groups {
    fn make_room(&mut self, groups: usize) {
        self.bytes += groups.saturating_sub(self.sketches.len()) * size_of::<Sketch>();
        self.sketches.resize_with(groups, self.empty);
    }

    fn merge(&mut self, group: usize, other: &Sketch) {
        let sketch = &mut self.sketches[group];
        let before = sketch.size();
        sketch.merge(other);
        self.bytes = (self.bytes + sketch.size()).saturating_sub(before);
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Sketch> {
        let taken = emit_to.take_needed(&mut self.sketches);
        self.bytes = self.sketches.iter().map(Sketch::size).sum();
        taken
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.make_room(total_num_groups);
        let values = numbers(values)?;
        for (row, (&group, &value)) in group_indices.iter().zip(values.values()).enumerate() {
            let wanted = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if wanted && values.is_valid(row) {
                self.bytes += self.sketches[group].observe(value);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let share = self.share;
        let answers: Float64Array = self.take(emit_to).into_iter().map(|sketch| sketch.into_quantile(share)).collect();
        Ok(Arc::new(answers))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.take(emit_to).iter().map(to_bytes).collect::<Result<Vec<_>>>()?;
        Ok(vec![Arc::new(BinaryArray::from_iter_values(states))])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.make_room(total_num_groups);
        let states = binaries(values)?;
        for (row, &group) in group_indices.iter().enumerate() {
            if states.is_valid(row) {
                self.merge(group, &from_bytes(states.value(row))?);
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let states = numbers(values)?.iter().enumerate().map(|(row, value)| {
            let mut sketch = (self.empty)();
            let wanted = opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if let Some(value) = value.filter(|_| wanted) {
                sketch.observe(value);
            }
            to_bytes(&sketch)
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

fn to_bytes(sketch: &Sketch) -> Result<Vec<u8>> {
    sketch.to_bytes().map_err(|error| DataFusionError::External(error.into()))
}

fn from_bytes(bytes: &[u8]) -> Result<Sketch> {
    Sketch::from_bytes(bytes).map_err(|error| DataFusionError::External(error.into()))
}
