-- Written by `make sql`.
WITH held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, amount, customer_id, terminal_id,
    CAST('1970-01-01T00:00:00Z' AS TIMESTAMPTZ) + (CAST(EXTRACT(EPOCH FROM occurred_at) * 1000000 AS BIGINT) - 1) / 86400000000 * INTERVAL '86400 seconds' AS _cut_off
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
), _past_customer_id AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_7d_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_30d_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_sd_14d_count,
    AVG(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_sd_14d_mean,
    VAR_POP(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '1209600 seconds' AND past.occurred_at <= held.occurred_at THEN past.amount END) AS _customer_sd_14d_variance
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.customer_id = held.customer_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2592000)
      = FLOOR((EXTRACT(EPOCH FROM held.occurred_at) - 0) / 2592000) - periods.back
    AND past.occurred_at > CAST('2025-12-02T00:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at
  GROUP BY held._identity
), _past_terminal_id AS (
  SELECT
    held._identity,
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
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.terminal_id = held.terminal_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2419200)
      = FLOOR((EXTRACT(EPOCH FROM held.occurred_at) - 604800) / 2419200) - periods.back
    AND past.occurred_at > CAST('2025-11-27T00:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held.occurred_at - INTERVAL '3024000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds'
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held._identity
), _profile_customer_id AS (
  SELECT
    held.customer_id, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_mean_7d_count,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_mean_30d_count,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_sd_14d_count,
    AVG(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_sd_14d_mean,
    VAR_POP(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _customer_sd_14d_variance
  FROM (SELECT DISTINCT customer_id, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.customer_id = held.customer_id
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2592000)
      = FLOOR((EXTRACT(EPOCH FROM held._cut_off) - 0) / 2592000) - periods.back
    AND past.occurred_at > CAST('2025-12-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off
  GROUP BY held.customer_id, held._cut_off
), _profile_terminal_id AS (
  SELECT
    held.terminal_id, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_1d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_1d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_3d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_3d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_7d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_7d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_count_28d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN 1 END) AS _terminal_fraud_rate_28d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_28d_frauds
  FROM (SELECT DISTINCT terminal_id, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.terminal_id = held.terminal_id
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2419200)
      = FLOOR((EXTRACT(EPOCH FROM held._cut_off) - 604800) / 2419200) - periods.back
    AND past.occurred_at > CAST('2025-11-26T00:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds'
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held._cut_off
  GROUP BY held.terminal_id, held._cut_off
)
SELECT
  held.transaction_id,
  CAST(EXTRACT(EPOCH FROM held.occurred_at) AS DOUBLE PRECISION) AS occurred_at,
  held.amount,
  held.customer_id,
  held.terminal_id,
  CASE WHEN label.is_fraud THEN 1 ELSE 0 END AS label,
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
  CAST(COALESCE(CAST(_past_terminal_id._terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) / NULLIF(_past_terminal_id._terminal_fraud_rate_28d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_28d,
  CAST((COALESCE(_profile_customer_id._customer_mean_7d_sum, 0)) / NULLIF(_profile_customer_id._customer_mean_7d_count, 0) AS DOUBLE PRECISION) AS _profile_customer_mean_7d,
  CAST((COALESCE(_profile_customer_id._customer_mean_30d_sum, 0)) / NULLIF(_profile_customer_id._customer_mean_30d_count, 0) AS DOUBLE PRECISION) AS _profile_customer_mean_30d,
  CAST(SQRT(CASE WHEN _profile_customer_id._customer_sd_14d_variance < 0 THEN 0 ELSE _profile_customer_id._customer_sd_14d_variance END) AS DOUBLE PRECISION) AS _profile_customer_sd_14d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_1d_count, 0) AS DOUBLE PRECISION) AS _profile_terminal_count_1d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_1d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_1d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_1d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_3d_count, 0) AS DOUBLE PRECISION) AS _profile_terminal_count_3d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_3d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_3d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_3d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_7d_count, 0) AS DOUBLE PRECISION) AS _profile_terminal_count_7d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_7d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_7d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_7d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_28d_count, 0) AS DOUBLE PRECISION) AS _profile_terminal_count_28d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_28d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_28d
FROM held
LEFT JOIN _past_customer_id ON _past_customer_id._identity = held._identity
LEFT JOIN _past_terminal_id ON _past_terminal_id._identity = held._identity
LEFT JOIN _profile_customer_id ON _profile_customer_id.customer_id = held.customer_id AND _profile_customer_id._cut_off = held._cut_off
LEFT JOIN _profile_terminal_id ON _profile_terminal_id.terminal_id = held.terminal_id AND _profile_terminal_id._cut_off = held._cut_off
LEFT JOIN fraud_reports label
  ON label.transaction_id = held.transaction_id AND label.reported_at <= CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ);
