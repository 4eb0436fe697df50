"""How long `voicectl --help` takes, and that it imports nothing heavy. Prints the figures; fails on the imports."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

HEAVY = ("openai", "twilio", "sqlalchemy", "alembic", "fastapi", "uvicorn", "aiohttp", "pydantic", "elevenlabs")
CODE = """
import json, sys
sys.argv = ["voicectl", "--help"]
try:
    from voicectl.__main__ import main
    main()
except SystemExit:
    pass
print("MODULES " + json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def heavy_imports() -> list[str]:
    """The heavy packages that `voicectl --help` imports."""
    out = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    assert "serve" in out and "replay-call" in out
    modules = json.loads(out.rsplit("MODULES ", 1)[1])
    return [name for name in HEAVY if name in modules]


def seconds() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "voicectl", "--help"], capture_output=True, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    found = heavy_imports()
    times = [seconds() for _ in range(7)]
    print(f"voicectl --help: median {statistics.median(times) * 1000:.0f} ms, max {max(times) * 1000:.0f} ms")
    if found:
        sys.exit(f"imports {', '.join(found)}")
