-- Written by `make sql`.
SELECT transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, identity_hash, arrived_at, decision_id, action, score, bundle_version, decided_at, deadline, loaded_at
FROM transactions
WHERE FALSE;

SELECT turn, claim_id, ordinal, transaction_id, occurred_at, amount, tail_number, carrier, origin, route, planned_minutes, local_hour, seats, built, temp, humid, wind_speed, precip, pressure, visib, airline, destination, airport, identity_hash, arrived_at, decision_id, bundle_version, deadline, loaded_at
FROM holds
WHERE FALSE;

SELECT transaction_id, reported_at, arrived_at, is_fraud
FROM fraud_reports
WHERE FALSE;

SELECT transaction_id, identity_hash, occurred_at, transaction_arrived_at, tail_number, carrier, origin, route, reported_at, arrived_at, is_fraud, loaded_at
FROM known_frauds
WHERE FALSE;

SELECT transaction_id
FROM unmatched_reports
WHERE FALSE;

SELECT transaction_id, decision_id, action, score, bundle_version, settled_by, decided_at, held_ms
FROM outcomes
WHERE FALSE;
