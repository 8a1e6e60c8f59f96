"""Estimators that distill a teacher, or a blend of models that they train themselves, into a small network."""

import copy
import json
import re

import numpy as np

from ._compat import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    check_classification_targets,
    check_is_fitted,
    check_random_state,
    type_of_target,
    validate_data,
)
from ._microdistill import fit as _fit
from ._report import Report

# Training rows that are kept to calibrate a quantization.
_CALIBRATION = 2000

_PARAMETERS = """

    Parameters
    ----------
    teacher : callable, fitted model or None
        The model to distill: a function from rows like ``X`` to {answers}, or an object with such a method
        ``{method}``. It is asked about synthetic rows, too. With None, a blend of boosted trees, forests, kernel machines and
        networks is trained as the teacher.
    hidden : sequence of int
        Widths of the hidden layers of the student.
    budget_flash : int, str or None
        Most flash, such as ``"4KiB"``, of the student in int8. Piecewise-linear inputs, which take more of it, are left out if they
        do not fit; ``fit`` fails if nothing does.
    effort : {{"quick", "default", "best"}}
        Time that may be spent: about a second, ten seconds, or minutes for a few thousand rows. "quick" compares nothing.
    inputs : {{"auto", "standardized", "pieces"}}
        Form of the inputs; "auto" chooses it on held-out rows.
    activation : {{"relu", "relu6", "leaky-relu", "tanh", "sigmoid"}}
        Activation of the hidden layers.
    always_distill : bool
        Whether the student learns from the teacher even if it is better without on held-out rows.
    random_state : int, RandomState or None
        Seed of everything random. The same integer gives the same student.

    Attributes
    ----------
    student_ : Student
        The network. ``student_.save("student.safetensors")`` writes the file that the command line reads.
    n_features_in_, feature_names_in_, classes_
        As in scikit-learn; ``classes_`` only for classes.
    """


def _bytes(array):
    return np.ascontiguousarray(array, dtype=np.float64).tobytes()


def _flash(budget):
    """Bytes of a budget such as 4096, "4096", "4KiB", "4k" or "4 kB"."""
    if budget is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(Ki?B?|kB?|B?)\s*", str(budget))
    if not match:
        raise ValueError(f'budget_flash={budget!r}: it must be a number of bytes, such as 4096 or "4KiB"')
    number, unit = match.groups()
    factor = {"": 1, "B": 1, "kB": 1000}.get(unit, 1024)
    return int(float(number) * factor)


def _like(X, names):
    """A function from arrays to the kind of table that X is, for a teacher that was trained on such tables."""
    module = type(X).__module__.partition(".")[0]
    if module == "pandas":
        import pandas

        return lambda array: pandas.DataFrame(array, columns=X.columns)
    if module == "polars":
        import polars

        return lambda array: polars.DataFrame(array, schema=list(names), orient="row")
    return lambda array: array


class _Distiller(BaseEstimator):
    def __init__(
        self,
        teacher=None,
        hidden=(16,),
        *,
        budget_flash=None,
        effort="default",
        inputs="auto",
        activation="relu",
        always_distill=False,
        random_state=None,
    ):
        self.teacher = teacher
        self.hidden = hidden
        self.budget_flash = budget_flash
        self.effort = effort
        self.inputs = inputs
        self.activation = activation
        self.always_distill = always_distill
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _fit_classes(self, X, y):
        array, y = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        check_classification_targets(y)
        y = np.ravel(y)
        self.classes_, classes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}: a classifier needs at least two classes")
        labels = [str(label) for label in self.classes_]
        self._train(X, array, ["class"], labels, classes.tolist(), b"")
        return self

    def _fit_values(self, X, y):
        array, y = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=2,
            multi_output=True,
            y_numeric=True,
        )
        y = np.asarray(y, dtype=np.float64)
        self._one_target = y.ndim == 1
        targets = ["value"] if y.ndim == 1 else [f"value{place}" for place in range(y.shape[1])]
        self._train(X, array, targets, [], [], _bytes(y))
        return self

    def _train(self, X, array, targets, labels, classes, values):
        names = getattr(self, "feature_names_in_", [f"x{place}" for place in range(array.shape[1])])
        names = [str(name) for name in names]
        seed = self.random_state
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**31 - 1)
        settings = {
            "hidden": [int(width) for width in self.hidden],
            "activation": self.activation,
            "effort": self.effort,
            "inputs": self.inputs,
            "always_distill": bool(self.always_distill),
            "budget": _flash(self.budget_flash),
            "seed": int(seed),
        }
        teacher = self._teacher(_like(X, names), max(len(labels), len(targets)), bool(labels))
        self.student_, report = _fit(_bytes(array), names, targets, labels, classes, values, teacher, settings)
        self._report = {**json.loads(report), "classes": bool(labels)}
        every = -(-len(array) // _CALIBRATION)
        self._calibration = array[::every].copy()

    def _teacher(self, like, outputs, classes):
        """The teacher as a function from bytes to bytes, or None."""
        if self.teacher is None:
            return None
        method = "predict_proba" if classes else "predict"
        function = getattr(self.teacher, method, self.teacher)
        if not callable(function):
            raise TypeError(f"the teacher is no function and has no method {method}: {self.teacher!r}")
        known = getattr(getattr(function, "__self__", None), "classes_", None)
        if classes and known is not None and not np.array_equal(known, self.classes_):
            raise ValueError(f"the teacher's classes are {known}, but those of y are {self.classes_}")
        width = self.n_features_in_

        def answer(rows, count):
            rows = np.frombuffer(rows).reshape(count, width).copy()
            answers = np.asarray(function(like(rows)), dtype=np.float64)
            if classes and outputs == 2 and answers.shape == (count,):
                answers = np.column_stack([1 - answers, answers])
            if answers.shape != (count, outputs) and (outputs > 1 or answers.shape != (count,)):
                raise ValueError(f"the teacher gave the shape {answers.shape} for {count} rows of {outputs} outputs")
            if classes and (answers < 0).any():
                raise ValueError("the teacher gave negative numbers: it must give probabilities")
            return _bytes(answers)

        return answer

    def _outputs(self, X):
        check_is_fitted(self)
        array = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return np.frombuffer(self.student_.outputs(_bytes(array))).reshape(len(array), -1).copy()

    def _labels(self, X):
        best = self._outputs(X).argmax(axis=1)
        return self.classes_[best]

    def _values(self, X):
        values = self._outputs(X)
        return values[:, 0] if self._one_target else values

    def quantize(self, bits=8, X=None):
        """Returns an estimator with the student in integers: weights of 8 or 4 bits, activations of 8.

        The ranges of the activations are measured on the rows ``X``, or on a sample of the training rows. ``self`` is unchanged.
        """
        check_is_fitted(self)
        if X is None:
            array = self._calibration
        else:
            array = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        quantized = copy.copy(self)
        quantized.student_ = self.student_.quantized(_bytes(array), bits)
        return quantized

    def export(self, path, format=None, name="STUDENT"):
        """Writes the student to a file and returns a list of notes about it.

        The extension names the format: ``.rs`` (Rust), ``.h`` (C), ``.onnx``, ``.safetensors`` (PyTorch's ``nn.Sequential``) or
        ``.tflite``; or ``format`` does: "rust", "c", "onnx", "safetensors" or "tflite". ``name`` is that of the static in Rust and,
        in small letters, of the functions in C.
        """
        check_is_fitted(self)
        return self.student_.export(path, format, name)

    def report(self):
        """Returns size, memory, recipe and the trainings that were compared. A notebook shows it as tables."""
        check_is_fitted(self)
        return Report({**json.loads(self.student_.facts()), **self._report})


class DistillerClassifier(ClassifierMixin, _Distiller):
    __doc__ = "A small network that imitates a classifier." + _PARAMETERS.format(
        answers="probabilities, one column per class in sorted order", method="predict_proba"
    )

    def fit(self, X, y):
        """Distills a student of the rows ``X`` and their labels ``y``. NaN is a missing value."""
        return self._fit_classes(X, y)

    def predict(self, X):
        """Returns the most probable class of each row."""
        return self._labels(X)

    def predict_proba(self, X):
        """Returns the probability of each class, in the order of ``classes_``."""
        return self._outputs(X)


class DistillerRegressor(RegressorMixin, _Distiller):
    __doc__ = "A small network that imitates a regressor, of one target or several." + _PARAMETERS.format(
        answers="values", method="predict"
    )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X, y):
        """Distills a student of the rows ``X`` and their values ``y``. NaN in ``X`` is a missing value."""
        return self._fit_values(X, y)

    def predict(self, X):
        """Returns the values of each row."""
        return self._values(X)


class Distiller(_Distiller):
    __doc__ = (
        "A :class:`DistillerRegressor` if ``y`` holds numbers with fractions or several columns, else a\n"
        "    :class:`DistillerClassifier`."
        + _PARAMETERS.format(answers="probabilities or values", method="predict_proba`` or ``predict")
    )

    def fit(self, X, y):
        """Distills a student of the rows ``X`` and their targets ``y``. NaN in ``X`` is a missing value."""
        self.__dict__.pop("classes_", None)
        values = type_of_target(y).startswith(("continuous", "multiclass-multioutput"))
        return self._fit_values(X, y) if values else self._fit_classes(X, y)

    def predict(self, X):
        """Returns the class, or the values, of each row."""
        check_is_fitted(self)
        return self._labels(X) if hasattr(self, "classes_") else self._values(X)

    def predict_proba(self, X):
        """Returns the probability of each class, in the order of ``classes_``."""
        check_is_fitted(self)
        if not hasattr(self, "classes_"):
            raise AttributeError("predict_proba is for classes, and this student was fitted to values")
        return self._outputs(X)

    def score(self, X, y):
        """Returns the accuracy or, for values, R²."""
        check_is_fitted(self)
        mixin = ClassifierMixin if hasattr(self, "classes_") else RegressorMixin
        return mixin.score(self, X, y)
