//! The order in which conditions joined by AND are looked at: first the one that fewest rows pass.
//!
//! The Parquet reader reads the columns of a condition only where the conditions before it held. A user or
//! an id is one among many, a channel one among few, so `channel = 'web' AND "user" = 'u1'` begins with the user.

use std::cmp::Reverse;

use datafusion::{
    common::{Result, tree_node::Transformed},
    logical_expr::{
        BinaryExpr, Expr, Filter, LogicalPlan, Operator,
        utils::{conjunction, split_conjunction_owned},
    },
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};
use wardline_domain::column;

/// Columns whose values are each held by few rows.
const RARE: [&str; 5] = [column::ID, "trace_id", "session", "user", "api_key"];

/// The rule.
#[derive(Debug)]
pub(super) struct RarestFilterFirst;

impl OptimizerRule for RarestFilterFirst {
    fn name(&self) -> &str {
        "rarest_filter_first"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else { return Ok(Transformed::no(plan)) };
        let conditions = split_conjunction_owned(filter.predicate.clone());
        if conditions.is_sorted_by_key(|condition| Reverse(rarity(condition))) {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        }
        let mut ordered = conditions;
        ordered.sort_by_key(|condition| Reverse(rarity(condition)));
        match conjunction(ordered) {
            Some(predicate) => Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?))),
            None => Ok(Transformed::no(LogicalPlan::Filter(filter))),
        }
    }
}

/// The fewer rows a condition lets pass, as far as its form tells, the more.
fn rarity(condition: &Expr) -> u8 {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(..)) | (Expr::Literal(..), Expr::Column(column)) => {
                if RARE.contains(&column.name.as_str()) { 3 } else { 2 }
            }
            _ => 0,
        },
        Expr::InList(list) => match list.expr.as_ref() {
            Expr::Column(column) if !list.negated && RARE.contains(&column.name.as_str()) => 3,
            Expr::Column(_) => 1,
            _ => 0,
        },
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq,
            right,
        }) => {
            let is_plain = |side: &Expr| matches!(side, Expr::Column(_) | Expr::Literal(..));
            u8::from(is_plain(left) && is_plain(right))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::logical_expr::{col, lit};

    #[test]
    fn an_id_comes_before_a_channel_and_arithmetic_last() {
        let sum = (col("score") / col("latency_ms")).gt(lit(1.0));
        let channel = col("channel").eq(lit("web"));
        let time = col("latency_ms").gt(lit(0.0));
        let user = col("user").eq(lit("u1"));
        assert!(rarity(&user) > rarity(&channel));
        assert!(rarity(&channel) > rarity(&time));
        assert!(rarity(&time) > rarity(&sum));
    }
}
