"""`make bench-grader`: how good the grader is, measured on the labelled corpus that stands among the tests."""

import importlib
import sys

from crashlab.errors import MissingPrerequisite


def main() -> None:
    """Run the benchmark. Raises MissingPrerequisite where the corpus is not there, as in an installed package."""
    try:
        bench = importlib.import_module("tests.grader.bench")
    except ModuleNotFoundError as error:
        raise MissingPrerequisite("The labelled corpus is not here.", "Run this from the repository.") from error
    bench.main()


if __name__ == "__main__":
    try:
        main()
    except MissingPrerequisite as problem:
        sys.exit(f"{problem.message} {problem.hint}")
