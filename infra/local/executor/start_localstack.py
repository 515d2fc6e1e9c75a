"""Starts LocalStack with three changes for which it has no setting."""

import os
from functools import partial

from twisted.internet import endpoints

# Listen only on 127.0.0.1: the server ignores the host of GATEWAY_LISTEN and listens everywhere.
endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

# ruff: noqa: E402  (these imports must come after the change above)
from localstack.runtime.main import main
from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor
from localstack.services.s3 import provider as s3

# Store objects in the state folder of this system. The default folder is shared by all users and
# systems of the machine.
s3.DEFAULT_S3_TMP_DIR = os.path.join(os.getcwd(), "s3")

# CloudFormation checks every 0.2 seconds instead of every 5 whether a resource is complete.
patience, _ = ResourceProviderExecutor.deploy_loop.__defaults__
ResourceProviderExecutor.deploy_loop.__defaults__ = (patience, 0.2)

main()
