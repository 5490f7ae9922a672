-- name = "feedback_sources"
-- title = "One source writes truth that others contradict"
-- looks_for = "Somebody poisons feedback: one source gives more of it than its fair part, and its labels disagree with the model far more often than those of the others."
-- atlas = ["AML.T0020", "AML.T0031"]
-- fields = ["outcome.source", "outcome.label", "inference.decision"]
-- parameters.least_labels = { type = "integer", default = 30, about = "fewest labels of one source" }
-- parameters.least_z = { type = "number", default = 5.0, about = "least standard errors from the other sources" }

WITH given AS (
  SELECT i.model AS model, o.source AS source, i.decision <> o.label AS disagrees FROM outcome o
  JOIN (SELECT id, model, decision FROM inference WHERE $in_range) i ON o.id = i.id
  WHERE o.source IS NOT NULL AND o.label IS NOT NULL AND i.decision IS NOT NULL
), sources AS (
  SELECT model, source, CAST(count(*) AS DOUBLE) AS n, CAST(count(*) FILTER (WHERE disagrees) AS DOUBLE) AS against FROM given GROUP BY 1, 2
), compared AS (
  SELECT *, sum(n) OVER (PARTITION BY model) - n AS other_n, sum(against) OVER (PARTITION BY model) - against AS other_against,
         count(*) OVER (PARTITION BY model) AS n_sources
  FROM sources
), rates AS (
  SELECT *, against / n AS rate, (other_against + 1) / (other_n + 2) AS rate_of_others FROM compared WHERE other_n > 0
)
SELECT model, source, CAST(n AS BIGINT) AS labels, round(n / (n + other_n), 4) AS share_of_labels, round(rate, 4) AS disagrees, round(rate_of_others, 4) AS others_disagree,
       round((rate - rate_of_others) / sqrt(rate_of_others * (1 - rate_of_others) * (1 / n + 1 / other_n)), 1) AS z
FROM rates
WHERE n >= $least_labels AND rate - rate_of_others >= $least_z * sqrt(rate_of_others * (1 - rate_of_others) * (1 / n + 1 / other_n))
ORDER BY z DESC, source
