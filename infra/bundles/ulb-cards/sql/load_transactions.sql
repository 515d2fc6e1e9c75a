-- Written by `make sql`.
LOCK lock_transactions;

CREATE TEMP TABLE incoming (LIKE transactions, _hold_group VARCHAR(16), _hold_index INTEGER);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE hold_group (_hold_group VARCHAR(16), _first INTEGER);

INSERT INTO hold_group VALUES ('0000000000000000',0),('0000000000000001',20);

INSERT INTO holds (turn, claim_id, ordinal, transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, identity_hash, arrived_at, decision_id, bundle_version, deadline)
SELECT 7, '0123456789abcdef', _placed._ordinal, _placed.transaction_id, _placed.occurred_at, _placed.amount, _placed.v1, _placed.v2, _placed.v3, _placed.v4, _placed.v5, _placed.v6, _placed.v7, _placed.v8, _placed.v9, _placed.v10, _placed.v11, _placed.v12, _placed.v13, _placed.v14, _placed.v15, _placed.v16, _placed.v17, _placed.v18, _placed.v19, _placed.v20, _placed.v21, _placed.v22, _placed.v23, _placed.v24, _placed.v25, _placed.v26, _placed.v27, _placed.v28, _placed.identity_hash, _placed.arrived_at, _placed.decision_id, _placed.bundle_version, _placed.deadline
FROM (
  SELECT
    hold_group._first + incoming._hold_index AS _ordinal, incoming.transaction_id, incoming.occurred_at, incoming.amount, incoming.v1, incoming.v2, incoming.v3, incoming.v4, incoming.v5, incoming.v6, incoming.v7, incoming.v8, incoming.v9, incoming.v10, incoming.v11, incoming.v12, incoming.v13, incoming.v14, incoming.v15, incoming.v16, incoming.v17, incoming.v18, incoming.v19, incoming.v20, incoming.v21, incoming.v22, incoming.v23, incoming.v24, incoming.v25, incoming.v26, incoming.v27, incoming.v28, incoming.identity_hash, incoming.arrived_at, incoming.decision_id, incoming.bundle_version, incoming.deadline,
    ROW_NUMBER() OVER (PARTITION BY hold_group._first + incoming._hold_index ORDER BY incoming.arrived_at) AS _rank
  FROM incoming
  JOIN hold_group ON hold_group._hold_group = incoming._hold_group
) _placed
LEFT JOIN holds _known
  ON _known.turn = 7 AND _known.claim_id = '0123456789abcdef'
  AND _known.ordinal = _placed._ordinal
WHERE _placed._rank = 1 AND _known.turn IS NULL;

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
  AND (_known.occurred_at >= CAST('1970-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND _known.occurred_at <= CAST('1970-01-01T02:00:00.000000Z' AS TIMESTAMPTZ)
    OR _known.occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND _known.occurred_at <= CAST('2026-01-01T03:00:00.000000Z' AS TIMESTAMPTZ))
WHERE _ranked._rank = 1 AND _known.transaction_id IS NULL;
