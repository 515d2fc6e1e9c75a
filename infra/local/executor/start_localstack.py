"""Starts LocalStack, with three things changed that no setting of its own can change."""

import os
from functools import partial

from twisted.internet import endpoints

# On 127.0.0.1 alone: its server takes no heed of GATEWAY_LISTEN's host and listens everywhere.
endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

from localstack.runtime.main import main  # noqa: E402  (it must find the endpoint above)
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor  # noqa: E402
from localstack.services.s3 import provider as s3  # noqa: E402

# Objects lie with the rest of this system, not in a folder that all users and systems of a machine share.
s3.DEFAULT_S3_TMP_DIR = os.path.join(os.getcwd(), "s3")

# CloudFormation looks every fifth of a second whether a resource is made, not every five.
patience, _ = ResourceProviderExecutor.deploy_loop.__defaults__
ResourceProviderExecutor.deploy_loop.__defaults__ = (patience, 0.2)

main()
