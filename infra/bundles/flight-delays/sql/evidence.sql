-- Written by `make sql`.
WITH held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport,
    CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AS _cut_off
  FROM holds
  WHERE turn = 7 AND claim_id = '0123456789abcdef' AND ordinal >= 0 AND ordinal < 5000
), _id_conflicts AS (
  SELECT held.ordinal
  FROM held
  JOIN transactions _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
    AND (_other.occurred_at >= CAST('1970-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND _other.occurred_at <= CAST('1970-01-01T02:00:00.000000Z' AS TIMESTAMPTZ)
    OR _other.occurred_at >= CAST('2026-02-01T08:00:00.000000Z' AS TIMESTAMPTZ) AND _other.occurred_at <= CAST('2026-02-01T10:00:00.000000Z' AS TIMESTAMPTZ))
  UNION
  SELECT held.ordinal
  FROM held
  JOIN held _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
), _past_7200 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE (occurred_at >= CAST('1969-12-31T20:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('1970-01-01T00:00:00.000000Z' AS TIMESTAMPTZ)
    OR occurred_at >= CAST('2026-02-01T04:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T08:00:00.000000Z' AS TIMESTAMPTZ))
), _recent_7200_carrier AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_carrier_late_2h_rows
  FROM held
  LEFT JOIN _past_7200 past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds'
  GROUP BY held.ordinal
), _recent_7200_origin AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_origin_late_2h_rows
  FROM held
  LEFT JOIN _past_7200 past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds'
  GROUP BY held.ordinal
), _past_14400 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE (occurred_at >= CAST('1969-12-31T17:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('1969-12-31T22:00:00.000000Z' AS TIMESTAMPTZ)
    OR occurred_at >= CAST('2026-01-31T20:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T06:00:00.000000Z' AS TIMESTAMPTZ))
), _recent_14400_carrier AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' THEN past.occurred_at END) AS _recent_carrier_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _recent_carrier_late_8h_rows
  FROM held
  LEFT JOIN _past_14400 past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '25200 seconds', held._cut_off - INTERVAL '14400 seconds') AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds'
  GROUP BY held.ordinal
), _recent_14400_origin AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' THEN past.occurred_at END) AS _recent_origin_late_3h_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL '14400 seconds' THEN past.occurred_at END) AS _recent_origin_late_8h_rows
  FROM held
  LEFT JOIN _past_14400 past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '25200 seconds', held._cut_off - INTERVAL '14400 seconds') AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds'
  GROUP BY held.ordinal
), _past_0 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE (occurred_at >= CAST('1969-12-31T22:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('1970-01-01T02:00:00.000000Z' AS TIMESTAMPTZ)
    OR occurred_at >= CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T10:00:00.000000Z' AS TIMESTAMPTZ))
), _recent_0_tail_number AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_plane_flights_12h_rows
  FROM held
  LEFT JOIN _past_0 past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off AND past.occurred_at <= held.occurred_at
  GROUP BY held.ordinal
), _recent_0_carrier AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_carrier_departing_rows
  FROM held
  LEFT JOIN _past_0 past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' AND past.occurred_at <= held.occurred_at
  GROUP BY held.ordinal
), _recent_0_origin AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' THEN past.occurred_at END) AS _recent_origin_departing_rows,
    COUNT(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_6h_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held._cut_off THEN past.visib END) AS _recent_origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.precip END) AS _recent_origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off THEN past.pressure END) AS _recent_pressure_mean_values,
    SUM(CASE WHEN past.occurred_at > held._cut_off THEN past.pressure END) AS _recent_pressure_mean_sum
  FROM held
  LEFT JOIN _past_0 past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > LEAST(held.occurred_at - INTERVAL '7200 seconds', held._cut_off) AND past.occurred_at <= held.occurred_at
  GROUP BY held.ordinal
), _past_10800 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-31T21:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-02-01T07:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_10800_tail_number AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_plane_late_12h_rows
  FROM held
  LEFT JOIN _past_10800 past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '10800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  GROUP BY held.ordinal
), _recent_10800_route AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_route_late_1d_rows
  FROM held
  LEFT JOIN _past_10800 past
    ON past.route = held.route
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '10800 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  GROUP BY held.ordinal
), _past_43200 AS (
  SELECT
    transaction_id, identity_hash, occurred_at,
    COALESCE(arrived_at, occurred_at) AS arrived_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM transactions
  WHERE occurred_at >= CAST('2026-01-31T12:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at <= CAST('2026-01-31T22:00:00.000000Z' AS TIMESTAMPTZ)
), _recent_43200_tail_number AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_plane_late_30d_rows
  FROM held
  LEFT JOIN _past_43200 past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds'
  GROUP BY held.ordinal
), _recent_43200_route AS (
  SELECT
    held.ordinal,
    COUNT(past.occurred_at) AS _recent_route_late_30d_rows
  FROM held
  LEFT JOIN _past_43200 past
    ON past.route = held.route
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.arrived_at <= held.arrived_at
    AND past.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds'
  GROUP BY held.ordinal
), _frauds_tail_number AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '54000 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _recent_plane_late_12h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _recent_plane_late_30d_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.ordinal, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.ordinal, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.tail_number = held.tail_number
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.ordinal = held.ordinal AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.ordinal
), _frauds_carrier AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_carrier_late_8h_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.ordinal, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.ordinal, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.carrier = held.carrier
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.ordinal = held.ordinal AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.ordinal
), _frauds_origin AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_2h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND fraud.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_3h_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '43200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '14400 seconds' THEN fraud.occurred_at END) AS _recent_origin_late_8h_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.ordinal, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.ordinal, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.origin = held.origin
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.ordinal = held.ordinal AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.ordinal
), _frauds_route AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '97200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '10800 seconds' THEN fraud.occurred_at END) AS _recent_route_late_1d_frauds,
    COUNT(CASE WHEN fraud.occurred_at > held._cut_off - INTERVAL '2635200 seconds' AND fraud.occurred_at <= GREATEST(held.occurred_at, held._cut_off) - INTERVAL '43200 seconds' THEN fraud.occurred_at END) AS _recent_route_late_30d_frauds
  FROM held
  LEFT JOIN (
    SELECT
      held.ordinal, report.occurred_at, report.is_fraud,
      ROW_NUMBER() OVER (PARTITION BY held.ordinal, report.transaction_id, report.identity_hash ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
    FROM held
    JOIN known_frauds report
      ON report.route = held.route
      AND (report.transaction_id <> held.transaction_id
        OR report.identity_hash <> held.identity_hash)
      AND report.transaction_arrived_at <= held.arrived_at
      AND report.reported_at <= held.occurred_at AND report.arrived_at <= held.arrived_at
  ) fraud
    ON fraud.ordinal = held.ordinal AND fraud._rank = 1 AND fraud.is_fraud
  GROUP BY held.ordinal
)
SELECT
  held.ordinal,
  CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END AS _id_conflict,
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
  CAST(_frauds_route._recent_route_late_30d_frauds AS DOUBLE PRECISION) AS _recent_route_late_30d_frauds
FROM held
LEFT JOIN _recent_7200_carrier ON _recent_7200_carrier.ordinal = held.ordinal
LEFT JOIN _recent_7200_origin ON _recent_7200_origin.ordinal = held.ordinal
LEFT JOIN _recent_14400_carrier ON _recent_14400_carrier.ordinal = held.ordinal
LEFT JOIN _recent_14400_origin ON _recent_14400_origin.ordinal = held.ordinal
LEFT JOIN _recent_0_tail_number ON _recent_0_tail_number.ordinal = held.ordinal
LEFT JOIN _recent_0_carrier ON _recent_0_carrier.ordinal = held.ordinal
LEFT JOIN _recent_0_origin ON _recent_0_origin.ordinal = held.ordinal
LEFT JOIN _recent_10800_tail_number ON _recent_10800_tail_number.ordinal = held.ordinal
LEFT JOIN _recent_10800_route ON _recent_10800_route.ordinal = held.ordinal
LEFT JOIN _recent_43200_tail_number ON _recent_43200_tail_number.ordinal = held.ordinal
LEFT JOIN _recent_43200_route ON _recent_43200_route.ordinal = held.ordinal
LEFT JOIN _frauds_tail_number ON _frauds_tail_number.ordinal = held.ordinal
LEFT JOIN _frauds_carrier ON _frauds_carrier.ordinal = held.ordinal
LEFT JOIN _frauds_origin ON _frauds_origin.ordinal = held.ordinal
LEFT JOIN _frauds_route ON _frauds_route.ordinal = held.ordinal
LEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal;
