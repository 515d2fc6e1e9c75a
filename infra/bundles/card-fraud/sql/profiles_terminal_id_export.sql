-- Written by `make sql`.
UNLOAD ('WITH _transactions AS (
  SELECT
    past.terminal_id AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''691200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_count_1d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''691200 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_1d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''864000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_count_3d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''864000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_3d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''1209600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_count_7d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''1209600 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_7d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_count_28d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN past.occurred_at END) AS _profile_terminal_fraud_rate_28d_rows
  FROM transactions past
  WHERE past.terminal_id IS NOT NULL
    AND past.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND past.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds''
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL ''86400 seconds'' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL ''86400 seconds'' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
  GROUP BY past.terminal_id
), _frauds AS (
  SELECT
    fraud.entity,
    COUNT(CASE WHEN fraud.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''691200 seconds'' AND fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''864000 seconds'' AND fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_3d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''1209600 seconds'' AND fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_7d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''3024000 seconds'' AND fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) - INTERVAL ''604800 seconds'' THEN fraud.occurred_at END) AS _profile_terminal_fraud_rate_28d_frauds,
    COUNT(CASE WHEN fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN fraud.occurred_at END) AS _profile_terminal_frauds_frauds,
    FLOOR(EXTRACT(EPOCH FROM MAX(CASE WHEN fraud.occurred_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) THEN fraud.occurred_at END))) AS _profile_terminal_last_fraud_age_last
  FROM (
    SELECT
      report.terminal_id AS entity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM known_frauds report
    WHERE report.terminal_id IS NOT NULL
      AND report.reported_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ) AND report.arrived_at <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL ''86400 seconds'' AND report.transaction_arrived_at < report.occurred_at + INTERVAL ''86400 seconds'' THEN report.transaction_arrived_at ELSE report.occurred_at END <= CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
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
  CAST(_transactions._profile_terminal_count_1d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_1d_rows,
  CAST(_transactions._profile_terminal_fraud_rate_1d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_1d_rows,
  CAST(_transactions._profile_terminal_count_3d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_3d_rows,
  CAST(_transactions._profile_terminal_fraud_rate_3d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_3d_rows,
  CAST(_transactions._profile_terminal_count_7d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_7d_rows,
  CAST(_transactions._profile_terminal_fraud_rate_7d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_7d_rows,
  CAST(_transactions._profile_terminal_count_28d_rows AS DOUBLE PRECISION) AS _profile_terminal_count_28d_rows,
  CAST(_transactions._profile_terminal_fraud_rate_28d_rows AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_28d_rows,
  CAST(_frauds._profile_terminal_fraud_rate_1d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_1d_frauds,
  CAST(_frauds._profile_terminal_fraud_rate_3d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_3d_frauds,
  CAST(_frauds._profile_terminal_fraud_rate_7d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_7d_frauds,
  CAST(_frauds._profile_terminal_fraud_rate_28d_frauds AS DOUBLE PRECISION) AS _profile_terminal_fraud_rate_28d_frauds,
  CAST(_frauds._profile_terminal_frauds_frauds AS DOUBLE PRECISION) AS _profile_terminal_frauds_frauds,
  CAST(_frauds._profile_terminal_last_fraud_age_last AS DOUBLE PRECISION) AS _profile_terminal_last_fraud_age_last
FROM _values
LEFT JOIN _transactions ON _transactions.entity = _values.entity
LEFT JOIN _frauds ON _frauds.entity = _values.entity')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL ON MAXFILESIZE 32 MB ALLOWOVERWRITE;
