"""A job of several modules: zoe submit --main main.py project/ -- [EXIT CODE]

What it imports is used on the driver and, inside the functions that are sent to them, on the workers.
"""

import sys

from pyspark.sql import SparkSession

import measures
from textstats.syllables import count

VERSE = "in the beginning was the word and the word was with spark and the word was distributed"


def describe(word):
    # Imported here as well: a worker must find the package by itself.
    from textstats.syllables import count

    return word, measures.length(word), count(word)


def main():
    spark = SparkSession.builder.appName("project").getOrCreate()
    rows = spark.sparkContext.parallelize(sorted(set(VERSE.split())), 4).map(describe).collect()
    for word, letters, syllables in sorted(rows):
        print(f"{word}: {measures.plural(letters, 'letter')}, {measures.plural(syllables, 'syllable')}")
    print(f"driver agrees: {sum(row[2] for row in rows) == sum(count(row[0]) for row in rows)}")
    spark.stop()
    sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)


main()
