-- name = "slow_inputs"
-- title = "Inputs that take longer than their length explains"
-- looks_for = "Somebody slows the model down with inputs that are made to be slow. What merely is longer is told apart: latency is compared with what the number of tokens explains."
-- atlas = ["AML.T0029", "AML.T0034.001"]
-- fields = ["inference.$client", "inference.latency_ms", "inference.input_tokens"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.least_predictions = { type = "integer", default = 30, about = "fewest predictions of one client" }
-- parameters.least_excess = { type = "number", default = 0.5, about = "least excess over what the length explains, as a share of the mean latency" }
-- parameters.least_longer = { type = "number", default = 2.0, about = "how many times the others' tokens make a client one with longer inputs" }

WITH rows_of_interest AS (
  SELECT model, $client AS client, latency_ms, CAST(input_tokens AS DOUBLE) AS tokens FROM inference
  WHERE $in_range AND $client IS NOT NULL AND latency_ms IS NOT NULL AND input_tokens IS NOT NULL
), clients AS (
  SELECT model, client, count(*) AS n, median(latency_ms) AS latency, median(tokens) AS tokens FROM rows_of_interest GROUP BY 1, 2
), line AS (
  SELECT model, coalesce(regr_slope(latency, tokens), 0) AS slope, median(tokens) AS tokens, median(latency) AS latency FROM (
    SELECT r.model AS model, r.client AS client, r.tokens AS tokens, r.latency_ms AS latency FROM rows_of_interest r JOIN clients c ON r.model = c.model AND r.client = c.client
    WHERE r.latency_ms <= 3 * (SELECT median(latency) FROM clients)
  ) GROUP BY 1
), compared AS (
  SELECT c.model AS model, c.client AS client, c.n AS n, c.latency AS latency, c.tokens AS tokens, l.tokens AS usual_tokens, l.latency AS usual_latency,
         c.latency - (l.latency + greatest(l.slope, 0) * (c.tokens - l.tokens)) AS excess
  FROM clients c JOIN line l ON c.model = l.model
)
SELECT model, client, n AS predictions, round(latency, 1) AS median_latency_ms, round(excess, 1) AS unexplained_ms, CAST(tokens AS BIGINT) AS median_tokens, CAST(usual_tokens AS BIGINT) AS usual_tokens,
       CASE WHEN excess >= $least_excess * usual_latency THEN 'slow inputs' ELSE 'longer inputs' END AS verdict
FROM compared
WHERE n >= $least_predictions AND (excess >= $least_excess * usual_latency OR (tokens >= $least_longer * usual_tokens AND latency >= 1.5 * usual_latency))
ORDER BY excess DESC, client
