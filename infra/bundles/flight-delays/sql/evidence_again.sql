-- Written by `make sql`.
WITH held AS (
  SELECT
    decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport,
    loaded_at,
    CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AS _cut_off
  FROM (
    SELECT
      decision_id, identity_hash, transaction_id, occurred_at, arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport,
      loaded_at, ROW_NUMBER() OVER (PARTITION BY decision_id ORDER BY turn, ordinal) AS _rank
    FROM holds
    WHERE decision_id IN (:id_0, :id_1)
  ) _placed
  WHERE _rank = 1
), _past_7200 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-02-01T04:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T08:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_7200_carrier AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_carrier_late_2h_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_7200 past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds'
  GROUP BY held.decision_id
), _recent_7200_origin AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_origin_late_2h_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_7200 past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds'
  GROUP BY held.decision_id
), _past_14400 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-31T20:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T06:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_14400_carrier AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' THEN past.occurred_at END) AS _recent_carrier_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _recent_carrier_late_8h_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_14400 past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '25200 seconds', held._cut_off - INTERVAL '14400 seconds') AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds'
  GROUP BY held.decision_id
), _recent_14400_origin AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' THEN past.occurred_at END) AS _recent_origin_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _recent_origin_late_8h_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_14400 past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '25200 seconds', held._cut_off - INTERVAL '14400 seconds') AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds'
  GROUP BY held.decision_id
), _past_0 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T10:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_0_tail_number AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_plane_flights_12h_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_0 past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off AND past.occurred_at <= held.occurred_at
  GROUP BY held.decision_id
), _recent_0_carrier AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_carrier_departing_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_0 past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' AND past.occurred_at <= held.occurred_at
  GROUP BY held.decision_id
), _recent_0_origin AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _recent_origin_departing_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_6h_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.precip END) AS _recent_origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off THEN past.pressure END) AS _recent_pressure_mean_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.pressure END) AS _recent_pressure_mean_sum,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_0 past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '7200 seconds', held._cut_off) AND past.occurred_at <= held.occurred_at
  GROUP BY held.decision_id
), _past_10800 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-31T21:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T07:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_10800_tail_number AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_plane_late_12h_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_10800 past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '10800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  GROUP BY held.decision_id
), _recent_10800_route AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_route_late_1d_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_10800 past
    ON past.route = held.route
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '10800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  GROUP BY held.decision_id
), _past_43200 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, loaded_at
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-31T12:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-31T22:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_43200_tail_number AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_plane_late_30d_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_43200 past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds'
  GROUP BY held.decision_id
), _recent_43200_route AS (
  SELECT
    held.decision_id,
    COUNT(past.occurred_at) AS _recent_route_late_30d_rows,
    COUNT(CASE WHEN past.loaded_at > held.loaded_at THEN 1 END) AS _late
  FROM held
  LEFT JOIN _past_43200 past
    ON past.route = held.route
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds'
  GROUP BY held.decision_id
), _frauds_tail_number AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '54000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _recent_plane_late_12h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _recent_plane_late_30d_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.decision_id, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.decision_id, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.tail_number = held.tail_number
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.decision_id = held.decision_id AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.decision_id
), _late_reports_tail_number AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN report.loaded_at > held.loaded_at - INTERVAL '600 seconds' THEN 1 END) AS _late
  FROM held
  LEFT JOIN known_frauds report
    ON report.tail_number = held.tail_number
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  GROUP BY held.decision_id
), _frauds_carrier AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_8h_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.decision_id, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.decision_id, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.carrier = held.carrier
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.decision_id = held.decision_id AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.decision_id
), _late_reports_carrier AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN report.loaded_at > held.loaded_at - INTERVAL '600 seconds' THEN 1 END) AS _late
  FROM held
  LEFT JOIN known_frauds report
    ON report.carrier = held.carrier
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  GROUP BY held.decision_id
), _frauds_origin AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_8h_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.decision_id, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.decision_id, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.origin = held.origin
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.decision_id = held.decision_id AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.decision_id
), _late_reports_origin AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN report.loaded_at > held.loaded_at - INTERVAL '600 seconds' THEN 1 END) AS _late
  FROM held
  LEFT JOIN known_frauds report
    ON report.origin = held.origin
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  GROUP BY held.decision_id
), _frauds_route AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '97200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _recent_route_late_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _recent_route_late_30d_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.decision_id, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.decision_id, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.route = held.route
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.decision_id = held.decision_id AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.decision_id
), _late_reports_route AS (
  SELECT
    held.decision_id,
    COUNT(CASE WHEN report.loaded_at > held.loaded_at - INTERVAL '600 seconds' THEN 1 END) AS _late
  FROM held
  LEFT JOIN known_frauds report
    ON report.route = held.route
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  GROUP BY held.decision_id
), _profile_tail_number AS (
  SELECT
    held.tail_number, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '54000 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '10800 seconds' THEN past.occurred_at END) AS _profile_plane_late_12h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '43200 seconds' THEN past.occurred_at END) AS _profile_plane_late_30d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off THEN past.occurred_at END) AS _profile_plane_flights_12h_rows,
    COUNT(CASE WHEN past.loaded_at > CAST('2026-02-01T00:15:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _late
  FROM (SELECT DISTINCT tail_number, _cut_off FROM held) held
  LEFT JOIN transactions past
    ON past.tail_number = held.tail_number
    AND past.occurred_at >= CAST('2026-01-01T12:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.tail_number, held._cut_off
), _profile_carrier AS (
  SELECT
    held.carrier, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _profile_carrier_late_2h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '25200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_carrier_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _profile_carrier_late_8h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '7200 seconds' AND past.occurred_at <= held._cut_off THEN past.occurred_at END) AS _profile_carrier_departing_rows,
    COUNT(CASE WHEN past.loaded_at > CAST('2026-02-01T00:15:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _late
  FROM (SELECT DISTINCT carrier, _cut_off FROM held) held
  LEFT JOIN transactions past
    ON past.carrier = held.carrier
    AND past.occurred_at >= CAST('2026-01-31T12:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
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
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '21600 seconds' AND past.occurred_at <= held._cut_off THEN past.pressure END) AS _profile_pressure_mean_sum,
    COUNT(CASE WHEN past.loaded_at > CAST('2026-02-01T00:15:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _late
  FROM (SELECT DISTINCT origin, _cut_off FROM held) held
  LEFT JOIN transactions past
    ON past.origin = held.origin
    AND past.occurred_at >= CAST('2026-01-31T12:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-02-01T01:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held._cut_off
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.origin, held._cut_off
), _profile_route AS (
  SELECT
    held.route, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '97200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '10800 seconds' THEN past.occurred_at END) AS _profile_route_late_1d_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '43200 seconds' THEN past.occurred_at END) AS _profile_route_late_30d_rows,
    COUNT(CASE WHEN past.loaded_at > CAST('2026-02-01T00:15:00.000000Z' AS TIMESTAMPTZ) THEN 1 END) AS _late
  FROM (SELECT DISTINCT route, _cut_off FROM held) held
  LEFT JOIN transactions past
    ON past.route = held.route
    AND past.occurred_at >= CAST('2026-01-01T12:00:00.000000Z' AS TIMESTAMPTZ) AND past.occurred_at <= CAST('2026-01-31T22:00:00.000000Z' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND past.occurred_at <= held._cut_off - INTERVAL '10800 seconds'
    AND CASE WHEN COALESCE(past.arrived_at, past.occurred_at) > past.occurred_at - INTERVAL '21600 seconds' AND COALESCE(past.arrived_at, past.occurred_at) < past.occurred_at + INTERVAL '21600 seconds' THEN COALESCE(past.arrived_at, past.occurred_at) ELSE past.occurred_at END <= held._cut_off
  GROUP BY held.route, held._cut_off
)
SELECT
  held.decision_id,
  held.transaction_id,
  CAST(held.occurred_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS occurred_at,
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
  CAST(_profile_carrier._profile_carrier_late_2h_rows AS DOUBLE PRECISION) AS _profile_carrier_late_2h_rows,
  CAST(_profile_carrier._profile_carrier_late_3h_rows AS DOUBLE PRECISION) AS _profile_carrier_late_3h_rows,
  CAST(_profile_carrier._profile_carrier_late_8h_rows AS DOUBLE PRECISION) AS _profile_carrier_late_8h_rows,
  CAST(_profile_carrier._profile_carrier_departing_rows AS DOUBLE PRECISION) AS _profile_carrier_departing_rows,
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
  CAST(_profile_route._profile_route_late_1d_rows AS DOUBLE PRECISION) AS _profile_route_late_1d_rows,
  CAST(_profile_route._profile_route_late_30d_rows AS DOUBLE PRECISION) AS _profile_route_late_30d_rows,
  _recent_7200_carrier._late + _recent_7200_origin._late + _recent_14400_carrier._late + _recent_14400_origin._late + _recent_0_tail_number._late + _recent_0_carrier._late + _recent_0_origin._late + _recent_10800_tail_number._late + _recent_10800_route._late + _recent_43200_tail_number._late + _recent_43200_route._late + _late_reports_tail_number._late + _late_reports_carrier._late + _late_reports_origin._late + _late_reports_route._late + COALESCE(_profile_tail_number._late, 0) + COALESCE(_profile_carrier._late, 0) + COALESCE(_profile_origin._late, 0) + COALESCE(_profile_route._late, 0) AS _late
FROM held
LEFT JOIN _recent_7200_carrier ON _recent_7200_carrier.decision_id = held.decision_id
LEFT JOIN _recent_7200_origin ON _recent_7200_origin.decision_id = held.decision_id
LEFT JOIN _recent_14400_carrier ON _recent_14400_carrier.decision_id = held.decision_id
LEFT JOIN _recent_14400_origin ON _recent_14400_origin.decision_id = held.decision_id
LEFT JOIN _recent_0_tail_number ON _recent_0_tail_number.decision_id = held.decision_id
LEFT JOIN _recent_0_carrier ON _recent_0_carrier.decision_id = held.decision_id
LEFT JOIN _recent_0_origin ON _recent_0_origin.decision_id = held.decision_id
LEFT JOIN _recent_10800_tail_number ON _recent_10800_tail_number.decision_id = held.decision_id
LEFT JOIN _recent_10800_route ON _recent_10800_route.decision_id = held.decision_id
LEFT JOIN _recent_43200_tail_number ON _recent_43200_tail_number.decision_id = held.decision_id
LEFT JOIN _recent_43200_route ON _recent_43200_route.decision_id = held.decision_id
LEFT JOIN _frauds_tail_number ON _frauds_tail_number.decision_id = held.decision_id
LEFT JOIN _late_reports_tail_number ON _late_reports_tail_number.decision_id = held.decision_id
LEFT JOIN _frauds_carrier ON _frauds_carrier.decision_id = held.decision_id
LEFT JOIN _late_reports_carrier ON _late_reports_carrier.decision_id = held.decision_id
LEFT JOIN _frauds_origin ON _frauds_origin.decision_id = held.decision_id
LEFT JOIN _late_reports_origin ON _late_reports_origin.decision_id = held.decision_id
LEFT JOIN _frauds_route ON _frauds_route.decision_id = held.decision_id
LEFT JOIN _late_reports_route ON _late_reports_route.decision_id = held.decision_id
LEFT JOIN _profile_tail_number ON _profile_tail_number.tail_number = held.tail_number AND _profile_tail_number._cut_off = held._cut_off
LEFT JOIN _profile_carrier ON _profile_carrier.carrier = held.carrier AND _profile_carrier._cut_off = held._cut_off
LEFT JOIN _profile_origin ON _profile_origin.origin = held.origin AND _profile_origin._cut_off = held._cut_off
LEFT JOIN _profile_route ON _profile_route.route = held.route AND _profile_route._cut_off = held._cut_off;
