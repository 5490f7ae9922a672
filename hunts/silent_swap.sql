-- name = "silent_swap"
-- title = "A version serves that nobody deployed"
-- looks_for = "Somebody swapped the model: predictions come from a version without a deployment on record, or from before its deployment."
-- atlas = ["AML.T0018", "AML.T0010.003"]
-- fields = ["inference.version", "deployment.version"]
-- parameters.least_predictions = { type = "integer", default = 10, about = "fewest predictions of the version" }
-- parameters.grace_minutes = { type = "number", default = 10.0, about = "how long before its deployment a version may serve" }

WITH serving AS (
  SELECT model, version, count(*) AS predictions, min(time) AS first_seen, max(time) AS last_seen FROM inference WHERE $in_range AND version IS NOT NULL GROUP BY 1, 2
), deployed AS (
  SELECT model, version, min(time) AS deployed FROM deployment WHERE version IS NOT NULL GROUP BY 1, 2
), watched AS (SELECT model, min(time) AS first_deployment FROM deployment GROUP BY 1)
SELECT s.model AS model, s.version AS version, s.predictions AS predictions, s.first_seen AS first_seen, s.last_seen AS last_seen, d.deployed AS deployed,
       CASE WHEN d.deployed IS NULL THEN 'never deployed' ELSE 'served before its deployment' END AS verdict
FROM serving s JOIN watched w ON s.model = w.model LEFT JOIN deployed d ON s.model = d.model AND s.version = d.version
WHERE s.predictions >= $least_predictions
  AND ((d.deployed IS NULL AND s.first_seen >= w.first_deployment) OR date_part('epoch', d.deployed) - date_part('epoch', s.first_seen) > $grace_minutes * 60)
ORDER BY d.deployed IS NULL DESC, s.predictions DESC, s.version
