-- Written by `make sql`.
UNLOAD ('WITH held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28
  FROM transactions
  WHERE occurred_at >= CAST(''2026-01-01T00:00:00.000000Z'' AS TIMESTAMPTZ) AND occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
)
SELECT
  held.transaction_id,
  CAST(EXTRACT(EPOCH FROM held.occurred_at) AS DOUBLE PRECISION) AS occurred_at,
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
  CASE WHEN label.is_fraud THEN 1 ELSE 0 END AS label
FROM held
LEFT JOIN fraud_reports label
  ON label.transaction_id = held.transaction_id AND label.reported_at <= CAST(''2026-02-08T00:00:00.000000Z'' AS TIMESTAMPTZ)')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE;
