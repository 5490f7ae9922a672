-- name = "chaff_flood"
-- title = "A channel's volume rises and its information falls"
-- looks_for = "Somebody floods the model with chaff to hide something or to wear people out: in one hour a channel sends many times its usual volume, nearly all of it decided alike."
-- atlas = ["AML.T0046", "AML.T0029"]
-- fields = ["inference.$channel", "inference.decision"]
-- parameters.channel = { type = "column", default = "channel", about = "column of where inputs come from: channel, api_key or tenant" }
-- parameters.times_usual = { type = "number", default = 3.0, about = "how many times the channel's median hour" }
-- parameters.least_predictions = { type = "integer", default = 200, about = "fewest predictions of the hour" }
-- parameters.least_loss = { type = "number", default = 0.5, about = "least fall of the entropy of decisions, as a share of the usual" }

WITH cells AS (
  SELECT model, $channel AS channel, date_bin(INTERVAL '1 hour', time) AS hour, decision, CAST(count(*) AS DOUBLE) AS n
  FROM inference WHERE $in_range AND $channel IS NOT NULL GROUP BY 1, 2, 3, 4
), shares AS (
  SELECT *, n / sum(n) OVER (PARTITION BY model, channel, hour) AS share FROM cells
), hours AS (
  SELECT model, channel, hour, sum(n) AS n, -sum(share * log2(share)) AS entropy FROM shares GROUP BY 1, 2, 3
), usual AS (
  SELECT model, channel, median(n) AS n, median(entropy) AS entropy, count(*) AS n_hours FROM hours GROUP BY 1, 2
)
SELECT hours.model AS model, hours.channel AS channel, hours.hour AS hour, CAST(hours.n AS BIGINT) AS predictions, CAST(usual.n AS BIGINT) AS usual_predictions,
       round(hours.entropy, 3) AS entropy_bits, round(usual.entropy, 3) AS usual_entropy_bits
FROM hours JOIN usual ON hours.model = usual.model AND hours.channel = usual.channel
WHERE usual.n_hours >= 3 AND hours.n >= $times_usual * usual.n AND hours.n >= $least_predictions
  AND usual.entropy > 0 AND hours.entropy <= (1 - $least_loss) * usual.entropy
ORDER BY hours.n / usual.n DESC, hours.hour
