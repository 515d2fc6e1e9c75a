-- Written by `make sql`.
WITH held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, arrived_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28
  FROM holds
  WHERE turn = 7 AND claim_id = '0123456789abcdef' AND ordinal >= 0 AND ordinal < 5000
), _id_conflicts AS (
  SELECT held.ordinal
  FROM held
  JOIN transactions _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
    AND (_other.occurred_at >= CAST('1970-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND _other.occurred_at <= CAST('1970-01-01T02:00:00.000000Z' AS TIMESTAMPTZ)
    OR _other.occurred_at >= CAST('2026-02-01T08:00:00.000000Z' AS TIMESTAMPTZ) AND _other.occurred_at <= CAST('2026-02-01T10:00:00.000000Z' AS TIMESTAMPTZ))
  UNION
  SELECT held.ordinal
  FROM held
  JOIN held _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
)
SELECT
  held.ordinal,
  CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END AS _id_conflict
FROM held
LEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal;
