-- Written by `make sql`.
LOCK lock_labels;

CREATE TEMP TABLE incoming (LIKE fraud_reports);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE latest AS
SELECT transaction_id, reported_at, is_fraud
FROM (
  SELECT
    transaction_id, reported_at, is_fraud,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY reported_at DESC NULLS LAST) AS _rank
  FROM incoming
) _ranked
WHERE _rank = 1;

MERGE INTO fraud_reports
USING latest ON fraud_reports.transaction_id = latest.transaction_id
WHEN MATCHED THEN UPDATE SET
  reported_at = latest.reported_at,
  is_fraud = latest.is_fraud
WHEN NOT MATCHED THEN INSERT (transaction_id, reported_at, is_fraud)
VALUES (latest.transaction_id, latest.reported_at, latest.is_fraud);
