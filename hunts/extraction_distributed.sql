-- name = "extraction_distributed"
-- title = "Many keys of one network share one sweep"
-- looks_for = "Somebody copies the model with many keys so that none stands out: keys of one network hardly ever ask the same input, and together they ask a great many."
-- atlas = ["AML.T0024.002", "AML.T0047"]
-- fields = ["inference.$client", "inference.client_ip", "model.$input"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user or session" }
-- parameters.least_clients = { type = "integer", default = 10, about = "fewest clients of one network" }
-- parameters.least_inputs = { type = "integer", default = 500, about = "fewest different inputs of one network" }
-- parameters.least_share = { type = "number", default = 0.95, about = "least share of its inputs that are asked once" }

WITH asked AS (
  SELECT regexp_replace(client_ip, '[.:][^.:]*$', '') AS network, $client AS client, $input AS input
  FROM $model_table WHERE $in_range AND client_ip IS NOT NULL AND $client IS NOT NULL
)
SELECT network, count(DISTINCT client) AS clients, count(*) AS predictions, count(DISTINCT input) AS distinct_inputs,
       round(CAST(count(DISTINCT input) AS DOUBLE) / count(*), 4) AS distinct_share,
       round(CAST(count(*) AS DOUBLE) / count(DISTINCT client), 1) AS predictions_per_client
FROM asked GROUP BY network
HAVING count(DISTINCT client) >= $least_clients AND count(DISTINCT input) >= $least_inputs
   AND count(DISTINCT input) >= $least_share * count(*)
ORDER BY distinct_inputs DESC, network
