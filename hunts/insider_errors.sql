-- name = "insider_errors"
-- title = "Errors that belong to one place and one person"
-- looks_for = "Somebody on the spot fools the model, with stickers or by hand: at one place, on one person's shifts, it is wrong far more often than everywhere else."
-- atlas = ["AML.T0041", "AML.T0043.003"]
-- fields = ["inference.$place", "inference.$person", "inference.decision", "outcome.label"]
-- parameters.place = { type = "column", default = "channel", about = "column of the place: channel, instance, attribute_store or attribute_camera" }
-- parameters.person = { type = "column", default = "attribute_employee", about = "column of who is there: attribute_employee or attribute_shift" }
-- parameters.least_labels = { type = "integer", default = 30, about = "fewest predictions with a label" }
-- parameters.least_z = { type = "number", default = 4.0, about = "least standard errors above everybody else" }

WITH cells AS (
  SELECT model, $place AS place, $person AS person, count(*) AS labelled, count(*) FILTER (WHERE NOT correct) AS wrong
  FROM labelled WHERE $in_range AND correct IS NOT NULL AND $place IS NOT NULL AND $person IS NOT NULL GROUP BY 1, 2, 3
), compared AS (
  SELECT *, sum(labelled) OVER (PARTITION BY model) - labelled AS other_labelled,
         sum(wrong) OVER (PARTITION BY model) - wrong AS other_wrong
  FROM cells
), tested AS (
  SELECT *, CAST(wrong AS DOUBLE) / labelled AS error_rate, (other_wrong + 1.0) / (other_labelled + 2.0) AS error_rate_of_others
  FROM compared
)
SELECT model, place, person, labelled, wrong, round(error_rate, 4) AS error_rate, round(error_rate_of_others, 4) AS error_rate_of_others,
       round((error_rate - error_rate_of_others) / sqrt(error_rate_of_others * (1 - error_rate_of_others) * (1.0 / labelled + 1.0 / (other_labelled + 1))), 1) AS z
FROM tested
WHERE labelled >= $least_labels
  AND error_rate - error_rate_of_others >= $least_z * sqrt(error_rate_of_others * (1 - error_rate_of_others) * (1.0 / labelled + 1.0 / (other_labelled + 1)))
ORDER BY z DESC, place, person
