"""Fits the original pipeline with whatever Spark is installed, and saves it as its users do, with what it predicts beside it:

    fit.py TABLE FOLDER

FOLDER/plain       StringIndexer, VectorAssembler and LinearRegression with their defaults
FOLDER/other       another order of the features, so much penalty that a coefficient is 0, unknown checkpoints kept
FOLDER/reversed    two columns numbered at once, the checkpoint second
FOLDER/old         `plain` as Spark 2.4 wrote it: `labels` instead of `labelsArray`
FOLDER/another     a pipeline that predicts something else
FOLDER/NAME.json   [KKMC, hour, is_weekend, prediction] of every row of the table
"""

import glob
import json
import os
import shutil
import sys

from pyspark.ml import Pipeline
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

table, folder = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
rows = spark.read.csv(table, header=True, inferSchema=True)
asked = rows.select("KKMC", "hour", "is_weekend").distinct()


def saved(name, *stages):
    model = Pipeline(stages=list(stages)).fit(rows)
    model.write().overwrite().save(f"{folder}/{name}")
    answers = model.transform(asked).select("KKMC", "hour", "is_weekend", "prediction").collect()
    with open(f"{folder}/{name}.json", "w", encoding="utf-8") as out:
        json.dump([list(answer) for answer in answers], out, ensure_ascii=False)


saved(
    "plain",
    StringIndexer(inputCol="KKMC", outputCol="kkmc_index"),
    VectorAssembler(inputCols=["kkmc_index", "hour", "is_weekend"], outputCol="features"),
    LinearRegression(featuresCol="features", labelCol="traffic_count"),
)
saved(
    "other",
    StringIndexer(inputCol="KKMC", outputCol="place", handleInvalid="keep"),
    VectorAssembler(inputCols=["hour", "is_weekend", "place"], outputCol="x"),
    LinearRegression(featuresCol="x", labelCol="traffic_count", regParam=20.0, elasticNetParam=1.0),
)
saved(
    "reversed",
    StringIndexer(inputCols=["hour", "KKMC"], outputCols=["hour_index", "kkmc_index"]),
    VectorAssembler(inputCols=["is_weekend", "kkmc_index", "hour"], outputCol="features"),
    LinearRegression(featuresCol="features", labelCol="traffic_count"),
)
saved(
    "another",
    VectorAssembler(inputCols=["hour", "is_weekend"], outputCol="features"),
    LinearRegression(featuresCol="features", labelCol="traffic_count"),
)

shutil.copytree(f"{folder}/plain", f"{folder}/old")
shutil.copyfile(f"{folder}/plain.json", f"{folder}/old.json")
for about in glob.glob(f"{folder}/old/**/metadata/part-*", recursive=True):
    # Named without the id of the writer, and before 2.4 without the defaults.
    with open(about, encoding="utf-8") as file:
        text = json.load(file)
    text["sparkVersion"] = "2.4.8"
    text["paramMap"] = {**text.pop("defaultParamMap"), **text["paramMap"]}
    os.remove(about)
    with open(os.path.join(os.path.dirname(about), "part-00000"), "w", encoding="utf-8") as file:
        file.write(json.dumps(text) + "\n")
indexer = glob.glob(f"{folder}/old/stages/0_*")[0]
learnt = spark.read.parquet(f"{indexer}/data").selectExpr("labelsArray[0] as labels")
learnt.write.parquet(f"{indexer}/other")
shutil.rmtree(f"{indexer}/data")
os.rename(f"{indexer}/other", f"{indexer}/data")
print(spark.version)
