-- Written by `make sql`.
UNLOAD ('WITH _labels AS (
  SELECT
    report.transaction_id AS _transaction_id, report.is_fraud AS _is_fraud,
    ROW_NUMBER() OVER (PARTITION BY report.transaction_id ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
  FROM fraud_reports report
  WHERE report.reported_at <= CAST(''2026-02-08T00:00:00.000000Z'' AS TIMESTAMPTZ)
), held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, COALESCE(arrived_at, occurred_at) AS arrived_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, _labels._is_fraud
  FROM transactions
  LEFT JOIN _labels
    ON _labels._transaction_id = transactions.transaction_id AND _labels._rank = 1
  WHERE occurred_at >= CAST(''2026-01-01T00:00:00.000000Z'' AS TIMESTAMPTZ) AND occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND (_labels._is_fraud
      OR SUBSTRING(MD5(transaction_id || '':2013''), 1, 8) < ''1999999a'')
)
SELECT
  held.transaction_id,
  CAST(held.occurred_at AT TIME ZONE ''UTC'' AS VARCHAR(32)) AS occurred_at,
  CAST(held.arrived_at AT TIME ZONE ''UTC'' AS VARCHAR(32)) AS arrived_at,
  held.amount,
  held.v1,
  held.v2,
  held.v3,
  held.v4,
  held.v5,
  held.v6,
  held.v7,
  held.v8,
  held.v9,
  held.v10,
  held.v11,
  held.v12,
  held.v13,
  held.v14,
  held.v15,
  held.v16,
  held.v17,
  held.v18,
  held.v19,
  held.v20,
  held.v21,
  held.v22,
  held.v23,
  held.v24,
  held.v25,
  held.v26,
  held.v27,
  held.v28,
  CASE WHEN held._is_fraud THEN 1 ELSE 0 END AS label
FROM held')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL ON MAXFILESIZE 32 MB ALLOWOVERWRITE;
