"""A history that grows by days. Everything about a transaction follows from its number."""

# Eight of DuckDB's row groups, so that each history ends at the same place of a row group.
MICROSECONDS_PER_EIGHT_ROWS = 703_125  # 983,040 rows a day
ROWS_PER_TURN = 50_000
CUSTOMERS = 500_000
TERMINALS = 50_000
REPORTS = 1_000

# The transaction number i. Every 50th is held. One in 100 arrives two hours late.
TRANSACTION = f"""
  SELECT
    i,
    't' || i AS transaction_id,
    make_timestamptz({{start}} + i * {MICROSECONDS_PER_EIGHT_ROWS} // 8) AS occurred_at,
    (hash(i) % 20000)::DOUBLE / 100 AS amount,
    'c' || (hash(i * 7 + 1) % {CUSTOMERS}) AS customer_id,
    'm' || (hash(i * 11 + 2) % {TERMINALS}) AS terminal_id,
    'h' || (hash(i * 13 + 3) % 1000000000) AS identity_hash,
    occurred_at + CASE WHEN hash(i * 17 + 4) % 100 = 0 THEN INTERVAL '2 hours'
      ELSE INTERVAL '250 milliseconds' END AS arrived_at,
    'd' || i AS decision_id,
    CASE WHEN i % 50 = 0 THEN 'hold' ELSE 'approve' END AS action,
    (hash(i * 19 + 5) % 1000)::DOUBLE / 1000 AS score,
    'v' || (i // 1000000) AS bundle_version,
    occurred_at + INTERVAL '400 milliseconds' AS decided_at,
    CASE WHEN i % 50 = 0 THEN occurred_at + INTERVAL '10 minutes' END AS deadline,
    occurred_at + INTERVAL '5 seconds' AS loaded_at
  FROM range({{first}}, {{end}}) numbers(i)
"""

# One in 500 is a fraud, reported one to seven days later. One fraud in 50 is retracted a day later.
REPORT = """
  SELECT
    fraud.* EXCLUDE (arrived_at), fraud.arrived_at AS transaction_arrived_at,
    fraud.occurred_at + to_seconds(86400 + (hash(i * 29 + 7) % 518400)::BIGINT)
      + kind.after AS reported_at,
    reported_at + INTERVAL '1 minute' AS arrived_at, kind.is_fraud
  FROM ({transactions} WHERE hash(i * 23 + 6) % 500 = 0) fraud
  JOIN (VALUES (TRUE, INTERVAL '0 days'), (FALSE, INTERVAL '1 day')) kind(is_fraud, after)
    ON kind.is_fraud OR hash(i * 31 + 8) % 50 = 0
"""
LONGEST_REPORT_ROWS = 9_000_000


class History:
    def __init__(self, connection, plan):
        self.connection = connection
        self.start = plan["start"]
        self.claim_id = plan["claim_id"]
        self.claim_of_1970 = plan["claim_of_1970"]
        self.rows = 0

    def grow(self, rows):
        """Adds the next days. All tables are in the order of their time."""
        before = self.rows
        self.rows = rows
        self.turn = rows // ROWS_PER_TURN
        self.insert("transactions", f"SELECT * EXCLUDE (i) FROM ({self.transactions(before)})")
        self.insert_holds(before, f"i // {ROWS_PER_TURN}", "earlier")
        if before == 0:
            self.insert_transaction_of_1970()
        last = rows - ROWS_PER_TURN
        self.insert_holds(last, self.turn, self.claim_id)
        self.insert_holds_with_1970()
        reports = f"""SELECT * FROM ({self.reports(before)})
          WHERE reported_at > {self.time(before)} AND reported_at <= {self.time(rows)}
          ORDER BY reported_at"""
        columns = "transaction_id, reported_at, arrived_at, is_fraud"
        self.insert("fraud_reports", f"SELECT {columns} FROM ({reports})")
        columns = f"{columns}, identity_hash, occurred_at, transaction_arrived_at, customer_id"
        self.insert("known_frauds", f"SELECT {columns}, terminal_id FROM ({reports})")
        self.connection.execute("CHECKPOINT")

    def insert_transaction_of_1970(self):
        """After the others, as a load would append it."""
        self.insert(
            "transactions",
            """SELECT * REPLACE ('t1970' AS transaction_id, 'h1970' AS identity_hash,
              TIMESTAMPTZ '1970-01-01 00:30:00Z' AS occurred_at)
            FROM transactions WHERE transaction_id = 't0'""",
        )

    def insert_holds(self, first, turn, claim_id):
        """Of the rows from this one on."""
        ordinal = f"(i - {first}) % {ROWS_PER_TURN} // 50"
        self.insert(
            "holds",
            f"""SELECT * EXCLUDE (i, action, score, decided_at),
              {turn} AS turn, '{claim_id}' AS claim_id, {ordinal} AS ordinal
            FROM ({self.transactions(first)}) WHERE (i - {first}) % 50 = 0""",
        )

    def insert_holds_with_1970(self):
        """The same holds under a claim of their own, the last one replaced."""
        is_last = f"ordinal = {ROWS_PER_TURN // 50 - 1}"
        self.insert(
            "holds",
            f"""SELECT * REPLACE ('{self.claim_of_1970}' AS claim_id,
              CASE WHEN {is_last} THEN 't1970' ELSE transaction_id END AS transaction_id,
              CASE WHEN {is_last} THEN 'h1970' ELSE identity_hash END AS identity_hash,
              CASE WHEN {is_last} THEN TIMESTAMPTZ '1970-01-01 00:30:00Z'
                ELSE occurred_at END AS occurred_at)
            FROM holds WHERE turn = {self.turn} AND claim_id = '{self.claim_id}'""",
        )

    def some_holds(self, number):
        """Of the last turn, evenly spread."""
        columns = "ordinal, transaction_id, occurred_at, arrived_at, customer_id, terminal_id"
        rows = self.connection.execute(
            f"""SELECT {columns} FROM holds
            WHERE turn = {self.turn} AND claim_id = '{self.claim_id}'
              AND ordinal % {1_000 // number} = 0"""
        )
        return [dict(zip(columns.split(", "), row)) for row in rows.fetchall()]

    def stage_transactions(self):
        """The files of one load: one half is known already, one half is new."""
        half = ROWS_PER_TURN // 2
        first = self.rows - half
        self.stage(
            f"""SELECT * EXCLUDE (i),
              CASE WHEN (i - {first}) % 50 = 0
                THEN printf('%016x', (i - {first}) // 5000) END AS _hold_group,
              CASE WHEN (i - {first}) % 50 = 0
                THEN (i - {first}) % 5000 // 50 END AS _hold_index
            FROM ({self.transactions(first, self.rows + half)})"""
        )

    def stage_reports(self):
        """The next reports, all of them new."""
        self.stage(
            f"""SELECT transaction_id, reported_at, arrived_at, is_fraud, occurred_at
            FROM ({self.reports(self.rows)}) WHERE reported_at > {self.time(self.rows)}
            ORDER BY reported_at LIMIT {REPORTS}"""
        )

    def counts(self):
        """The rows of each table that a load writes."""
        tables = ["transactions", "holds", "fraud_reports", "known_frauds", "unmatched_reports"]
        count = "SELECT COUNT(*) FROM {}".format
        return {table: self.connection.execute(count(table)).fetchone()[0] for table in tables}

    def insert(self, table, query):
        self.connection.execute(f"INSERT INTO {table} BY NAME {query}")

    def stage(self, query):
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {query}")

    def time(self, row):
        return f"make_timestamptz({self.start + row * MICROSECONDS_PER_EIGHT_ROWS // 8})"

    def transactions(self, first, end=None):
        return TRANSACTION.format(start=self.start, first=first, end=end or self.rows)

    def reports(self, after):
        """All reports that can be made after this row's time."""
        first = max(0, after - LONGEST_REPORT_ROWS)
        return REPORT.format(transactions=self.transactions(first))
