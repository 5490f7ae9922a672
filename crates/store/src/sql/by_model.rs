//! Groups by model, one table after the other: all rows of a table are of one model.
//!
//! `GROUP BY model` over the tables of all models would hash and compare the model's name once a row, to find out
//! what the table's name says already.

use std::sync::Arc;

use datafusion::{
    common::{Column, DFSchemaRef, Result, ScalarValue, tree_node::Transformed},
    datasource::{provider_as_source, source_as_provider},
    functions_aggregate::expr_fn::count,
    logical_expr::{Aggregate, Expr, Filter, LogicalPlan, Projection, Union, lit},
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};
use wardline_domain::column;

use super::lake_table::LakeTable;

/// The most models that are looked at one by one; each costs a plan of its own.
const MAX_MODELS: usize = 64;
/// How many rows a group without further columns has; none, where a filter rules all of them out.
const ROWS: &str = "__rows_of_model";

/// The rule.
#[derive(Debug)]
pub(super) struct GroupByTable;

impl OptimizerRule for GroupByTable {
    fn name(&self) -> &str {
        "group_by_table"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let Some((place, tables)) = model_of_group(aggregate) else { return Ok(Transformed::no(plan)) };
        let inputs = tables
            .into_iter()
            .map(|(model, table)| Ok(Arc::new(of_one_model(aggregate, place, &model, table)?)))
            .collect::<Result<_>>()?;
        Ok(Transformed::yes(united(aggregate, inputs)?))
    }
}

/// The tables' answers one after the other, under the aggregate's own names.
///
/// A union forgets which table its columns are of, which the rest of the plan may ask for.
fn united(aggregate: &Aggregate, inputs: Vec<Arc<LogicalPlan>>) -> Result<LogicalPlan> {
    let union = LogicalPlan::Union(Union::try_new(inputs)?);
    let columns = union.schema().columns().into_iter().zip(aggregate.schema.iter());
    let outputs = columns
        .map(|(column, (qualifier, field))| Expr::Column(column).alias_qualified(qualifier.cloned(), field.name()))
        .collect();
    let schema = Arc::clone(&aggregate.schema);
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(outputs, Arc::new(union), schema)?))
}

/// Which of the grouping expressions is the model, and the table of each; `None` where there is nothing to gain.
fn model_of_group(aggregate: &Aggregate) -> Option<(usize, Vec<(String, LakeTable)>)> {
    let is_model = |group: &Expr| matches!(group, Expr::Column(group) if is_model(&aggregate.input, group));
    let place = aggregate.group_expr.iter().position(is_model)?;
    let tables = scanned(&aggregate.input, LakeTable::by_model)??;
    (2..=MAX_MODELS).contains(&tables.len()).then_some((place, tables))
}

/// Whether a column of a plan's output is the `model` of the table that it reads.
fn is_model(plan: &LogicalPlan, name: &Column) -> bool {
    match plan {
        LogicalPlan::TableScan(_) => name.name == column::MODEL,
        LogicalPlan::Filter(filter) => is_model(&filter.input, name),
        LogicalPlan::Projection(projection) => {
            let place = projection.schema.maybe_index_of_column(name);
            matches!(place.map(|place| &projection.expr[place]), Some(Expr::Column(inner)) if is_model(&projection.input, inner))
        }
        _ => false,
    }
}

/// What can be told of the lake's table at the end of a chain of filters and projections.
fn scanned<T>(plan: &LogicalPlan, look: impl FnOnce(&LakeTable) -> T) -> Option<T> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
            let provider = source_as_provider(&scan.source).ok()?;
            provider.downcast_ref::<LakeTable>().map(look)
        }
        LogicalPlan::Filter(filter) => scanned(&filter.input, look),
        LogicalPlan::Projection(projection) => scanned(&projection.input, look),
        _ => None,
    }
}

/// The aggregate over one table, with the model's name written into its rows.
fn of_one_model(aggregate: &Aggregate, place: usize, model: &str, table: LakeTable) -> Result<LogicalPlan> {
    let mut groups = aggregate.group_expr.clone();
    groups.remove(place);
    let mut aggregates = aggregate.aggr_expr.clone();
    let is_whole = groups.is_empty();
    if is_whole {
        aggregates.push(count(lit(1_i64)).alias(ROWS));
    }
    let input = Arc::new(reading(&aggregate.input, table)?);
    let mut plan = LogicalPlan::Aggregate(Aggregate::try_new(input, groups, aggregates)?);
    if is_whole {
        // Without groups there is always a row, also of a model that no row is of.
        let has_rows = Expr::Column(Column::from_name(ROWS)).gt(lit(0_i64));
        plan = LogicalPlan::Filter(Filter::try_new(has_rows, Arc::new(plan))?);
    }
    let outputs = numbered(&aggregate.schema, place, model)?;
    Ok(LogicalPlan::Projection(Projection::try_new(outputs, Arc::new(plan))?))
}

/// The columns of the whole aggregate, the model's among them, named by their places.
fn numbered(schema: &DFSchemaRef, place: usize, model: &str) -> Result<Vec<Expr>> {
    let columns = schema.iter().enumerate().map(|(index, (qualifier, field))| {
        let value = if index == place {
            lit(ScalarValue::Utf8View(Some(model.to_owned())).cast_to(field.data_type())?)
        } else {
            Expr::Column(Column::from((qualifier, field)))
        };
        Ok(value.alias(format!("c{index}")))
    });
    columns.collect()
}

/// The chain of filters and projections, reading another table.
fn reading(plan: &LogicalPlan, table: LakeTable) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let mut scan = scan.clone();
            scan.source = provider_as_source(Arc::new(table));
            Ok(LogicalPlan::TableScan(scan))
        }
        LogicalPlan::Filter(filter) => {
            let input = Arc::new(reading(&filter.input, table)?);
            Ok(LogicalPlan::Filter(Filter::try_new(filter.predicate.clone(), input)?))
        }
        LogicalPlan::Projection(projection) => {
            let input = Arc::new(reading(&projection.input, table)?);
            let schema = Arc::clone(&projection.schema);
            Ok(LogicalPlan::Projection(Projection::try_new_with_schema(projection.expr.clone(), input, schema)?))
        }
        other => Ok(other.clone()),
    }
}
