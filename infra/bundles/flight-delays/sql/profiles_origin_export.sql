-- Written by `make sql`.
UNLOAD ('WITH _profile_origin AS (
  SELECT
    past.origin AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''14400 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''7200 seconds'' THEN 1 END) AS _origin_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''14400 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''7200 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''25200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''14400 seconds'' THEN 1 END) AS _origin_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''25200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''14400 seconds'' THEN 1 END) AS _origin_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''7200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN 1 END) AS _origin_departing_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''21600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN past.visib END) AS _origin_visib_6h_count,
    SUM(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''21600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN past.visib END) AS _origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''21600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN past.visib END) AS _origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''21600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN past.precip END) AS _origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''21600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN past.pressure END) AS _pressure_mean_count,
    SUM(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''21600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN past.pressure END) AS _pressure_mean_sum
  FROM transactions past
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  WHERE past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  GROUP BY past.origin
)
SELECT
  entity,
  CAST(COALESCE(CAST(_profile_origin._origin_late_2h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_origin._origin_late_2h_count, 0), 0) AS DOUBLE PRECISION) AS origin_late_2h,
  CAST(COALESCE(CAST(_profile_origin._origin_late_3h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_origin._origin_late_3h_count, 0), 0) AS DOUBLE PRECISION) AS origin_late_3h,
  CAST(COALESCE(CAST(_profile_origin._origin_late_8h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_origin._origin_late_8h_count, 0), 0) AS DOUBLE PRECISION) AS origin_late_8h,
  CAST(COALESCE(_profile_origin._origin_departing_count, 0) AS DOUBLE PRECISION) AS origin_departing,
  CAST((COALESCE(_profile_origin._origin_visib_6h_sum, 0)) / NULLIF(_profile_origin._origin_visib_6h_count, 0) AS DOUBLE PRECISION) AS origin_visib_6h,
  CAST(_profile_origin._origin_visib_least_extreme AS DOUBLE PRECISION) AS origin_visib_least,
  CAST((COALESCE(_profile_origin._origin_rain_6h_sum, 0)) AS DOUBLE PRECISION) AS origin_rain_6h,
  CAST((COALESCE(_profile_origin._pressure_mean_sum, 0)) / NULLIF(_profile_origin._pressure_mean_count, 0) AS DOUBLE PRECISION) AS pressure_mean
FROM _profile_origin')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE;
