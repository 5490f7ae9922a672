-- name = "tool_exfiltration"
-- title = "Tools send much to a destination that is new"
-- looks_for = "An agent carries data out: a tool sends far more bytes to one destination than to the others, and that destination was not in use before."
-- atlas = ["AML.T0086", "AML.T0025"]
-- fields = ["inference.$destination", "inference.$bytes"]
-- parameters.destination = { type = "column", default = "attribute_destination", about = "column of where a tool sends to" }
-- parameters.bytes = { type = "column", default = "attribute_argument_bytes", about = "column of how many bytes it sends" }
-- parameters.least_bytes = { type = "number", default = 100000.0, about = "fewest bytes to the destination" }
-- parameters.times_usual = { type = "number", default = 6.0, about = "how many times the median destination's bytes of a call" }
-- parameters.days_known = { type = "number", default = 1.0, about = "how long others must have been in use before" }

WITH calls AS (
  SELECT model, $destination AS destination, time, id, session, try_cast($bytes AS DOUBLE) AS bytes FROM inference WHERE $in_range AND $destination IS NOT NULL
), destinations AS (
  SELECT model, destination, count(*) AS calls, count(DISTINCT session) AS sessions, sum(bytes) AS bytes, avg(bytes) AS mean_bytes, min(time) AS first_seen, first_value(id ORDER BY bytes DESC) AS id
  FROM calls WHERE bytes IS NOT NULL GROUP BY 1, 2
), usual AS (SELECT model, median(mean_bytes) AS mean_bytes, min(first_seen) AS first_seen FROM destinations GROUP BY 1)
SELECT d.model AS model, destination, calls, sessions, CAST(bytes AS BIGINT) AS bytes, round(d.mean_bytes, 0) AS bytes_a_call, round(u.mean_bytes, 0) AS usual_bytes_a_call, d.first_seen AS first_seen, id AS for_example
FROM destinations d JOIN usual u ON d.model = u.model
WHERE bytes >= $least_bytes AND d.mean_bytes >= $times_usual * u.mean_bytes AND date_part('epoch', d.first_seen) - date_part('epoch', u.first_seen) >= $days_known * 86400
ORDER BY bytes DESC, destination
