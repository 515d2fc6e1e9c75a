-- Written by `make sql`.
WITH _transactions AS (
  SELECT
    past.origin AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _profile_origin_late_2h_rows,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '25200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_origin_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_origin_late_8h_rows,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '7200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.occurred_at END) AS _profile_origin_departing_rows,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '21600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.visib END) AS _profile_origin_visib_6h_values,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '21600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.visib END) AS _profile_origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '21600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.visib END) AS _profile_origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '21600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.precip END) AS _profile_origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '21600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.pressure END) AS _profile_pressure_mean_values,
    SUM(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '21600 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.pressure END) AS _profile_pressure_mean_sum
  FROM transactions past
  WHERE past.origin IS NOT NULL
    AND past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  GROUP BY past.origin
), _frauds AS (
  SELECT
    fraud.entity,
    COUNT(CASE WHEN fraud.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' AND fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _profile_origin_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '25200 seconds' AND fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _profile_origin_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _profile_origin_late_8h_frauds
  FROM (
    SELECT
      report.origin AS entity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM known_frauds report
    WHERE report.origin IS NOT NULL
      AND report.reported_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND report.arrived_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '21600 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '21600 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
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
  CAST(_transactions._profile_origin_late_2h_rows AS DOUBLE PRECISION) AS _profile_origin_late_2h_rows,
  CAST(_transactions._profile_origin_late_3h_rows AS DOUBLE PRECISION) AS _profile_origin_late_3h_rows,
  CAST(_transactions._profile_origin_late_8h_rows AS DOUBLE PRECISION) AS _profile_origin_late_8h_rows,
  CAST(_transactions._profile_origin_departing_rows AS DOUBLE PRECISION) AS _profile_origin_departing_rows,
  CAST(_transactions._profile_origin_visib_6h_values AS DOUBLE PRECISION) AS _profile_origin_visib_6h_values,
  CAST(_transactions._profile_origin_visib_6h_sum AS DOUBLE PRECISION) AS _profile_origin_visib_6h_sum,
  CAST(_transactions._profile_origin_visib_least_extreme AS DOUBLE PRECISION) AS _profile_origin_visib_least_extreme,
  CAST(_transactions._profile_origin_rain_6h_sum AS DOUBLE PRECISION) AS _profile_origin_rain_6h_sum,
  CAST(_transactions._profile_pressure_mean_values AS DOUBLE PRECISION) AS _profile_pressure_mean_values,
  CAST(_transactions._profile_pressure_mean_sum AS DOUBLE PRECISION) AS _profile_pressure_mean_sum,
  CAST(_frauds._profile_origin_late_2h_frauds AS DOUBLE PRECISION) AS _profile_origin_late_2h_frauds,
  CAST(_frauds._profile_origin_late_3h_frauds AS DOUBLE PRECISION) AS _profile_origin_late_3h_frauds,
  CAST(_frauds._profile_origin_late_8h_frauds AS DOUBLE PRECISION) AS _profile_origin_late_8h_frauds
FROM _values
LEFT JOIN _transactions ON _transactions.entity = _values.entity
LEFT JOIN _frauds ON _frauds.entity = _values.entity;
