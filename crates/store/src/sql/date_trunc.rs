//! Answers `date_trunc` by `date_bin` where both give the same, because `date_bin` is several times as
//! fast on UTC times: units of fixed length, from a microsecond to a week.

use arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Expr, ExprSchemable as _, expr::ScalarFunction, expr_rewriter::FunctionRewrite},
};

const SECOND: i64 = 1_000_000_000;
/// Monday, three days before the epoch: weeks start there.
const FIRST_MONDAY_NANOSECONDS: i64 = -3 * 86_400 * SECOND;

/// The rule.
#[derive(Debug)]
pub(super) struct DateTruncAsDateBin;

impl FunctionRewrite for DateTruncAsDateBin {
    fn name(&self) -> &str {
        "date_trunc_as_date_bin"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _config: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::ScalarFunction(ScalarFunction { func, args }) = &expr else { return Ok(Transformed::no(expr)) };
        let ("date_trunc", [Expr::Literal(unit, _), time]) = (func.name(), args.as_slice()) else {
            return Ok(Transformed::no(expr));
        };
        let Some((width, origin)) = unit.try_as_str().flatten().and_then(width_of) else {
            return Ok(Transformed::no(expr));
        };
        if !is_utc_time(&time.get_type(schema)?) {
            return Ok(Transformed::no(expr));
        }
        let date_bin = datafusion::functions::datetime::date_bin();
        let interval = ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(0, 0, width)));
        let origin = ScalarValue::TimestampNanosecond(Some(origin), Some("UTC".into()));
        let args = vec![Expr::Literal(interval, None), time.clone(), Expr::Literal(origin, None)];
        Ok(Transformed::yes(date_bin.call(args)))
    }
}

fn is_utc_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, zone) => {
            zone.as_deref().is_some_and(|zone| matches!(zone, "UTC" | "+00:00" | "Z"))
        }
        _ => false,
    }
}

/// Width in nanoseconds, and where counting starts.
fn width_of(unit: &str) -> Option<(i64, i64)> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "microsecond" => (1_000, 0),
        "millisecond" => (1_000_000, 0),
        "second" => (SECOND, 0),
        "minute" => (60 * SECOND, 0),
        "hour" => (3_600 * SECOND, 0),
        "day" => (86_400 * SECOND, 0),
        "week" => (7 * 86_400 * SECOND, FIRST_MONDAY_NANOSECONDS),
        _ => return None,
    })
}
