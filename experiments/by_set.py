"""The lead of a study's default arm: one line per data set, and over all sets how often it wins and by how much.

    python by_set.py study-keel/study.json

prints Markdown. All figures are means over seeds: accuracy in % and percentage points, NLL as ratios. It needs only the
standard library.
"""

import json
import sys
from math import exp, log
from statistics import fmean, median

OTHERS = ["hard", "hard-l2", "output-mse"]


def means(data, arm, metric):
    return next(s["scores"][metric]["mean"] for s in data["summaries"] if s["arm"] == arm)


def main(path):
    with open(path) as file:
        sets = json.load(file)["sets"]
    heads = [f"{sign} {other}" for sign in ("−", "×") for other in OTHERS]
    heads.insert(len(OTHERS), "NLL")
    print(f"| data set | rows | classes | test acc. | {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) + 3)}")
    points, ratios = {other: [] for other in OTHERS}, {other: [] for other in OTHERS}
    for data in sets:
        accuracy, nll = (means(data, "default", metric) for metric in ("test accuracy", "nll"))
        for other in OTHERS:
            points[other].append(100 * (accuracy - means(data, other, "test accuracy")))
            ratios[other].append(nll / means(data, other, "nll"))
        cells = [data["name"], str(data["rows"]["train"]), str(len(data["labels"])), f"{100 * accuracy:.1f}"]
        cells += [f"{points[other][-1]:+.1f}" for other in OTHERS]
        cells += [f"{nll:.3f}"] + [f"{ratios[other][-1]:.2f}" for other in OTHERS]
        print(f"| {' | '.join(cells)} |")
    print(f"\n| default, {len(sets)} sets | wins in accuracy | losses | mean, pp | median, pp "
          "| wins in NLL | losses | geometric mean × | median × | × mean NLL |\n|---|" + "---:|" * 9)
    for other in OTHERS:
        p, r = points[other], ratios[other]
        # A difference of accuracy that rounds to zero is a draw.
        more, less = sum(x >= 0.05 for x in p), sum(x <= -0.05 for x in p)
        smaller, larger = sum(x < 0.995 for x in r), sum(x >= 1.005 for x in r)
        mean_nll = [fmean(means(data, arm, "nll") for data in sets) for arm in ("default", other)]
        cells = [f"compared with {other}", more, less, f"{fmean(p):+.1f}", f"{median(p):+.1f}", smaller, larger]
        cells += [f"{exp(fmean(map(log, r))):.2f}", f"{median(r):.2f}", f"{mean_nll[0] / mean_nll[1]:.2f}"]
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python by_set.py study.json")
    main(sys.argv[1])
