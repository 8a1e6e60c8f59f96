"""Distills a model into kilobytes that a microcontroller runs.

>>> from microdistill import Distiller
>>> student = Distiller(teacher=forest.predict_proba, hidden=(16,)).fit(X, y)
>>> student.quantize().export("model.rs")
"""

from ._estimators import Distiller, DistillerClassifier, DistillerRegressor
from ._report import Report

__all__ = ["Distiller", "DistillerClassifier", "DistillerRegressor", "Report"]
