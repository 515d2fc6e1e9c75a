"""boto3 and the AWS CLI against the stand-in; argument: the aws program. Fails by an assertion."""

import json
import subprocess
import sys
import time

import boto3
from botocore.exceptions import ClientError

client = boto3.client("redshift-data")
where = {"WorkgroupName": "local", "Database": "dev"}


def ended(statement_id):
    while True:
        description = client.describe_statement(Id=statement_id)
        if description["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            return description
        time.sleep(0.02)


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call} was not refused")


batch = client.batch_execute_statement(
    **where,
    Sqls=["CREATE TABLE t (n INTEGER, s VARCHAR(9))", "INSERT INTO t SELECT n, 's' || n FROM generate_series(1, 7) AS g(n)"],
    StatementName="fill",
    ClientToken="a-token",
)
description = ended(batch["Id"])
assert description["Status"] == "FINISHED", description
assert [sub["Id"] for sub in description["SubStatements"]] == [batch["Id"] + ":1", batch["Id"] + ":2"]

query = client.execute_statement(
    **where, Sql="SELECT n, s FROM t WHERE n >= :least ORDER BY n", Parameters=[{"name": "least", "value": "2"}]
)
description = ended(query["Id"])
assert description["ResultRows"] == 6, description
pages = list(client.get_paginator("get_statement_result").paginate(Id=query["Id"]))
rows = [row for page in pages for row in page["Records"]]
assert len(pages) == 2 and rows[0] == [{"longValue": 2}, {"stringValue": "s2"}], pages

assert refused(client.describe_statement, Id="2b3dc0a0-0000-4000-8000-000000000000") == "ResourceNotFoundException"
failed = ended(client.execute_statement(**where, Sql="SELECT 1 / 0")["Id"])
assert failed["Status"] == "FAILED" and "division by zero" in failed["Error"], failed
assert refused(client.get_statement_result, Id=failed["Id"]) == "ResourceNotFoundException"
assert [s["StatementName"] for s in client.list_statements(StatementName="fi")["Statements"]] == ["fill"]


def aws(*arguments):
    done = subprocess.run([sys.argv[1], "redshift-data", *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


of_cli = aws("execute-statement", "--workgroup-name", "local", "--database", "dev", "--sql", "SELECT SUM(n) AS s FROM t")
ended(of_cli["Id"])
assert aws("get-statement-result", "--id", of_cli["Id"])["Records"] == [[{"longValue": 28}]]
print("boto3 and the AWS CLI agree")
