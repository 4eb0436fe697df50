"""`python -m voicectl`, and the `voicectl` command."""

from __future__ import annotations

import sys


def main() -> None:
    from voicectl.cli import _console, app

    try:
        app(prog_name="voicectl")
    except SystemExit as end:
        if end.code == 2 and "--json" in sys.argv:
            _console.wrong_usage()
        raise


if __name__ == "__main__":
    main()
