-- name = "tool_after_deploy"
-- title = "A tool that first appears with a deployment"
-- looks_for = "A poisoned tool or package came in with a deployment: a tool is called for the first time within hours after one."
-- atlas = ["AML.T0010.001", "AML.T0010.005", "AML.T0110"]
-- fields = ["inference.$tool", "deployment.version"]
-- parameters.tool = { type = "column", default = "attribute_tool", about = "column of the tool that was called" }
-- parameters.hours = { type = "number", default = 24.0, about = "longest time from the deployment to the first call" }
-- parameters.least_calls = { type = "integer", default = 1, about = "fewest calls of the tool" }

WITH tools AS (
  SELECT model, $tool AS tool, min(time) AS first_call, count(*) AS calls, first_value(id ORDER BY time) AS id FROM inference WHERE $in_range AND $tool IS NOT NULL GROUP BY 1, 2
), started AS (SELECT model, min(time) AS first_seen FROM inference WHERE $in_range GROUP BY 1),
latest AS (
  SELECT t.model AS model, t.tool AS tool, t.first_call AS first_call, t.calls AS calls, t.id AS id, max(d.time) AS deployed, last_value(d.version ORDER BY d.time) AS version, last_value(d."by" ORDER BY d.time) AS deployed_by
  FROM tools t JOIN deployment d ON t.model = d.model AND d.time <= t.first_call GROUP BY 1, 2, 3, 4, 5
)
SELECT l.model AS model, tool, calls, first_call, deployed, version, deployed_by, id AS for_example
FROM latest l JOIN started s ON l.model = s.model
WHERE deployed > s.first_seen AND date_part('epoch', first_call) - date_part('epoch', deployed) <= $hours * 3600 AND calls >= $least_calls
ORDER BY date_part('epoch', first_call) - date_part('epoch', deployed), tool
