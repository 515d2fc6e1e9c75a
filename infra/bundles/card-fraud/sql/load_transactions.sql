-- Written by `make sql`.
CREATE TEMP TABLE incoming (LIKE transactions);

COPY incoming
FROM 's3://bucket/manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/redshift'
FORMAT JSON 'auto' GZIP MANIFEST TIMEFORMAT 'auto';

CREATE TEMP TABLE latest AS
SELECT transaction_id, occurred_at, amount, customer_id, terminal_id, decision_id, action, score, model_version, decided_at, deadline
FROM (
  SELECT
    transaction_id, occurred_at, amount, customer_id, terminal_id, decision_id, action, score, model_version, decided_at, deadline,
    ROW_NUMBER() OVER (PARTITION BY transaction_id ORDER BY decided_at DESC NULLS LAST, occurred_at DESC NULLS LAST) AS _rank
  FROM incoming
) ranked
WHERE _rank = 1;

MERGE INTO transactions
USING latest ON transactions.transaction_id = latest.transaction_id
WHEN MATCHED THEN UPDATE SET
  occurred_at = latest.occurred_at,
  amount = latest.amount,
  customer_id = latest.customer_id,
  terminal_id = latest.terminal_id,
  decision_id = latest.decision_id,
  action = latest.action,
  score = latest.score,
  model_version = latest.model_version,
  decided_at = latest.decided_at,
  deadline = latest.deadline
WHEN NOT MATCHED THEN INSERT (transaction_id, occurred_at, amount, customer_id, terminal_id, decision_id, action, score, model_version, decided_at, deadline)
VALUES (latest.transaction_id, latest.occurred_at, latest.amount, latest.customer_id, latest.terminal_id, latest.decision_id, latest.action, latest.score, latest.model_version, latest.decided_at, latest.deadline);
