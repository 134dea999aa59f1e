"""Trains the flow model of the original script from the lake, for Platewatch to serve:

    spark-submit train_from_lake.py LAKE traffic_flow_model
    platewatch import-model traffic_flow_model --model-dir /var/lib/platewatch/traffic_flow_model

LAKE is the folder of `lake.dir`. The pipeline is StringIndexer (KKMC), VectorAssembler (index, hour, is_weekend) and
LinearRegression over the number of passages of each checkpoint and hour. Hours without a passage count as 0, from the first to the
last hour that the checkpoint has. Times in the lake are those on the road's clocks, without a zone, so that the session's zone
does not matter. `predict.model_dir` may also name the folder itself.
"""

import sys

from pyspark.ml import Pipeline
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession, functions as f


def hourly(passages):
    """Passages of each checkpoint and hour: KKMC, hour, is_weekend, traffic_count."""
    hour = f.date_trunc("hour", f.col("GCSJ"))
    counts = passages.groupBy("KKMC", hour.alias("at")).agg(f.count("*").alias("traffic_count"))
    spans = counts.groupBy("KKMC").agg(f.min("at").alias("first"), f.max("at").alias("last"))
    hours = spans.select("KKMC", f.explode(f.expr("sequence(first, last, interval 1 hour)")).alias("at"))
    return (
        hours.join(counts, ["KKMC", "at"], "left")
        .fillna(0, ["traffic_count"])
        .select(
            "KKMC",
            f.hour("at").alias("hour"),
            # Spark counts the days of the week from Sunday.
            f.dayofweek("at").isin(1, 7).cast("int").alias("is_weekend"),
            "traffic_count",
        )
    )


def main(lake, folder):
    spark = SparkSession.builder.appName("platewatch-flow").getOrCreate()
    rows = hourly(spark.read.parquet(lake).select("KKMC", "GCSJ")).cache()
    pipeline = Pipeline(
        stages=[
            StringIndexer(inputCol="KKMC", outputCol="kkmc_index"),
            VectorAssembler(inputCols=["kkmc_index", "hour", "is_weekend"], outputCol="features"),
            LinearRegression(featuresCol="features", labelCol="traffic_count"),
        ]
    )
    model = pipeline.fit(rows)
    model.write().overwrite().save(folder)
    regression = model.stages[-1]
    print(f"{rows.count()} hours, coefficients {list(regression.coefficients)}, intercept {regression.intercept}")
    return model, rows


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
