"""Data sets written in random dialects: `microdistill check` must read the same table from each.

    python3 dialects.py MICRODISTILL FOLDER...

FOLDER holds CSV files, or folders of them, such as the ones that keel.py writes. The bundled sets of scikit-learn are added if
the package is installed. Prints the files that are read to another table, and the suspects of each set.
"""

import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

KEYS = ("name", "missing", "different", "least", "median", "most")


def check(program, path, *flags):
    """The report of a file, or the error."""
    done = subprocess.run([program, "--json", "check", str(path), *flags], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip()
    return json.loads(done.stdout), ""


def table(report):
    """What must not depend on the dialect."""
    return [[feature[key] for key in KEYS] for feature in report["features"]], report["classes"], report["rows"]


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def write(rows, dialect):
    separator, decimal, thousands, quoting, encoding, missing, header = dialect

    def cell(text):
        if text in ("", "NA", "?"):
            return missing
        if not is_number(text) or "n" in text.lower():
            return text
        mantissa, e, exponent = text.lower().partition("e")
        whole, point, fraction = mantissa.partition(".")
        sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        if thousands and digits.isdigit():
            digits = f"{int(digits):,}".replace(",", thousands)
        return sign + digits + (decimal + fraction if point else "") + e + exponent

    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\r\n" if quoting else "\n")
    writer.writerows([rows[0]] * header + [[cell(text) for text in row] for row in rows[1:]])
    return out.getvalue().encode(encoding)


def dialect(rng):
    separator = rng.choice([",", ";", "\t", "|"])
    decimal = rng.choice([".", ","])
    thousands = rng.choice(["", "", "'", " ", "." if decimal == "," else ","])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    return separator, decimal, thousands, quoting, encoding, rng.choice(["", "NA", "?", "NaN"]), rng.random() < 0.8


def sets(folders):
    """Names and rows of all sets; the first row holds the names."""
    for folder in map(pathlib.Path, folders):
        for path in sorted(folder.rglob("*.csv")) if folder.is_dir() else [folder]:
            if "groups_" not in path.name and "_raw" not in path.name and "-raw" not in path.name:
                with open(path, newline="", encoding="utf-8-sig") as file:
                    yield f"{path.parent.name}/{path.name}", list(csv.reader(file))
    try:
        from sklearn import datasets
    except ImportError:
        return
    for name in ("iris", "wine", "breast_cancer", "diabetes", "digits"):
        bunch = getattr(datasets, f"load_{name}")()
        names = [str(feature) for feature in bunch.feature_names] + ["target"]
        yield name, [names] + [[repr(float(x)) for x in row] + [str(y)] for row, y in zip(bunch.data, bunch.target)]


def main(program, folders):
    rng = random.Random(1)
    tried = different = columns = suspected = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in sets(folders):
            path = pathlib.Path(folder) / "plain.csv"
            path.write_bytes(write(rows, (",", ".", "", csv.QUOTE_MINIMAL, "utf-8", "", True)))
            target = rows[0][-1]
            plain, error = check(program, path, "--header", "--target", target)
            if plain is None:
                print(f"{name}: plain: {error}")
                continue
            columns += len(plain["features"])
            for suspect in plain["suspects"]:
                suspected += max(1, len(suspect["columns"]))
                print(f"{name}: {suspect['text']}")
            for _ in range(5):
                chosen = dialect(rng)
                path = pathlib.Path(folder) / "other.csv"
                path.write_bytes(write(rows, chosen))
                flags = ["--target", target if chosen[-1] else f"column{len(rows[0])}"]
                found, error = check(program, path, *flags)
                if found is None and any(flag in error for flag in ("--header", "--decimal", "--thousands")):
                    flags += ["--header" if chosen[-1] else "--no-header", "--decimal", chosen[1]]
                    flags += ["--thousands", chosen[2]] if chosen[2] else []
                    found, error = check(program, path, *flags)
                tried += 1
                if found is not None and not chosen[-1]:
                    for feature, column in zip(found["features"], plain["features"]):
                        feature["name"] = column["name"]
                if found is None or table(found) != table(plain):
                    different += 1
                    pairs = zip(table(plain)[0], table(found)[0]) if found else []
                    differ = [pair for pair in pairs if pair[0] != pair[1]]
                    print(f"{name}: {chosen}: {error or differ[:2] or 'other rows or classes'}")
    print(f"{tried} files, {different} read to another table or not at all; {suspected} suspects of {columns} columns")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
