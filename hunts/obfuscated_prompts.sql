-- name = "obfuscated_prompts"
-- title = "Letters and encodings that hide words"
-- looks_for = "Somebody hides what a prompt says from filters: letters without a width, long runs of base64, or a script that this client does not use otherwise."
-- atlas = ["AML.T0068"]
-- fields = ["inference.$client", "inference.prompt"]
-- parameters.client = { type = "column", default = "user", about = "column that says who asks: user, api_key or session" }
-- parameters.least_run = { type = "integer", default = 80, about = "shortest run of base64" }
-- parameters.least_invisible = { type = "integer", default = 3, about = "fewest letters without a width" }
-- parameters.least_foreign = { type = "number", default = 0.3, about = "least share of letters beyond ASCII" }
-- parameters.most_usual_foreign = { type = "number", default = 0.1, about = "such a share in the model's median prompt, above which it says nothing" }

WITH prompts AS (
  SELECT model, $client AS client, id, time, prompt, character_length(prompt) AS letters,
         character_length(prompt) - character_length(regexp_replace(prompt, '[\u{200B}-\u{200F}\u{2060}-\u{2064}\u{FEFF}]', '', 'g')) AS invisible,
         coalesce(character_length(regexp_match(prompt, '[A-Za-z0-9+/]{40,}={0,2}')[1]), 0) AS longest_run,
         CAST(character_length(regexp_replace(prompt, '[\u{01}-\u{7F}]', '', 'g')) AS DOUBLE) / greatest(character_length(prompt), 1) AS foreign
  FROM inference WHERE $in_range AND prompt IS NOT NULL
), usual AS (SELECT model, median(foreign) AS foreign FROM prompts GROUP BY 1)
SELECT p.model AS model, p.client AS client, count(*) AS prompts, max(invisible) AS invisible_letters, max(longest_run) AS longest_run, round(max(p.foreign), 3) AS foreign_share,
       first_value(id ORDER BY time) AS for_example
FROM prompts p JOIN usual ON p.model = usual.model
WHERE invisible >= $least_invisible OR longest_run >= $least_run OR (p.foreign >= $least_foreign AND usual.foreign <= $most_usual_foreign AND letters >= 20)
GROUP BY 1, 2 ORDER BY prompts DESC, client
