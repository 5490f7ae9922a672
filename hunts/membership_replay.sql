-- name = "membership_replay"
-- title = "Rows of the training set are asked again"
-- looks_for = "Somebody tests who was in the training set: one client asks inputs that are, value by value, rows of the training set, far more often than chance would have it."
-- atlas = ["AML.T0024.000"]
-- fields = ["inference.$client", "model.$shared_input", "training.$shared_input"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.least_rows = { type = "integer", default = 30, about = "fewest different training rows that one client asks" }
-- parameters.least_share = { type = "number", default = 0.5, about = "least share of its inputs that are training rows" }

WITH asked AS (
  SELECT $client AS client, $shared_input AS input FROM $model_table WHERE $in_range AND $client IS NOT NULL
), known AS (
  SELECT DISTINCT $shared_input AS input FROM $training_table
), marked AS (
  SELECT client, asked.input AS input, known.input IS NOT NULL AS is_known FROM asked LEFT JOIN known ON asked.input = known.input
)
SELECT client, count(*) AS predictions, count(*) FILTER (WHERE is_known) AS of_training_rows,
       count(DISTINCT input) FILTER (WHERE is_known) AS distinct_training_rows,
       round(CAST(count(*) FILTER (WHERE is_known) AS DOUBLE) / count(*), 4) AS share
FROM marked GROUP BY client
HAVING count(DISTINCT input) FILTER (WHERE is_known) >= $least_rows
   AND count(*) FILTER (WHERE is_known) >= $least_share * count(*)
ORDER BY distinct_training_rows DESC, client
