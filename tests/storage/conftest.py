from __future__ import annotations

from storage_databases import (  # noqa: F401
    kept_open,
    new_url,
    postgres,
    postgres_or_reason,
    postgresql_url,
    sqlite_template,
    sqlite_url,
    url,
)
