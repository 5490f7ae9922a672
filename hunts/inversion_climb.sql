-- name = "inversion_climb"
-- title = "Small steps along which a score climbs"
-- looks_for = "Somebody searches for the input that a class stands for: in one session inputs change a little at a time, and the score climbs with them."
-- atlas = ["AML.T0024.001", "AML.T0043.001"]
-- fields = ["inference.$client", "inference.score", "model.feature_*"]
-- parameters.client = { type = "column", default = "session", about = "column that holds a sequence of questions together: session, user or api_key" }
-- parameters.least_steps = { type = "integer", default = 50, about = "fewest predictions of one session" }
-- parameters.most_changed = { type = "number", default = 0.5, about = "largest mean share of features that change from step to step" }
-- parameters.least_correlation = { type = "number", default = 0.8, about = "least correlation of the score with the step" }

WITH steps AS (
  SELECT $client AS client, time, decision, score, $changed_share AS changed,
         row_number() OVER steps AS step
  FROM $model_table WHERE $in_range AND $client IS NOT NULL
  WINDOW steps AS (PARTITION BY $client ORDER BY time, id)
)
SELECT client, count(*) AS predictions, round(avg(changed), 4) AS mean_changed_share,
       round(corr(score, CAST(step AS DOUBLE)), 4) AS correlation, round(min(score), 4) AS lowest, round(max(score), 4) AS highest,
       min(time) AS started
FROM steps GROUP BY client
HAVING count(*) >= $least_steps AND avg(changed) <= $most_changed AND corr(score, CAST(step AS DOUBLE)) >= $least_correlation
ORDER BY correlation DESC, predictions DESC, client
