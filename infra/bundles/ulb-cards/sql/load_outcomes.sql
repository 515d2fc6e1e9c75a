-- Written by `make sql`.
LOCK lock_outcomes;

CREATE TEMP TABLE incoming (LIKE outcomes);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

INSERT INTO outcomes (transaction_id, decision_id, action, score, bundle_version, settled_by, decided_at, held_ms)
SELECT _ranked.transaction_id, _ranked.decision_id, _ranked.action, _ranked.score, _ranked.bundle_version, _ranked.settled_by, _ranked.decided_at, _ranked.held_ms
FROM (
  SELECT
    transaction_id, decision_id, action, score, bundle_version, settled_by, decided_at, held_ms,
    ROW_NUMBER() OVER (PARTITION BY decision_id ORDER BY decided_at) AS _rank
  FROM incoming
) _ranked
LEFT JOIN outcomes _known
  ON _known.decision_id = _ranked.decision_id
  AND _known.decided_at >= CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ)
WHERE _ranked._rank = 1 AND _known.transaction_id IS NULL;
