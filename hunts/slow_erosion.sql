-- name = "slow_erosion"
-- title = "Accuracy falls week by week while latency is fine"
-- looks_for = "The model is worn down slowly, under a green dashboard: over weeks its accuracy falls steadily, and nothing about its latency says so."
-- atlas = ["AML.T0031"]
-- fields = ["inference.decision", "outcome.label"]
-- parameters.least_weeks = { type = "integer", default = 4, about = "fewest weeks with labels" }
-- parameters.least_loss = { type = "number", default = 0.05, about = "least fall over the time looked at" }
-- parameters.least_labels = { type = "integer", default = 100, about = "fewest labels of a week" }

WITH weeks AS (
  SELECT model, date_bin(INTERVAL '7 days', time) AS week, count(*) AS labelled, avg(CASE WHEN correct THEN 1.0 ELSE 0.0 END) AS accuracy,
         percentile(latency_ms, 0.99) AS latency_p99
  FROM labelled WHERE $in_range AND correct IS NOT NULL GROUP BY 1, 2 HAVING count(*) >= $least_labels
), trends AS (
  SELECT model, count(*) AS n_weeks, sum(labelled) AS labelled, regr_slope(accuracy, date_part('epoch', week) / 604800.0) AS slope,
         corr(accuracy, date_part('epoch', week) / 604800.0) AS correlation,
         first_value(accuracy ORDER BY week) AS first_accuracy, last_value(accuracy ORDER BY week) AS last_accuracy,
         max(latency_p99) AS worst_latency_p99
  FROM weeks GROUP BY model
)
SELECT model, n_weeks, labelled, round(slope, 4) AS change_a_week, round(first_accuracy, 4) AS first_accuracy, round(last_accuracy, 4) AS last_accuracy,
       round(correlation, 3) AS correlation, round(worst_latency_p99, 1) AS worst_latency_p99_ms
FROM trends
WHERE n_weeks >= $least_weeks AND slope * (n_weeks - 1) <= -$least_loss AND correlation <= -0.8
ORDER BY slope, model
