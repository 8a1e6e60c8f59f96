"""Scores of LightGBM, scikit-learn's random forest and its MLP(128, 128) on data sets written by sets.py.

    pip install numpy pandas scikit-learn==1.9.1 lightgbm==4.7.0
    python peers.py FOLDER NAME… > peers.jsonl

Each is trained with three seeds and the library's defaults; the MLP has standardized inputs and up to 1,000 epochs with
early stopping off. A line per set and model: test accuracy and NLL (probabilities clipped to 1e-7), means over seeds; for
values, R² and RMSE.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEEDS = (1, 2, 3)


def models(values, seed):
    mlp = MLPRegressor if values else MLPClassifier
    forest = RandomForestRegressor if values else RandomForestClassifier
    boosting = lightgbm.LGBMRegressor if values else lightgbm.LGBMClassifier
    return {
        "LightGBM": boosting(random_state=seed, verbose=-1, n_jobs=1),
        "forest": forest(random_state=seed, n_jobs=1),
        "MLP(128,128)": make_pipeline(StandardScaler(), mlp((128, 128), max_iter=1000, random_state=seed)),
    }


def scores(model, train, test, values):
    start = time.perf_counter()
    model.fit(*train)
    seconds = time.perf_counter() - start
    x, y = test
    if values:
        error = model.predict(x) - y
        return {"r2": 1 - (error**2).mean() / y.var(), "rmse": (error**2).mean() ** 0.5, "seconds": seconds}
    probabilities = model.predict_proba(x)
    place = {label: index for index, label in enumerate(model.classes_)}
    of_label = [row[place[label]] if label in place else 0 for row, label in zip(probabilities, y)]
    accuracy = (model.classes_[probabilities.argmax(1)] == y).mean()
    return {"accuracy": accuracy, "nll": -np.log(np.clip(of_label, 1e-7, 1)).mean(), "seconds": seconds}


def main(folder, names):
    warnings.filterwarnings("ignore")
    for name in names:
        frames = [pd.read_csv(Path(folder) / name / f"{part}.csv").drop(columns="group", errors="ignore") for part in ("train", "test")]
        train, test = ((frame.drop(columns="target").to_numpy(), frame["target"].to_numpy()) for frame in frames)
        values = train[1].dtype.kind == "f"
        runs = {}
        for seed in SEEDS:
            for model, estimator in models(values, seed).items():
                runs.setdefault(model, []).append(scores(estimator, train, test, values))
        for model, found in runs.items():
            means = {score: float(np.mean([run[score] for run in found])) for score in found[0]}
            print(json.dumps({"set": name, "model": model, **means}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python peers.py FOLDER NAME…")
    main(sys.argv[1], sys.argv[2:])
