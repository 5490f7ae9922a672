-- name = "system_prompt_leak"
-- title = "Answers that repeat the system prompt"
-- looks_for = "The model gives away its instructions: answers hold sentences of the system prompt that you give."
-- atlas = ["AML.T0056", "AML.T0057"]
-- fields = ["inference.output"]
-- parameters.system_prompt = { type = "text", about = "the system prompt, or the parts of it that must not be told" }
-- parameters.least_letters = { type = "integer", default = 20, about = "shortest sentence that counts" }
-- parameters.least_sentences = { type = "integer", default = 2, about = "fewest sentences in one answer" }

WITH sentences AS (
  SELECT DISTINCT trim(sentence) AS sentence FROM (SELECT unnest(string_to_array(lower($system_prompt), '.')) AS sentence)
), told AS (
  SELECT model, id, time, "user", session, output, sentence FROM inference CROSS JOIN sentences
  WHERE $in_range AND output IS NOT NULL AND character_length(sentence) >= $least_letters AND strpos(lower(output), sentence) > 0
)
SELECT model, id, time, "user", session, count(*) AS sentences, substr(max(output), 1, 120) AS output
FROM told GROUP BY 1, 2, 3, 4, 5 HAVING count(*) >= $least_sentences
ORDER BY sentences DESC, time, id
