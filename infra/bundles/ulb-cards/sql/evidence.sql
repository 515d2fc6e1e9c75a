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
    CAST(JSON_EXTRACT_PATH_TEXT(hold, 'amount') AS DOUBLE PRECISION) AS amount
  FROM item
)
SELECT
  held.transaction_id
FROM held;
