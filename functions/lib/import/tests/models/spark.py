"""Writes spark/ next to this file: python spark.py (pyspark 3.5, Java 17). It holds models saved by Spark
MLlib, with rows and Spark's own probabilities."""

import csv
import random
import shutil
import struct
from pathlib import Path

from pyspark.ml.classification import DecisionTreeClassifier, GBTClassifier, RandomForestClassifier
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

OUT, DRAW = Path(__file__).parent / "spark", random.Random(7)
local = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
spark = SparkSession.builder.master("local[1]").config(map=local).getOrCreate()


def frame(rows, names):
    return spark.createDataFrame([(Vectors.dense(row[:4]), *row[4:]) for row in rows], names).coalesce(1)


def f32():
    return struct.unpack("f", struct.pack("f", DRAW.gauss(0, 1)))[0]


rows = [[f32() for _ in range(4)] for _ in range(400)]
for row in rows:
    row.append(float(DRAW.random() < (0.8 if (row[0] > 0) == (row[1] > 0.3) else 0.1)))
asked = [row[:4] for row in rows[:40]] + [
    [float("nan") if DRAW.random() < 0.4 else value for value in row[:4]] for row in rows[40:80]
]
shutil.rmtree(OUT, ignore_errors=True)
for name, learner in {
    "forest": RandomForestClassifier(numTrees=6, maxDepth=3, seed=1),
    "boosted": GBTClassifier(maxIter=6, maxDepth=2, seed=1),
    "tree": DecisionTreeClassifier(maxDepth=4, seed=1),
}.items():
    model = learner.fit(frame(rows, ["features", "label"]))
    model.save(str(OUT / name))
    answers = model.transform(frame(asked, ["features"])).select("probability").collect()
    with open(OUT / f"{name}.csv", "w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["a", "b", "c", "d", "probability"])
        for row, answer in zip(asked, answers):
            lines.writerow(["" if value != value else repr(value) for value in row] + [repr(float(answer[0][1]))])
for mark in [*OUT.rglob(".*.crc"), *OUT.rglob("_SUCCESS")]:
    mark.unlink()
