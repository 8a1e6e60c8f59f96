"""scikit-learn's base classes and checks, or the least that the estimators need where it is not installed."""

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data
except ModuleNotFoundError:  # scikit-learn is optional
    import inspect

    class BaseEstimator:
        def get_params(self, deep=True):
            return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

        def set_params(self, **params):
            for name, value in params.items():
                setattr(self, name, value)
            return self

    class ClassifierMixin:
        def score(self, X, y):
            return float(np.mean(self.predict(X) == np.asarray(y)))

    class RegressorMixin:
        def score(self, X, y):
            y = np.asarray(y, dtype=float)
            return float(1 - np.sum((y - self.predict(X)) ** 2) / np.sum((y - y.mean(0)) ** 2))

    def check_classification_targets(y):
        if type_of_target(y) == "continuous":
            raise ValueError("the targets are values: use DistillerRegressor")

    def type_of_target(y):
        y = np.asarray(y)
        fractions = y.dtype.kind == "f" and np.any(y != np.floor(y))
        return "continuous" if fractions or y.ndim > 1 else "multiclass"

    def check_is_fitted(estimator):
        if not hasattr(estimator, "student_"):
            raise ValueError(f"this {type(estimator).__name__} is not fitted yet: call fit first")

    def check_random_state(seed):
        return seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)

    def validate_data(estimator, X, y=None, *, reset=True, **_):
        names = [str(name) for name in getattr(X, "columns", [])]
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2:
            raise ValueError(f"X has {X.ndim} dimensions: it must have rows and columns")
        if reset:
            estimator.n_features_in_ = X.shape[1]
            if names:
                estimator.feature_names_in_ = np.array(names, dtype=object)
        elif X.shape[1] != estimator.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} features, but the student takes {estimator.n_features_in_}")
        if y is None:
            return X
        y = np.asarray(y)
        if len(y) != len(X):
            raise ValueError(f"X has {len(X)} rows, but y has {len(y)}")
        return X, y


__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "RegressorMixin",
    "check_classification_targets",
    "check_is_fitted",
    "check_random_state",
    "type_of_target",
    "validate_data",
]
