"""`python -m voicectl.storage.migrate`: bring the configured database up to this version.

The database is the one `voicectl serve` would use: VOICECTL_DATABASE_URL, or [database] url in voicectl.toml. From a
checkout `alembic upgrade head` does the same; this works from an installed wheel, too.
"""

from __future__ import annotations

import asyncio
import sys

from voicectl import settings
from voicectl.errors import VoicectlError
from voicectl.storage.database import Database


async def _migrate(url: str) -> str:
    database = Database.open(url)
    try:
        before = await database.state()
        await database.migrate()
        return before
    finally:
        await database.close()


def main() -> int:
    """Exit codes as everywhere: 0, or 3 when the configuration or the database is at fault."""
    try:
        before = asyncio.run(_migrate(settings.load().database.url))
    except VoicectlError as error:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
        return error.code
    print("the database was up to date" if before == "current" else "the database is up to date now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
