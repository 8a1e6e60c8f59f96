"""The package as users of scikit-learn, pandas and polars see it."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine, make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from microdistill import Distiller, DistillerClassifier, DistillerRegressor


@pytest.fixture(scope="module")
def wine():
    data = load_wine(as_frame=True)
    return train_test_split(data.data, data.target, random_state=0, stratify=data.target)


@pytest.fixture(scope="module")
def forest(wine):
    return RandomForestClassifier(100, random_state=0).fit(wine[0], wine[2])


def quick(**parameters):
    return Distiller(**{"effort": "quick", "random_state": 0, **parameters})


@parametrize_with_checks([DistillerClassifier(hidden=(8,), effort="quick"), DistillerRegressor(hidden=(8,), effort="quick")])
def test_scikit_learn_accepts_it(estimator, check):
    """All of scikit-learn's checks, without exceptions."""
    check(estimator)


def test_a_forest_becomes_a_student(wine, forest):
    X, X_test, y, y_test = wine
    student = Distiller(forest.predict_proba, hidden=(16,), budget_flash="4KiB", random_state=0).fit(X, y)
    assert student.score(X_test, y_test) > 0.9
    probabilities = student.predict_proba(X_test)
    assert probabilities.shape == (len(X_test), 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    report = student.report()
    assert report.facts["choice"]["held_out"] > 0 and "held-out NLL" in repr(report)
    assert report._repr_html_().count("<table>") == 2
    quantized = student.quantize()
    assert quantized.report().facts["kind"] == "int8" and student.report().facts["kind"] == "f32"
    assert quantized.report().facts["flash"] <= 4096
    assert quantized.score(X_test, y_test) > 0.9


def test_tables_of_all_kinds_give_the_same_student(wine):
    X, X_test, y, _ = wine
    kinds = [lambda table: table, lambda table: table.to_numpy(), lambda table: pl.from_pandas(table)]
    asked = []

    def teacher(rows):
        asked.append(type(rows))
        first = np.asarray(rows)[:, 0]
        return np.column_stack([first > 13, (first > 12.5) & (first <= 13), first <= 12.5]).astype(float)

    outputs = [quick(teacher=teacher).fit(kind(X), y).predict_proba(kind(X_test)) for kind in kinds]
    for other in outputs[1:]:
        np.testing.assert_array_equal(outputs[0], other)
    assert set(asked) == {pd.DataFrame, np.ndarray, pl.DataFrame}


def test_without_a_teacher_a_blend_is_trained(wine):
    X, X_test, y, y_test = wine
    names = np.array(["low", "middle", "high"])[y]
    student = quick().fit(X, names)
    assert set(student.classes_) == set(names)
    assert student.score(X_test, np.array(["low", "middle", "high"])[y_test]) > 0.9


def test_values_of_several_targets():
    X, y = make_regression(300, 5, n_targets=2, noise=0.1, random_state=0)
    # f32 holds neither times in milliseconds nor values around them.
    X[:, 0] += 1_732_800_000_000
    y[:, 1] += 1e12
    # It computes in double throughout, unlike a forest.
    teacher = make_pipeline(StandardScaler(), KNeighborsRegressor()).fit(X, y)
    student = quick(teacher=teacher, hidden=(16,)).fit(X, y)
    assert student.predict(X).shape == y.shape
    assert student.score(X, y) > 0.7
    assert len(student.report().facts["notes"]) == 2
    with pytest.raises(AttributeError, match="for classes"):
        student.predict_proba(X)
    one = quick().fit(X, y[:, 0])
    assert one.predict(X).shape == (300,) and one.quantize().score(X, y[:, 0]) > 0.8


def test_missing_values_are_means():
    X, y = make_classification(200, 6, random_state=0)
    X[::7, 2] = np.nan
    student = quick().fit(X, y)
    assert student.score(X, y) > 0.8


def test_exports(wine, tmp_path):
    X, _, y, _ = wine
    student = quick(inputs="standardized").fit(X, y)
    for name in ["model.rs", "model.h", "model.onnx", "model.safetensors", "model.tflite"]:
        student.export(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    student.quantize().export(tmp_path / "model.h", name="GESTURES")
    assert b"gestures_predict" in (tmp_path / "model.h").read_bytes()
    assert "8 bits" in student.quantize(bits=4).export(tmp_path / "model.txt", format="c")[0]
    student.student_.save(tmp_path / "student.safetensors")
    with pytest.raises(ValueError, match="no format has the extension .pt"):
        student.export(tmp_path / "model.pt")
    with pytest.raises(ValueError, match='"torch" is no format'):
        student.export(tmp_path / "model.pt", format="torch")
    with pytest.raises(ValueError, match="export the f32 model"):
        student.quantize().export(tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="there is no folder"):
        student.export(tmp_path / "no folder" / "model.rs")


def test_pickles_and_clones(wine):
    X, X_test, y, _ = wine
    student = quick().fit(X, y).quantize()
    again = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(again.predict_proba(X_test), student.predict_proba(X_test))
    assert repr(again.report()) == repr(student.report())
    with pytest.raises(NotFittedError):
        clone(student).predict(X_test)
    same = quick().fit(X, y).quantize()
    np.testing.assert_array_equal(same.predict_proba(X_test), student.predict_proba(X_test))


def test_a_budget_holds(wine):
    X, _, y, _ = wine
    flash = quick(budget_flash="700 B").fit(X, y).quantize().report().facts["flash"]
    assert flash <= 700
    with pytest.raises(ValueError, match="the budget is 100: make the hidden layers narrower"):
        quick(budget_flash=100).fit(X, y)
    with pytest.raises(ValueError, match="budget_flash='much'"):
        quick(budget_flash="much").fit(X, y)


def test_mistakes_are_told(wine, forest):
    X, _, y, _ = wine
    for parameters, message in [
        ({"effort": "some"}, "effort=\"some\": it must be one of"),
        ({"inputs": "knots"}, "inputs=\"knots\""),
        ({"activation": "gelu"}, "activation=\"gelu\""),
        ({"hidden": (0,)}, "width"),
        ({"teacher": lambda rows: np.zeros((len(rows), 2))}, "the teacher gave the shape"),
        ({"teacher": lambda rows: np.full((len(rows), 3), -1.0)}, "negative numbers"),
        ({"teacher": lambda rows: np.full((len(rows), 3), np.nan)}, "finite numbers"),
        ({"teacher": RandomForestClassifier(5).fit(X, y + 1)}, "the teacher's classes are"),
    ]:
        with pytest.raises(ValueError, match=message):
            quick(**parameters).fit(X, y)
    with pytest.raises(TypeError, match="no method predict_proba"):
        quick(teacher=3).fit(X, y)

    def fails(rows):
        raise ZeroDivisionError("on its own")

    with pytest.raises(ZeroDivisionError, match="on its own"):
        Distiller(teacher=fails).fit(X, y)


def test_it_works_without_scikit_learn():
    program = """
import sys
sys.modules["sklearn"] = None
import numpy as np
from microdistill import Distiller, DistillerRegressor
X = np.random.default_rng(0).normal(size=(200, 3))
labels = np.where(X[:, 0] > X[:, 1], "left", "right")
student = Distiller(effort="quick", random_state=0).fit(X, labels)
assert student.score(X, labels) > 0.9 and student.quantize().predict_proba(X).shape == (200, 2)
values = X @ [1.0, 2.0, 3.0]
assert DistillerRegressor(effort="quick", random_state=0).fit(X, values).score(X, values) > 0.9
assert Distiller(effort="quick", random_state=0).fit(X, values).score(X, values) > 0.9
assert Distiller(hidden=(8,)).get_params()["hidden"] == (8,)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_ctrl_c_ends_a_training():
    X, y = make_classification(3000, 30, random_state=0)
    # A shell that starts the tests in the background has them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press():
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Distiller(effort="best", random_state=0).fit(X, y)
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begin < 20


def test_other_threads_run_during_a_training(wine):
    X, _, y, _ = wine
    counted = 0
    done = threading.Event()

    def count():
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    quick().fit(X, y)
    done.set()
    thread.join()
    assert counted > 20
