-- Written by `make sql`.
WITH _labels AS (
  SELECT
    report.transaction_id AS _transaction_id, report.is_fraud AS _is_fraud,
    ROW_NUMBER() OVER (PARTITION BY report.transaction_id ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
  FROM fraud_reports report
  WHERE report.reported_at <= CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ)
), held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, _labels._is_fraud,
    CAST('1970-01-01T00:00:00Z' AS TIMESTAMPTZ)
      + CAST(FLOOR((CAST(FLOOR(EXTRACT(EPOCH FROM CASE WHEN COALESCE(arrived_at, occurred_at) > occurred_at - INTERVAL '21600 seconds' AND COALESCE(arrived_at, occurred_at) < occurred_at + INTERVAL '21600 seconds' THEN COALESCE(arrived_at, occurred_at) ELSE occurred_at END)) AS BIGINT) - 1800) / 21600) AS BIGINT) * INTERVAL '21600 seconds' AS _cut_off
  FROM transactions
  LEFT JOIN _labels
    ON _labels._transaction_id = transactions.transaction_id AND _labels._rank = 1
  WHERE occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    AND (_labels._is_fraud
      OR SUBSTRING(MD5(transaction_id || ':2013'), 1, 8) < '40000000')
), _past_7200 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-31T20:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-31T23:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_7200_carrier AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_carrier_late_2h_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_7200 past
    ON past.carrier = held.carrier
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 7200) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '7200 seconds')) / 7200) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds'
  GROUP BY held._identity
), _recent_7200_origin AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_origin_late_2h_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_7200 past
    ON past.origin = held.origin
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 7200) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '7200 seconds')) / 7200) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds'
  GROUP BY held._identity
), _past_14400 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-31T07:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-31T21:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_14400_carrier AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' THEN past.occurred_at END) AS _recent_carrier_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _recent_carrier_late_8h_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_14400 past
    ON past.carrier = held.carrier
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '14400 seconds')) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '25200 seconds', held._cut_off - INTERVAL '14400 seconds') AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds'
  GROUP BY held._identity
), _recent_14400_origin AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' THEN past.occurred_at END) AS _recent_origin_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _recent_origin_late_8h_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_14400 past
    ON past.origin = held.origin
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '14400 seconds')) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '25200 seconds', held._cut_off - INTERVAL '14400 seconds') AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds'
  GROUP BY held._identity
), _past_0 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-31T11:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T01:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_0_tail_number AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_plane_flights_12h_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_0 past
    ON past.tail_number = held.tail_number
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at)) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off AND past.occurred_at <= held.occurred_at
  GROUP BY held._identity
), _recent_0_carrier AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_carrier_departing_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_0 past
    ON past.carrier = held.carrier
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at)) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' AND past.occurred_at <= held.occurred_at
  GROUP BY held._identity
), _recent_0_origin AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _recent_origin_departing_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_6h_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.precip END) AS _recent_origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off THEN past.pressure END) AS _recent_pressure_mean_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.pressure END) AS _recent_pressure_mean_sum
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_0 past
    ON past.origin = held.origin
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at)) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '7200 seconds', held._cut_off) AND past.occurred_at <= held.occurred_at
  GROUP BY held._identity
), _past_10800 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-31T08:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-31T22:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_10800_tail_number AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_plane_late_12h_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_10800 past
    ON past.tail_number = held.tail_number
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '10800 seconds')) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '10800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  GROUP BY held._identity
), _recent_10800_route AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_route_late_1d_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_10800 past
    ON past.route = held.route
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '10800 seconds')) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '10800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  GROUP BY held._identity
), _past_43200 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2025-12-30T23:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-31T13:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_43200_tail_number AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_plane_late_30d_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_43200 past
    ON past.tail_number = held.tail_number
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '43200 seconds')) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds'
  GROUP BY held._identity
), _recent_43200_route AS (
  SELECT
    held._identity,
    COUNT(past.occurred_at) AS _recent_route_late_30d_rows
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN _past_43200 past
    ON past.route = held.route
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 45000) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held.occurred_at - INTERVAL '43200 seconds')) / 45000) - periods.back
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds'
  GROUP BY held._identity
), _frauds_tail_number AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '54000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _recent_plane_late_12h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _recent_plane_late_30d_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held._identity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held._identity, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.tail_number = held.tail_number
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud._identity = held._identity AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held._identity
), _frauds_carrier AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_8h_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held._identity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held._identity, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.carrier = held.carrier
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud._identity = held._identity AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held._identity
), _frauds_origin AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_8h_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held._identity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held._identity, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.origin = held.origin
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud._identity = held._identity AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held._identity
), _frauds_route AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '97200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _recent_route_late_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _recent_route_late_30d_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held._identity, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held._identity, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.route = held.route
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud._identity = held._identity AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held._identity
), _profile_tail_number AS (
  SELECT
    held.tail_number, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '54000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '10800 seconds' THEN past.occurred_at END) AS _profile_plane_late_12h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '43200 seconds' THEN past.occurred_at END) AS _profile_plane_late_30d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off THEN past.occurred_at END) AS _profile_plane_flights_12h_rows
  FROM (SELECT DISTINCT tail_number, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.tail_number = held.tail_number
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 2635200) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held._cut_off)) / 2635200) - periods.back
    AND past.occurred_at >= CAST('2025-11-30T23:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T07:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.tail_number, held._cut_off
), _past_frauds_tail_number AS (
  SELECT
    held.tail_number, held._cut_off,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '54000 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _profile_plane_late_12h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _profile_plane_late_30d_frauds
  FROM (SELECT DISTINCT tail_number, _cut_off FROM held) held
  LEFT JOIN (
    SELECT
      held.tail_number, held._cut_off, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.tail_number, held._cut_off, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM (SELECT DISTINCT tail_number, _cut_off FROM held) held
    JOIN known_frauds report
      ON report.tail_number = held.tail_number
      AND report.reported_at <= held._cut_off AND report.arrived_at <= held._cut_off
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '21600 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '21600 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= held._cut_off
  ) fraud
    ON fraud.tail_number = held.tail_number AND fraud._cut_off = held._cut_off AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.tail_number, held._cut_off
), _profile_carrier AS (
  SELECT
    held.carrier, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _profile_carrier_late_2h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '25200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_carrier_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_carrier_late_8h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '7200 seconds' AND past.occurred_at <= held._cut_off THEN past.occurred_at END) AS _profile_carrier_departing_rows
  FROM (SELECT DISTINCT carrier, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.carrier = held.carrier
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 43200) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held._cut_off)) / 43200) - periods.back
    AND past.occurred_at >= CAST('2025-12-30T23:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T07:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.carrier, held._cut_off
), _past_frauds_carrier AS (
  SELECT
    held.carrier, held._cut_off,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '14400 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _profile_carrier_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '25200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _profile_carrier_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _profile_carrier_late_8h_frauds
  FROM (SELECT DISTINCT carrier, _cut_off FROM held) held
  LEFT JOIN (
    SELECT
      held.carrier, held._cut_off, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.carrier, held._cut_off, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM (SELECT DISTINCT carrier, _cut_off FROM held) held
    JOIN known_frauds report
      ON report.carrier = held.carrier
      AND report.reported_at <= held._cut_off AND report.arrived_at <= held._cut_off
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '21600 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '21600 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= held._cut_off
  ) fraud
    ON fraud.carrier = held.carrier AND fraud._cut_off = held._cut_off AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.carrier, held._cut_off
), _profile_origin AS (
  SELECT
    held.origin, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _profile_origin_late_2h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '25200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_origin_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_origin_late_8h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '7200 seconds' AND past.occurred_at <= held._cut_off THEN past.occurred_at END) AS _profile_origin_departing_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.visib END) AS _profile_origin_visib_6h_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.visib END) AS _profile_origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.visib END) AS _profile_origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.precip END) AS _profile_origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.pressure END) AS _profile_pressure_mean_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.pressure END) AS _profile_pressure_mean_sum
  FROM (SELECT DISTINCT origin, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.origin = held.origin
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 43200) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held._cut_off)) / 43200) - periods.back
    AND past.occurred_at >= CAST('2025-12-30T23:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T07:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.origin, held._cut_off
), _past_frauds_origin AS (
  SELECT
    held.origin, held._cut_off,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '14400 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _profile_origin_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '25200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _profile_origin_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _profile_origin_late_8h_frauds
  FROM (SELECT DISTINCT origin, _cut_off FROM held) held
  LEFT JOIN (
    SELECT
      held.origin, held._cut_off, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.origin, held._cut_off, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM (SELECT DISTINCT origin, _cut_off FROM held) held
    JOIN known_frauds report
      ON report.origin = held.origin
      AND report.reported_at <= held._cut_off AND report.arrived_at <= held._cut_off
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '21600 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '21600 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= held._cut_off
  ) fraud
    ON fraud.origin = held.origin AND fraud._cut_off = held._cut_off AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.origin, held._cut_off
), _profile_route AS (
  SELECT
    held.route, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '97200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '10800 seconds' THEN past.occurred_at END) AS _profile_route_late_1d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '43200 seconds' THEN past.occurred_at END) AS _profile_route_late_30d_rows
  FROM (SELECT DISTINCT route, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.route = held.route
    AND FLOOR(FLOOR(EXTRACT(EPOCH FROM past.occurred_at)) / 2624400) = FLOOR(FLOOR(EXTRACT(EPOCH FROM held._cut_off - INTERVAL '10800 seconds')) / 2624400) - periods.back
    AND past.occurred_at >= CAST('2025-11-30T23:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T04:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '10800 seconds'
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.route, held._cut_off
), _past_frauds_route AS (
  SELECT
    held.route, held._cut_off,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '97200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _profile_route_late_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= held._cut_off - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _profile_route_late_30d_frauds
  FROM (SELECT DISTINCT route, _cut_off FROM held) held
  LEFT JOIN (
    SELECT
      held.route, held._cut_off, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.route, held._cut_off, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM (SELECT DISTINCT route, _cut_off FROM held) held
    JOIN known_frauds report
      ON report.route = held.route
      AND report.reported_at <= held._cut_off AND report.arrived_at <= held._cut_off
      AND CASE WHEN report.transaction_arrived_at > report.occurred_at - INTERVAL '21600 seconds' AND report.transaction_arrived_at < report.occurred_at + INTERVAL '21600 seconds' THEN report.transaction_arrived_at ELSE report.occurred_at END <= held._cut_off
  ) fraud
    ON fraud.route = held.route AND fraud._cut_off = held._cut_off AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.route, held._cut_off
)
SELECT
  held.transaction_id,
  CAST(held.occurred_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS occurred_at,
  CAST(held.arrived_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS arrived_at,
  held.amount,
  held.tail_number,
  held.carrier,
  held.origin,
  held.route,
  held.planned_minutes,
  held.local_hour,
  held.seats,
  held.built,
  held.temp,
  held.humid,
  held.wind_speed,
  held.precip,
  held.pressure,
  held.visib,
  held.airline,
  held.destination,
  held.airport,
  CASE WHEN held._is_fraud THEN 1 ELSE 0 END AS label,
  CAST(_recent_7200_carrier._recent_carrier_late_2h_rows AS DOUBLE PRECISION) AS _recent_carrier_late_2h_rows,
  CAST(_recent_7200_origin._recent_origin_late_2h_rows AS DOUBLE PRECISION) AS _recent_origin_late_2h_rows,
  CAST(_recent_14400_carrier._recent_carrier_late_3h_rows AS DOUBLE PRECISION) AS _recent_carrier_late_3h_rows,
  CAST(_recent_14400_carrier._recent_carrier_late_8h_rows AS DOUBLE PRECISION) AS _recent_carrier_late_8h_rows,
  CAST(_recent_14400_origin._recent_origin_late_3h_rows AS DOUBLE PRECISION) AS _recent_origin_late_3h_rows,
  CAST(_recent_14400_origin._recent_origin_late_8h_rows AS DOUBLE PRECISION) AS _recent_origin_late_8h_rows,
  CAST(_recent_0_tail_number._recent_plane_flights_12h_rows AS DOUBLE PRECISION) AS _recent_plane_flights_12h_rows,
  CAST(_recent_0_carrier._recent_carrier_departing_rows AS DOUBLE PRECISION) AS _recent_carrier_departing_rows,
  CAST(_recent_0_origin._recent_origin_departing_rows AS DOUBLE PRECISION) AS _recent_origin_departing_rows,
  CAST(_recent_0_origin._recent_origin_visib_6h_values AS DOUBLE PRECISION) AS _recent_origin_visib_6h_values,
  CAST(_recent_0_origin._recent_origin_visib_6h_sum AS DOUBLE PRECISION) AS _recent_origin_visib_6h_sum,
  CAST(_recent_0_origin._recent_origin_visib_least_extreme AS DOUBLE PRECISION) AS _recent_origin_visib_least_extreme,
  CAST(_recent_0_origin._recent_origin_rain_6h_sum AS DOUBLE PRECISION) AS _recent_origin_rain_6h_sum,
  CAST(_recent_0_origin._recent_pressure_mean_values AS DOUBLE PRECISION) AS _recent_pressure_mean_values,
  CAST(_recent_0_origin._recent_pressure_mean_sum AS DOUBLE PRECISION) AS _recent_pressure_mean_sum,
  CAST(_recent_10800_tail_number._recent_plane_late_12h_rows AS DOUBLE PRECISION) AS _recent_plane_late_12h_rows,
  CAST(_recent_10800_route._recent_route_late_1d_rows AS DOUBLE PRECISION) AS _recent_route_late_1d_rows,
  CAST(_recent_43200_tail_number._recent_plane_late_30d_rows AS DOUBLE PRECISION) AS _recent_plane_late_30d_rows,
  CAST(_recent_43200_route._recent_route_late_30d_rows AS DOUBLE PRECISION) AS _recent_route_late_30d_rows,
  CAST(_frauds_tail_number._recent_plane_late_12h_frauds AS DOUBLE PRECISION) AS _recent_plane_late_12h_frauds,
  CAST(_frauds_tail_number._recent_plane_late_30d_frauds AS DOUBLE PRECISION) AS _recent_plane_late_30d_frauds,
  CAST(_frauds_carrier._recent_carrier_late_2h_frauds AS DOUBLE PRECISION) AS _recent_carrier_late_2h_frauds,
  CAST(_frauds_carrier._recent_carrier_late_3h_frauds AS DOUBLE PRECISION) AS _recent_carrier_late_3h_frauds,
  CAST(_frauds_carrier._recent_carrier_late_8h_frauds AS DOUBLE PRECISION) AS _recent_carrier_late_8h_frauds,
  CAST(_frauds_origin._recent_origin_late_2h_frauds AS DOUBLE PRECISION) AS _recent_origin_late_2h_frauds,
  CAST(_frauds_origin._recent_origin_late_3h_frauds AS DOUBLE PRECISION) AS _recent_origin_late_3h_frauds,
  CAST(_frauds_origin._recent_origin_late_8h_frauds AS DOUBLE PRECISION) AS _recent_origin_late_8h_frauds,
  CAST(_frauds_route._recent_route_late_1d_frauds AS DOUBLE PRECISION) AS _recent_route_late_1d_frauds,
  CAST(_frauds_route._recent_route_late_30d_frauds AS DOUBLE PRECISION) AS _recent_route_late_30d_frauds,
  CAST(_profile_tail_number._profile_plane_late_12h_rows AS DOUBLE PRECISION) AS _profile_plane_late_12h_rows,
  CAST(_profile_tail_number._profile_plane_late_30d_rows AS DOUBLE PRECISION) AS _profile_plane_late_30d_rows,
  CAST(_profile_tail_number._profile_plane_flights_12h_rows AS DOUBLE PRECISION) AS _profile_plane_flights_12h_rows,
  CAST(_past_frauds_tail_number._profile_plane_late_12h_frauds AS DOUBLE PRECISION) AS _profile_plane_late_12h_frauds,
  CAST(_past_frauds_tail_number._profile_plane_late_30d_frauds AS DOUBLE PRECISION) AS _profile_plane_late_30d_frauds,
  CAST(_profile_carrier._profile_carrier_late_2h_rows AS DOUBLE PRECISION) AS _profile_carrier_late_2h_rows,
  CAST(_profile_carrier._profile_carrier_late_3h_rows AS DOUBLE PRECISION) AS _profile_carrier_late_3h_rows,
  CAST(_profile_carrier._profile_carrier_late_8h_rows AS DOUBLE PRECISION) AS _profile_carrier_late_8h_rows,
  CAST(_profile_carrier._profile_carrier_departing_rows AS DOUBLE PRECISION) AS _profile_carrier_departing_rows,
  CAST(_past_frauds_carrier._profile_carrier_late_2h_frauds AS DOUBLE PRECISION) AS _profile_carrier_late_2h_frauds,
  CAST(_past_frauds_carrier._profile_carrier_late_3h_frauds AS DOUBLE PRECISION) AS _profile_carrier_late_3h_frauds,
  CAST(_past_frauds_carrier._profile_carrier_late_8h_frauds AS DOUBLE PRECISION) AS _profile_carrier_late_8h_frauds,
  CAST(_profile_origin._profile_origin_late_2h_rows AS DOUBLE PRECISION) AS _profile_origin_late_2h_rows,
  CAST(_profile_origin._profile_origin_late_3h_rows AS DOUBLE PRECISION) AS _profile_origin_late_3h_rows,
  CAST(_profile_origin._profile_origin_late_8h_rows AS DOUBLE PRECISION) AS _profile_origin_late_8h_rows,
  CAST(_profile_origin._profile_origin_departing_rows AS DOUBLE PRECISION) AS _profile_origin_departing_rows,
  CAST(_profile_origin._profile_origin_visib_6h_values AS DOUBLE PRECISION) AS _profile_origin_visib_6h_values,
  CAST(_profile_origin._profile_origin_visib_6h_sum AS DOUBLE PRECISION) AS _profile_origin_visib_6h_sum,
  CAST(_profile_origin._profile_origin_visib_least_extreme AS DOUBLE PRECISION) AS _profile_origin_visib_least_extreme,
  CAST(_profile_origin._profile_origin_rain_6h_sum AS DOUBLE PRECISION) AS _profile_origin_rain_6h_sum,
  CAST(_profile_origin._profile_pressure_mean_values AS DOUBLE PRECISION) AS _profile_pressure_mean_values,
  CAST(_profile_origin._profile_pressure_mean_sum AS DOUBLE PRECISION) AS _profile_pressure_mean_sum,
  CAST(_past_frauds_origin._profile_origin_late_2h_frauds AS DOUBLE PRECISION) AS _profile_origin_late_2h_frauds,
  CAST(_past_frauds_origin._profile_origin_late_3h_frauds AS DOUBLE PRECISION) AS _profile_origin_late_3h_frauds,
  CAST(_past_frauds_origin._profile_origin_late_8h_frauds AS DOUBLE PRECISION) AS _profile_origin_late_8h_frauds,
  CAST(_profile_route._profile_route_late_1d_rows AS DOUBLE PRECISION) AS _profile_route_late_1d_rows,
  CAST(_profile_route._profile_route_late_30d_rows AS DOUBLE PRECISION) AS _profile_route_late_30d_rows,
  CAST(_past_frauds_route._profile_route_late_1d_frauds AS DOUBLE PRECISION) AS _profile_route_late_1d_frauds,
  CAST(_past_frauds_route._profile_route_late_30d_frauds AS DOUBLE PRECISION) AS _profile_route_late_30d_frauds
FROM held
LEFT JOIN _recent_7200_carrier ON _recent_7200_carrier._identity = held._identity
LEFT JOIN _recent_7200_origin ON _recent_7200_origin._identity = held._identity
LEFT JOIN _recent_14400_carrier ON _recent_14400_carrier._identity = held._identity
LEFT JOIN _recent_14400_origin ON _recent_14400_origin._identity = held._identity
LEFT JOIN _recent_0_tail_number ON _recent_0_tail_number._identity = held._identity
LEFT JOIN _recent_0_carrier ON _recent_0_carrier._identity = held._identity
LEFT JOIN _recent_0_origin ON _recent_0_origin._identity = held._identity
LEFT JOIN _recent_10800_tail_number ON _recent_10800_tail_number._identity = held._identity
LEFT JOIN _recent_10800_route ON _recent_10800_route._identity = held._identity
LEFT JOIN _recent_43200_tail_number ON _recent_43200_tail_number._identity = held._identity
LEFT JOIN _recent_43200_route ON _recent_43200_route._identity = held._identity
LEFT JOIN _frauds_tail_number ON _frauds_tail_number._identity = held._identity
LEFT JOIN _frauds_carrier ON _frauds_carrier._identity = held._identity
LEFT JOIN _frauds_origin ON _frauds_origin._identity = held._identity
LEFT JOIN _frauds_route ON _frauds_route._identity = held._identity
LEFT JOIN _profile_tail_number ON _profile_tail_number.tail_number = held.tail_number AND _profile_tail_number._cut_off = held._cut_off
LEFT JOIN _past_frauds_tail_number ON _past_frauds_tail_number.tail_number = held.tail_number AND _past_frauds_tail_number._cut_off = held._cut_off
LEFT JOIN _profile_carrier ON _profile_carrier.carrier = held.carrier AND _profile_carrier._cut_off = held._cut_off
LEFT JOIN _past_frauds_carrier ON _past_frauds_carrier.carrier = held.carrier AND _past_frauds_carrier._cut_off = held._cut_off
LEFT JOIN _profile_origin ON _profile_origin.origin = held.origin AND _profile_origin._cut_off = held._cut_off
LEFT JOIN _past_frauds_origin ON _past_frauds_origin.origin = held.origin AND _past_frauds_origin._cut_off = held._cut_off
LEFT JOIN _profile_route ON _profile_route.route = held.route AND _profile_route._cut_off = held._cut_off
LEFT JOIN _past_frauds_route ON _past_frauds_route.route = held.route AND _past_frauds_route._cut_off = held._cut_off;
