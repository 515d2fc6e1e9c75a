-- Written by `make sql`.
WITH digit AS (
  SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), number AS (
  SELECT ones.n + 10 * tens.n + 100 * hundreds.n AS n
  FROM digit ones CROSS JOIN digit tens CROSS JOIN digit hundreds
), item AS (
  SELECT JSON_EXTRACT_ARRAY_ELEMENT_TEXT(CAST(:holds_0 AS VARCHAR(65535)), n) AS hold
  FROM number
  WHERE n < JSON_ARRAY_LENGTH(CAST(:holds_0 AS VARCHAR(65535)))
), held AS (
  SELECT
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'transaction_id') AS VARCHAR(256)) AS transaction_id,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'occurred_at') AS TIMESTAMPTZ) AS occurred_at,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'amount') AS DOUBLE PRECISION) AS amount,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'tail_number') AS VARCHAR(256)) AS tail_number,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'carrier') AS VARCHAR(256)) AS carrier,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'origin') AS VARCHAR(256)) AS origin,
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'route') AS VARCHAR(256)) AS route,
    CAST(NULLIF(JSON_EXTRACT_PATH_TEXT(hold, 'precip'), '') AS DOUBLE PRECISION) AS precip,
    CAST(NULLIF(JSON_EXTRACT_PATH_TEXT(hold, 'pressure'), '') AS DOUBLE PRECISION) AS pressure,
    CAST(NULLIF(JSON_EXTRACT_PATH_TEXT(hold, 'visib'), '') AS DOUBLE PRECISION) AS visib
  FROM item
), _past_tail_number AS (
  SELECT
    held.transaction_id,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '54000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' THEN 1 END) AS _plane_late_12h_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '54000 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' AND report.is_fraud THEN 1 END) AS _plane_late_12h_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' THEN 1 END) AS _plane_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' AND report.is_fraud THEN 1 END) AS _plane_late_30d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at THEN 1 END) AS _plane_flights_12h_count
  FROM held
  LEFT JOIN transactions past
    ON past.tail_number = held.tail_number
    AND past.transaction_id <> held.transaction_id
    AND past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.transaction_id
), _past_carrier AS (
  SELECT
    held.transaction_id,
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
    AND past.transaction_id <> held.transaction_id
    AND past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.transaction_id
), _past_origin AS (
  SELECT
    held.transaction_id,
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
    AND past.transaction_id <> held.transaction_id
    AND past.occurred_at > held.occurred_at - INTERVAL '43200 seconds' AND past.occurred_at <= held.occurred_at
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.transaction_id
), _past_route AS (
  SELECT
    held.transaction_id,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '97200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' THEN 1 END) AS _route_late_1d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '97200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds' AND report.is_fraud THEN 1 END) AS _route_late_1d_frauds,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' THEN 1 END) AS _route_late_30d_count,
    COUNT(CASE WHEN past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '43200 seconds' AND report.is_fraud THEN 1 END) AS _route_late_30d_frauds
  FROM held
  LEFT JOIN transactions past
    ON past.route = held.route
    AND past.transaction_id <> held.transaction_id
    AND past.occurred_at > held.occurred_at - INTERVAL '2635200 seconds' AND past.occurred_at <= held.occurred_at - INTERVAL '10800 seconds'
  LEFT JOIN fraud_reports report
    ON report.transaction_id = past.transaction_id AND report.reported_at <= held.occurred_at
  GROUP BY held.transaction_id
)
SELECT
  held.transaction_id,
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
LEFT JOIN _past_tail_number ON _past_tail_number.transaction_id = held.transaction_id
LEFT JOIN _past_carrier ON _past_carrier.transaction_id = held.transaction_id
LEFT JOIN _past_origin ON _past_origin.transaction_id = held.transaction_id
LEFT JOIN _past_route ON _past_route.transaction_id = held.transaction_id;
