-- name = "extraction_sweep"
-- title = "One client sweeps the inputs"
-- looks_for = "Somebody copies the model: one client asks for far more predictions than others do, and nearly every input is a new one."
-- atlas = ["AML.T0024.002", "AML.T0005.001"]
-- fields = ["inference.$client", "model.$input"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.least_inputs = { type = "integer", default = 500, about = "fewest different inputs of one client" }
-- parameters.least_share = { type = "number", default = 0.95, about = "least share of its inputs that are asked once" }
-- parameters.times_typical = { type = "number", default = 5.0, about = "how many times the median client it asks" }

WITH clients AS (
  SELECT $client AS client, count(*) AS predictions, count(DISTINCT $input) AS distinct_inputs,
         count(DISTINCT decision) AS distinct_decisions, min(time) AS first_seen, max(time) AS last_seen
  FROM $model_table WHERE $in_range AND $client IS NOT NULL GROUP BY 1
), typical AS (SELECT median(predictions) AS predictions FROM clients)
SELECT client, clients.predictions, distinct_inputs, round(CAST(distinct_inputs AS DOUBLE) / clients.predictions, 4) AS distinct_share,
       round(clients.predictions / typical.predictions, 1) AS times_typical, distinct_decisions, first_seen, last_seen
FROM clients CROSS JOIN typical
WHERE distinct_inputs >= $least_inputs AND distinct_inputs >= $least_share * clients.predictions
  AND clients.predictions >= $times_typical * typical.predictions
ORDER BY distinct_inputs DESC, client
