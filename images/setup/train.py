"""Run once while the image is built, so that Java notes which of Spark's classes ordinary jobs load."""

import sys

from pyspark.sql import SparkSession, functions

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext

words = context.parallelize(["one two", "two three"] * 50, 2).flatMap(str.split)
print(words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b).sortByKey().collect())
factor = context.broadcast(3)
print(context.parallelize(range(100), 2).map(lambda n: n * factor.value).cache().sum())

frame = spark.range(1000).withColumn("group", functions.col("id") % 7)
frame.createOrReplaceTempView("numbers")
frame.groupBy("group").agg(functions.sum("id").alias("sum")).orderBy("group").show()
spark.sql("select group, count(*) from numbers where id > 10 group by group").show()
print(frame.join(spark.range(5), "id").count())
frame.withColumn("next", functions.udf(lambda n: n + 1, "long")("id")).selectExpr("sum(next)").show()

for form in "parquet", "csv", "json":
    frame.write.mode("overwrite").format(form).save(f"{sys.argv[1]}/{form}")
    print(spark.read.format(form).load(f"{sys.argv[1]}/{form}").count())
print(context.textFile(f"{sys.argv[1]}/csv").count())

spark.stop()
