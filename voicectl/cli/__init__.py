"""The command line: one thin file per subcommand, all over the same services."""

from __future__ import annotations

from typing import Annotated

import typer

from voicectl import __version__
from voicectl.cli.ingest_kb import ingest_kb
from voicectl.cli.kb import kb
from voicectl.cli.replay_call import replay_call
from voicectl.cli.serve import serve

app = typer.Typer(
    name="voicectl",
    help="Answer the telephone with an AI agent, over Twilio ConversationRelay.",
    no_args_is_help=True,
    rich_markup_mode=None,  # Rich's help costs 80 ms of start-up
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve)
app.command("replay-call")(replay_call)
app.command("ingest-kb")(ingest_kb)
app.add_typer(kb)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"voicectl {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
