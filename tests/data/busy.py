"""Fills the workers: more is cached than they can hold, sorted, shuffled, and grouped in Python: busy.py ROWS PAIRS

At the end each worker says what its container has used: worker HOST PEAK LIMIT KILLED (bytes; processes killed for memory).
"""

import socket
import sys
import time
from operator import add

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

ROWS, PAIRS = int(sys.argv[1]), int(sys.argv[2])


def first_of(*files):
    for name, word in files:
        try:
            text = open(name).read()
        except OSError:
            continue
        if word is None:
            return text.strip()
        fields = dict(line.split() for line in text.splitlines())
        if word in fields:
            return fields[word]
    return "unknown"


def usage(_):
    # Long enough that one worker does not take both.
    time.sleep(2)
    yield (
        socket.gethostname(),
        first_of(("/sys/fs/cgroup/memory/memory.max_usage_in_bytes", None), ("/sys/fs/cgroup/memory.peak", None)),
        first_of(("/sys/fs/cgroup/memory/memory.limit_in_bytes", None), ("/sys/fs/cgroup/memory.max", None)),
        first_of(("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"), ("/sys/fs/cgroup/memory.events", "oom_kill")),
    )


spark = SparkSession.builder.appName("busy").getOrCreate()
sc = spark.sparkContext

# In the JVM: wide rows of which the memory holds a part, then all of them through a shuffle and a sort.
wide = spark.range(ROWS).select("id", f.repeat(f.sha2(f.col("id").cast("string"), 512), 8).alias("filler"))
wide.persist(StorageLevel.MEMORY_ONLY)
print("cached", wide.count(), flush=True)
ordered = wide.repartition(8).sort(f.desc("filler"))
print("sorted", ordered.select(f.sum(f.length("filler"))).first()[0], flush=True)

# In Python's own process, beside a JVM that has grown to its full heap: two large halves.
pairs = sc.parallelize(range(PAIRS), 8).map(lambda n: (n % 97, f"{n:0>200}"))
groups = pairs.groupByKey(2).mapValues(lambda group: sum(1 for _ in group))
print("grouped", groups.values().reduce(add), flush=True)

for host in sorted(set(sc.parallelize(range(4), 4).mapPartitions(usage).collect())):
    print("worker", *host)
spark.stop()
