-- name = "memory_poison"
-- title = "A memory that outlives the session it came from"
-- looks_for = "Somebody plants a memory: text that one session wrote into an agent's memory comes back in the sessions of others."
-- atlas = ["AML.T0080", "AML.T0080.000"]
-- fields = ["inference.session", "inference.$memory"]
-- parameters.memory = { type = "column", default = "attribute_memory", about = "column of the memory that was written or used" }
-- parameters.least_sessions = { type = "integer", default = 3, about = "fewest sessions with the memory" }
-- parameters.most_share = { type = "number", default = 0.2, about = "largest share of all sessions; what more have is a part of the system" }
-- parameters.pattern = { type = "text", default = "always|never|must|ignore|instead|secret|send|forward|do not tell|from now on", about = "regular expression over memories in small letters" }

WITH memories AS (
  SELECT model, $memory AS memory, session, "user", time, id FROM inference WHERE $in_range AND $memory IS NOT NULL AND session IS NOT NULL
), sessions AS (SELECT model, count(DISTINCT session) AS sessions FROM inference WHERE $in_range GROUP BY 1),
found AS (
  SELECT model, memory, count(DISTINCT session) AS sessions, count(DISTINCT "user") AS users, min(time) AS first_seen, max(time) AS last_seen,
         first_value(session ORDER BY time) AS written_by, first_value(id ORDER BY time) AS id
  FROM memories WHERE regexp_like(lower(memory), $pattern) GROUP BY 1, 2
)
SELECT f.model AS model, substr(memory, 1, 120) AS memory, f.sessions AS sessions, users, written_by AS first_session, first_seen, last_seen, id AS for_example
FROM found f JOIN sessions s ON f.model = s.model
WHERE f.sessions >= $least_sessions AND f.sessions <= $most_share * s.sessions
ORDER BY f.sessions DESC, memory
