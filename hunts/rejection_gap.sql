-- name = "rejection_gap"
-- title = "One group is refused more often"
-- looks_for = "The model harms people of one group: its decision against them is more frequent than against the group that fares best, by more than a stated ratio and more than by chance."
-- atlas = ["AML.T0048.002", "AML.T0048.003"]
-- fields = ["inference.$group", "inference.decision"]
-- parameters.group = { type = "column", about = "column of the protected attribute, such as group_sex" }
-- parameters.refusal = { type = "text", default = "reject", about = "the decision against a person" }
-- parameters.least_ratio = { type = "number", default = 1.25, about = "least ratio to the group that fares best" }
-- parameters.least_predictions = { type = "integer", default = 50, about = "fewest predictions of a group" }
-- parameters.least_z = { type = "number", default = 3.0, about = "least standard errors between the two" }

WITH groups AS (
  SELECT model, $group AS people, CAST(count(*) AS DOUBLE) AS n, CAST(count(*) FILTER (WHERE decision = $refusal) AS DOUBLE) AS refused
  FROM inference WHERE $in_range AND $group IS NOT NULL AND decision IS NOT NULL GROUP BY 1, 2 HAVING count(*) >= $least_predictions
), best AS (
  SELECT model, people, n, refused FROM (SELECT *, row_number() OVER (PARTITION BY model ORDER BY refused / n, people) AS place FROM groups) WHERE place = 1
), rates AS (
  SELECT g.model AS model, g.people AS people, g.n AS n, g.refused / g.n AS rate, b.people AS best_people, b.n AS best_n, b.refused / b.n AS best_rate, (g.refused + b.refused + 1) / (g.n + b.n + 2) AS pooled
  FROM groups g JOIN best b ON g.model = b.model AND g.people <> b.people
)
SELECT model, people AS "group", CAST(n AS BIGINT) AS predictions, round(rate, 4) AS refused, best_people AS best_group, round(best_rate, 4) AS refused_of_best,
       round(rate / greatest(best_rate, 1 / best_n), 2) AS ratio, round((rate - best_rate) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / best_n)), 1) AS z
FROM rates
WHERE rate >= $least_ratio * best_rate AND rate - best_rate >= $least_z * sqrt(pooled * (1 - pooled) * (1 / n + 1 / best_n))
ORDER BY ratio DESC, "group"
