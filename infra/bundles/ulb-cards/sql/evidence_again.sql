-- Written by `make sql`.
WITH held AS (
  SELECT
    decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28,
    loaded_at
  FROM (
    SELECT
      decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28,
      loaded_at, ROW_NUMBER() OVER (PARTITION BY decision_id ORDER BY turn, ordinal) AS _rank
    FROM holds
    WHERE decision_id IN (:id_0, :id_1)
  ) _placed
  WHERE _rank = 1
)
SELECT
  held.decision_id,
  held.transaction_id,
  CAST(held.occurred_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS occurred_at,
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
  0 AS _late
FROM held;
