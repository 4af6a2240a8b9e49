"""The command line: ``isocost`` and ``python -m isocost``."""

import sys

from ._isocost import main as _main


def main() -> int:
    """Runs the command line with the arguments of this process."""
    return _main(["isocost", *sys.argv[1:]], [sys.executable, "-m", "isocost"])


if __name__ == "__main__":
    sys.exit(main())
