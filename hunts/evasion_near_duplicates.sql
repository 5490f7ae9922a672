-- name = "evasion_near_duplicates"
-- title = "Inputs that hardly differ are decided differently"
-- looks_for = "Somebody evades the model: a client follows an input at once with one that is nearly the same, and gets another decision, again and again."
-- atlas = ["AML.T0015", "AML.T0043.003"]
-- fields = ["inference.$client", "inference.decision", "model.feature_*"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.most_changed = { type = "number", default = 0.5, about = "largest share of features that differ between the two" }
-- parameters.most_seconds = { type = "number", default = 600.0, about = "longest time between the two" }
-- parameters.least_pairs = { type = "integer", default = 3, about = "fewest such pairs of one client" }
-- parameters.least_share = { type = "number", default = 0.25, about = "least share of its near-duplicate pairs whose decision changed" }

WITH pairs AS (
  SELECT $client AS client, time, id, decision, $changed_share AS changed,
         lag(decision) OVER steps AS decision_before, lag(id) OVER steps AS id_before, lag(time) OVER steps AS time_before
  FROM $model_table WHERE $in_range AND $client IS NOT NULL
  WINDOW steps AS (PARTITION BY $client ORDER BY time, id)
), near AS (
  SELECT *, decision <> decision_before AS flips FROM pairs
  WHERE changed > 0 AND changed <= $most_changed AND id_before IS NOT NULL
    AND date_part('epoch', time) - date_part('epoch', time_before) <= $most_seconds
)
SELECT client, count(*) AS near_pairs, count(*) FILTER (WHERE flips) AS decided_differently,
       round(CAST(count(*) FILTER (WHERE flips) AS DOUBLE) / count(*), 4) AS share,
       first_value(id_before ORDER BY time) FILTER (WHERE flips) AS for_example, first_value(id ORDER BY time) FILTER (WHERE flips) AS and_then
FROM near GROUP BY client
HAVING count(*) FILTER (WHERE flips) >= $least_pairs AND count(*) FILTER (WHERE flips) >= $least_share * count(*)
ORDER BY decided_differently DESC, client
