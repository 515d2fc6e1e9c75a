-- Written by `make sql`.
WITH held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, amount, customer_id, terminal_id
  FROM holds
  WHERE turn = 7 AND claim_id = '0123456789abcdef' AND ordinal >= 0 AND ordinal < 5000
), _id_conflicts AS (
  SELECT held.ordinal
  FROM held
  JOIN transactions _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
  UNION
  SELECT held.ordinal
  FROM held
  JOIN held _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
), _past_customer_id AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_7d_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_30d_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_sd_14d_count,
    AVG(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_sd_14d_mean,
    VAR_POP(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_sd_14d_variance
  FROM held
  LEFT JOIN transactions past
    ON past.customer_id = held.customer_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at
  GROUP BY held.ordinal
), _past_terminal_id AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '691200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_1d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '691200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_1d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '691200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '864000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_3d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '864000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_3d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '864000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_7d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_7d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '3024000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_28d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '3024000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_28d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '3024000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_28d_frauds
  FROM held
  LEFT JOIN transactions past
    ON past.terminal_id = held.terminal_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.occurred_at > held.occurred_at - INTERVAL '3024000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds'
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.ordinal
)
SELECT
  held.ordinal,
  CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END AS _id_conflict,
  CAST((COALESCE(_past_customer_id._customer_mean_7d_sum, 0) + COALESCE(held.amount, 0)) / NULLIF(_past_customer_id._customer_mean_7d_count + CASE WHEN held.amount IS NULL THEN 0 ELSE 1 END, 0) AS DOUBLE PRECISION) AS customer_mean_7d,
  CAST((COALESCE(_past_customer_id._customer_mean_30d_sum, 0) + COALESCE(held.amount, 0)) / NULLIF(_past_customer_id._customer_mean_30d_count + CASE WHEN held.amount IS NULL THEN 0 ELSE 1 END, 0) AS DOUBLE PRECISION) AS customer_mean_30d,
  CAST(CASE WHEN held.amount IS NULL THEN SQRT(CASE WHEN _past_customer_id._customer_sd_14d_variance < 0 THEN 0 ELSE _past_customer_id._customer_sd_14d_variance END) WHEN CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) = 0 THEN 0 ELSE SQRT(CASE WHEN ((_past_customer_id._customer_sd_14d_variance + (held.amount - _past_customer_id._customer_sd_14d_mean) * (held.amount - _past_customer_id._customer_sd_14d_mean) / (CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) + 1)) * CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) / (CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) + 1)) < 0 THEN 0 ELSE ((_past_customer_id._customer_sd_14d_variance + (held.amount - _past_customer_id._customer_sd_14d_mean) * (held.amount - _past_customer_id._customer_sd_14d_mean) / (CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) + 1)) * CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) / (CAST(_past_customer_id._customer_sd_14d_count AS DOUBLE PRECISION) + 1)) END) END AS DOUBLE PRECISION) AS customer_sd_14d,
  CAST(COALESCE(_past_terminal_id._terminal_count_1d_count, 0) AS DOUBLE PRECISION) AS terminal_count_1d,
  CAST(COALESCE(CAST(_past_terminal_id._terminal_fraud_rate_1d_frauds AS DOUBLE PRECISION) / NULLIF(_past_terminal_id._terminal_fraud_rate_1d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_1d,
  CAST(COALESCE(_past_terminal_id._terminal_count_3d_count, 0) AS DOUBLE PRECISION) AS terminal_count_3d,
  CAST(COALESCE(CAST(_past_terminal_id._terminal_fraud_rate_3d_frauds AS DOUBLE PRECISION) / NULLIF(_past_terminal_id._terminal_fraud_rate_3d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_3d,
  CAST(COALESCE(_past_terminal_id._terminal_count_7d_count, 0) AS DOUBLE PRECISION) AS terminal_count_7d,
  CAST(COALESCE(CAST(_past_terminal_id._terminal_fraud_rate_7d_frauds AS DOUBLE PRECISION) / NULLIF(_past_terminal_id._terminal_fraud_rate_7d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_7d,
  CAST(COALESCE(_past_terminal_id._terminal_count_28d_count, 0) AS DOUBLE PRECISION) AS terminal_count_28d,
  CAST(COALESCE(CAST(_past_terminal_id._terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) / NULLIF(_past_terminal_id._terminal_fraud_rate_28d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_28d
FROM held
LEFT JOIN _past_customer_id ON _past_customer_id.ordinal = held.ordinal
LEFT JOIN _past_terminal_id ON _past_terminal_id.ordinal = held.ordinal
LEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal;
