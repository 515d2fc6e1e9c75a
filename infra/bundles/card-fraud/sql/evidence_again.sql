-- Written by `make sql`.
WITH held AS (
  SELECT
    decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount, customer_id, terminal_id,
    loaded_at,
    CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AS _cut_off
  FROM (
    SELECT
      decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount, customer_id, terminal_id,
      loaded_at, ROW_NUMBER() OVER (PARTITION BY decision_id ORDER BY turn, ordinal) AS _rank
    FROM holds
    WHERE decision_id IN (:id_0, :id_1)
  ) _placed
  WHERE _rank = 1
), _past_0 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T10:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_0_customer_id AS (
  SELECT
    held.decision_id,
    COUNT(past.amount) AS _recent_customer_mean_7d_values,
    SUM(past.amount) AS _recent_customer_mean_7d_sum,
    COUNT(past.amount) AS _recent_customer_mean_30d_values,
    SUM(past.amount) AS _recent_customer_mean_30d_sum,
    COUNT(past.amount) AS _recent_customer_sd_14d_values,
    SUM(past.amount) AS _recent_customer_sd_14d_sum,
    VAR_POP(past.amount) AS _recent_customer_sd_14d_variance,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_0 past
    ON past.customer_id = held.customer_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off AND past.occurred_at <= held.occurred_at
  GROUP BY held.decision_id
), _past_604800 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-25T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-25T10:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_604800_terminal_id AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_terminal_count_1d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_1d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_3d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_3d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_7d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_7d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_28d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_28d_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_604800 past
    ON past.terminal_id = held.terminal_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds'
  GROUP BY held.decision_id
), _frauds_customer_id AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END) AS _recent_customer_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END))) AS _recent_customer_last_fraud_age_last
  FROM held
  LEFT JOIN (
    SELECT
      held.decision_id, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.decision_id, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.customer_id = held.customer_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.decision_id = held.decision_id AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.decision_id
), _late_reports_customer_id AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN report.loaded_at > held.loaded_at - INTERVAL '600 seconds' THEN 1 END) AS _late
  FROM held
  LEFT JOIN known_frauds report
    ON report.customer_id = held.customer_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  GROUP BY held.decision_id
), _frauds_terminal_id AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_28d_frauds,
    COUNT(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END) AS _recent_terminal_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END))) AS _recent_terminal_last_fraud_age_last
  FROM held
  LEFT JOIN (
    SELECT
      held.decision_id, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.decision_id, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.terminal_id = held.terminal_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.decision_id = held.decision_id AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.decision_id
), _late_reports_terminal_id AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN report.loaded_at > held.loaded_at - INTERVAL '600 seconds' THEN 1 END) AS _late
  FROM held
  LEFT JOIN known_frauds report
    ON report.terminal_id = held.terminal_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  GROUP BY held.decision_id
), _profile_customer_id AS (
  SELECT
    held.customer_id, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_7d_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_30d_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_sd_14d_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_sd_14d_sum,
    VAR_POP(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND past.occurred_at <= held._cut_off THEN past.amount END) AS _profile_customer_sd_14d_variance,
    COUNT(CASE WHEN past.loaded_at > CAST('2026-02-01T00:15:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _late
  FROM (SELECT DISTINCT customer_id, _cut_off FROM held) held
  LEFT JOIN transactions past
    ON past.customer_id = held.customer_id
    AND past.occurred_at >= CAST('2026-01-02T00:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2592000 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '86400 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '86400 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
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
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_28d_rows,
    COUNT(CASE WHEN past.loaded_at > CAST('2026-02-01T00:15:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _late
  FROM (SELECT DISTINCT terminal_id, _cut_off FROM held) held
  LEFT JOIN transactions past
    ON past.terminal_id = held.terminal_id
    AND past.occurred_at >= CAST('2025-12-28T00:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-01-25T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '604800 seconds'
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '86400 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '86400 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.terminal_id, held._cut_off
)
SELECT
  held.decision_id,
  held.transaction_id,
  CAST(held.occurred_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS occurred_at,
  held.amount,
  held.customer_id,
  held.terminal_id,
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
  CAST(_profile_terminal_id._profile_terminal_count_1d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_1d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_1d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_1d_rows,
  CAST(_profile_terminal_id._profile_terminal_count_3d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_3d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_3d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_3d_rows,
  CAST(_profile_terminal_id._profile_terminal_count_7d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_7d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_7d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_7d_rows,
  CAST(_profile_terminal_id._profile_terminal_count_28d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_28d_rows,
  CAST(_profile_terminal_id._profile_terminal_fraud_rate_28d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_28d_rows,
  _recent_0_customer_id._late + _recent_604800_terminal_id._late + _late_reports_customer_id._late + _late_reports_terminal_id._late + COALESCE(_profile_customer_id._late, 0) + COALESCE(_profile_terminal_id._late, 0) AS _late
FROM held
LEFT JOIN _recent_0_customer_id ON _recent_0_customer_id.decision_id = held.decision_id
LEFT JOIN _recent_604800_terminal_id ON _recent_604800_terminal_id.decision_id = held.decision_id
LEFT JOIN _frauds_customer_id ON _frauds_customer_id.decision_id = held.decision_id
LEFT JOIN _late_reports_customer_id ON _late_reports_customer_id.decision_id = held.decision_id
LEFT JOIN _frauds_terminal_id ON _frauds_terminal_id.decision_id = held.decision_id
LEFT JOIN _late_reports_terminal_id ON _late_reports_terminal_id.decision_id = held.decision_id
LEFT JOIN _profile_customer_id ON _profile_customer_id.customer_id = held.customer_id AND _profile_customer_id._cut_off = held._cut_off
LEFT JOIN _profile_terminal_id ON _profile_terminal_id.terminal_id = held.terminal_id AND _profile_terminal_id._cut_off = held._cut_off;
