-- name = "credential_documents"
-- title = "Documents with credentials that only one person reads"
-- looks_for = "Somebody harvests credentials through retrieval: one person's questions bring up documents that look like credentials, and hardly anybody else's do."
-- atlas = ["AML.T0082", "AML.T0085.000"]
-- fields = ["inference.user", "inference.$document"]
-- parameters.document = { type = "column", default = "attribute_document", about = "column of the document that was retrieved" }
-- parameters.pattern = { type = "text", default = "secret|credential|passw|token|api.?key|private.?key|[.]env|[.]pem|vault|kubeconfig", about = "regular expression over names in small letters" }
-- parameters.least_documents = { type = "integer", default = 3, about = "fewest different documents of one person" }
-- parameters.most_readers = { type = "integer", default = 2, about = "most readers of such a document" }

WITH reads AS (
  SELECT model, "user" AS reader, $document AS document, time FROM inference WHERE $in_range AND "user" IS NOT NULL AND regexp_like(lower($document), $pattern)
), readers AS (SELECT model, document, count(DISTINCT reader) AS readers FROM reads GROUP BY 1, 2)
SELECT r.model AS model, r.reader AS "user", count(DISTINCT r.document) AS documents, count(*) AS retrievals, min(time) AS first_seen, max(time) AS last_seen, min(r.document) AS for_example
FROM reads r JOIN readers d ON r.model = d.model AND r.document = d.document
WHERE d.readers <= $most_readers GROUP BY 1, 2 HAVING count(DISTINCT r.document) >= $least_documents
ORDER BY documents DESC, "user"
