-- name = "indirect_injection"
-- title = "A document after which tools are called that are not called otherwise"
-- looks_for = "A retrieved document instructs the model: answers that rest on it call a tool far more often than answers that rest on others."
-- atlas = ["AML.T0051.001", "AML.T0070", "AML.T0053"]
-- fields = ["inference.$document", "inference.$tool"]
-- parameters.document = { type = "column", default = "attribute_document", about = "column of the document that was retrieved" }
-- parameters.tool = { type = "column", default = "attribute_tool", about = "column of the tool that was called" }
-- parameters.least_calls = { type = "integer", default = 5, about = "fewest calls of the tool after the document" }
-- parameters.times_others = { type = "number", default = 5.0, about = "how many times its share after other documents" }
-- parameters.least_share = { type = "number", default = 0.2, about = "least share of the document's answers that call the tool" }

WITH documents AS (
  SELECT model, $document AS document, CAST(count(*) AS DOUBLE) AS n FROM inference WHERE $in_range AND $document IS NOT NULL GROUP BY 1, 2
), calls AS (
  SELECT model, $document AS document, $tool AS tool, CAST(count(*) AS DOUBLE) AS calls, count(DISTINCT session) AS sessions
  FROM inference WHERE $in_range AND $document IS NOT NULL AND $tool IS NOT NULL GROUP BY 1, 2, 3
), totals AS (
  SELECT model, sum(n) AS n FROM documents GROUP BY 1
), compared AS (
  SELECT c.model AS model, c.document AS document, c.tool AS tool, c.calls AS calls, c.sessions AS sessions, d.n AS n, t.n - d.n AS other_n,
         sum(c.calls) OVER (PARTITION BY c.model, c.tool) - c.calls AS other_calls
  FROM calls c JOIN documents d ON c.model = d.model AND c.document = d.document JOIN totals t ON c.model = t.model
)
SELECT model, document, tool, CAST(n AS BIGINT) AS answers, CAST(calls AS BIGINT) AS calls, sessions, round(calls / n, 4) AS share, round(other_calls / other_n, 4) AS share_after_others
FROM compared
WHERE other_n > 0 AND calls >= $least_calls AND calls / n >= $least_share AND calls / n >= $times_others * (other_calls + 1) / (other_n + 1)
ORDER BY (calls / n) / ((other_calls + 1) / (other_n + 1)) DESC, calls DESC, document
