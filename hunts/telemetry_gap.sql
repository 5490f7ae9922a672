-- name = "telemetry_gap"
-- title = "A replica falls silent and comes back"
-- looks_for = "Somebody turns telemetry off while something happens: one replica of a model sends nothing for a while, though the others go on, and then sends again."
-- atlas = ["AML.T0107"]
-- fields = ["inference.instance"]
-- parameters.bin_minutes = { type = "integer", default = 10, about = "length of the periods that are compared" }
-- parameters.least_periods = { type = "integer", default = 3, about = "fewest periods of silence in a row" }
-- parameters.least_usual = { type = "integer", default = 5, about = "fewest predictions of its median period" }

WITH periods AS (
  SELECT model, instance, CAST(floor(date_part('epoch', time) / (60 * $bin_minutes)) AS BIGINT) AS period, count(*) AS n FROM inference WHERE $in_range AND instance IS NOT NULL GROUP BY 1, 2, 3
), usual AS (SELECT model, instance, median(n) AS usual FROM periods GROUP BY 1, 2),
jumps AS (
  SELECT model, instance, period, lag(period) OVER (PARTITION BY model, instance ORDER BY period) AS before FROM periods
), gaps AS (SELECT * FROM jumps WHERE period - before > $least_periods),
others AS (
  SELECT g.model AS model, g.instance AS instance, g.period AS period, g.before AS before, count(DISTINCT p.period) AS others_active, sum(p.n) AS others_sent
  FROM gaps g JOIN periods p ON p.model = g.model AND p.instance <> g.instance AND p.period > g.before AND p.period < g.period GROUP BY 1, 2, 3, 4
)
SELECT o.model AS model, o.instance AS instance, to_timestamp_seconds((before + 1) * 60 * $bin_minutes) AS silent_from, to_timestamp_seconds(period * 60 * $bin_minutes) AS until, period - before - 1 AS periods,
       CAST(usual AS BIGINT) AS usual_a_period, others_sent
FROM others o JOIN usual u ON o.model = u.model AND o.instance = u.instance
WHERE others_active >= period - before - 1 AND usual >= $least_usual
ORDER BY periods DESC, silent_from, instance
