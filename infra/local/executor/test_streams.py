"""Concurrent writers lose no record of a stream."""

import sys
import unittest
from threading import Thread

import streams  # noqa: F401  the import changes moto, which is tested here
from moto.kinesis.models import Shard

WRITERS, EACH = 8, 400


class Streams(unittest.TestCase):
    def test_concurrent_writers_lose_no_record(self):
        shard = Shard(0, 0, 1)
        read = []

        def write(writer):
            for record in range(EACH):
                shard.put_record(f"{writer}-{record}", "", "")

        def follow():
            last = "0"
            while len(read) < WRITERS * EACH and any(writer.is_alive() for writer in writers):
                records, last, _ = shard.get_records(last, 100)
                read.extend(record.partition_key for record in records)

        writers = [Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
        threads = [*writers, Thread(target=follow)]
        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(1e-6)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records, _, _ = shard.get_records("0", None)
        expected = {f"{writer}-{record}" for writer in range(WRITERS) for record in range(EACH)}
        self.assertEqual({record.partition_key for record in records}, expected)
        self.assertEqual(len(records), len(expected))
        self.assertEqual(len(read), len(set(read)))


if __name__ == "__main__":
    unittest.main()
