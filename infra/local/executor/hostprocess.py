"""Runs a Lambda function's `bootstrap` as a plain process of this machine, without Docker.

LocalStack calls a *runtime executor* to start a function, to send it events and to stop it. This
one starts the program `bootstrap` of the zip file (runtime `provided.*`) and serves it the Lambda
Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) on a port of 127.0.0.1.

LocalStack finds it by the entry point in the .dist-info folder next to this file. This folder has
to be on PYTHONPATH. LAMBDA_RUNTIME_EXECUTOR=hostprocess selects it. LocalStack's environment has
the settings:
    HOSTPROCESS_LOGS    folder for <function>.log; without it, output goes only to CloudWatch
    HOSTPROCESS_PASS    names of more variables that functions inherit, separated by commas

Not imitated: memory limits, layers, extensions, response streaming, the sandbox's file system.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

LOOPBACK = "127.0.0.1"
INHERITED = ("PATH", "HOME", "LANG")
STOP = None  # in the queue of invocations, it ends the function's wait
SECONDS_TO_STOP = 2


def error_body(kind: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}).encode()


class Output:
    """The output of a function: appended to its log file, and kept until LocalStack reads it."""

    def __init__(self, function_name: str):
        folder = os.environ.get("HOSTPROCESS_LOGS")
        self._file = Path(folder, f"{function_name}.log") if folder else None
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def follow(self, stream):
        with stream:
            for line in stream:
                with self._lock:
                    self._lines.append(line)
                if self._file:
                    # Append mode, because instances share the file.
                    with self._file.open("a") as file:
                        file.write(line)

    def take(self) -> str:
        with self._lock:
            lines, self._lines = self._lines, []
        return "".join(lines)


class RuntimeApi(BaseHTTPRequestHandler):
    """The four requests of a runtime. `self.server.instance` is the function's instance."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path != "/2018-06-01/runtime/invocation/next":
            return self._reply(404)
        invocation = self.server.instance.next_invocation()
        if invocation is STOP:
            self.close_connection = True
            return None
        event, headers = invocation
        return self._reply(200, event, headers)

    def do_POST(self):
        body, instance = self._body(), self.server.instance
        match self.path.split("/")[3:]:
            case ["init", "error"]:
                instance.init_failed(body)
            case ["invocation", request_id, "response"]:
                instance.answer(request_id, body, is_error=False)
            case ["invocation", request_id, "error"]:
                instance.answer(request_id, body, is_error=True)
            case _:
                return self._reply(404)
        return self._reply(202, b'{"status":"OK"}')

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    def _reply(self, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Logs nothing: LocalStack already logs each invocation."""


class RuntimeApiServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # its threads end with the function

    def __init__(self, instance: "Instance"):
        super().__init__((LOOPBACK, 0), RuntimeApi)
        self.instance = instance
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """Logs nothing: a broken connection is normal after the function was killed."""

    def close(self):
        self.shutdown()
        self.server_close()


class Instance:
    """One process of a function, with its own Runtime API. It cannot be restarted."""

    def __init__(self, code: str, environment: dict[str, str], output: Output):
        self._invocations: queue.Queue = queue.Queue()
        self._initialised: Future = Future()
        self._answers: dict[str, Future] = {}
        self._server = RuntimeApiServer(self)
        bootstrap = os.path.join(code, "bootstrap")
        environment = environment | {
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{self._server.server_address[1]}",
            "LAMBDA_TASK_ROOT": code,
        }
        try:
            os.chmod(bootstrap, 0o755)
            self._process = subprocess.Popen(
                [bootstrap],
                cwd=code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that `stop` also ends child processes
                text=True,
                errors="replace",
            )
        except OSError as problem:  # no bootstrap, or one for another architecture
            self._server.close()
            message = f"Couldn't find valid bootstrap(s): {problem}"
            body = error_body("Runtime.InvalidEntrypoint", message)
            message = f"cannot start {bootstrap}: {problem}"
            raise StatusErrorException(message, payload=body) from problem
        threading.Thread(target=output.follow, args=(self._process.stdout,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def wait_until_initialised(self, seconds: float):
        try:
            self._initialised.result(seconds)
        except FutureTimeout:
            self.stop()
            body = error_body("Sandbox.Timedout", f"init took more than {seconds:.0f} seconds")
            raise StatusErrorException("init timed out", payload=body) from None
        except StatusErrorException:
            self.stop()
            raise

    def invoke(
        self, request_id: str, event: bytes, headers: dict[str, str], seconds: float
    ) -> tuple[bytes, bool]:
        """The function's answer, and whether it is an error."""
        answer = self._answers[request_id] = Future()
        # The process may have ended after its last answer, before `_watch` saw this request.
        if not self.is_alive():
            self._exited()
        self._invocations.put((event, headers))
        try:
            return answer.result(seconds)
        except FutureTimeout:
            self.stop()
            message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
            return error_body("Sandbox.Timedout", message), True
        finally:
            del self._answers[request_id]

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self):
        self._invocations.put(STOP)
        self._server.close()
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, kind)
                self._process.wait(SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                return

    # Called by the Runtime API's threads.

    def next_invocation(self):
        if not self._initialised.done():
            self._initialised.set_result(None)
        return self._invocations.get()

    def init_failed(self, body: bytes):
        if not self._initialised.done():
            self._initialised.set_exception(StatusErrorException("init failed", payload=body))

    def answer(self, request_id: str, body: bytes, is_error: bool):
        waiting = self._answers.get(request_id)
        if waiting and not waiting.done():  # after the timeout, no caller waits for the answer
            waiting.set_result((body, is_error))

    def _watch(self):
        self._process.wait()
        self._exited()

    def _exited(self):
        message = f"Runtime exited with error: exit status {self._process.returncode}"
        self.init_failed(error_body("Runtime.ExitError", message))
        for request_id in list(self._answers):
            body = error_body("Runtime.ExitError", f"RequestId: {request_id} Error: {message}")
            self.answer(request_id, body, is_error=True)


class Executor(RuntimeExecutor):
    """An execution environment for LocalStack. After a crash, the next event starts a process."""

    def __init__(self, id, function_version):
        super().__init__(id, function_version)
        self._output = Output(function_version.id.function_name)
        self._environment: dict[str, str] = {}
        self._instance: Instance | None = None

    def start(self, env_vars):
        inherited = (*INHERITED, *filter(None, os.environ.get("HOSTPROCESS_PASS", "").split(",")))
        self._environment = {name: os.environ[name] for name in inherited if name in os.environ}
        self._environment |= {name: str(value) for name, value in env_vars.items()}
        self._start_instance()

    def _start_instance(self):
        code = str(self.function_version.config.code.get_unzipped_code_location())
        self._instance = Instance(code, self._environment, self._output)
        self._instance.wait_until_initialised(config.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT)

    def stop(self):
        if self._instance:
            self._instance.stop()

    def invoke(self, payload):
        if not self._instance.is_alive():
            self._instance.stop()
            self._start_instance()
        request_id = payload["invoke-id"]
        seconds = self.function_version.config.timeout
        start = time.time()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((start + seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": payload["invoked-function-arn"],
            "Lambda-Runtime-Trace-Id": payload["trace-id"],
        }
        event = payload["payload"].encode()
        body, is_error = self._instance.invoke(request_id, event, headers, seconds)
        duration = (time.time() - start) * 1000
        logs = (
            f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}\n"
            f"{self._output.take()}END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\t"
            f"Memory Size: {self.function_version.config.memory_size} MB\n"
        )
        return InvocationResult(request_id, body, is_error=is_error, logs=logs)

    def get_logs(self):
        return self._output.take()

    def get_address(self):
        return LOOPBACK

    def get_endpoint_from_executor(self):
        return LOOPBACK

    def get_runtime_endpoint(self):
        """Only for the function's information: LocalStack's containers would call this URL."""
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version):
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version):
        """Does nothing: LocalStack removes all files itself."""


class Plugin(RuntimeExecutorPlugin):
    name = "hostprocess"

    def load(self, *_args, **_kwargs):
        return Executor
