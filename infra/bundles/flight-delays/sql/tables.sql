-- Written by `make sql`.
CREATE TABLE IF NOT EXISTS transactions (
  transaction_id VARCHAR(256) NOT NULL,
  occurred_at TIMESTAMPTZ,
  amount DOUBLE PRECISION,
  tail_number VARCHAR(256),
  carrier VARCHAR(256),
  origin VARCHAR(256),
  route VARCHAR(256),
  planned_minutes DOUBLE PRECISION,
  local_hour DOUBLE PRECISION,
  seats DOUBLE PRECISION,
  built DOUBLE PRECISION,
  temp DOUBLE PRECISION,
  humid DOUBLE PRECISION,
  wind_speed DOUBLE PRECISION,
  precip DOUBLE PRECISION,
  pressure DOUBLE PRECISION,
  visib DOUBLE PRECISION,
  airline VARCHAR(256),
  destination VARCHAR(256),
  airport VARCHAR(256),
  identity_hash VARCHAR(64),
  arrived_at TIMESTAMPTZ,
  decision_id VARCHAR(256),
  action VARCHAR(64),
  score DOUBLE PRECISION,
  bundle_version VARCHAR(64),
  decided_at TIMESTAMPTZ,
  deadline TIMESTAMPTZ,
  loaded_at TIMESTAMPTZ DEFAULT SYSDATE
)
DISTKEY (tail_number)
SORTKEY (occurred_at);

CREATE TABLE IF NOT EXISTS holds (
  turn BIGINT NOT NULL,
  claim_id VARCHAR(64),
  ordinal INTEGER,
  transaction_id VARCHAR(256),
  occurred_at TIMESTAMPTZ,
  amount DOUBLE PRECISION,
  tail_number VARCHAR(256),
  carrier VARCHAR(256),
  origin VARCHAR(256),
  route VARCHAR(256),
  planned_minutes DOUBLE PRECISION,
  local_hour DOUBLE PRECISION,
  seats DOUBLE PRECISION,
  built DOUBLE PRECISION,
  temp DOUBLE PRECISION,
  humid DOUBLE PRECISION,
  wind_speed DOUBLE PRECISION,
  precip DOUBLE PRECISION,
  pressure DOUBLE PRECISION,
  visib DOUBLE PRECISION,
  airline VARCHAR(256),
  destination VARCHAR(256),
  airport VARCHAR(256),
  identity_hash VARCHAR(64),
  arrived_at TIMESTAMPTZ,
  decision_id VARCHAR(256),
  bundle_version VARCHAR(64),
  deadline TIMESTAMPTZ,
  loaded_at TIMESTAMPTZ DEFAULT SYSDATE
)
DISTKEY (tail_number)
SORTKEY (turn);

CREATE TABLE IF NOT EXISTS fraud_reports (
  transaction_id VARCHAR(256) NOT NULL,
  reported_at TIMESTAMPTZ,
  arrived_at TIMESTAMPTZ,
  is_fraud BOOLEAN
)
DISTKEY (transaction_id)
SORTKEY (transaction_id);

CREATE TABLE IF NOT EXISTS known_frauds (
  transaction_id VARCHAR(256) NOT NULL,
  identity_hash VARCHAR(64),
  occurred_at TIMESTAMPTZ,
  transaction_arrived_at TIMESTAMPTZ,
  tail_number VARCHAR(256),
  carrier VARCHAR(256),
  origin VARCHAR(256),
  route VARCHAR(256),
  reported_at TIMESTAMPTZ,
  arrived_at TIMESTAMPTZ,
  is_fraud BOOLEAN,
  loaded_at TIMESTAMPTZ DEFAULT SYSDATE
)
DISTKEY (tail_number)
SORTKEY (tail_number);

CREATE TABLE IF NOT EXISTS unmatched_reports (
  transaction_id VARCHAR(256) NOT NULL
)
DISTKEY (transaction_id)
SORTKEY (transaction_id);

CREATE TABLE IF NOT EXISTS outcomes (
  transaction_id VARCHAR(256) NOT NULL,
  decision_id VARCHAR(256),
  action VARCHAR(64),
  score DOUBLE PRECISION,
  bundle_version VARCHAR(64),
  settled_by VARCHAR(64),
  decided_at TIMESTAMPTZ,
  held_ms BIGINT
)
DISTKEY (transaction_id)
SORTKEY (decided_at);

CREATE TABLE IF NOT EXISTS lock_transactions (locked INTEGER);

CREATE TABLE IF NOT EXISTS lock_labels (locked INTEGER);

CREATE TABLE IF NOT EXISTS lock_outcomes (locked INTEGER);
