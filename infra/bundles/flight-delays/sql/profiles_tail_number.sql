-- Written by `make sql`.
WITH _transactions AS (
  SELECT
    past.tail_number AS entity,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '54000 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '10800 seconds' THEN past.occurred_at END) AS _profile_plane_late_12h_rows,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2635200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' THEN past.occurred_at END) AS _profile_plane_late_30d_rows,
    COUNT(CASE WHEN past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) THEN past.occurred_at END) AS _profile_plane_flights_12h_rows
  FROM transactions past
  WHERE past.tail_number IS NOT NULL
    AND past.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2635200 seconds' AND past.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  GROUP BY past.tail_number
), _frauds AS (
  SELECT
    fraud.entity,
    COUNT(CASE WHEN fraud.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '54000 seconds' AND fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _profile_plane_late_12h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '2635200 seconds' AND fraud.occurred_at <= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _profile_plane_late_30d_frauds
  FROM (
    SELECT
      report.tail_number AS entity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM known_frauds report
    WHERE report.tail_number IS NOT NULL
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
  CAST(_transactions._profile_plane_late_12h_rows AS DOUBLE PRECISION) AS _profile_plane_late_12h_rows,
  CAST(_transactions._profile_plane_late_30d_rows AS DOUBLE PRECISION) AS _profile_plane_late_30d_rows,
  CAST(_transactions._profile_plane_flights_12h_rows AS DOUBLE PRECISION) AS _profile_plane_flights_12h_rows,
  CAST(_frauds._profile_plane_late_12h_frauds AS DOUBLE PRECISION) AS _profile_plane_late_12h_frauds,
  CAST(_frauds._profile_plane_late_30d_frauds AS DOUBLE PRECISION) AS _profile_plane_late_30d_frauds
FROM _values
LEFT JOIN _transactions ON _transactions.entity = _values.entity
LEFT JOIN _frauds ON _frauds.entity = _values.entity;
