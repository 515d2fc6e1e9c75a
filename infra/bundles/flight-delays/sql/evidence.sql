-- Written by `make sql`.
WITH held AS (
  SELECT
    ordinal, identity_hash, transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport
  FROM holds
  WHERE turn = 7 AND claim_id = '0123456789abcdef' AND ordinal >= 0 AND ordinal < 5000
), _id_conflicts AS (
  SELECT held.ordinal
  FROM held
  JOIN transactions _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
  UNION
  SELECT held.ordinal
  FROM held
  JOIN held _other
    ON _other.transaction_id = held.transaction_id
    AND _other.identity_hash <> held.identity_hash
), _past_tail_number AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '54000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' THEN 1 END) AS _plane_late_12h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '54000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' AND report.is_fraud THEN 1 END) AS _plane_late_12h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' THEN 1 END) AS _plane_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' AND report.is_fraud THEN 1 END) AS _plane_late_30d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _plane_flights_12h_count
  FROM held
  LEFT JOIN transactions past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.ordinal
), _past_carrier AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN 1 END) AS _carrier_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' AND report.is_fraud THEN 1 END) AS _carrier_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN 1 END) AS _carrier_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' AND report.is_fraud THEN 1 END) AS _carrier_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN 1 END) AS _carrier_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' AND report.is_fraud THEN 1 END) AS _carrier_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _carrier_departing_count
  FROM held
  LEFT JOIN transactions past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.ordinal
), _past_origin AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' THEN 1 END) AS _origin_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '14400 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '7200 seconds' AND report.is_fraud THEN 1 END) AS _origin_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN 1 END) AS _origin_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '25200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' AND report.is_fraud THEN 1 END) AS _origin_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' THEN 1 END) AS _origin_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '14400 seconds' AND report.is_fraud THEN 1 END) AS _origin_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '7200 seconds' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _origin_departing_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '21600 seconds' AND past.occurred_at <= held.occurred_at THEN past.visib END) AS _origin_visib_6h_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '21600 seconds' AND past.occurred_at <= held.occurred_at THEN past.visib END) AS _origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '21600 seconds' AND past.occurred_at <= held.occurred_at THEN past.visib END) AS _origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '21600 seconds' AND past.occurred_at <= held.occurred_at THEN past.precip END) AS _origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '21600 seconds' AND past.occurred_at <= held.occurred_at THEN past.pressure END) AS _pressure_mean_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '21600 seconds' AND past.occurred_at <= held.occurred_at THEN past.pressure END) AS _pressure_mean_sum
  FROM held
  LEFT JOIN transactions past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.ordinal
), _past_route AS (
  SELECT
    held.ordinal,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '97200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' THEN 1 END) AS _route_late_1d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '97200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' AND report.is_fraud THEN 1 END) AS _route_late_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' THEN 1 END) AS _route_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' AND report.is_fraud THEN 1 END) AS _route_late_30d_frauds
  FROM held
  LEFT JOIN transactions past
    ON past.route = held.route
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.ordinal
)
SELECT
  held.ordinal,
  CASE WHEN _id_conflicts.ordinal IS NULL THEN FALSE ELSE TRUE END AS _id_conflict,
  CAST(COALESCE(CAST(_past_tail_number._plane_late_12h_frauds AS DOUBLE PRECISION) / NULLIF(_past_tail_number._plane_late_12h_count, 0), 0) AS DOUBLE PRECISION) AS plane_late_12h,
  CAST(COALESCE(CAST(_past_tail_number._plane_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_past_tail_number._plane_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS plane_late_30d,
  CAST((_past_tail_number._plane_flights_12h_count + 1) AS DOUBLE PRECISION) AS plane_flights_12h,
  CAST(COALESCE(CAST(_past_carrier._carrier_late_2h_frauds AS DOUBLE PRECISION) / NULLIF(_past_carrier._carrier_late_2h_count, 0), 0) AS DOUBLE PRECISION) AS carrier_late_2h,
  CAST(COALESCE(CAST(_past_carrier._carrier_late_3h_frauds AS DOUBLE PRECISION) / NULLIF(_past_carrier._carrier_late_3h_count, 0), 0) AS DOUBLE PRECISION) AS carrier_late_3h,
  CAST(COALESCE(CAST(_past_carrier._carrier_late_8h_frauds AS DOUBLE PRECISION) / NULLIF(_past_carrier._carrier_late_8h_count, 0), 0) AS DOUBLE PRECISION) AS carrier_late_8h,
  CAST((_past_carrier._carrier_departing_count + 1) AS DOUBLE PRECISION) AS carrier_departing,
  CAST(COALESCE(CAST(_past_origin._origin_late_2h_frauds AS DOUBLE PRECISION) / NULLIF(_past_origin._origin_late_2h_count, 0), 0) AS DOUBLE PRECISION) AS origin_late_2h,
  CAST(COALESCE(CAST(_past_origin._origin_late_3h_frauds AS DOUBLE PRECISION) / NULLIF(_past_origin._origin_late_3h_count, 0), 0) AS DOUBLE PRECISION) AS origin_late_3h,
  CAST(COALESCE(CAST(_past_origin._origin_late_8h_frauds AS DOUBLE PRECISION) / NULLIF(_past_origin._origin_late_8h_count, 0), 0) AS DOUBLE PRECISION) AS origin_late_8h,
  CAST((_past_origin._origin_departing_count + 1) AS DOUBLE PRECISION) AS origin_departing,
  CAST((COALESCE(_past_origin._origin_visib_6h_sum, 0) + COALESCE(held.visib, 0)) / NULLIF(_past_origin._origin_visib_6h_count + CASE WHEN held.visib IS NULL THEN 0 ELSE 1 END, 0) AS DOUBLE PRECISION) AS origin_visib_6h,
  CAST(COALESCE(LEAST(_past_origin._origin_visib_least_extreme, held.visib), _past_origin._origin_visib_least_extreme, held.visib) AS DOUBLE PRECISION) AS origin_visib_least,
  CAST((COALESCE(_past_origin._origin_rain_6h_sum, 0) + COALESCE(held.precip, 0)) AS DOUBLE PRECISION) AS origin_rain_6h,
  CAST((COALESCE(_past_origin._pressure_mean_sum, 0) + COALESCE(held.pressure, 0)) / NULLIF(_past_origin._pressure_mean_count + CASE WHEN held.pressure IS NULL THEN 0 ELSE 1 END, 0) AS DOUBLE PRECISION) AS pressure_mean,
  CAST(COALESCE(CAST(_past_route._route_late_1d_frauds AS DOUBLE PRECISION) / NULLIF(_past_route._route_late_1d_count, 0), 0) AS DOUBLE PRECISION) AS route_late_1d,
  CAST(COALESCE(CAST(_past_route._route_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_past_route._route_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS route_late_30d
FROM held
LEFT JOIN _past_tail_number ON _past_tail_number.ordinal = held.ordinal
LEFT JOIN _past_carrier ON _past_carrier.ordinal = held.ordinal
LEFT JOIN _past_origin ON _past_origin.ordinal = held.ordinal
LEFT JOIN _past_route ON _past_route.ordinal = held.ordinal
LEFT JOIN _id_conflicts ON _id_conflicts.ordinal = held.ordinal;
