-- name = "secrets_in_outputs"
-- title = "Secrets in answers"
-- looks_for = "The model gives away keys, passwords or card numbers: answers that hold something that looks like one, by who asked."
-- atlas = ["AML.T0057"]
-- fields = ["inference.$client", "inference.output"]
-- parameters.client = { type = "column", default = "user", about = "column that says who asks: user, api_key or session" }
-- parameters.pattern = { type = "text", default = "(akia|asia)[0-9a-z]{16}|-----begin [a-z ]*private key|ghp_[0-9a-z]{36}|sk-[0-9a-z_-]{20,}|xox[abprs]-[0-9a-z-]{10,}|eyj[0-9a-z_-]{10,}[.]eyj[0-9a-z_-]{10,}|password ?[:=] ?[^ ]{8,}|(^|[^0-9])[345][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3,4}([^0-9]|$)", about = "regular expression over answers in small letters" }
-- parameters.least_answers = { type = "integer", default = 1, about = "fewest such answers" }

SELECT model, $client AS client, count(*) AS answers, count(DISTINCT session) AS sessions, min(time) AS first_seen, max(time) AS last_seen, first_value(id ORDER BY time) AS for_example
FROM inference WHERE $in_range AND regexp_like(lower(output), $pattern)
GROUP BY 1, 2 HAVING count(*) >= $least_answers
ORDER BY answers DESC, client
