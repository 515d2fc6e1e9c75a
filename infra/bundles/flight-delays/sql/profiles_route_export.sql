-- Written by `make sql`.
UNLOAD ('WITH _profile_route AS (
  SELECT
    past.route AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''97200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds'' THEN 1 END) AS _route_late_1d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''97200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds'' AND report.is_fraud THEN 1 END) AS _route_late_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' THEN 1 END) AS _route_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' AND report.is_fraud THEN 1 END) AS _route_late_30d_frauds
  FROM transactions past
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  WHERE past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds''
  GROUP BY past.route
)
SELECT
  entity,
  CAST(COALESCE(CAST(_profile_route._route_late_1d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_route._route_late_1d_count, 0), 0) AS DOUBLE PRECISION) AS route_late_1d,
  CAST(COALESCE(CAST(_profile_route._route_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_route._route_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS route_late_30d
FROM _profile_route')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE;
