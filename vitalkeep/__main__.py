"""Where every process of the command line begins: first it closes its network, then it does what it was asked."""

from __future__ import annotations

import sys

from vitalkeep.cli.app import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
