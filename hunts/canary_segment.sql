-- name = "canary_segment"
-- title = "A new version fails in one part of the traffic"
-- looks_for = "A regression hides in one segment: overall the new version is as good as the old one, and in one part of the traffic it is far worse."
-- atlas = ["AML.T0048"]
-- fields = ["inference.version", "inference.$segment", "inference.status"]
-- parameters.segment = { type = "column", default = "channel", about = "column of the parts: channel, tenant, attribute_country" }
-- parameters.least_predictions = { type = "integer", default = 50, about = "fewest predictions of each version in the segment" }
-- parameters.least_z = { type = "number", default = 4.0, about = "least standard errors between the two" }

WITH cells AS (
  SELECT model, version, $segment AS segment, CAST(count(*) AS DOUBLE) AS n, CAST(count(*) FILTER (WHERE status = 'error') AS DOUBLE) AS failed, min(min(time)) OVER (PARTITION BY model, version) AS born
  FROM inference WHERE $in_range AND version IS NOT NULL AND $segment IS NOT NULL GROUP BY 1, 2, 3
), pairs AS (
  SELECT a.model AS model, a.segment AS segment, a.version AS newer, b.version AS older, a.n AS n, b.n AS older_n, a.failed / a.n AS rate, b.failed / b.n AS older_rate,
         (a.failed + b.failed + 1) / (a.n + b.n + 2) AS pooled
  FROM cells a JOIN cells b ON a.model = b.model AND a.segment = b.segment AND a.born > b.born
)
SELECT model, segment, newer, older, CAST(n AS BIGINT) AS predictions, CAST(older_n AS BIGINT) AS older_predictions, round(rate, 4) AS error_rate, round(older_rate, 4) AS older_error_rate,
       round((rate - older_rate) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / older_n)), 1) AS z
FROM pairs
WHERE n >= $least_predictions AND older_n >= $least_predictions AND rate - older_rate >= $least_z * sqrt(pooled * (1 - pooled) * (1 / n + 1 / older_n))
ORDER BY z DESC, segment
