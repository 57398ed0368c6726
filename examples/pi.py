"""Estimates pi by throwing darts: zoe submit pi.py -- 1000000"""

import random
import sys
from operator import add

from pyspark.sql import SparkSession

PARTS = 8


def hits(part, darts):
    throw = random.Random(part).random
    return sum(1 for _ in range(darts) if throw() ** 2 + throw() ** 2 <= 1)


def main():
    darts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    each = max(1, darts // PARTS)
    spark = SparkSession.builder.appName("pi").getOrCreate()
    inside = spark.sparkContext.parallelize(range(PARTS), PARTS).map(lambda part: hits(part, each)).reduce(add)
    print(f"pi is about {4 * inside / (each * PARTS):.4f}")
    spark.stop()


main()
