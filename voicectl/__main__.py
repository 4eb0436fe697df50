"""`python -m voicectl`, and the `voicectl` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    # A worker is one processor's worth: numpy's threads would spin on those of the others. Read when numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from voicectl.cli import _console, app

    try:
        app(prog_name="voicectl")
    except SystemExit as end:
        if end.code == 2 and "--json" in sys.argv:
            _console.wrong_usage()
        raise


if __name__ == "__main__":
    main()
