"""Tests of the executor, with small shell scripts as functions. Run them with:
target/venv/bin/python -m unittest discover infra/local/executor
"""

import json
import os
import tempfile
import time
import unittest
import uuid
from pathlib import Path
from types import SimpleNamespace

os.environ["LOCALSTACK_VOLUME_DIR"] = os.environ["FILESYSTEM_ROOT"] = tempfile.mkdtemp()

from hostprocess import Executor, StatusErrorException  # noqa: E402

NEXT = """
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
next() {
    id=$(curl -sf -D - -o event "$api/invocation/next" | tr -d '\\r' |
        sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
    [ "$id" ]
}
respond() { curl -sf -o /dev/null "$@" "$api/invocation/$id/response"; }
"""
ECHO = NEXT + "while next; do echo saw $id; respond --data-binary @event; done"


class HostProcess(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.code, self.logs = Path(folder.name, "code"), Path(folder.name, "logs")
        self.code.mkdir(), self.logs.mkdir()
        os.environ["HOSTPROCESS_LOGS"] = str(self.logs)

    def executor(self, script, timeout=5, **environment):
        if isinstance(script, str):
            script = f"#!/bin/bash\n{script}\n".encode()
        if script is not None:
            (self.code / "bootstrap").write_bytes(script)
        code = SimpleNamespace(get_unzipped_code_location=lambda: self.code)
        version = SimpleNamespace(
            id=SimpleNamespace(function_name="f", qualifier="$LATEST"),
            config=SimpleNamespace(code=code, timeout=timeout, memory_size=128),
        )
        executor = Executor("id", version)
        self.addCleanup(executor.stop)
        executor.start(environment)
        return executor

    def invoke(self, executor, event="{}"):
        payload = {
            "invoke-id": str(uuid.uuid4()),
            "invoked-function-arn": "a",
            "trace-id": "t",
            "payload": event,
        }
        return executor.invoke(payload)

    def error(self, result):
        self.assertTrue(result.is_error, result.payload)
        return json.loads(result.payload)

    def refused(self, script):
        with self.assertRaises(StatusErrorException) as refusal:
            self.executor(script)
        return json.loads(refusal.exception.payload)

    def test_a_function_receives_its_event_and_returns_an_answer(self):
        executor = self.executor(ECHO)
        for event in ('{"a": "é"}', json.dumps(["x" * 3_000_000])):
            result = self.invoke(executor, event)
            self.assertEqual((result.payload.decode(), result.is_error), (event, False))

    def test_a_chunked_answer_is_put_together(self):
        chunked = "respond -H 'Transfer-Encoding: chunked' --data-binary @event"
        event = json.dumps(["x" * 300_000])
        result = self.invoke(self.executor(NEXT + f"while next; do {chunked}; done"), event)
        self.assertEqual(result.payload.decode(), event)

    def test_a_reported_error_is_an_error(self):
        report = """curl -sf -o /dev/null -d '{"errorType":"Mine"}' "$api/invocation/$id/error" """
        result = self.invoke(self.executor(NEXT + f"while next; do {report}; done"))
        self.assertEqual(self.error(result)["errorType"], "Mine")

    def test_a_timeout_ends_the_function_and_the_next_event_starts_a_new_one(self):
        sleep_once = "[ -e slow ] || { touch slow; sleep 60; }"
        slow_once = NEXT + f"while next; do {sleep_once}; respond -d '\"quick\"'; done"
        executor = self.executor(slow_once, timeout=1)
        start = time.time()
        self.assertEqual(self.error(self.invoke(executor))["errorType"], "Sandbox.Timedout")
        self.assertLess(time.time() - start, 10)
        self.assertEqual(self.invoke(executor).payload, b'"quick"')

    def test_a_crash_is_reported_at_once_and_the_next_event_starts_a_new_one(self):
        exit_once = "[ -e crashed ] || { touch crashed; exit 7; }"
        crash_once = NEXT + f"while next; do {exit_once}; respond -d 1; done"
        executor = self.executor(crash_once, timeout=60)
        error = self.error(self.invoke(executor))
        self.assertEqual(error["errorType"], "Runtime.ExitError")
        self.assertIn("exit status 7", error["errorMessage"])
        self.assertEqual(self.invoke(executor).payload, b"1")

    def test_an_error_or_an_exit_during_init_is_reported(self):
        post = """curl -sf -o /dev/null -d '{"errorType":"Config"}' "$api/init/error" """
        report = NEXT + f"{post}; exit 1"
        self.assertEqual(self.refused(report)["errorType"], "Config")
        self.assertEqual(self.refused("exit 3")["errorType"], "Runtime.ExitError")

    def test_a_foreign_binary_and_a_missing_one_are_reported(self):
        foreign_elf = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf3\x00" + bytes(44)
        self.assertEqual(self.refused(foreign_elf)["errorType"], "Runtime.InvalidEntrypoint")
        (self.code / "bootstrap").unlink()
        self.assertEqual(self.refused(None)["errorType"], "Runtime.InvalidEntrypoint")

    def test_stop_ends_the_function_and_its_child_processes(self):
        with_child = "sleep 600 & echo $! > child; while next; do respond -d 1; done"
        executor = self.executor(NEXT + with_child)
        self.invoke(executor)
        child = (self.code / "child").read_text().strip()
        executor.stop()
        stat = Path(f"/proc/{child}/stat")
        deadline = time.time() + 5
        while stat.exists() and stat.read_text().split()[2] != "Z":
            self.assertLess(time.time(), deadline, "the child process still runs")

    def test_output_goes_to_the_functions_log_and_to_cloudwatch(self):
        executor = self.executor(ECHO)
        logs = self.invoke(executor).logs + self.invoke(executor).logs
        log = self.logs / "f.log"
        deadline = time.time() + 5
        while not log.exists() or log.read_text().count("saw") < 2:
            self.assertLess(time.time(), deadline, "the log has no output")
        self.assertIn("saw", logs)
        self.assertIn("REPORT RequestId", logs)

    def test_named_variables_of_localstack_are_inherited_and_others_are_not(self):
        os.environ.update(HOSTPROCESS_PASS="MINE", MINE="passed", OTHER="kept")
        script = NEXT + 'while next; do respond -d "$MINE $OTHER $GIVEN"; done'
        executor = self.executor(script, GIVEN="given")
        self.assertEqual(self.invoke(executor).payload, b"passed  given")


if __name__ == "__main__":
    unittest.main()
