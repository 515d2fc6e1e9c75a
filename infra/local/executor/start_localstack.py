"""Starts LocalStack on 127.0.0.1 alone: its own server takes no heed of GATEWAY_LISTEN's host and listens everywhere."""

from functools import partial

from twisted.internet import endpoints

endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

from localstack.runtime.main import main  # noqa: E402  (it must find the endpoint above)

main()
