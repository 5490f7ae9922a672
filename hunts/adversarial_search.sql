-- name = "adversarial_search"
-- title = "A chain of near-duplicates that ends with another decision"
-- looks_for = "Somebody looks for an input that fools the model: one session asks the same thing again and again with small changes, until the decision flips, and then stops."
-- atlas = ["AML.T0043.001", "AML.T0042", "AML.T0015"]
-- fields = ["inference.$client", "inference.decision", "model.feature_*"]
-- parameters.client = { type = "column", default = "session", about = "column that holds a sequence of questions together: session, user or api_key" }
-- parameters.least_steps = { type = "integer", default = 20, about = "fewest predictions of one session" }
-- parameters.most_changed = { type = "number", default = 0.5, about = "largest mean share of features that change from step to step" }
-- parameters.most_flipped = { type = "number", default = 0.2, about = "largest share of the session that has the other decision" }

WITH steps AS (
  SELECT $client AS client, time, decision, score, $changed_share AS changed,
         row_number() OVER steps AS step
  FROM $model_table WHERE $in_range AND $client IS NOT NULL
  WINDOW steps AS (PARTITION BY $client ORDER BY time, id)
), ends AS (
  SELECT client, count(*) AS predictions, avg(changed) AS mean_changed,
         first_value(decision ORDER BY step) AS first_decision, last_value(decision ORDER BY step) AS last_decision,
         min(time) AS started, max(time) AS ended
  FROM steps GROUP BY client
), flipped AS (
  SELECT steps.client AS client, count(*) FILTER (WHERE steps.decision <> ends.first_decision) AS others
  FROM steps JOIN ends ON steps.client = ends.client GROUP BY steps.client
)
SELECT ends.client AS client, predictions, round(mean_changed, 4) AS mean_changed_share, first_decision, last_decision,
       others AS with_another_decision, started, ended
FROM ends JOIN flipped ON ends.client = flipped.client
WHERE predictions >= $least_steps AND mean_changed <= $most_changed AND first_decision <> last_decision
  AND others <= $most_flipped * predictions
ORDER BY predictions DESC, client
