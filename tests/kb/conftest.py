"""A migrated, empty database for each test that asks for one."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from voicectl.storage.database import Database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kb") / "empty.db"

    async def run() -> None:
        database = Database.open(f"sqlite:///{file}")
        await database.migrate()
        await database.close()

    asyncio.run(run())
    return file


@pytest.fixture
def database_url(migrated: Path, tmp_path: Path) -> str:
    file = tmp_path / "voicectl.db"
    shutil.copy(migrated, file)
    return f"sqlite:///{file}"
