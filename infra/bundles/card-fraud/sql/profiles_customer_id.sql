-- Written by `make sql`.
WITH _profile_customer_id AS (
  SELECT
    past.customer_id AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '604800 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_mean_7d_count,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '604800 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_mean_7d_sum,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2592000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_mean_30d_count,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2592000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_mean_30d_sum,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '1209600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_sd_14d_count,
    AVG(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '1209600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_sd_14d_mean,
    VAR_POP(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '1209600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.amount END) AS _customer_sd_14d_variance
  FROM transactions past
  WHERE past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2592000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  GROUP BY past.customer_id
)
SELECT
  entity,
  CAST((COALESCE(_profile_customer_id._customer_mean_7d_sum, 0)) / NULLIF(_profile_customer_id._customer_mean_7d_count, 0) AS DOUBLE PRECISION) AS customer_mean_7d,
  CAST((COALESCE(_profile_customer_id._customer_mean_30d_sum, 0)) / NULLIF(_profile_customer_id._customer_mean_30d_count, 0) AS DOUBLE PRECISION) AS customer_mean_30d,
  CAST(SQRT(CASE WHEN _profile_customer_id._customer_sd_14d_variance < 0 THEN 0 ELSE _profile_customer_id._customer_sd_14d_variance END) AS DOUBLE PRECISION) AS customer_sd_14d
FROM _profile_customer_id;
