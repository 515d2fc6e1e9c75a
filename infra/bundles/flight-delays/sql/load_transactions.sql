-- Written by `make sql`.
CREATE TEMP TABLE incoming (LIKE transactions);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE latest AS
SELECT transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, decision_id, action, score, model_version, decided_at, deadline
FROM (
  SELECT
    transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, decision_id, action, score, model_version, decided_at, deadline,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY decided_at DESC NULLS LAST, occurred_at DESC NULLS LAST) AS _rank
  FROM incoming
) ranked
WHERE _rank = 1;

MERGE INTO transactions
USING latest ON transactions.transaction_id = latest.transaction_id
WHEN MATCHED THEN UPDATE SET
  occurred_at = latest.occurred_at,
  amount = latest.amount,
  tail_number = latest.tail_number,
  carrier = latest.carrier,
  origin = latest.origin,
  route = latest.route,
  planned_minutes = latest.planned_minutes,
  local_hour = latest.local_hour,
  seats = latest.seats,
  built = latest.built,
  temp = latest.temp,
  humid = latest.humid,
  wind_speed = latest.wind_speed,
  precip = latest.precip,
  pressure = latest.pressure,
  visib = latest.visib,
  airline = latest.airline,
  destination = latest.destination,
  airport = latest.airport,
  decision_id = latest.decision_id,
  action = latest.action,
  score = latest.score,
  model_version = latest.model_version,
  decided_at = latest.decided_at,
  deadline = latest.deadline
WHEN NOT MATCHED THEN INSERT (transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, decision_id, action, score, model_version, decided_at, deadline)
VALUES (latest.transaction_id, latest.occurred_at, latest.amount, latest.tail_number, latest.carrier, latest.origin, latest.route, latest.planned_minutes, latest.local_hour, latest.seats, latest.built, latest.temp, latest.humid, latest.wind_speed, latest.precip, latest.pressure, latest.visib, latest.airline, latest.destination, latest.airport, latest.decision_id, latest.action, latest.score, latest.model_version, latest.decided_at, latest.deadline);
