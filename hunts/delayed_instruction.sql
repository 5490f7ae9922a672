-- name = "delayed_instruction"
-- title = "A tool is first called long after a document was read"
-- looks_for = "An instruction waits for its moment: in one session a tool that is rare for the model is called for the first time many turns after a document was read."
-- atlas = ["AML.T0051.002", "AML.T0094"]
-- fields = ["inference.session", "inference.$document", "inference.$tool"]
-- parameters.document = { type = "column", default = "attribute_document", about = "column of the document that was retrieved" }
-- parameters.tool = { type = "column", default = "attribute_tool", about = "column of the tool that was called" }
-- parameters.least_turns = { type = "integer", default = 10, about = "fewest turns between the two" }
-- parameters.most_sessions = { type = "number", default = 0.05, about = "largest share of sessions that call the tool" }

WITH turns AS (
  SELECT model, session, time, id, $document AS document, $tool AS tool, row_number() OVER (PARTITION BY model, session ORDER BY time, id) AS turn
  FROM inference WHERE $in_range AND session IS NOT NULL
), documents AS (
  SELECT model, session, max(turn) AS turn, last_value(document ORDER BY turn) AS document FROM turns WHERE document IS NOT NULL GROUP BY 1, 2
), calls AS (
  SELECT model, session, tool, min(turn) AS turn, min(time) AS time, first_value(id ORDER BY turn) AS id FROM turns WHERE tool IS NOT NULL GROUP BY 1, 2, 3
), usage AS (
  SELECT c.model AS model, c.tool AS tool, CAST(count(*) AS DOUBLE) / max(s.sessions) AS share
  FROM calls c JOIN (SELECT model, count(DISTINCT session) AS sessions FROM turns GROUP BY 1) s ON c.model = s.model GROUP BY 1, 2
)
SELECT c.model AS model, c.session AS session, c.tool AS tool, d.document AS document, c.turn - d.turn AS turns_later, round(u.share, 4) AS share_of_sessions, c.time AS time, c.id AS for_example
FROM calls c JOIN documents d ON c.model = d.model AND c.session = d.session JOIN usage u ON c.model = u.model AND c.tool = u.tool
WHERE c.turn - d.turn >= $least_turns AND u.share <= $most_sessions
ORDER BY turns_later DESC, session
