-- name = "extraction_boundary"
-- title = "One client asks near the decision boundary"
-- looks_for = "Somebody maps the boundary of the model: the scores that one client gets lie close to the threshold far more often than those of the others."
-- atlas = ["AML.T0024.002", "AML.T0043.001"]
-- fields = ["inference.$client", "inference.score"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.threshold = { type = "number", default = 0.5, about = "score at which the decision changes" }
-- parameters.margin = { type = "number", default = 0.05, about = "how near is near" }
-- parameters.least_predictions = { type = "integer", default = 200, about = "fewest predictions of one client" }
-- parameters.times_others = { type = "number", default = 3.0, about = "how many times the share of the others" }

WITH clients AS (
  SELECT model, $client AS client, count(*) AS predictions,
         count(*) FILTER (WHERE abs(score - $threshold) <= $margin) AS near_boundary
  FROM inference WHERE $in_range AND $client IS NOT NULL AND score IS NOT NULL GROUP BY 1, 2
), compared AS (
  SELECT *, sum(predictions) OVER (PARTITION BY model) - predictions AS other_predictions,
         sum(near_boundary) OVER (PARTITION BY model) - near_boundary AS other_near
  FROM clients
)
SELECT model, client, predictions, near_boundary, round(CAST(near_boundary AS DOUBLE) / predictions, 4) AS near_share,
       round(CAST(other_near AS DOUBLE) / other_predictions, 4) AS share_of_others
FROM compared
WHERE predictions >= $least_predictions AND other_predictions > 0
  AND CAST(near_boundary AS DOUBLE) / predictions >= $times_others * (other_near + 1.0) / (other_predictions + 1.0)
ORDER BY near_share DESC, predictions DESC, client
