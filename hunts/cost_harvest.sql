-- name = "cost_harvest"
-- title = "One client's usage leaves its own habit"
-- looks_for = "Somebody runs up the bill: in one hour a client uses many times the tokens of its own median hour, or of the median client where it is new."
-- atlas = ["AML.T0034", "AML.T0034.000", "AML.T0034.001", "AML.T0034.002"]
-- fields = ["inference.$client", "inference.input_tokens"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.times_usual = { type = "number", default = 6.0, about = "how many times the usual tokens of an hour" }
-- parameters.least_tokens = { type = "integer", default = 50000, about = "fewest tokens of the hour" }

WITH hours AS (
  SELECT model, $client AS client, date_bin(INTERVAL '1 hour', time) AS hour, count(*) AS predictions,
         CAST(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS DOUBLE) AS tokens, max(input_tokens) AS longest_input, max(output_tokens) AS longest_output
  FROM inference WHERE $in_range AND $client IS NOT NULL GROUP BY 1, 2, 3
), own AS (
  SELECT model, client, median(tokens) AS tokens, count(*) AS n_hours FROM hours GROUP BY 1, 2
), everybody AS (
  SELECT model, median(tokens) AS tokens FROM hours GROUP BY 1
), compared AS (
  SELECT h.*, CASE WHEN own.n_hours >= 5 THEN own.tokens ELSE everybody.tokens END AS usual
  FROM hours h JOIN own ON h.model = own.model AND h.client = own.client JOIN everybody ON h.model = everybody.model
)
SELECT model, client, hour, predictions, CAST(tokens AS BIGINT) AS tokens, CAST(usual AS BIGINT) AS usual_tokens, round(tokens / greatest(usual, 1.0), 1) AS times_usual, longest_input, longest_output
FROM compared WHERE tokens >= $least_tokens AND tokens >= $times_usual * usual
ORDER BY tokens DESC, hour, client
