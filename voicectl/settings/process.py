"""Settings of the process: the same for all agents, and as they were when it started."""

from __future__ import annotations

from dataclasses import dataclass

from voicectl.settings.setting import setting


@dataclass(frozen=True, slots=True)
class ServerSettings:
    host: str = setting("", "Address of the public listener; empty: 0.0.0.0, or 127.0.0.1 without a Twilio auth token")
    port: int = setting(8080, "Port of the public listener, the one Twilio reaches", low=0, high=65535)
    operator_host: str = setting("127.0.0.1", "Address of the operator's listener")
    operator_port: int = setting(
        8081, "Port of the operator's listener, with the phone in the browser", low=0, high=65535
    )
    public_url: str = setting(
        "",
        "How Twilio reaches the public listener, e.g. https://voice.example.com; signatures are checked against it",
        env="VOICECTL_PUBLIC_URL",
    )
    max_calls: int = setting(500, "Calls answered at once; callers beyond that hear the busy message", low=1)
    busy_message: str = setting(
        "All our lines are busy right now. Please call again in a few minutes. Goodbye.",
        "Said to a caller who cannot be answered",
    )


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    url: str = setting(
        "sqlite:///voicectl.db",
        "Database: sqlite:///file.db, or postgresql://user@host/name for more than one machine",
        env="VOICECTL_DATABASE_URL",
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    account_sid: str = setting("", "Account SID, AC and 32 hexadecimal digits", env="TWILIO_ACCOUNT_SID")
    auth_token: str = setting(
        "", "Primary auth token: signs every webhook and socket", env="TWILIO_AUTH_TOKEN", secret=True
    )
    previous_auth_token: str = setting(
        "", "Auth token still accepted while you rotate", env="TWILIO_PREVIOUS_AUTH_TOKEN", secret=True
    )


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    log_level: str = setting("warning", "Least level that is logged", choices=("debug", "info", "warning", "error"))
    sample_seconds: float = setting(
        60.0, "How often live calls, memory and loop lag are stored in the database", low=1, high=86400
    )
