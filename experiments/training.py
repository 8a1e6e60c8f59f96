"""Compares `microdistill train` without flags with scikit-learn's `MLP(128,128)`, on the same rows.

    pip install scikit-learn pandas
    python training.py write FOLDER                       # writes scikit-learn's bundled sets as FOLDER/NAME/train.csv and test.csv
    python training.py sklearn FOLDER... > sklearn.jsonl  # a line for each set in the folders
    python training.py train microdistill FOLDER... > train.jsonl
    python training.py table train.jsonl sklearn.jsonl ...

`train` takes any program, such as one of an earlier version. Scores are accuracy or R² on the test part. scikit-learn gets
standardized inputs and targets, and as many iterations as it asks for. Rows are divided by the SHA-256 of the set's name and
the row's number, 70 % of each class for training.
"""

import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = range(1, 6)


def order(name, rows):
    return sorted(rows, key=lambda row: hashlib.sha256(f"{name} {row}".encode()).digest())


def write(folder):
    from sklearn import datasets

    for name in ["iris", "wine", "breast_cancer", "digits", "diabetes"]:
        options = {"scaled": False} if name == "diabetes" else {}
        data = getattr(datasets, f"load_{name}")(**options)
        values = name == "diabetes"
        labels = [float(value) if values else f"c{value}" for value in data.target]
        classes = [None] if values else sorted(set(labels))
        train = set()
        for label in classes:
            members = [row for row in range(len(labels)) if label is None or labels[row] == label]
            train.update(order(f"sk_{name}", members)[: round(0.7 * len(members))])
        to = folder / f"sk_{name}"
        to.mkdir(parents=True, exist_ok=True)
        columns = [str(column).replace(" ", "_") for column in data.feature_names]
        for part, inside in [("train", True), ("test", False)]:
            with open(to / f"{part}.csv", "w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow([*columns, "target"])
                for row, label in enumerate(labels):
                    if (row in train) == inside:
                        writer.writerow([*(repr(float(value)) for value in data.data[row]), label])


def sets(folders):
    return sorted(path for folder in folders for path in Path(folder).iterdir() if (path / "train.csv").exists())


def is_regression(path):
    return path.name.endswith("_reg") or path.name.startswith("case_") or path.name == "sk_diabetes"


def tell(path, scores, seconds):
    line = {"set": path.name, "scores": scores, "seconds": seconds}
    print(json.dumps(line), flush=True)


def sklearn(path):
    import pandas
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    train, test = (pandas.read_csv(path / f"{part}.csv") for part in ["train", "test"])
    target = "label" if "label" in train else train.columns[-1]
    x, z = (part.drop(columns=target).to_numpy(float) for part in [train, test])
    scaler = StandardScaler().fit(x)
    x, z = scaler.transform(x), scaler.transform(z)
    scores, start = [], time.time()
    for seed in SEEDS:
        options = {"hidden_layer_sizes": (128, 128), "max_iter": 5000, "random_state": seed}
        if is_regression(path):
            values = StandardScaler().fit(train[[target]].to_numpy(float))
            y, t = (values.transform(part[[target]].to_numpy(float)).ravel() for part in [train, test])
            scores.append(MLPRegressor(**options).fit(x, y).score(z, t))
        else:
            y, t = (part[target].astype(str) for part in [train, test])
            scores.append(MLPClassifier(**options).fit(x, y).score(z, t))
    tell(path, scores, (time.time() - start) / len(SEEDS))


def train(program, path):
    groups = path / "groups_train.csv"
    scores, start = [], time.time()
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            command = [program, "train", "--train", path / "train.csv", "--test", path / "test.csv"]
            command += ["--seed", str(seed), "--json", "--out", Path(folder) / "teacher.safetensors"]
            # The test rows of emg_myo are of the same people, in a later session.
            command += ["--groups", groups] if groups.exists() and path.name != "emg_myo" else []
            output = subprocess.run(command, capture_output=True, check=True, text=True)
            test = json.loads(output.stdout)["test"]
            scores.append(test["r2"] if is_regression(path) else test["accuracy"])
    tell(path, scores, (time.time() - start) / len(SEEDS))


def table(files):
    from statistics import mean, stdev

    columns = []
    for file in files:
        lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
        columns.append({line["set"]: line for line in lines})
    print("| set |" + "".join(f" {Path(file).stem} | s |" for file in files))
    print("|---|" + "---|---|" * len(files))
    for name in sorted(set().union(*columns)):
        cells = [
            f" {mean(column[name]['scores']):.4f} ± {stdev(column[name]['scores']):.4f} | {column[name]['seconds']:.1f} |"
            if name in column
            else " | |"
            for column in columns
        ]
        print(f"| {name} |" + "".join(cells))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", folder]:
            write(Path(folder))
        case ["sklearn", *folders]:
            for path in sets(folders):
                sklearn(path)
        case ["train", program, *folders]:
            for path in sets(folders):
                train(program, path)
        case ["table", *files]:
            table(files)
        case _:
            sys.exit(__doc__)
