-- Written by `make sql`.
CREATE TEMP TABLE incoming (LIKE transactions);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE latest AS
SELECT transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, decision_id, action, score, model_version, decided_at, deadline
FROM (
  SELECT
    transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, decision_id, action, score, model_version, decided_at, deadline,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY decided_at DESC NULLS LAST, occurred_at DESC NULLS LAST) AS _rank
  FROM incoming
) ranked
WHERE _rank = 1;

MERGE INTO transactions
USING latest ON transactions.transaction_id = latest.transaction_id
WHEN MATCHED THEN UPDATE SET
  occurred_at = latest.occurred_at,
  amount = latest.amount,
  v1 = latest.v1,
  v2 = latest.v2,
  v3 = latest.v3,
  v4 = latest.v4,
  v5 = latest.v5,
  v6 = latest.v6,
  v7 = latest.v7,
  v8 = latest.v8,
  v9 = latest.v9,
  v10 = latest.v10,
  v11 = latest.v11,
  v12 = latest.v12,
  v13 = latest.v13,
  v14 = latest.v14,
  v15 = latest.v15,
  v16 = latest.v16,
  v17 = latest.v17,
  v18 = latest.v18,
  v19 = latest.v19,
  v20 = latest.v20,
  v21 = latest.v21,
  v22 = latest.v22,
  v23 = latest.v23,
  v24 = latest.v24,
  v25 = latest.v25,
  v26 = latest.v26,
  v27 = latest.v27,
  v28 = latest.v28,
  decision_id = latest.decision_id,
  action = latest.action,
  score = latest.score,
  model_version = latest.model_version,
  decided_at = latest.decided_at,
  deadline = latest.deadline
WHEN NOT MATCHED THEN INSERT (transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, decision_id, action, score, model_version, decided_at, deadline)
VALUES (latest.transaction_id, latest.occurred_at, latest.amount, latest.v1, latest.v2, latest.v3, latest.v4, latest.v5, latest.v6, latest.v7, latest.v8, latest.v9, latest.v10, latest.v11, latest.v12, latest.v13, latest.v14, latest.v15, latest.v16, latest.v17, latest.v18, latest.v19, latest.v20, latest.v21, latest.v22, latest.v23, latest.v24, latest.v25, latest.v26, latest.v27, latest.v28, latest.decision_id, latest.action, latest.score, latest.model_version, latest.decided_at, latest.deadline);
