-- name = "injection_phrases"
-- title = "Words that instruct the model against its operator"
-- looks_for = "Somebody injects instructions directly: prompts that tell the model to ignore or to reveal what it was told, by who asks."
-- atlas = ["AML.T0051.000", "AML.T0051", "AML.T0056"]
-- fields = ["inference.$client", "inference.prompt"]
-- parameters.client = { type = "column", default = "user", about = "column that says who asks: user, api_key or session" }
-- parameters.pattern = { type = "text", default = "(ignore|disregard|forget|override) (all |any |every )?(of )?(the |your |my )?(previous|prior|above|earlier|system|safety) (instructions?|prompts?|rules|guidelines|messages?)|(reveal|print|repeat|show) (me )?(the |your )(system|hidden|initial) (prompt|instructions?|message)|you are now (in )?(developer|dan|unrestricted|jailbroken)|pretend (that )?you (have|are) no (rules|restrictions|filters?)", about = "regular expression over prompts in small letters" }
-- parameters.least_prompts = { type = "integer", default = 1, about = "fewest such prompts" }

SELECT model, $client AS client, count(*) AS prompts, count(DISTINCT session) AS sessions, min(time) AS first_seen, max(time) AS last_seen,
       first_value(id ORDER BY time) AS for_example, substr(first_value(prompt ORDER BY time), 1, 120) AS prompt
FROM inference WHERE $in_range AND regexp_like(lower(prompt), $pattern)
GROUP BY 1, 2 HAVING count(*) >= $least_prompts
ORDER BY prompts DESC, client
