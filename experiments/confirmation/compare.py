"""The arms of the confirmation, chosen by held-out losses and compared over data sets.

    pip install scipy
    python compare.py OUT.jsonl [NAME…]

Prints Markdown: the registered comparisons, the further ones, and a line per set.
"""

import json
import sys
from math import exp, log
from statistics import fmean, stdev

from scipy.stats import t, wilcoxon

STANDARD = "standardized"
LABELS = ("target", "smoothed-labels")
DISTILLED = ("teacher", "synthetic", "teacher-and-synthetic")
# Which candidates an arm chooses among: the arm of the file, lessons, and whether inputs may be standardized or in pieces.
ARMS = {
    "product": ("product", ("target",), (True, False)),
    "labels": ("recipe", LABELS, (True, True)),
    "distilled": ("recipe", DISTILLED, (True, True)),
    "any": ("recipe", LABELS + DISTILLED, (True, True)),
    "pieces, labels": ("recipe", ("target",), (False, True)),
    "pieces, synthetic": ("recipe", ("synthetic",), (False, True)),
    "pieces, teacher and synthetic": ("recipe", ("teacher-and-synthetic",), (False, True)),
}
REGISTERED = {
    "A": ("distilled", "product"),
    "B": ("distilled", "labels"),
    "C": ("pieces, synthetic", "pieces, labels"),
    "D": ("any", "labels"),
}
FURTHER = {
    "one recipe": ("pieces, teacher and synthetic", "labels"),
    "the teacher": ("teacher", "labels"),
    "ceiling": ("teacher", "any"),
}


def scores(data, name):
    """Mean test accuracy and NLL over seeds of the candidate with the smallest held-out loss."""
    if name == "teacher":
        return data["blend"]["accuracy"], data["blend"]["nll"]
    arm, lessons, inputs = ARMS[name]
    fits = lambda row: row["arm"] == arm and row["lesson"] in lessons and inputs[row["inputs"] != STANDARD]
    rows = [row for row in data["students"] if fits(row) and row["held_out"] is not None]
    best = min(rows, key=lambda row: row["held_out"])
    return tuple(fmean(test[score] for test in best["test"]) for score in ("accuracy", "nll"))


def half_width(values):
    return t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5


def compared(sets, one, other):
    pairs = [(scores(data, one), scores(data, other)) for data in sets]
    points = [100 * (a[0] - b[0]) for a, b in pairs]
    logs = [log(a[1] / b[1]) for a, b in pairs]
    ahead, behind = sum(x > 1e-9 for x in points), sum(x < -1e-9 for x in points)
    lower, higher = sum(x < 0 for x in logs), sum(x > 0 for x in logs)
    middle, half = fmean(logs), half_width(logs)
    accuracy = f"{fmean(points):+.2f} ± {half_width(points):.2f}, {ahead}–{behind}, p = {wilcoxon(points).pvalue:.3f}"
    nll = f"× {exp(middle):.3f} ({exp(middle - half):.3f}–{exp(middle + half):.3f}), {lower}–{higher}, p = {wilcoxon(logs).pvalue:.3f}"
    return accuracy, nll, {data["set"]: (p, exp(l)) for data, p, l in zip(sets, points, logs)}


def main(path, names):
    with open(path) as file:
        sets = [json.loads(line) for line in file]
    sets = [data for data in sets if not names or data["set"] in names]
    found = {}
    for title, comparisons in (("registered", REGISTERED), ("further", FURTHER)):
        print(f"\n| {title} comparison, {len(sets)} sets | test accuracy, pp: mean ± 95 % interval, ahead–behind, Wilcoxon's p | NLL: ratio, 95 % interval, lower–higher, p |\n|---|---|---|")
        for name, (one, other) in comparisons.items():
            accuracy, nll, found[name] = compared(sets, one, other)
            print(f"| {name}: {one} against {other} | {accuracy} | {nll} |")
    print("\n| set | rows | classes | teacher | labels | distilled | any | A | B | C | D |\n|---|" + "---:|" * 10)
    for data in sets:
        name = data["set"]
        cells = [f"{100 * scores(data, arm)[0]:.1f} / {scores(data, arm)[1]:.3f}" for arm in ("teacher", "labels", "distilled", "any")]
        leads = [f"{found[arm][name][0]:+.1f} / {found[arm][name][1]:.2f}" for arm in REGISTERED]
        print(f"| {name} | {data['rows']} | {data['classes']} | {' | '.join(cells + leads)} |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python compare.py OUT.jsonl [NAME…]")
    main(sys.argv[1], set(sys.argv[2:]))
