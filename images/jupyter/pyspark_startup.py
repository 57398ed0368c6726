"""Runs when a PySpark kernel starts: `spark` and `sc` stand for the notebook's own cluster."""

import subprocess

from pyspark.sql import SparkSession

subprocess.run(["/opt/zoe/spark/wait-for-master"], check=True)
spark = SparkSession.builder.appName("PySpark notebook").getOrCreate()
sc = spark.sparkContext
del subprocess
