"""Kinesis for LocalStack, by moto, in LocalStack's own process.

LocalStack's default is a Node program whose PutRecords takes longer with every record that a stream
holds: 4 s a call at 7,000 records. moto keeps records in a dictionary. Its shards say of themselves
that they are not safe for concurrency: two writers give two records one number, and one is lost. So
each goes about a shard alone.
"""

from functools import wraps
from threading import RLock

from localstack.aws.api.kinesis import KinesisApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider
from moto.kinesis.models import Shard

LOCK = RLock()


def alone(method):
    @wraps(method)
    def locked(*arguments, **named):
        with LOCK:
            return method(*arguments, **named)

    return locked


Shard.put_record = alone(Shard.put_record)
Shard.get_records = alone(Shard.get_records)
# moto lists every record for this, and asks it for every record put.
Shard.get_max_sequence_number = lambda shard: next(reversed(shard.records), 0)


class Streams(KinesisApi):
    """Every operation is moto's."""


@aws_provider(api="kinesis", name="moto")
def provider():
    return Service.for_provider(Streams(), dispatch_table_factory=MotoFallbackDispatcher)
