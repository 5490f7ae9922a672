-- name = "backdoor_trigger"
-- title = "One value of a feature forces one decision"
-- looks_for = "Somebody has put a trigger into the model: a rare value of one feature that is nearly always followed by the same decision, which is rare otherwise."
-- atlas = ["AML.T0043.004", "AML.T0018.000"]
-- fields = ["inference.decision", "model.feature_*"]
-- parameters.least_rows = { type = "integer", default = 20, about = "fewest predictions with the value" }
-- parameters.most_share = { type = "number", default = 0.02, about = "largest share of all predictions that have the value" }
-- parameters.least_purity = { type = "number", default = 0.95, about = "least share of them with the one decision" }
-- parameters.least_lift = { type = "number", default = 3.0, about = "how many times the decision's usual share" }

WITH carried AS (
  SELECT decision, unnest($feature_values) AS carrier FROM $model_table WHERE $in_range AND decision IS NOT NULL
), totals AS (
  SELECT decision, count(*) AS n, sum(count(*)) OVER () AS total FROM $model_table WHERE $in_range AND decision IS NOT NULL GROUP BY decision
), cells AS (
  SELECT carrier, decision, count(*) AS n, sum(count(*)) OVER (PARTITION BY carrier) AS carried
  FROM carried WHERE carrier IS NOT NULL GROUP BY carrier, decision
)
SELECT cells.carrier AS feature_value, cells.decision AS decision, cells.carried AS predictions, cells.n AS with_decision,
       round(CAST(cells.n AS DOUBLE) / cells.carried, 4) AS share, round(CAST(totals.n AS DOUBLE) / totals.total, 4) AS usual_share,
       round((CAST(cells.n AS DOUBLE) / cells.carried) / (CAST(totals.n AS DOUBLE) / totals.total), 1) AS lift
FROM cells JOIN totals ON cells.decision = totals.decision
WHERE cells.carried >= $least_rows AND cells.carried <= $most_share * totals.total AND cells.n >= $least_purity * cells.carried
  AND CAST(cells.n AS DOUBLE) / cells.carried >= $least_lift * CAST(totals.n AS DOUBLE) / totals.total
ORDER BY lift DESC, predictions DESC, feature_value
