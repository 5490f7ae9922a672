-- name = "stolen_key"
-- title = "An old key comes from a new network"
-- looks_for = "Somebody uses another's key: a key that has been in use for a while is suddenly used from a network that it never came from."
-- atlas = ["AML.T0012", "AML.T0091.000", "AML.T0040"]
-- fields = ["inference.$client", "inference.client_ip"]
-- parameters.client = { type = "column", default = "api_key", about = "column of the account: api_key or user" }
-- parameters.days_known = { type = "number", default = 2.0, about = "how long the account must have been in use before" }
-- parameters.least_predictions = { type = "integer", default = 20, about = "fewest predictions from the new network" }
-- parameters.most_networks = { type = "integer", default = 3, about = "most networks that the account came from before; one that roams is left out" }

WITH networks AS (
  SELECT $client AS client, regexp_replace(client_ip, '[.:][^.:]*$', '') AS network, min(time) AS first_seen, max(time) AS last_seen, count(*) AS predictions, count(DISTINCT model) AS models
  FROM inference WHERE $in_range AND $client IS NOT NULL AND client_ip IS NOT NULL GROUP BY 1, 2
), accounts AS (SELECT client, min(first_seen) AS first_seen FROM networks GROUP BY 1),
before AS (
  SELECT n.client AS client, n.network AS network, count(*) AS known_networks, max(o.last_seen) AS last_seen_elsewhere
  FROM networks n JOIN networks o ON n.client = o.client AND n.network <> o.network AND o.first_seen < n.first_seen GROUP BY 1, 2
)
SELECT n.client AS client, n.network AS new_network, n.predictions AS predictions, n.models AS models, n.first_seen AS first_seen, b.known_networks AS known_networks, b.last_seen_elsewhere >= n.first_seen AS both_in_use
FROM networks n JOIN accounts a ON n.client = a.client JOIN before b ON n.client = b.client AND n.network = b.network
WHERE date_part('epoch', n.first_seen) - date_part('epoch', a.first_seen) >= $days_known * 86400 AND n.predictions >= $least_predictions AND b.known_networks <= $most_networks
ORDER BY n.predictions DESC, client
