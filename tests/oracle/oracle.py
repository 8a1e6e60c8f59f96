"""Runs quantized networks with TensorFlow Lite's reference kernels and compares this project with them."""

import argparse
import os
import pathlib
import subprocess
import tempfile

import numpy as np

import cases

HERE = pathlib.Path(__file__).parent
FILES = {
    "networks.csv": cases.network,
    "tables.csv": cases.table,
    "softmax.csv": cases.softmax,
}


def write(folder, seed, counts):
    """Writes the cases of each kind with their outputs."""
    for (name, draw), count in zip(FILES.items(), counts):
        rng = np.random.default_rng(seed)
        with open(folder / name, "w") as file:
            for index in range(count):
                case = draw(rng)
                if index == 0:
                    print(case.HEADER, file=file)
                print(case.text(case.outputs()), file=file)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, metavar="NETWORKS", help="compare this many cases of each kind")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not arguments.large:
        return write(HERE, arguments.seed, [160, 40, 60])
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder), arguments.seed, [arguments.large] * len(FILES))
        command = "cargo test --locked --workspace --test int8 --test oracle oracle -- --nocapture"
        environment = os.environ | {"MICRODISTILL_ORACLE": folder}
        raise SystemExit(subprocess.run(command.split(), cwd=HERE, env=environment).returncode)


if __name__ == "__main__":
    main()
