-- Written by `make sql`.
UNLOAD ('WITH _profile_tail_number AS (
  SELECT
    past.tail_number AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''54000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds'' THEN 1 END) AS _plane_late_12h_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''54000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds'' AND report.is_fraud THEN 1 END) AS _plane_late_12h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' THEN 1 END) AS _plane_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' AND report.is_fraud THEN 1 END) AS _plane_late_30d_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN 1 END) AS _plane_flights_12h_count
  FROM transactions past
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  WHERE past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  GROUP BY past.tail_number
)
SELECT
  entity,
  CAST(COALESCE(CAST(_profile_tail_number._plane_late_12h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_tail_number._plane_late_12h_count, 0), 0) AS DOUBLE PRECISION) AS plane_late_12h,
  CAST(COALESCE(CAST(_profile_tail_number._plane_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_tail_number._plane_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS plane_late_30d,
  CAST(COALESCE(_profile_tail_number._plane_flights_12h_count, 0) AS DOUBLE PRECISION) AS plane_flights_12h
FROM _profile_tail_number')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE;
