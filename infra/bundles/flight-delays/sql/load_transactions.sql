-- Written by `make sql`.
LOCK lock_transactions;

CREATE TEMP TABLE incoming (LIKE transactions, _hold_group VARCHAR(16), _hold_index INTEGER);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE hold_group (_hold_group VARCHAR(16), _first INTEGER);

INSERT INTO hold_group VALUES ('0000000000000000',0),('0000000000000001',20);

INSERT INTO holds (turn, claim_id, ordinal, transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, identity_hash, arrived_at, decision_id, bundle_version, deadline)
SELECT 7, '0123456789abcdef', _placed._ordinal, _placed.transaction_id, _placed.occurred_at, _placed.amount, _placed.tail_number, _placed.carrier, _placed.origin, _placed.route, _placed.planned_minutes, _placed.local_hour, _placed.seats, _placed.built, _placed.temp, _placed.humid, _placed.wind_speed, _placed.precip, _placed.pressure, _placed.visib, _placed.airline, _placed.destination, _placed.airport, _placed.identity_hash, _placed.arrived_at, _placed.decision_id, _placed.bundle_version, _placed.deadline
FROM (
  SELECT
    hold_group._first + incoming._hold_index AS _ordinal, incoming.transaction_id, incoming.occurred_at, incoming.amount, incoming.tail_number, incoming.carrier, incoming.origin, incoming.route, incoming.planned_minutes, incoming.local_hour, incoming.seats, incoming.built, incoming.temp, incoming.humid, incoming.wind_speed, incoming.precip, incoming.pressure, incoming.visib, incoming.airline, incoming.destination, incoming.airport, incoming.identity_hash, incoming.arrived_at, incoming.decision_id, incoming.bundle_version, incoming.deadline,
    ROW_NUMBER() OVER (PARTITION BY hold_group._first + incoming._hold_index ORDER BY incoming.arrived_at) AS _rank
  FROM incoming
  JOIN hold_group ON hold_group._hold_group = incoming._hold_group
) _placed
LEFT JOIN holds _known
  ON _known.turn = 7 AND _known.claim_id = '0123456789abcdef'
  AND _known.ordinal = _placed._ordinal
WHERE _placed._rank = 1 AND _known.turn IS NULL;

INSERT INTO transactions (transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline)
SELECT _ranked.transaction_id, _ranked.occurred_at, _ranked.amount, _ranked.tail_number, _ranked.carrier, _ranked.origin, _ranked.route, _ranked.planned_minutes, _ranked.local_hour, _ranked.seats, _ranked.built, _ranked.temp, _ranked.humid, _ranked.wind_speed, _ranked.precip, _ranked.pressure, _ranked.visib, _ranked.airline, _ranked.destination, _ranked.airport, _ranked.identity_hash, _ranked.arrived_at, _ranked.decision_id, _ranked.action, _ranked.score, _ranked.bundle_version, _ranked.decided_at, _ranked.deadline
FROM (
  SELECT
    transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline,
    ROW_NUMBER() OVER (PARTITION BY transaction_id, identity_hash ORDER BY arrived_at, decision_id) AS _rank
  FROM incoming
) _ranked
LEFT JOIN transactions _known
  ON _known.transaction_id = _ranked.transaction_id
  AND (_known.identity_hash = _ranked.identity_hash
    OR _known.identity_hash IS NULL OR _ranked.identity_hash IS NULL)
  AND (_known.occurred_at >= CAST('1970-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND _known.occurred_at <= CAST('1970-01-01T02:00:00.000000Z' AS TIMESTAMPTZ)
    OR _known.occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND _known.occurred_at <= CAST('2026-01-01T03:00:00.000000Z' AS TIMESTAMPTZ))
WHERE _ranked._rank = 1 AND _known.transaction_id IS NULL;
