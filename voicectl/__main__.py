"""`python -m voicectl`, and the `voicectl` command."""

from __future__ import annotations


def main() -> None:
    from voicectl.cli import app

    app(prog_name="voicectl")


if __name__ == "__main__":
    main()
