//! Predictions with what turned out to be true of them.

use std::sync::Arc;

use datafusion::{
    catalog::TableProvider,
    common::{Column, Result},
    datasource::{ViewTable, provider_as_source},
    functions_aggregate::{expr_fn::max, first_last::last_value_udaf},
    logical_expr::{Expr, ExprFunctionExt as _, JoinType, LogicalPlanBuilder, col, ident},
};

/// Every prediction that has an outcome, once: the prediction's columns, then `label`, `value` and
/// `feedback` as the latest outcome that has them says, the time of the last, and whether the decision
/// was right.
pub(super) fn view(
    predictions: Arc<dyn TableProvider>,
    outcomes: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>> {
    let outcome = LogicalPlanBuilder::scan("outcome", provider_as_source(outcomes), None)?
        .filter(col("id").is_not_null())?
        .aggregate(
            [col("id")],
            [latest("label")?, latest("value")?, latest("feedback")?, max(col("time")).alias("label_time")],
        )?
        .alias("o")?
        .build()?;
    let columns = predictions.schema();
    let prediction = |name: &str| Expr::Column(Column::new(Some("p"), name));
    let outcome_column = |name: &str| Expr::Column(Column::new(Some("o"), name));
    let mut shown: Vec<Expr> =
        columns.fields().iter().map(|field| prediction(field.name()).alias(field.name())).collect();
    shown.extend(["label", "value", "feedback", "label_time"].map(|name| outcome_column(name).alias(name)));
    shown.push(prediction("decision").eq(outcome_column("label")).alias("correct"));
    let plan = LogicalPlanBuilder::scan("inference", provider_as_source(predictions), None)?
        .alias("p")?
        .join(outcome, JoinType::Inner, (vec!["p.id"], vec!["o.id"]), None)?
        .project(shown)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// The value of the latest outcome that has one.
fn latest(name: &str) -> Result<Expr> {
    let value = last_value_udaf().call(vec![ident(name)]);
    Ok(value.order_by(vec![col("time").sort(true, false)]).filter(ident(name).is_not_null()).build()?.alias(name))
}
