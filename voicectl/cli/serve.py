"""`voicectl serve`: answer calls."""

from __future__ import annotations

from typing import Annotated

import typer

from voicectl.cli._console import Config, Json, Output, command


def serve(
    host: Annotated[
        str | None,
        typer.Option(
            help="Address of the public listener. Default: 127.0.0.1 without a Twilio auth token, else 0.0.0.0."
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the public listener, the one Twilio reaches. [default: 8080]")
    ] = None,
    operator_port: Annotated[
        int | None, typer.Option(help="Port of the operator's listener: the phone in the browser. [default: 8081]")
    ] = None,
    operator_host: Annotated[
        str | None, typer.Option(help="Address of the operator's listener. [default: 127.0.0.1]")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(envvar="VOICECTL_PUBLIC_URL", help="How Twilio reaches the public listener, https://…")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Answer calls. With nothing configured: on this machine only, with the sample company's knowledge.

    Twilio credentials come from TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, the reply model from OPENAI_API_KEY,
    OPENAI_BASE_URL and VOICECTL_LLM_MODEL, the database from VOICECTL_DATABASE_URL.
    """
    with command(json) as out:
        from voicectl import settings as s

        given = s.load(
            flags={
                "server.host": host,
                "server.port": port,
                "server.operator_port": operator_port,
                "server.operator_host": operator_host,
                "server.public_url": public_url,
            },
            file=config,
        )
        from voicectl.server import serving

        serving.check(given)
        serving.run(given, lambda started: _tell(out, started))


def _tell(out: Output, started: object) -> None:
    from voicectl.server.serving import Started

    assert isinstance(started, Started)
    out.result(
        {
            "url": started.address,
            "operator_url": started.operator_address,
            "phone": started.phone_link,
            "public_url": started.public_url,
            "model": started.model,
            "passages": started.passages,
            "off": list(started.off),
        },
        "\n".join(started.lines()),
    )
