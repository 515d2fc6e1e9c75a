-- Written by `make sql`.
UNLOAD ('WITH _transactions AS (
  SELECT
    past.route AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''97200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds'' THEN past.occurred_at END) AS _profile_route_late_1d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' THEN past.occurred_at END) AS _profile_route_late_30d_rows
  FROM transactions past
  WHERE past.route IS NOT NULL
    AND past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds''
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL ''21600 seconds'' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL ''21600 seconds'' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  GROUP BY past.route
), _frauds AS (
  SELECT
    fraud.entity,
    COUNT(CASE WHEN fraud.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''97200 seconds'' AND fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''10800 seconds'' THEN fraud.occurred_at END) AS _profile_route_late_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''2635200 seconds'' AND fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''43200 seconds'' THEN fraud.occurred_at END) AS _profile_route_late_30d_frauds
  FROM (
    SELECT
      report.route AS entity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM known_frauds report
    WHERE report.route IS NOT NULL
      AND report.reported_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) AND report.arrived_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL ''21600 seconds'' AND report.transaction_arrived_at < report.occurred_at + INTERVAL ''21600 seconds'' THEN report.transaction_arrived_at ELSE report.occurred_at END <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
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
  CAST(_transactions._profile_route_late_1d_rows AS DOUBLE PRECISION) AS _profile_route_late_1d_rows,
  CAST(_transactions._profile_route_late_30d_rows AS DOUBLE PRECISION) AS _profile_route_late_30d_rows,
  CAST(_frauds._profile_route_late_1d_frauds AS DOUBLE PRECISION) AS _profile_route_late_1d_frauds,
  CAST(_frauds._profile_route_late_30d_frauds AS DOUBLE PRECISION) AS _profile_route_late_30d_frauds
FROM _values
LEFT JOIN _transactions ON _transactions.entity = _values.entity
LEFT JOIN _frauds ON _frauds.entity = _values.entity')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL ON MAXFILESIZE 32 MB ALLOWOVERWRITE;
