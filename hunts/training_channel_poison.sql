-- name = "training_channel_poison"
-- title = "One channel labels differently from the others"
-- looks_for = "Somebody poisons the training set through one channel: the share of a label there is far from its share in the other channels."
-- atlas = ["AML.T0020", "AML.T0010.002", "AML.T0059"]
-- fields = ["training_row.$channel", "training_row.label"]
-- parameters.channel = { type = "column", default = "channel", about = "column of where rows come from: channel, source or user" }
-- parameters.least_rows = { type = "integer", default = 50, about = "fewest rows of one channel" }
-- parameters.least_z = { type = "number", default = 5.0, about = "least standard errors from the other channels" }

WITH channels AS (
  SELECT model, dataset, $channel AS channel, count(*) AS n FROM training_row
  WHERE $in_range AND label IS NOT NULL AND $channel IS NOT NULL GROUP BY 1, 2, 3
), cells AS (
  SELECT model, dataset, $channel AS channel, label, count(*) AS n FROM training_row
  WHERE $in_range AND label IS NOT NULL AND $channel IS NOT NULL GROUP BY 1, 2, 3, 4
), compared AS (
  SELECT c.model AS model, c.dataset AS dataset, c.channel AS channel, cells.label AS label, CAST(c.n AS DOUBLE) AS n, CAST(cells.n AS DOUBLE) AS labelled,
         CAST(sum(c.n) OVER same_label - c.n AS DOUBLE) AS other_n_of_channels_with_it,
         CAST(sum(cells.n) OVER same_label - cells.n AS DOUBLE) AS other_labelled
  FROM cells JOIN channels c ON cells.model = c.model AND cells.channel = c.channel AND cells.dataset IS NOT DISTINCT FROM c.dataset
  WINDOW same_label AS (PARTITION BY c.model, c.dataset, cells.label)
), totals AS (
  SELECT model, dataset, CAST(sum(n) AS DOUBLE) AS n FROM channels GROUP BY 1, 2
), rates AS (
  SELECT x.model AS model, x.dataset AS dataset, channel, label, x.n AS n, labelled, labelled / x.n AS share, other_labelled / (t.n - x.n) AS share_of_others,
         (labelled + other_labelled + 1) / (t.n + 2) AS pooled, t.n - x.n AS other_n
  FROM compared x JOIN totals t ON x.model = t.model AND x.dataset IS NOT DISTINCT FROM t.dataset WHERE t.n > x.n
)
SELECT model, dataset, channel, label, CAST(n AS BIGINT) AS training_rows, CAST(labelled AS BIGINT) AS with_label, round(share, 4) AS share, round(share_of_others, 4) AS share_of_others,
       round((share - share_of_others) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n)), 1) AS z
FROM rates
WHERE n >= $least_rows AND abs(share - share_of_others) >= $least_z * sqrt(pooled * (1 - pooled) * (1 / n + 1 / other_n))
ORDER BY abs(z) DESC, training_rows, label DESC
