-- Written by `make sql`.
UNLOAD ('WITH _profile_terminal_id AS (
  SELECT
    past.terminal_id AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''691200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_count_1d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''691200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_fraud_rate_1d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''691200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''864000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_count_3d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''864000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_fraud_rate_3d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''864000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''1209600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_count_7d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''1209600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_fraud_rate_7d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''1209600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_count_28d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN 1 END) AS _terminal_fraud_rate_28d_count,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' AND report.is_fraud THEN 1 END) AS _terminal_fraud_rate_28d_frauds
  FROM transactions past
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  WHERE past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds''
  GROUP BY past.terminal_id
)
SELECT
  entity,
  CAST(COALESCE(_profile_terminal_id._terminal_count_1d_count, 0) AS DOUBLE PRECISION) AS terminal_count_1d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_1d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_1d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_1d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_3d_count, 0) AS DOUBLE PRECISION) AS terminal_count_3d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_3d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_3d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_3d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_7d_count, 0) AS DOUBLE PRECISION) AS terminal_count_7d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_7d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_7d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_7d,
  CAST(COALESCE(_profile_terminal_id._terminal_count_28d_count, 0) AS DOUBLE PRECISION) AS terminal_count_28d,
  CAST(COALESCE(CAST(_profile_terminal_id._terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_terminal_id._terminal_fraud_rate_28d_count, 0), 0) AS DOUBLE PRECISION) AS terminal_fraud_rate_28d
FROM _profile_terminal_id')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE;
