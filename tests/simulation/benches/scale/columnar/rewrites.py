"""The changes that make the product's SQL run on DuckDB. There are no others."""

import re

# Pattern, replacement, reason. {columns of t} stands for the columns of table t.
REWRITES = [
    (
        r"\nDISTKEY \(\w+\)\nSORTKEY \(\w+\)",
        "",
        "DuckDB has no keys. The history is inserted in the order of the sort key.",
    ),
    (
        r"DEFAULT SYSDATE",
        "DEFAULT CURRENT_TIMESTAMP",
        "The same default under its other name.",
    ),
    (
        r"^LOCK \w+$",
        "",
        "One connection needs no lock.",
    ),
    (
        r"\(LIKE (\w+)",
        r"({columns of \1}",
        "DuckDB has no LIKE in CREATE TABLE: the columns are written out.",
    ),
    (
        r"^COPY incoming\nFROM [\s\S]*$",
        "INSERT INTO incoming BY NAME FROM staged",
        "There is no S3. Rows come from a table that the benchmark fills, which is not counted.",
    ),
]


class Rewrites:
    def __init__(self, tables):
        self.used = set()
        self.columns = {}
        for statement in tables:
            table, columns = re.match(
                r"CREATE TABLE IF NOT EXISTS (\w+) \(([\s\S]*?)\)(?:\nDISTKEY|$)", statement
            ).groups()
            self.columns[table] = self.of_statement(columns.strip())

    def of(self, statements):
        """The statements for DuckDB. A statement that becomes empty is left out."""
        rewritten = [self.of_statement(statement) for statement in statements]
        return [statement for statement in rewritten if statement]

    def of_statement(self, statement):
        for pattern, replacement, _ in REWRITES:
            statement, number = re.subn(pattern, replacement, statement)
            if number:
                self.used.add(pattern)
        return re.sub(r"\{columns of (\w+)\}", self.columns_of, statement)

    def columns_of(self, match):
        return self.columns[match.group(1)]

    def unused(self):
        return [pattern for pattern, _, _ in REWRITES if pattern not in self.used]
