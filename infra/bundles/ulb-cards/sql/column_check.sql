-- Written by `make sql`.
SELECT transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline, loaded_at
FROM transactions
WHERE FALSE;

SELECT turn, claim_id, ordinal, transaction_id, occurred_at, amount, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, identity_hash, arrived_at, decision_id, bundle_version, deadline, loaded_at
FROM holds
WHERE FALSE;

SELECT transaction_id, reported_at, arrived_at, is_fraud
FROM fraud_reports
WHERE FALSE;

SELECT transaction_id, identity_hash, occurred_at, transaction_arrived_at, reported_at, arrived_at, is_fraud, loaded_at
FROM known_frauds
WHERE FALSE;

SELECT transaction_id
FROM unmatched_reports
WHERE FALSE;

SELECT transaction_id, decision_id, action, score, bundle_version, settled_by, decided_at, held_ms
FROM outcomes
WHERE FALSE;
