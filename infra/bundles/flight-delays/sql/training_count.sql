-- Written by `make sql`.
WITH _labels AS (
  SELECT
    report.transaction_id AS _transaction_id, report.is_fraud AS _is_fraud,
    ROW_NUMBER() OVER (PARTITION BY report.transaction_id ORDER BY report.reported_at DESC, report.arrived_at DESC, CASE WHEN report.is_fraud THEN 0 ELSE 1 END) AS _rank
  FROM fraud_reports report
  WHERE report.reported_at <= CAST('2026-02-08T00:00:00.000000Z' AS TIMESTAMPTZ)
)
SELECT
  COUNT(CASE WHEN _labels._is_fraud THEN 1 END) AS frauds,
  COUNT(CASE WHEN _labels._is_fraud THEN NULL ELSE 1 END) AS good
FROM transactions
LEFT JOIN _labels
  ON _labels._transaction_id = transactions.transaction_id AND _labels._rank = 1
WHERE occurred_at >= CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ) AND occurred_at < CAST('2026-02-01T00:00:00.000000Z' AS TIMESTAMPTZ)
  AND (_labels._is_fraud
    OR SUBSTRING(MD5(transaction_id || ':2013'), 1, 8) < '40000000');
