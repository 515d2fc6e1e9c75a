-- Written by `make sql`.
LOCK lock_transactions;

CREATE TEMP TABLE incoming (LIKE transactions, _hold_group VARCHAR(16), _hold_index INTEGER);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto' MAXERROR 100000;

INSERT INTO transactions (transaction_id, occurred_at, amount, customer_id, terminal_id, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline)
SELECT _ranked.transaction_id, _ranked.occurred_at, _ranked.amount, _ranked.customer_id, _ranked.terminal_id, _ranked.identity_hash, _ranked.arrived_at, _ranked.decision_id, _ranked.action, _ranked.score, _ranked.bundle_version, _ranked.decided_at, _ranked.deadline
FROM (
  SELECT
    transaction_id, occurred_at, amount, customer_id, terminal_id, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline,
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
