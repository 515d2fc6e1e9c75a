"""Kinesis for LocalStack, by moto, in LocalStack's own process.

LocalStack's default is a Node program whose PutRecords takes longer with every record that a stream
holds: 4 s a call at 7,000 records. moto keeps records in a dictionary.
"""

from localstack.aws.api.kinesis import KinesisApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider


class Streams(KinesisApi):
    """Every operation is moto's."""


@aws_provider(api="kinesis", name="moto")
def provider():
    return Service.for_provider(Streams(), dispatch_table_factory=MotoFallbackDispatcher)
