-- name = "label_enumeration"
-- title = "One client meets most classes with few queries"
-- looks_for = "Somebody maps what the model can say: within an hour one client gets nearly all of its classes with few predictions, as if it went through a list."
-- atlas = ["AML.T0013", "AML.T0063"]
-- fields = ["inference.$client", "inference.decision"]
-- parameters.client = { type = "column", default = "api_key", about = "column that says who asks: api_key, user, session, client_ip or tenant" }
-- parameters.least_classes = { type = "integer", default = 8, about = "fewest classes of the model; with fewer the hunt says nothing" }
-- parameters.least_share = { type = "number", default = 0.9, about = "least share of the classes" }
-- parameters.most_queries = { type = "number", default = 3.0, about = "most predictions for each class that was met" }

WITH classes AS (
  SELECT model, count(DISTINCT decision) AS classes FROM inference WHERE $in_range AND decision IS NOT NULL GROUP BY 1
), hours AS (
  SELECT model, $client AS client, date_bin(INTERVAL '1 hour', time) AS hour, count(*) AS predictions, count(DISTINCT decision) AS met
  FROM inference WHERE $in_range AND $client IS NOT NULL AND decision IS NOT NULL GROUP BY 1, 2, 3
)
SELECT h.model AS model, client, hour, predictions, met AS classes_met, classes AS classes_of_model
FROM hours h JOIN classes c ON h.model = c.model
WHERE classes >= $least_classes AND met >= $least_share * classes AND predictions <= $most_queries * met
ORDER BY met DESC, predictions, hour, client
