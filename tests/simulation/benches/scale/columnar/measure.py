"""Runs the product's SQL on DuckDB over histories of several sizes, and counts the rows it reads.

    python measure.py PLAN

PLAN is a JSON file that the benchmark writes: the statements, and the sizes of the histories. The
figures go to standard output as JSON, progress to standard error.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
from evidence import checked
from history import History
from rewrites import Rewrites

CHECKED_HOLDS = 40


def main():
    plan = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(plan["folder"])
    file = folder / "history.duckdb"
    file.unlink(missing_ok=True)
    try:
        print(json.dumps(measured(plan, file)))
    finally:
        file.unlink(missing_ok=True)


def measured(plan, file):
    settings = {"threads": plan["threads"], "memory_limit": plan["memory_limit"]}
    with duckdb.connect(str(file), config=settings) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET autoinstall_known_extensions = false")
        # Redshift skips no blocks by the rows of a join.
        connection.execute("SET disabled_optimizers = 'join_filter_pushdown'")
        rewrites = Rewrites(plan["tables"])
        for statement in rewrites.of(plan["tables"]):
            connection.execute(statement)
        bench = Bench(connection, History(connection, plan), rewrites, file.with_suffix(".json"))
        histories = [bench.figures(history) for history in plan["histories"]]
        return {"histories": histories, "unused_rewrites": rewrites.unused()}


class Bench:
    def __init__(self, connection, history, rewrites, profile):
        self.connection = connection
        self.history = history
        self.rewrites = rewrites
        self.profile = profile
        self.staging = {"load": history.stage_transactions, "labels": history.stage_reports}

    def figures(self, plan):
        """The figures of the history of the next size."""
        started = time.monotonic()
        self.history.grow(plan["rows"])
        seconds = time.monotonic() - started
        progress(f"{plan['rows']:,} rows generated in {seconds:.0f} s")
        figures = {"history_rows": plan["rows"], "generation_s": seconds}
        figures["rows_by_table"] = self.history.counts()
        for name, statements in plan["statements"].items():
            reading = self.reading(name, self.rewrites.of(statements))
            figures |= {f"{name}_{figure}": value for figure, value in reading.items()}
            progress(f"  {name}: {reading}")
        [evidence] = self.rewrites.of(plan["statements"]["evidence"])
        holds = self.history.some_holds(CHECKED_HOLDS)
        figures["check"] = checked(self.connection, evidence, holds, plan["cut_off"])
        progress(f"  check: {figures['check']}")
        return figures

    def reading(self, name, statements):
        """What the statements read. They run in a transaction that is rolled back, so each
        measurement finds the same history."""
        if name in self.staging:
            self.staging[name]()
        before = self.history.counts()
        self.connection.execute("BEGIN")
        reading = Reading()
        for statement in statements:
            reading.add(*self.run(statement))
        after = self.history.counts()
        self.connection.execute("ROLLBACK")
        inserted = {table: after[table] - before[table] for table in after}
        return {**reading.figures(), "inserted": inserted}

    def run(self, statement):
        """The profile of a statement and its seconds."""
        self.connection.execute("SET enable_profiling = 'json'")
        self.connection.execute(f"SET profile_output = '{self.profile}'")
        self.connection.execute("SET profiling_coverage = 'ALL'")
        started = time.monotonic()
        self.connection.execute(statement).fetchall()
        seconds = time.monotonic() - started
        profile = json.loads(self.profile.read_text())
        self.profile.unlink()
        self.connection.execute("PRAGMA disable_profiling")
        return profile, seconds


class Reading:
    """The rows that statements read, by table, and their time."""

    def __init__(self):
        self.rows = Counter()
        self.seconds = 0.0

    def add(self, profile, seconds):
        self.seconds += seconds
        scanned = self.add_scans(profile["operator"])
        total = profile["query"]["total_rows_scanned"]
        assert scanned == total, f"scans of {scanned} rows found, of {total}"

    def add_scans(self, operators):
        scanned = 0
        for operator in operators:
            rows = operator.get("rows_scanned", 0)
            table = operator.get("extra_info", {}).get("Table", "").split(".")[-1]
            # The rows of the staging table stand for files.
            if rows and table != "staged":
                self.rows[table] += rows
            scanned += rows + self.add_scans(operator.get("children", []))
        return scanned

    def figures(self):
        rows = {"rows_read": sum(self.rows.values()), "rows_read_by_table": dict(self.rows)}
        return {**rows, "s": self.seconds}


def progress(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
