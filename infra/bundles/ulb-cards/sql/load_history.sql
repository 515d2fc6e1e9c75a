-- Written by `make sql`.
LOCK lock_transactions;

CREATE TEMP TABLE incoming (LIKE transactions, _hold_group VARCHAR(16), _hold_index INTEGER);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto' MAXERROR 100000;

INSERT INTO transactions (transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline)
SELECT _ranked.transaction_id, _ranked.occurred_at, _ranked.amount, _ranked.v1, _ranked.v2, _ranked.v3, _ranked.v4, _ranked.v5, _ranked.v6, _ranked.v7, _ranked.v8, _ranked.v9, _ranked.v10, _ranked.v11, _ranked.v12, _ranked.v13, _ranked.v14, _ranked.v15, _ranked.v16, _ranked.v17, _ranked.v18, _ranked.v19, _ranked.v20, _ranked.v21, _ranked.v22, _ranked.v23, _ranked.v24, _ranked.v25, _ranked.v26, _ranked.v27, _ranked.v28, _ranked.identity_hash, _ranked.arrived_at, _ranked.decision_id, _ranked.action, _ranked.score, _ranked.bundle_version, _ranked.decided_at, _ranked.deadline
FROM (
  SELECT
    transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline,
    ROW_NUMBER() OVER (PARTITION BY transaction_id, identity_hash ORDER BY arrived_at, decision_id) AS _rank
  FROM incoming
) _ranked
LEFT JOIN transactions _known
  ON _known.transaction_id = _ranked.transaction_id
  AND (_known.identity_hash = _ranked.identity_hash
    OR _known.identity_hash IS NULL OR _ranked.identity_hash IS NULL)
WHERE _ranked._rank = 1 AND _known.transaction_id IS NULL;

SELECT file_name, line_number, column_name, error_code, error_message
FROM sys_load_error_detail
WHERE query_id = pg_last_copy_id()
ORDER BY file_name, line_number;
