"""Kinesis for LocalStack with moto, in LocalStack's own process.

LocalStack's default for Kinesis is a Node program. Its PutRecords becomes slower with each record
in the stream: a call takes 4 s at 7,000 records. moto keeps records in a dictionary. Its shards are
not safe for concurrent use: two writers can give two records the same sequence number, which loses
one record. So a lock allows one caller at a time.
"""

from functools import wraps
from threading import RLock

from localstack.aws.api.kinesis import KinesisApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider
from moto.kinesis.models import Shard

LOCK = RLock()


def one_at_a_time(method):
    @wraps(method)
    def locked(*arguments, **named):
        with LOCK:
            return method(*arguments, **named)

    return locked


Shard.put_record = one_at_a_time(Shard.put_record)
Shard.get_records = one_at_a_time(Shard.get_records)
# moto calls this for each new record, and its own version copies the list of all records.
Shard.get_max_sequence_number = lambda shard: next(reversed(shard.records), 0)


class Streams(KinesisApi):
    """Has no operations of its own, so all go to moto."""


@aws_provider(api="kinesis", name="moto")
def provider():
    return Service.for_provider(Streams(), dispatch_table_factory=MotoFallbackDispatcher)
