-- Written by `make sql`.
WITH _labels AS (
  SELECT
    report.transaction_id AS _transaction_id, report.is_fraud AS _is_fraud,
    ROW_NUMBER() OVER (PARTITION BY report.transaction_id ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
  FROM fraud_reports report
  WHERE report.reported_at <= CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ)
), held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id, _labels._is_fraud,
    CAST('1970-01-01T00:00:00Z' AS TIMESTAMPTZ)
      + CAST(FLOOR((CAST(FLOOR(EXTRACT(EPOCH FROM CASE WHEN COALESCE(arrived_at, occurred_at) > occurred_at - INTERVAL '86400 seconds' AND COALESCE(arrived_at, occurred_at) < occurred_at + INTERVAL '86400 seconds' THEN COALESCE(arrived_at, occurred_at) ELSE occurred_at END)) AS BIGINT) - 3600) / 86400) AS BIGINT) * INTERVAL '86400 seconds' AS _cut_off
  FROM transactions
  LEFT JOIN _labels
    ON _labels._transaction_id = transactions.transaction_id AND _labels._rank = 1
  WHERE occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND (_labels._is_fraud
      OR SUBSTRING(MD5(transaction_id || ':20180401'), 1, 8) < '4ccccccd')
), _past_0 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-29T23:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T01:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_0_customer_id AS (
  SELECT
    held._identity,
    COUNT(past.amount) AS _recent_customer_mean_7d_values,
    SUM(past.amount) AS _recent_customer_mean_7d_sum,
    COUNT(past.amount) AS _recent_customer_mean_30d_values,
    SUM(past.amount) AS _recent_customer_mean_30d_sum,
    COUNT(past.amount) AS _recent_customer_sd_14d_values,
    SUM(past.amount) AS _recent_customer_sd_14d_sum,
    VAR_POP(past.amount) AS _recent_customer_sd_14d_variance
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_0 past
    ON past.customer_id = held.customer_id
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 176400) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at)) / 176400) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off AND past.occurred_at <= held.occurred_at
  GROUP BY held._identity
), _past_604800 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-22T23:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-25T01:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_604800_terminal_id AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_terminal_count_1d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_1d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_3d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_3d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_7d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_7d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_28d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_28d_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_604800 past
    ON past.terminal_id = held.terminal_id
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 176400) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '604800 seconds')) / 176400) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds'
  GROUP BY held._identity
), _frauds_customer_id AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END) AS _recent_customer_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END))) AS _recent_customer_last_fraud_age_last
  FROM held
  LEFT JOIN (
    SELECT
      held._identity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held._identity, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.customer_id = held.customer_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud._identity = held._identity AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held._identity
), _frauds_terminal_id AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_28d_frauds,
    COUNT(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END) AS _recent_terminal_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END))) AS _recent_terminal_last_fraud_age_last
  FROM held
  LEFT JOIN (
    SELECT
      held._identity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held._identity, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.terminal_id = held.terminal_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud._identity = held._identity AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held._identity
), _profile_customer_id AS (
  SELECT
    held.customer_id, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_7d_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_30d_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_sd_14d_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_sd_14d_sum,
    VAR_POP(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_sd_14d_variance
  FROM (SELECT DISTINCT customer_id, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.customer_id = held.customer_id
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 2592000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held._cut_off)) / 2592000) - periods.back
    AND past.occurred_at >= CAST('2025-11-29T23:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-02T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '86400 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '86400 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.customer_id, held._cut_off
), _past_frauds_customer_id AS (
  SELECT
    held.customer_id, held._cut_off,
    COUNT(CASE WHEN fraud.occurred_at <= held._cut_off THEN fraud.occurred_at END) AS _profile_customer_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= held._cut_off THEN fraud.occurred_at END))) AS _profile_customer_last_fraud_age_last
  FROM (SELECT DISTINCT customer_id, _cut_off FROM held) held
  LEFT JOIN (
    SELECT
      held.customer_id, held._cut_off, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.customer_id, held._cut_off, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM (SELECT DISTINCT customer_id, _cut_off FROM held) held
    JOIN known_frauds report
      ON report.customer_id = held.customer_id
      AND report.reported_at <= held._cut_off AND report.arrived_at <= held._cut_off
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '86400 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '86400 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= held._cut_off
  ) fraud
    ON fraud.customer_id = held.customer_id AND fraud._cut_off = held._cut_off AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.customer_id, held._cut_off
), _profile_terminal_id AS (
  SELECT
    held.terminal_id, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_count_1d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_1d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_count_3d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_3d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_count_7d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_7d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_count_28d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_28d_rows
  FROM (SELECT DISTINCT terminal_id, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.terminal_id = held.terminal_id
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 2419200) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held._cut_off - INTERVAL '604800 seconds')) / 2419200) - periods.back
    AND past.occurred_at >= CAST('2025-11-24T23:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-01-26T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds'
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '86400 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '86400 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.terminal_id, held._cut_off
), _past_frauds_terminal_id AS (
  SELECT
    held.terminal_id, held._cut_off,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_28d_frauds,
    COUNT(CASE WHEN fraud.occurred_at <= held._cut_off THEN fraud.occurred_at END) AS _profile_terminal_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= held._cut_off THEN fraud.occurred_at END))) AS _profile_terminal_last_fraud_age_last
  FROM (SELECT DISTINCT terminal_id, _cut_off FROM held) held
  LEFT JOIN (
    SELECT
      held.terminal_id, held._cut_off, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.terminal_id, held._cut_off, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM (SELECT DISTINCT terminal_id, _cut_off FROM held) held
    JOIN known_frauds report
      ON report.terminal_id = held.terminal_id
      AND report.reported_at <= held._cut_off AND report.arrived_at <= held._cut_off
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '86400 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '86400 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= held._cut_off
  ) fraud
    ON fraud.terminal_id = held.terminal_id AND fraud._cut_off = held._cut_off AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.terminal_id, held._cut_off
)
SELECT
  held.transaction_id,
  CAST(held.occurred_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS occurred_at,
  CAST(held.arrived_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS arrived_at,
  held.amount,
  held.customer_id,
  held.terminal_id,
  CASE WHEN held._is_fraud THEN 1 ELSE 0 END AS label,
  CAST(_recent_0_customer_id._recent_customer_mean_7d_values AS DOUBLE PRECISION) AS _recent_customer_mean_7d_values,
  CAST(_recent_0_customer_id._recent_customer_mean_7d_sum AS DOUBLE PRECISION) AS _recent_customer_mean_7d_sum,
  CAST(_recent_0_customer_id._recent_customer_mean_30d_values AS DOUBLE PRECISION) AS _recent_customer_mean_30d_values,
  CAST(_recent_0_customer_id._recent_customer_mean_30d_sum AS DOUBLE PRECISION) AS _recent_customer_mean_30d_sum,
  CAST(_recent_0_customer_id._recent_customer_sd_14d_values AS DOUBLE PRECISION) AS _recent_customer_sd_14d_values,
  CAST(_recent_0_customer_id._recent_customer_sd_14d_sum AS DOUBLE PRECISION) AS _recent_customer_sd_14d_sum,
  CAST(_recent_0_customer_id._recent_customer_sd_14d_variance AS DOUBLE PRECISION) AS _recent_customer_sd_14d_variance,
  CAST(_recent_604800_terminal_id._recent_terminal_count_1d_rows AS DOUBLE PRECISION) AS _recent_terminal_count_1d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_fraud_rate_1d_rows AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_1d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_count_3d_rows AS DOUBLE PRECISION) AS _recent_terminal_count_3d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_fraud_rate_3d_rows AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_3d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_count_7d_rows AS DOUBLE PRECISION) AS _recent_terminal_count_7d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_fraud_rate_7d_rows AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_7d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_count_28d_rows AS DOUBLE PRECISION) AS _recent_terminal_count_28d_rows,
  CAST(_recent_604800_terminal_id._recent_terminal_fraud_rate_28d_rows AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_28d_rows,
  CAST(_frauds_customer_id._recent_customer_frauds_frauds AS DOUBLE PRECISION) AS _recent_customer_frauds_frauds,
  CAST(_frauds_customer_id._recent_customer_last_fraud_age_last AS DOUBLE PRECISION) AS _recent_customer_last_fraud_age_last,
  CAST(_frauds_terminal_id._recent_terminal_fraud_rate_1d_frauds AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_1d_frauds,
  CAST(_frauds_terminal_id._recent_terminal_fraud_rate_3d_frauds AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_3d_frauds,
  CAST(_frauds_terminal_id._recent_terminal_fraud_rate_7d_frauds AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_7d_frauds,
  CAST(_frauds_terminal_id._recent_terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) AS _recent_terminal_fraud_rate_28d_frauds,
  CAST(_frauds_terminal_id._recent_terminal_frauds_frauds AS DOUBLE PRECISION) AS _recent_terminal_frauds_frauds,
  CAST(_frauds_terminal_id._recent_terminal_last_fraud_age_last AS DOUBLE PRECISION) AS _recent_terminal_last_fraud_age_last,
  CAST(_profile_customer_id._profile_customer_mean_7d_values AS DOUBLE PRECISION) AS _profile_customer_mean_7d_values,
  CAST(_profile_customer_id._profile_customer_mean_7d_sum AS DOUBLE PRECISION) AS _profile_customer_mean_7d_sum,
  CAST(_profile_customer_id._profile_customer_mean_30d_values AS DOUBLE PRECISION) AS _profile_customer_mean_30d_values,
  CAST(_profile_customer_id._profile_customer_mean_30d_sum AS DOUBLE PRECISION) AS _profile_customer_mean_30d_sum,
  CAST(_profile_customer_id._profile_customer_sd_14d_values AS DOUBLE PRECISION) AS _profile_customer_sd_14d_values,
  CAST(_profile_customer_id._profile_customer_sd_14d_sum AS DOUBLE PRECISION) AS _profile_customer_sd_14d_sum,
  CAST(_profile_customer_id._profile_customer_sd_14d_variance AS DOUBLE PRECISION) AS _profile_customer_sd_14d_variance,
  CAST(_past_frauds_customer_id._profile_customer_frauds_frauds AS DOUBLE PRECISION) AS _profile_customer_frauds_frauds,
  CAST(_past_frauds_customer_id._profile_customer_last_fraud_age_last AS DOUBLE PRECISION) AS _profile_customer_last_fraud_age_last,
  CAST(_profile_terminal_id._profile_terminal_count_1d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_1d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_1d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_1d_rows,
  CAST(_profile_terminal_id._profile_terminal_count_3d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_3d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_3d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_3d_rows,
  CAST(_profile_terminal_id._profile_terminal_count_7d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_7d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_7d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_7d_rows,
  CAST(_profile_terminal_id._profile_terminal_count_28d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_28d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_28d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_28d_rows,
  CAST(_past_frauds_terminal_id._profile_terminal_fraud_rate_1d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_1d_frauds,
  CAST(_past_frauds_terminal_id._profile_terminal_fraud_rate_3d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_3d_frauds,
  CAST(_past_frauds_terminal_id._profile_terminal_fraud_rate_7d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_7d_frauds,
  CAST(_past_frauds_terminal_id._profile_terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_28d_frauds,
  CAST(_past_frauds_terminal_id._profile_terminal_frauds_frauds AS DOUBLE PRECISION) AS _profile_terminal_frauds_frauds,
  CAST(_past_frauds_terminal_id._profile_terminal_last_fraud_age_last AS DOUBLE PRECISION) AS _profile_terminal_last_fraud_age_last
FROM held
LEFT JOIN _recent_0_customer_id ON _recent_0_customer_id._identity = held._identity
LEFT JOIN _recent_604800_terminal_id ON _recent_604800_terminal_id._identity = held._identity
LEFT JOIN _frauds_customer_id ON _frauds_customer_id._identity = held._identity
LEFT JOIN _frauds_terminal_id ON _frauds_terminal_id._identity = held._identity
LEFT JOIN _profile_customer_id ON _profile_customer_id.customer_id = held.customer_id AND _profile_customer_id._cut_off = held._cut_off
LEFT JOIN _past_frauds_customer_id ON _past_frauds_customer_id.customer_id = held.customer_id AND _past_frauds_customer_id._cut_off = held._cut_off
LEFT JOIN _profile_terminal_id ON _profile_terminal_id.terminal_id = held.terminal_id AND _profile_terminal_id._cut_off = held._cut_off
LEFT JOIN _past_frauds_terminal_id ON _past_frauds_terminal_id.terminal_id = held.terminal_id AND _past_frauds_terminal_id._cut_off = held._cut_off;
