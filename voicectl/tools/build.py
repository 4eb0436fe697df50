"""The tools of an agent, put together from the settings. Everything that is wrong with them is found here, when the
server starts: ConfigError names the tool."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from voicectl.errors import ConfigError
from voicectl.ports import Knowledge, ToolSpec
from voicectl.settings import Settings, ToolSettings
from voicectl.tools.ask_for_keys import ask_for_keys
from voicectl.tools.http_endpoint import HttpEndpoint
from voicectl.tools.python_function import python_function
from voicectl.tools.search_knowledge import search_knowledge
from voicectl.tools.send_keys import send_keys
from voicectl.tools.switch_language import switch_language
from voicectl.tools.tool import Run, Tool, parse_schema
from voicectl.tools.toolbox import Toolbox

BUILTIN = ("search_knowledge", "send_keys", "switch_language", "ask_for_keys")


def tools_for(
    settings: Settings,
    agent_name: str,
    *,
    knowledge: Knowledge | None,
    languages: Sequence[str],
    collections: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Toolbox:
    """The tools of the agent `agent_name`. `languages` are those the call can be held in, `collections` where the agent
    looks things up. What cannot be of use is left out: a choice of languages where there is one, keys where there is no
    field. `environ` is the process's own if None. Close it with aclose()."""
    tools: list[Tool] = []
    closers: list[Callable[[], Awaitable[None]]] = []
    for name in settings.tools.builtin:
        if name not in BUILTIN:
            close = difflib.get_close_matches(name, BUILTIN, n=1)
            raise ConfigError(
                f"tools.builtin: there is no tool {name!r}" + (f"; did you mean {close[0]!r}?" if close else ""),
                f"choose from {', '.join(BUILTIN)}",
            )
        if name == "search_knowledge" and knowledge is not None:
            tools.append(search_knowledge(knowledge, collections))
        elif name == "send_keys":
            tools.append(send_keys())
        elif name == "switch_language" and len(languages) > 1:
            tools.append(switch_language(languages))
        elif name == "ask_for_keys" and settings.agent.key_fields:
            tools.append(ask_for_keys(settings.agent.key_fields))
    for each in settings.tools.functions:
        if not each.agents or agent_name in each.agents:
            tools.append(_own(settings, each, environ, closers))
    return Toolbox(tools, closers)


def _own(
    settings: Settings,
    tool: ToolSettings,
    environ: Mapping[str, str] | None,
    closers: list[Callable[[], Awaitable[None]]],
) -> Tool:
    if not tool.description.strip():
        raise ConfigError(f"the tool {tool.name!r} has no description", "say what it does and when to use it")
    if bool(tool.python) == bool(tool.url):
        raise ConfigError(f"the tool {tool.name!r} must have one of python and url", "name a function, or an address")
    parameters = parse_schema(tool.name, tool.parameters)
    spec = ToolSpec(tool.name, tool.description, parameters, tool.meanwhile)
    run: Run
    if tool.python:
        run = python_function(tool.name, tool.python, parameters)
    else:
        endpoint = HttpEndpoint(tool, parameters, settings.tools.allowed_hosts, environ)
        closers.append(endpoint.aclose)
        run = endpoint.run
    return Tool(spec, run, tool.seconds)


__all__ = ["BUILTIN", "tools_for"]
