-- Written by `make sql`.
SELECT table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name IN ('transactions', 'holds', 'fraud_reports', 'known_frauds', 'unmatched_reports', 'outcomes');
