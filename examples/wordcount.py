"""Counts words: zoe submit --workers 2 --volume /srv/texts:/texts:ro wordcount.py -- /texts [--top 20]

The counts go to stdout, as `uniq -c` writes them; who did the work goes to stderr.
"""

import argparse
import re
import socket
import sys
from operator import add

from pyspark.sql import SparkSession

WORD = re.compile("[a-z]+")


def words(line):
    return WORD.findall(line.lower())


def lines_here(lines):
    yield socket.gethostname(), sum(1 for _ in lines)


def main():
    parser = argparse.ArgumentParser(prog="wordcount.py")
    parser.add_argument("path", help="a file, a directory or a pattern that all workers see")
    parser.add_argument("--top", type=int, help="only so many, the most frequent first")
    options = parser.parse_args()

    spark = SparkSession.builder.appName("wordcount").getOrCreate()
    text = spark.sparkContext.textFile(options.path, minPartitions=8)
    counts = text.flatMap(words).map(lambda word: (word, 1)).reduceByKey(add)
    if options.top is None:
        result = counts.sortByKey().collect()
    else:
        result = counts.takeOrdered(options.top, key=lambda pair: (-pair[1], pair[0]))
    for word, count in result:
        print(f"{count:7} {word}")

    for host, lines in sorted(text.mapPartitions(lines_here).reduceByKey(add).collect()):
        print(f"worker {host} read {lines} lines", file=sys.stderr)
    spark.stop()


main()
