-- Written by `make sql`.
WITH digit AS (
  SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), number AS (
  SELECT ones.n + 10 * tens.n + 100 * hundreds.n AS n
  FROM digit ones CROSS JOIN digit tens CROSS JOIN digit hundreds
), item AS (
  SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT(CAST(:holds_0 AS VARCHAR(65535)), n) AS hold
  FROM number
  WHERE n < JSON_ARRAY_LENGTH(CAST(:holds_0 AS VARCHAR(65535)))
), held AS (
  SELECT
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'transaction_id') AS VARCHAR(256)) AS transaction_id,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'occurred_at') AS TIMESTAMPTZ) AS occurred_at,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'amount') AS DOUBLE PRECISION) AS amount,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'customer_id') AS VARCHAR(256)) AS customer_id,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'terminal_id') AS VARCHAR(256)) AS terminal_id
  FROM item
), _past_customer_id AS (
  SELECT
    held.transaction_id,
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
    AND past.transaction_id <> held.transaction_id
    AND past.occurred_at > held.occurred_at - INTERVAL '2592000 seconds' AND past.occurred_at <= held.occurred_at
  GROUP BY held.transaction_id
), _past_terminal_id AS (
  SELECT
    held.transaction_id,
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
    AND past.transaction_id <> held.transaction_id
    AND past.occurred_at > held.occurred_at - INTERVAL '3024000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '604800 seconds'
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.transaction_id
)
SELECT
  held.transaction_id,
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
LEFT JOIN _past_customer_id ON _past_customer_id.transaction_id = held.transaction_id
LEFT JOIN _past_terminal_id ON _past_terminal_id.transaction_id = held.transaction_id;
