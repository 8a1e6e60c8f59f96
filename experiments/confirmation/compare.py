"""Compares the arms of the confirmation over data sets.

    pip install scipy
    python compare.py OUT.jsonl [NAME…]

OUT.jsonl is what `confirmation` wrote. Prints Markdown: the registered comparisons, further ones, and a line per set.
"""

import json
import sys
from math import exp, log
from statistics import fmean, stdev

from scipy.stats import t, wilcoxon

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


# NLL, in nats, below which differences mean nothing.
LEAST = 0.01


def scores(data, arm):
    """Mean test accuracy and NLL over seeds of the student that an arm chose."""
    if arm == "teacher":
        return data["teacher"]["accuracy"], data["teacher"]["nll"]
    (chosen,) = [row for row in data["students"] if arm in row["arms"]]
    return tuple(fmean(test[score] for test in chosen["test"]) for score in ("accuracy", "nll"))


def half_width(values):
    return t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5


def compared(sets, one, other):
    pairs = [(scores(data, one), scores(data, other)) for data in sets]
    points = [100 * (a[0] - b[0]) for a, b in pairs]
    logs = [log(max(a[1], LEAST) / max(b[1], LEAST)) for a, b in pairs]
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
        print(f"\n| {title} comparison, {len(sets)} sets | test accuracy, pp: mean ± 95 % interval, ahead–behind, p | NLL: ratio (95 % interval), lower–higher, p |\n|---|---|---|")
        for name, (one, other) in comparisons.items():
            accuracy, nll, found[name] = compared(sets, one, other)
            print(f"| {name}: {one} against {other} | {accuracy} | {nll} |")
    print("\n| set | rows | classes | teacher | product | labels | distilled | any | A | B | C | D |\n|---|" + "---:|" * 11)
    for data in sets:
        name = data["set"]
        arms = ("teacher", "product", "labels", "distilled", "any")
        cells = [f"{100 * scores(data, arm)[0]:.1f} / {scores(data, arm)[1]:.3f}" for arm in arms]
        leads = [f"{found[arm][name][0]:+.1f} / {found[arm][name][1]:.2f}" for arm in REGISTERED]
        print(f"| {name} | {data['rows']} | {data['classes']} | {' | '.join(cells + leads)} |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python compare.py OUT.jsonl [NAME…]")
    main(sys.argv[1], set(sys.argv[2:]))
