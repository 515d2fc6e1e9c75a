"""The evidence of card-fraud's windows, computed in Python from the rows themselves."""

import math
from collections import defaultdict
from datetime import datetime, timedelta
from statistics import pvariance

DELAY = timedelta(days=7)
TERMINAL_DAYS = [1, 3, 7, 28]
CUSTOMER_WINDOWS = ["mean_7d", "mean_30d", "sd_14d"]


def checked(connection, statement, holds, cut_off):
    """Compares the evidence of some holds with that computed here."""
    cut_off = datetime.fromisoformat(cut_off)
    cursor = connection.execute(statement)
    names = [column[0] for column in cursor.description]
    evidence = {row[0]: dict(zip(names, row)) for row in cursor.fetchall()}
    rows = Rows(connection, holds)
    found = {"holds": len(evidence), "checked": len(holds), "wrong": [], "rows": 0, "frauds": 0}
    for hold in holds:
        expected = expected_evidence(hold, rows, cut_off)
        found["rows"] += expected["_recent_customer_mean_7d_values"]
        found["rows"] += expected["_recent_terminal_count_1d_rows"]
        found["frauds"] += expected["_recent_terminal_fraud_rate_28d_frauds"]
        actual = evidence.get(hold["ordinal"], {})
        if not is_equal(actual, expected):
            found["wrong"].append({"expected": expected, "actual": actual})
    found["wrong"] = repr(found["wrong"][:1]) if found["wrong"] else None
    return found


class Rows:
    """All rows of the holds' customers and terminals, of the whole history."""

    def __init__(self, connection, holds):
        columns = "transaction_id, occurred_at, arrived_at, amount"
        self.of_customer = self.of(connection, holds, "transactions", "customer_id", columns)
        self.of_terminal = self.of(connection, holds, "transactions", "terminal_id", columns)
        columns = (
            "transaction_id, occurred_at, transaction_arrived_at, reported_at, arrived_at, is_fraud"
        )
        self.reports = self.of(connection, holds, "known_frauds", "terminal_id", columns)

    @staticmethod
    def of(connection, holds, table, entity, columns):
        names = sorted({hold[entity] for hold in holds})
        cursor = connection.execute(
            f"SELECT {entity}, {columns} FROM {table} WHERE {entity} IN (SELECT unnest(?))", [names]
        )
        rows = defaultdict(list)
        columns = columns.split(", ")
        for name, *values in cursor.fetchall():
            rows[name].append(dict(zip(columns, values)))
        return rows


def expected_evidence(hold, rows, cut_off):
    occurred_at = hold["occurred_at"]
    amounts = [
        row["amount"]
        for row in rows.of_customer[hold["customer_id"]]
        if counts(row, hold) and cut_off < row["occurred_at"] <= occurred_at
    ]
    delayed = [
        row
        for row in rows.of_terminal[hold["terminal_id"]]
        if counts(row, hold) and cut_off - DELAY < row["occurred_at"] <= occurred_at - DELAY
    ]
    frauds = known_frauds(hold, rows)
    evidence = {"ordinal": hold["ordinal"], "_id_conflict": False}
    for window in CUSTOMER_WINDOWS:
        evidence[f"_recent_customer_{window}_values"] = len(amounts)
        evidence[f"_recent_customer_{window}_sum"] = math.fsum(amounts) if amounts else None
    variance = pvariance(amounts) if amounts else None
    evidence["_recent_customer_sd_14d_variance"] = variance
    for days in TERMINAL_DAYS:
        evidence[f"_recent_terminal_count_{days}d_rows"] = len(delayed)
        evidence[f"_recent_terminal_fraud_rate_{days}d_rows"] = len(delayed)
        begin = cut_off - DELAY - timedelta(days=days)
        end = max(occurred_at, cut_off) - DELAY
        number = sum(1 for fraud in frauds if begin < fraud["occurred_at"] <= end)
        evidence[f"_recent_terminal_fraud_rate_{days}d_frauds"] = number
    return evidence


def known_frauds(hold, rows):
    """The terminal's transactions whose latest report, as of the hold, says fraud."""
    latest = {}
    for report in rows.reports[hold["terminal_id"]]:
        is_known = (
            report["transaction_id"] != hold["transaction_id"]
            and report["transaction_arrived_at"] <= hold["arrived_at"]
            and report["reported_at"] <= hold["occurred_at"]
            and report["arrived_at"] <= hold["arrived_at"]
        )
        before = latest.get(report["transaction_id"])
        if is_known and (before is None or before["reported_at"] < report["reported_at"]):
            latest[report["transaction_id"]] = report
    return [report for report in latest.values() if report["is_fraud"]]


def counts(row, hold):
    is_other = row["transaction_id"] != hold["transaction_id"]
    return is_other and row["arrived_at"] <= hold["arrived_at"]


def is_equal(actual, expected):
    if actual.keys() != expected.keys():
        return False
    return all(is_close(actual[name], expected[name]) for name in expected)


def is_close(actual, expected):
    if actual is None or expected is None:
        return actual is expected
    return math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-9)
