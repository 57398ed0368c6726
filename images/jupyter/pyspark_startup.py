"""Runs when a PySpark kernel starts: `spark` and `sc` stand for the notebook's own cluster."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("PySpark notebook").getOrCreate()
sc = spark.sparkContext
