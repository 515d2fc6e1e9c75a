-- Written by `make sql`.
LOCK lock_labels;

CREATE TEMP TABLE incoming (LIKE fraud_reports, occurred_at TIMESTAMPTZ);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE new_report (LIKE fraud_reports);

INSERT INTO new_report (transaction_id, reported_at, arrived_at, is_fraud)
SELECT transaction_id, reported_at, arrived_at, is_fraud
FROM (
  SELECT
    transaction_id, reported_at, arrived_at, is_fraud, _is_new,
    LAG(is_fraud) OVER (PARTITION BY transaction_id
      ORDER BY reported_at, arrived_at, _is_new, CASE WHEN is_fraud THEN 1 ELSE 0 END) AS _says_before,
    LAG(arrived_at) OVER (PARTITION BY transaction_id
      ORDER BY reported_at, arrived_at, _is_new, CASE WHEN is_fraud THEN 1 ELSE 0 END) AS _arrived_before
  FROM (
    SELECT
      incoming.transaction_id, COALESCE(incoming.reported_at, COALESCE(incoming.arrived_at, CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ))) AS reported_at,
      COALESCE(incoming.arrived_at, CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ)) AS arrived_at, incoming.is_fraud, 1 AS _is_new
    FROM incoming
    UNION ALL
    SELECT transaction_id, reported_at, arrived_at, is_fraud, 0 AS _is_new
    FROM fraud_reports
    WHERE transaction_id IN (SELECT transaction_id FROM incoming)
  ) _reports
) _ordered
WHERE _is_new = 1 AND (_says_before IS NULL OR _says_before <> is_fraud
  OR _arrived_before > arrived_at);

INSERT INTO fraud_reports (transaction_id, reported_at, arrived_at, is_fraud)
SELECT transaction_id, reported_at, arrived_at, is_fraud
FROM new_report;

INSERT INTO unmatched_reports (transaction_id)
SELECT DISTINCT report.transaction_id
FROM fraud_reports report
JOIN new_report ON new_report.transaction_id = report.transaction_id
LEFT JOIN unmatched_reports _known ON _known.transaction_id = report.transaction_id
WHERE report.is_fraud AND _known.transaction_id IS NULL;

INSERT INTO known_frauds (transaction_id, identity_hash, occurred_at, transaction_arrived_at, reported_at, arrived_at, is_fraud)
SELECT
  _fraud.transaction_id, _fraud.identity_hash, _fraud.occurred_at, _fraud.transaction_arrived_at,
  report.reported_at, report.arrived_at, report.is_fraud
FROM (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS transaction_arrived_at
  FROM transactions
  WHERE transaction_id IN (SELECT transaction_id FROM unmatched_reports)
    AND occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-01T03:00:00.000000Z' AS TIMESTAMPTZ)
  UNION
  SELECT transaction_id, identity_hash, occurred_at, transaction_arrived_at
  FROM known_frauds
  WHERE transaction_id IN (SELECT transaction_id FROM unmatched_reports)
) _fraud
JOIN fraud_reports report ON report.transaction_id = _fraud.transaction_id
LEFT JOIN known_frauds _known
  ON _known.transaction_id = _fraud.transaction_id
  AND (_known.identity_hash = _fraud.identity_hash
    OR (_known.identity_hash IS NULL AND _fraud.identity_hash IS NULL))
  AND _known.reported_at = report.reported_at AND _known.arrived_at = report.arrived_at
  AND _known.is_fraud = report.is_fraud
WHERE _known.transaction_id IS NULL;

DELETE FROM unmatched_reports
WHERE transaction_id IN (SELECT transaction_id FROM known_frauds);
