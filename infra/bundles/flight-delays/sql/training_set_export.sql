-- Written by `make sql`.
UNLOAD ('WITH held AS (
  SELECT
    transaction_id, identity_hash, COALESCE(identity_hash, transaction_id) AS _identity,
    occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport,
    CAST(''1970-01-01T00:00:00Z'' AS TIMESTAMPTZ) + (CAST(EXTRACT(EPOCH FROM occurred_at) * 1000000 AS BIGINT) - 1) / 21600000000 * INTERVAL ''21600 seconds'' AS _cut_off
  FROM transactions
  WHERE occurred_at >= CAST(''2026-01-01T00:00:00.000000Z'' AS TIMESTAMPTZ) AND occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
), _past_tail_number AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''54000 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''10800 seconds'' THEN 1 END) AS _plane_late_12h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''54000 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''10800 seconds'' AND report.is_fraud THEN 1 END) AS _plane_late_12h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''43200 seconds'' THEN 1 END) AS _plane_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''43200 seconds'' AND report.is_fraud THEN 1 END) AS _plane_late_30d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _plane_flights_12h_count
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.tail_number = held.tail_number
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2635200)
      = FLOOR((EXTRACT(EPOCH FROM held.occurred_at) - 0) / 2635200) - periods.back
    AND past.occurred_at > CAST(''2025-12-01T12:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held.occurred_at - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held._identity
), _past_carrier AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''14400 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''7200 seconds'' THEN 1 END) AS _carrier_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''14400 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''7200 seconds'' AND report.is_fraud THEN 1 END) AS _carrier_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''25200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' THEN 1 END) AS _carrier_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''25200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _carrier_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' THEN 1 END) AS _carrier_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _carrier_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''7200 seconds'' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _carrier_departing_count
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.carrier = held.carrier
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 43200)
      = FLOOR((EXTRACT(EPOCH FROM held.occurred_at) - 0) / 43200) - periods.back
    AND past.occurred_at > CAST(''2025-12-31T12:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held._identity
), _past_origin AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''14400 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''7200 seconds'' THEN 1 END) AS _origin_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''14400 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''7200 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''25200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' THEN 1 END) AS _origin_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''25200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' THEN 1 END) AS _origin_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''7200 seconds'' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _origin_departing_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''21600 seconds'' AND past.occurred_at <= held.occurred_at THEN past.visib END) AS _origin_visib_6h_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''21600 seconds'' AND past.occurred_at <= held.occurred_at THEN past.visib END) AS _origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''21600 seconds'' AND past.occurred_at <= held.occurred_at THEN past.visib END) AS _origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''21600 seconds'' AND past.occurred_at <= held.occurred_at THEN past.precip END) AS _origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''21600 seconds'' AND past.occurred_at <= held.occurred_at THEN past.pressure END) AS _pressure_mean_count,
    SUM(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''21600 seconds'' AND past.occurred_at <= held.occurred_at THEN past.pressure END) AS _pressure_mean_sum
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.origin = held.origin
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 43200)
      = FLOOR((EXTRACT(EPOCH FROM held.occurred_at) - 0) / 43200) - periods.back
    AND past.occurred_at > CAST(''2025-12-31T12:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held.occurred_at - INTERVAL ''43200 seconds'' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held._identity
), _past_route AS (
  SELECT
    held._identity,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''97200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''10800 seconds'' THEN 1 END) AS _route_late_1d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''97200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''10800 seconds'' AND report.is_fraud THEN 1 END) AS _route_late_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''43200 seconds'' THEN 1 END) AS _route_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''43200 seconds'' AND report.is_fraud THEN 1 END) AS _route_late_30d_frauds
  FROM held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.route = held.route
    AND (past.transaction_id <> held.transaction_id
      OR past.identity_hash <> held.identity_hash)
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2624400)
      = FLOOR((EXTRACT(EPOCH FROM held.occurred_at) - 10800) / 2624400) - periods.back
    AND past.occurred_at > CAST(''2025-12-01T12:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held.occurred_at - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held.occurred_at - INTERVAL ''10800 seconds''
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held._identity
), _profile_tail_number AS (
  SELECT
    held.tail_number, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''54000 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''10800 seconds'' THEN 1 END) AS _plane_late_12h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''54000 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''10800 seconds'' AND report.is_fraud THEN 1 END) AS _plane_late_12h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''43200 seconds'' THEN 1 END) AS _plane_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''43200 seconds'' AND report.is_fraud THEN 1 END) AS _plane_late_30d_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off THEN 1 END) AS _plane_flights_12h_count
  FROM (SELECT DISTINCT tail_number, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.tail_number = held.tail_number
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2635200)
      = FLOOR((EXTRACT(EPOCH FROM held._cut_off) - 0) / 2635200) - periods.back
    AND past.occurred_at > CAST(''2025-12-01T06:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held._cut_off
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held._cut_off
  GROUP BY held.tail_number, held._cut_off
), _profile_carrier AS (
  SELECT
    held.carrier, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''14400 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''7200 seconds'' THEN 1 END) AS _carrier_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''14400 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''7200 seconds'' AND report.is_fraud THEN 1 END) AS _carrier_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''25200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' THEN 1 END) AS _carrier_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''25200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _carrier_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' THEN 1 END) AS _carrier_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _carrier_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''7200 seconds'' AND past.occurred_at <= held._cut_off THEN 1 END) AS _carrier_departing_count
  FROM (SELECT DISTINCT carrier, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.carrier = held.carrier
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 43200)
      = FLOOR((EXTRACT(EPOCH FROM held._cut_off) - 0) / 43200) - periods.back
    AND past.occurred_at > CAST(''2025-12-31T06:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held._cut_off
  GROUP BY held.carrier, held._cut_off
), _profile_origin AS (
  SELECT
    held.origin, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''14400 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''7200 seconds'' THEN 1 END) AS _origin_late_2h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''14400 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''7200 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_2h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''25200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' THEN 1 END) AS _origin_late_3h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''25200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_3h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' THEN 1 END) AS _origin_late_8h_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''14400 seconds'' AND report.is_fraud THEN 1 END) AS _origin_late_8h_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''7200 seconds'' AND past.occurred_at <= held._cut_off THEN 1 END) AS _origin_departing_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''21600 seconds'' AND past.occurred_at <= held._cut_off THEN past.visib END) AS _origin_visib_6h_count,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''21600 seconds'' AND past.occurred_at <= held._cut_off THEN past.visib END) AS _origin_visib_6h_sum,
    MIN(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''21600 seconds'' AND past.occurred_at <= held._cut_off THEN past.visib END) AS _origin_visib_least_extreme,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''21600 seconds'' AND past.occurred_at <= held._cut_off THEN past.precip END) AS _origin_rain_6h_sum,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''21600 seconds'' AND past.occurred_at <= held._cut_off THEN past.pressure END) AS _pressure_mean_count,
    SUM(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''21600 seconds'' AND past.occurred_at <= held._cut_off THEN past.pressure END) AS _pressure_mean_sum
  FROM (SELECT DISTINCT origin, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.origin = held.origin
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 43200)
      = FLOOR((EXTRACT(EPOCH FROM held._cut_off) - 0) / 43200) - periods.back
    AND past.occurred_at > CAST(''2025-12-31T06:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL ''43200 seconds'' AND past.occurred_at <= held._cut_off
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held._cut_off
  GROUP BY held.origin, held._cut_off
), _profile_route AS (
  SELECT
    held.route, held._cut_off,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''97200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''10800 seconds'' THEN 1 END) AS _route_late_1d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''97200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''10800 seconds'' AND report.is_fraud THEN 1 END) AS _route_late_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''43200 seconds'' THEN 1 END) AS _route_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held._cut_off - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''43200 seconds'' AND report.is_fraud THEN 1 END) AS _route_late_30d_frauds
  FROM (SELECT DISTINCT route, _cut_off FROM held) held
  CROSS JOIN (SELECT 0 AS back UNION ALL SELECT 1 AS back) periods
  LEFT JOIN transactions past
    ON past.route = held.route
    AND FLOOR((EXTRACT(EPOCH FROM past.occurred_at)) / 2624400)
      = FLOOR((EXTRACT(EPOCH FROM held._cut_off) - 10800) / 2624400) - periods.back
    AND past.occurred_at > CAST(''2025-12-01T06:00:00.000000Z'' AS TIMESTAMPTZ) AND past.occurred_at < CAST(''2026-02-01T00:00:00.000000Z'' AS TIMESTAMPTZ)
    AND past.occurred_at > held._cut_off - INTERVAL ''2635200 seconds'' AND past.occurred_at <= held._cut_off - INTERVAL ''10800 seconds''
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held._cut_off
  GROUP BY held.route, held._cut_off
)
SELECT
  held.transaction_id,
  CAST(EXTRACT(EPOCH FROM held.occurred_at) AS DOUBLE PRECISION) AS occurred_at,
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
  CASE WHEN label.is_fraud THEN 1 ELSE 0 END AS label,
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
  CAST(COALESCE(CAST(_past_route._route_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_past_route._route_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS route_late_30d,
  CAST(COALESCE(CAST(_profile_tail_number._plane_late_12h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_tail_number._plane_late_12h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_plane_late_12h,
  CAST(COALESCE(CAST(_profile_tail_number._plane_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_tail_number._plane_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_plane_late_30d,
  CAST(COALESCE(_profile_tail_number._plane_flights_12h_count, 0) AS DOUBLE PRECISION) AS _profile_plane_flights_12h,
  CAST(COALESCE(CAST(_profile_carrier._carrier_late_2h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_carrier._carrier_late_2h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_carrier_late_2h,
  CAST(COALESCE(CAST(_profile_carrier._carrier_late_3h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_carrier._carrier_late_3h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_carrier_late_3h,
  CAST(COALESCE(CAST(_profile_carrier._carrier_late_8h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_carrier._carrier_late_8h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_carrier_late_8h,
  CAST(COALESCE(_profile_carrier._carrier_departing_count, 0) AS DOUBLE PRECISION) AS _profile_carrier_departing,
  CAST(COALESCE(CAST(_profile_origin._origin_late_2h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_origin._origin_late_2h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_origin_late_2h,
  CAST(COALESCE(CAST(_profile_origin._origin_late_3h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_origin._origin_late_3h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_origin_late_3h,
  CAST(COALESCE(CAST(_profile_origin._origin_late_8h_frauds AS DOUBLE PRECISION) / NULLIF(_profile_origin._origin_late_8h_count, 0), 0) AS DOUBLE PRECISION) AS _profile_origin_late_8h,
  CAST(COALESCE(_profile_origin._origin_departing_count, 0) AS DOUBLE PRECISION) AS _profile_origin_departing,
  CAST((COALESCE(_profile_origin._origin_visib_6h_sum, 0)) / NULLIF(_profile_origin._origin_visib_6h_count, 0) AS DOUBLE PRECISION) AS _profile_origin_visib_6h,
  CAST(_profile_origin._origin_visib_least_extreme AS DOUBLE PRECISION) AS _profile_origin_visib_least,
  CAST((COALESCE(_profile_origin._origin_rain_6h_sum, 0)) AS DOUBLE PRECISION) AS _profile_origin_rain_6h,
  CAST((COALESCE(_profile_origin._pressure_mean_sum, 0)) / NULLIF(_profile_origin._pressure_mean_count, 0) AS DOUBLE PRECISION) AS _profile_pressure_mean,
  CAST(COALESCE(CAST(_profile_route._route_late_1d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_route._route_late_1d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_route_late_1d,
  CAST(COALESCE(CAST(_profile_route._route_late_30d_frauds AS DOUBLE PRECISION) / NULLIF(_profile_route._route_late_30d_count, 0), 0) AS DOUBLE PRECISION) AS _profile_route_late_30d
FROM held
LEFT JOIN _past_tail_number ON _past_tail_number._identity = held._identity
LEFT JOIN _past_carrier ON _past_carrier._identity = held._identity
LEFT JOIN _past_origin ON _past_origin._identity = held._identity
LEFT JOIN _past_route ON _past_route._identity = held._identity
LEFT JOIN _profile_tail_number ON _profile_tail_number.tail_number = held.tail_number AND _profile_tail_number._cut_off = held._cut_off
LEFT JOIN _profile_carrier ON _profile_carrier.carrier = held.carrier AND _profile_carrier._cut_off = held._cut_off
LEFT JOIN _profile_origin ON _profile_origin.origin = held.origin AND _profile_origin._cut_off = held._cut_off
LEFT JOIN _profile_route ON _profile_route.route = held.route AND _profile_route._cut_off = held._cut_off
LEFT JOIN fraud_reports label
  ON label.transaction_id = held.transaction_id AND label.reported_at <= CAST(''2026-02-08T00:00:00.000000Z'' AS TIMESTAMPTZ)')
TO 's3://bucket/unload/'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT CSV HEADER GZIP PARALLEL OFF ALLOWOVERWRITE;
