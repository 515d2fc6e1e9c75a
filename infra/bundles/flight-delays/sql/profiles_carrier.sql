-- Written by `make sql`.
WITH _profile_carrier AS (
  SELECT
    past.carrier AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '7200 seconds' THEN 1 END) AS _carrier_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '7200 seconds' AND report.is_fraud THEN 1 END) AS _carrier_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '25200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' THEN 1 END) AS _carrier_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '25200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' AND report.is_fraud THEN 1 END) AS _carrier_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' THEN 1 END) AS _carrier_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' AND report.is_fraud THEN 1 END) AS _carrier_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '7200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _carrier_departing_count
  FROM transactions past
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  WHERE past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  GROUP BY past.carrier
)
SELECT
  entity,
  CAST(COALESCE(CAST(_profile_carrier._carrier_late_2h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_carrier._carrier_late_2h_count, 0), 0) AS DOUBLE PRECISION) AS carrier_late_2h,
  CAST(COALESCE(CAST(_profile_carrier._carrier_late_3h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_carrier._carrier_late_3h_count, 0), 0) AS DOUBLE PRECISION) AS carrier_late_3h,
  CAST(COALESCE(CAST(_profile_carrier._carrier_late_8h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_carrier._carrier_late_8h_count, 0), 0) AS DOUBLE PRECISION) AS carrier_late_8h,
  CAST(COALESCE(_profile_carrier._carrier_departing_count, 0) AS DOUBLE PRECISION) AS carrier_departing
FROM _profile_carrier;
