"""What DuckDB sees in a lake, and Parquet that DuckDB writes:

    duck.py count FOLDER         counts as JSON: all, distinct GCXH, by day, by checkpoint, and whether days and folders agree
    duck.py rows FOLDER          every row as `export` writes it, in the order of GCXH
    duck.py write CSV FOLDER     a CSV of our columns as Parquet, in several kinds
    duck.py plain CSV FOLDER     any CSV as Parquet
    duck.py ask QUESTION         the first column of the answer
"""

import json
import sys

import duckdb

duckdb.sql("SET threads = 1")
COLUMNS = "GCXH, XZQHMC, KKMC, FXLX, strftime(GCSJ, '%Y-%m-%d %H:%M:%S') AS GCSJ, HPZL, HPHM, CLPPXH"


def lake(folder):
    return f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"


def by(source, what):
    return {str(name): count for name, count in duckdb.sql(f"SELECT {what}, count(*) FROM {source} GROUP BY 1").fetchall()}


def count(folder):
    source = lake(folder)
    total, distinct, agree = duckdb.sql(
        f"SELECT count(*), count(DISTINCT GCXH), count_if(date = GCSJ::DATE) FROM {source}"
    ).fetchall()[0]
    types = {name: kind for name, kind, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    groups = duckdb.sql(
        "SELECT DISTINCT row_group_num_rows, compression FROM parquet_metadata('" + folder + "/*/*.parquet')"
    ).fetchall()
    print(
        json.dumps(
            {
                "total": total,
                "distinct": distinct,
                "agree": agree,
                "by_day": by(source, "date"),
                "by_kkmc": by(source, "KKMC"),
                "types": types,
                "compression": sorted({group[1] for group in groups}),
            }
        )
    )


def rows(folder):
    for row in duckdb.sql(f"SELECT {COLUMNS} FROM {lake(folder)} ORDER BY GCXH").fetchall():
        print("\t".join(row))


def write(csv, folder):
    table = f"read_csv('{csv}', header = true, all_varchar = true)"
    kinds = {
        # Times without a zone in microseconds, as DuckDB has them.
        "plain": f"SELECT * REPLACE (GCSJ::TIMESTAMP AS GCSJ) FROM {table}",
        "millis": f"SELECT * REPLACE (GCSJ::TIMESTAMP_MS AS GCSJ) FROM {table}",
        "nanos": f"SELECT * REPLACE (GCSJ::TIMESTAMP_NS AS GCSJ) FROM {table}",
        "text": f"SELECT CLPPXH, 1 AS more, HPHM AS hphm, HPZL, GCSJ, FXLX::INTEGER AS FXLX, KKMC, XZQHMC, GCXH FROM {table}",
    }
    for name, select in kinds.items():
        duckdb.sql(f"COPY ({select}) TO '{folder}/{name}.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    select = kinds["plain"]
    for codec in ["zstd", "gzip", "uncompressed"]:
        duckdb.sql(f"COPY ({select}) TO '{folder}/{codec}.parquet' (FORMAT parquet, COMPRESSION {codec})")
    duckdb.sql(f"COPY ({select}) TO '{folder}/parts' (FORMAT parquet, PARTITION_BY (KKMC))")


def plain(csv, folder):
    duckdb.sql(f"COPY (FROM read_csv('{csv}', header = true)) TO '{folder}/plain.parquet' (FORMAT parquet)")


def ask(question):
    print("\n".join(str(row[0]) for row in duckdb.sql(question).fetchall()))


{"count": count, "rows": rows, "write": write, "plain": plain, "ask": ask}[sys.argv[1]](*sys.argv[2:])
