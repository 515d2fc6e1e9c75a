-- Written by `make sql`.
CREATE TEMP TABLE incoming (LIKE outcomes);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE latest AS
SELECT transaction_id, decision_id, action, score, model_version, settled_by, decided_at, held_ms
FROM (
  SELECT
    transaction_id, decision_id, action, score, model_version, settled_by, decided_at, held_ms,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY decided_at DESC NULLS LAST) AS _rank
  FROM incoming
) ranked
WHERE _rank = 1;

MERGE INTO outcomes
USING latest ON outcomes.transaction_id = latest.transaction_id
WHEN MATCHED THEN UPDATE SET
  decision_id = latest.decision_id,
  action = latest.action,
  score = latest.score,
  model_version = latest.model_version,
  settled_by = latest.settled_by,
  decided_at = latest.decided_at,
  held_ms = latest.held_ms
WHEN NOT MATCHED THEN INSERT (transaction_id, decision_id, action, score, model_version, settled_by, decided_at, held_ms)
VALUES (latest.transaction_id, latest.decision_id, latest.action, latest.score, latest.model_version, latest.settled_by, latest.decided_at, latest.held_ms);
