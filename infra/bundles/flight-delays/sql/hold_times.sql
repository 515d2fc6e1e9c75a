-- Written by `make sql`.
SELECT CAST(occurred_at AT TIME ZONE 'UTC' AS VARCHAR(32)) AS occurred_at
FROM holds
WHERE decision_id IN (:id_0, :id_1);
