"""What Spark sees in a lake, and Parquet that Spark writes:

    spark.py count FOLDER        counts as JSON: all, distinct GCXH, by day, by checkpoint
    spark.py write CSV FOLDER    a CSV of our columns as Parquet, in several kinds
"""

import json
import sys

from pyspark.sql import SparkSession, functions

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "Asia/Shanghai")
    .getOrCreate()
)


def count(folder):
    rows = spark.read.parquet(folder)

    def by(column):
        return {str(name): number for name, number in rows.groupBy(column).count().collect()}

    print(
        json.dumps(
            {
                "total": rows.count(),
                "distinct": rows.select("GCXH").distinct().count(),
                "agree": rows.where(functions.to_date("GCSJ") == functions.col("date")).count(),
                "by_day": by("date"),
                "by_kkmc": by("KKMC"),
                "types": dict(rows.dtypes),
            }
        )
    )


def write(csv, folder):
    texts = spark.read.csv(csv, header=True)
    # Spark's own kind of time is an instant: INT96 unless it is told otherwise.
    instants = texts.withColumn("GCSJ", functions.to_timestamp("GCSJ"))
    instants.write.parquet(f"{folder}/int96")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MILLIS")
    instants.write.partitionBy("KKMC").parquet(f"{folder}/parts")
    texts.withColumn("GCSJ", functions.expr("to_timestamp_ntz(GCSJ)")).write.parquet(f"{folder}/wall")


{"count": count, "write": write}[sys.argv[1]](*sys.argv[2:])
