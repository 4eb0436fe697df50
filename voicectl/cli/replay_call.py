"""`voicectl replay-call`: a simulated call, from a scenario or from the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicectl.cli._console import Config, Json, command


def replay_call(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Scenario files, or folders of them. Default: the sample company's demo conversation."),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Be the caller: type what you say. Ctrl-D hangs up.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(help="Call a server that is running, e.g. http://127.0.0.1:8080, instead of one inside."),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Virtual time: a minute of call takes a fraction of a second.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """Simulate a call over the same webhook and the same signed socket as a real one. Exit 1: an expectation failed.

    The server runs inside, with your settings and your database if there is one; scenarios may bring settings of
    their own. With --url it is a running one, called with TWILIO_AUTH_TOKEN, or with the token that `voicectl serve`
    made for itself in this directory.

    At the keyboard: Enter while the agent speaks cuts in; /keys 12# presses keys, /hangup hangs up. Lines from a
    pipe wait for their turn; an empty one is four seconds of silence, /wait 10 is ten.
    """
    with command(json) as out:
        from voicectl.cli import _replay

        ok = _replay.replay(out, files or [], interactive=interactive, url=url, fast=fast, config=config)
        if not ok:
            out.exit(1)
