-- name = "jailbreak_retries"
-- title = "An answer after several refusals"
-- looks_for = "Somebody jailbreaks the model: a session is refused several times and goes on, until it gets an answer."
-- atlas = ["AML.T0054"]
-- fields = ["inference.session", "inference.$finish"]
-- parameters.finish = { type = "column", default = "attribute_finish_reason", about = "column that says how an answer ended" }
-- parameters.refused = { type = "text", default = "content_filter", about = "its value for a refusal" }
-- parameters.answered = { type = "text", default = "stop", about = "its value for an answer" }
-- parameters.least_refusals = { type = "integer", default = 3, about = "fewest refusals before the answer" }
-- parameters.most_minutes = { type = "number", default = 10.0, about = "longest time from the first of them to the answer" }

WITH turns AS (
  SELECT model, session, "user", time, id, $finish AS finish FROM inference WHERE $in_range AND session IS NOT NULL AND $finish IS NOT NULL
), answers AS (
  SELECT a.model AS model, a.session AS session, a."user" AS "user", a.id AS id, a.time AS time, count(*) AS refusals, min(r.time) AS first_refusal
  FROM turns a JOIN turns r ON a.model = r.model AND a.session = r.session
  WHERE a.finish = $answered AND r.finish = $refused AND r.time < a.time
    AND date_part('epoch', a.time) - date_part('epoch', r.time) <= $most_minutes * 60
  GROUP BY 1, 2, 3, 4, 5 HAVING count(*) >= $least_refusals
)
SELECT model, session, "user", max(refusals) AS refusals, count(*) AS answers_after, min(first_refusal) AS first_refusal, min(time) AS answered, first_value(id ORDER BY time) AS for_example
FROM answers GROUP BY 1, 2, 3
ORDER BY refusals DESC, session
