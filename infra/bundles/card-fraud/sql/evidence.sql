-- Written by `make sql`.
WITH held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, arrived_at, amount, customer_id, terminal_id,
    CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AS _cut_off
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
), _past_0 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id
  FROM transactions
  WHERE occurred_at >= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T10:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_0_customer_id AS (
  SELECT
    held.ordinal,
    COUNT(past.amount) AS _recent_customer_mean_7d_values,
    SUM(past.amount) AS _recent_customer_mean_7d_sum,
    COUNT(past.amount) AS _recent_customer_mean_30d_values,
    SUM(past.amount) AS _recent_customer_mean_30d_sum,
    COUNT(past.amount) AS _recent_customer_sd_14d_values,
    SUM(past.amount) AS _recent_customer_sd_14d_sum,
    VAR_POP(past.amount) AS _recent_customer_sd_14d_variance
  FROM held
  LEFT JOIN _past_0 past
    ON past.customer_id = held.customer_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off AND past.occurred_at <= held.occurred_at
  GROUP BY held.ordinal
), _past_604800 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, customer_id, terminal_id
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-25T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-25T10:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_604800_terminal_id AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_terminal_count_1d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_1d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_3d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_3d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_7d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_7d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_count_28d_rows,
    COUNT(past.occurred_at) AS _recent_terminal_fraud_rate_28d_rows
  FROM held
  LEFT JOIN _past_604800 past
    ON past.terminal_id = held.terminal_id
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '604800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds'
  GROUP BY held.ordinal
), _frauds_customer_id AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END) AS _recent_customer_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END))) AS _recent_customer_last_fraud_age_last
  FROM held
  LEFT JOIN (
    SELECT
      held.ordinal, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.ordinal, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.customer_id = held.customer_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.ordinal = held.ordinal AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.ordinal
), _frauds_terminal_id AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '691200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '864000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '1209600 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '3024000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '604800 seconds' THEN fraud.occurred_at END) AS _recent_terminal_fraud_rate_28d_frauds,
    COUNT(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END) AS _recent_terminal_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) THEN fraud.occurred_at END))) AS _recent_terminal_last_fraud_age_last
  FROM held
  LEFT JOIN (
    SELECT
      held.ordinal, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.ordinal, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.terminal_id = held.terminal_id
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.ordinal = held.ordinal AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.ordinal
)
SELECT
  held.ordinal,
  CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END AS _id_conflict,
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
  CAST(_frauds_terminal_id._recent_terminal_last_fraud_age_last AS DOUBLE PRECISION) AS _recent_terminal_last_fraud_age_last
FROM held
LEFT JOIN _recent_0_customer_id ON _recent_0_customer_id.ordinal = held.ordinal
LEFT JOIN _recent_604800_terminal_id ON _recent_604800_terminal_id.ordinal = held.ordinal
LEFT JOIN _frauds_customer_id ON _frauds_customer_id.ordinal = held.ordinal
LEFT JOIN _frauds_terminal_id ON _frauds_terminal_id.ordinal = held.ordinal
LEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal;
