-- Written by `make sql`.
WITH _transactions AS (
  SELECT
    past.customer_id AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '604800 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_mean_7d_values,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '604800 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2592000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_mean_30d_values,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2592000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '1209600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_sd_14d_values,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '1209600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_sd_14d_sum,
    VAR_POP(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '1209600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _profile_customer_sd_14d_variance
  FROM transactions past
  WHERE past.customer_id IS NOT NULL
    AND past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2592000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '86400 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '86400 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  GROUP BY past.customer_id
), _frauds AS (
  SELECT
    fraud.entity,
    COUNT(CASE WHEN fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN fraud.occurred_at END) AS _profile_customer_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN fraud.occurred_at END))) AS _profile_customer_last_fraud_age_last
  FROM (
    SELECT
      report.customer_id AS entity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM known_frauds report
    WHERE report.customer_id IS NOT NULL
      AND report.reported_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND report.arrived_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '86400 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '86400 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  ) fraud
  WHERE fraud._rank = 1 AND fraud.is_fraud
  GROUP BY fraud.entity
), _values AS (
  SELECT entity FROM _transactions
  UNION
  SELECT entity FROM _frauds
)
SELECT
  _values.entity,
  CAST(_transactions._profile_customer_mean_7d_values AS DOUBLE PRECISION) AS _profile_customer_mean_7d_values,
  CAST(_transactions._profile_customer_mean_7d_sum AS DOUBLE PRECISION) AS _profile_customer_mean_7d_sum,
  CAST(_transactions._profile_customer_mean_30d_values AS DOUBLE PRECISION) AS _profile_customer_mean_30d_values,
  CAST(_transactions._profile_customer_mean_30d_sum AS DOUBLE PRECISION) AS _profile_customer_mean_30d_sum,
  CAST(_transactions._profile_customer_sd_14d_values AS DOUBLE PRECISION) AS _profile_customer_sd_14d_values,
  CAST(_transactions._profile_customer_sd_14d_sum AS DOUBLE PRECISION) AS _profile_customer_sd_14d_sum,
  CAST(_transactions._profile_customer_sd_14d_variance AS DOUBLE PRECISION) AS _profile_customer_sd_14d_variance,
  CAST(_frauds._profile_customer_frauds_frauds AS DOUBLE PRECISION) AS _profile_customer_frauds_frauds,
  CAST(_frauds._profile_customer_last_fraud_age_last AS DOUBLE PRECISION) AS _profile_customer_last_fraud_age_last
FROM _values
LEFT JOIN _transactions ON _transactions.entity = _values.entity
LEFT JOIN _frauds ON _frauds.entity = _values.entity;
