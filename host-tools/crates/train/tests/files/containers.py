"""Writes `containers/`, the data files of other programs that `tests/containers.rs` reads.

    pip install numpy pandas pyarrow openpyxl zstandard
    python containers.py

The values are made by formulas that the tests repeat, so that they are compared to the bit.
"""

import datetime
import decimal
import gzip
import io
import os
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "containers"))

ROWS = 6
COLUMNS = 3


def value(row, column):
    """A number whose f64 has all of its digits."""
    return (row * COLUMNS + column + 1) / 7 - 1


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


table = np.array([[value(row, column) for column in range(COLUMNS)] for row in range(ROWS)])
labels = np.array(["rest", "wave", "rest", "wäve", "", "rest"])
csv = "x,y,label\n" + "".join(f"{value(r, 0)!r},{value(r, 1)!r},{labels[r]}\n" for r in range(ROWS))

# Text.
for name in ["utf-8-sig", "utf-16-le", "utf-16-be", "cp1252", "shift_jis"]:
    text = csv if name != "shift_jis" else csv.replace("wäve", "日本語のラベル")
    write(f"{name}.csv", text.encode(name))
write("utf-16.csv", csv.encode("utf-16"))
write("cp1251.csv", csv.replace("wäve", "машина стоит").replace("rest", "покой").encode("cp1251"))
write("degrees.csv", "t (°C),label\n21.5,a\n".encode("latin-1"))

# gzip and zstd, of one member and of several.
write("csv.gz", gzip.compress(csv.encode(), mtime=0))
half = len(csv.encode()) // 2
write("members.gz", b"".join(gzip.compress(part, mtime=0) for part in [csv.encode()[:half], csv.encode()[half:]]))
zstd = zstandard.ZstdCompressor()
write("csv.zst", zstd.compress(csv.encode()))
skip = b"\x50\x2A\x4D\x18\x04\0\0\0skip"
write("frames.zst", zstd.compress(csv.encode()[:half]) + skip + zstd.compress(csv.encode()[half:]))

# NumPy arrays.
for kind in ["<f8", ">f8", "<f4", ">f4", "<f2", "<i8", ">i4", "<i2", "|i1", "<u8", ">u2", "|u1", "|b1"]:
    numbers = table if "f" in kind else np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) - (7 if "i" in kind else 0)
    np.save(f"{kind[1:]}{'-big' if kind[0] == '>' else ''}.npy", numbers.astype(kind))
np.save("fortran.npy", np.asfortranarray(table))
np.save("vector.npy", table[:, 0])
np.save("cube.npy", table.reshape(ROWS, COLUMNS, 1))
np.save("objects.npy", np.array([1, "a", None], dtype=object))
np.save("complex.npy", table.astype(complex))
np.save("texts.npy", labels)
np.save("bytes.npy", np.char.encode(labels, "utf-8"))
np.save("times.npy", np.array(["2001-09-09T01:46:40.250", "NaT", "1969-12-31T23:59:59.500"], dtype="datetime64[ms]"))
np.save("halves.npy", np.array([0, -0.0, 1, -2.5, 65504, 2**-24, 2**-14, np.inf, -np.inf, np.nan], dtype="<f2"))
np.save("exact.npy", np.array([2**53, 2**53 + 1], dtype="<i8"))
records = np.zeros(ROWS, dtype=np.dtype([("t", "<f8"), ("n", ">i2"), ("who", "<U4"), ("ok", "?")], align=True))
for row in range(ROWS):
    records[row] = (value(row, 0), row - 2, labels[row], row % 2 == 0)
np.save("records.npy", records)
np.save("nested.npy", np.zeros(2, dtype=[("a", [("b", "<f8")])]))

# Archives of arrays.
np.savez("xy.npz", X=table, y=labels)
np.savez_compressed("mnist.npz", x_train=table, y_train=labels, x_test=table, y_test=labels)
np.savez_compressed("columns.npz", volts=table[:, 0], amps=table[:, 1], label=labels)
np.savez("extra.npz", data=table, target=np.arange(ROWS), groups=labels, target_names=np.array(["a", "b"]))
np.savez("one.npz", measured=table)
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("data.csv", csv)
write("csv.zip", archive.getvalue())

# Spreadsheets.
book = openpyxl.Workbook()
book.active.title = "Empty"
sheet = book.create_sheet("Data")
sheet.append(["t", "value", "whole", "ok", "label", "ratio"])
for row in range(3):
    when = datetime.datetime(2024, 2, 29, 12, 30, 15) + datetime.timedelta(days=row)
    sheet.append([when, value(row, 0), row * 1000, row == 1, ["a & b", "wäve", None][row], "#N/A" if row == 2 else 0.5])
sheet["A5"] = datetime.date(2024, 3, 3)
sheet["B5"] = -1e-300
sheet["G2"] = "far"
book.save("sheet.xlsx")
book.create_sheet("More").append(["a", "b"])
book.save("sheets.xlsx")
book = openpyxl.Workbook()
book.save("empty.xlsx")

# Parquet.
frame = pa.table(
    {
        "f64": pa.array([value(row, 0) for row in range(ROWS)]),
        "f32": pa.array([value(row, 1) for row in range(ROWS)], pa.float32()),
        "nullable": pa.array([None if row == 2 else row - 3 for row in range(ROWS)], pa.int32()),
        "u8": pa.array([250 + row for row in range(ROWS)], pa.uint8()),
        "u64": pa.array([2**63 + 2048 * row for row in range(ROWS)], pa.uint64()),
        "bool": pa.array([row % 2 == 0 for row in range(ROWS)]),
        "text": pa.array(["rest", "wäve", None, "", "rest", "wave"]),
        "when": pa.array([1_000_000_000_250 + 1000 * row for row in range(ROWS)], pa.timestamp("ms", tz="UTC")),
        "ns": pa.array([1_000_000_000_250_000_001, None, -1, 0, 1, 2], pa.timestamp("ns")),
        "day": pa.array([-1, 0, 1, 2, None, 19_782], pa.date32()),
        "price": pa.array([decimal.Decimal(f"{row}.25") for row in range(ROWS)], pa.decimal128(9, 2)),
    }
)
for codec in ["none", "snappy", "gzip", "zstd", "lz4"]:
    pq.write_table(frame, f"{codec}.parquet", compression=codec, write_statistics=False, store_schema=False)
part = frame.select(["f64", "nullable", "text"])
pq.write_table(part, "groups.parquet", row_group_size=2, data_page_version="2.0", store_schema=False)
pq.write_table(
    part,
    "delta.parquet",
    use_dictionary=False,
    column_encoding={"f64": "BYTE_STREAM_SPLIT", "nullable": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"},
    data_page_version="2.0",
    store_schema=False,
)
pq.write_table(pa.table({"ns": frame["ns"]}), "int96.parquet", use_deprecated_int96_timestamps=True, store_schema=False)
pq.write_table(pa.table({"ragged": pa.array([[1.0], [2.0, 3.0]])}), "lists.parquet", store_schema=False)
pq.write_table(pa.table({"point": pa.array([{"x": 1.0}])}), "nested.parquet", store_schema=False)
categories = pd.DataFrame({"label": pd.Categorical(["a", "b", "a"]), "x": [1.5, 2.5, None]})
categories.to_parquet("categories.parquet")
