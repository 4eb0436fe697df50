"""OpenAIModel and a server that we did not write. Opt-in, one of:

VOICECTL_TEST_LITELLM=1                 LiteLLM's proxy, with a model that answers by itself; needs
                                        `pip install 'litellm[proxy]'`, best in an environment of its own, and then
                                        VOICECTL_TEST_LITELLM=that-environment/bin/litellm
VOICECTL_TEST_OPENAI_URL=http://...     any OpenAI-compatible server, e.g. llama.cpp's, with
VOICECTL_TEST_OPENAI_MODEL=name         a model of it (and OPENAI_API_KEY if it wants a key)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_rig import ask, collect

from voicectl import settings
from voicectl.llm.openai import OpenAIModel
from voicectl.server.inside import inside
from voicectl.settings import AgentSettings, LlmSettings
from voicectl.simulator.caller import Caller
from voicectl.simulator.carrier import TwilioCall
from voicectl.simulator.line import Route

REPLY = "Yes, we are open on Saturdays. From nine until five. – Grüße 👋"

CONFIG = f"""
model_list:
  - model_name: canned
    litellm_params: {{model: openai/canned, api_key: none, mock_response: "{REPLY}"}}
  - model_name: limited
    litellm_params: {{model: openai/canned, api_key: none, mock_response: litellm.RateLimitError}}
  - model_name: broken
    litellm_params: {{model: openai/canned, api_key: none, mock_response: litellm.InternalServerError}}
general_settings: {{master_key: sk-voicectl-test}}
litellm_settings: {{num_retries: 0, telemetry: false}}
router_settings: {{num_retries: 0, disable_cooldowns: true}}
"""

pytestmark = pytest.mark.litellm


@pytest.fixture(scope="module")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a LiteLLM proxy."""
    command = os.environ.get("VOICECTL_TEST_LITELLM", "")
    if not command:
        pytest.skip("VOICECTL_TEST_LITELLM is not set")
    found = shutil.which("litellm" if command == "1" else command)
    if found is None:
        pytest.skip("the litellm command is not installed")
    directory: Path = tmp_path_factory.mktemp("litellm")
    config = directory / "config.yaml"
    config.write_text(CONFIG, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1"}
    arguments = [found, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    log = directory / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(arguments, stdout=out, stderr=out, cwd=directory, env=environ) as proxy,
    ):
        try:
            for _ in range(600):
                if proxy.poll() is not None:
                    pytest.fail(f"LiteLLM did not start: {log.read_text()[-2000:]}")
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/health/liveliness", timeout=1):
                    break
                time.sleep(0.1)
            else:
                pytest.fail("LiteLLM did not answer in time")
            yield f"{base}/v1"
        finally:
            proxy.terminate()
            try:
                proxy.wait(10)
            except subprocess.TimeoutExpired:
                proxy.kill()


def model_of(base_url: str, model: str, key: str = "sk-voicectl-test", **llm: float) -> OpenAIModel:
    return OpenAIModel(LlmSettings(base_url=base_url, api_key=key, model=model, **llm), AgentSettings())  # type: ignore[arg-type]


def test_litellm_answers(litellm: str) -> None:
    async def main() -> None:
        model = model_of(litellm, "canned")
        await model.warm_up()
        for _ in range(3):
            got = await collect(model)
            assert (got.kind, got.text) == ("ok", REPLY)
            assert got.end is not None
            assert got.end.reason == "stop"
            assert got.end.usage is not None
            assert got.end.usage.completion_tokens > 0
        replies = await asyncio.gather(*(collect(model) for _ in range(20)))
        assert {reply.text for reply in replies} == {REPLY}
        await model.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("model", "kind"), [("limited", "rate_limit"), ("broken", "overload"), ("unheard-of", "bad_data")]
)
def test_litellm_refuses(litellm: str, model: str, kind: str) -> None:
    async def main() -> None:
        asked = model_of(litellm, model)
        got = await collect(asked)
        await asked.close()
        assert got.kind == kind

    asyncio.run(main())


def test_litellm_can_be_left(litellm: str) -> None:
    async def main() -> None:
        model = model_of(litellm, "canned")
        for _ in range(3):
            async for _ in model.reply(ask()):
                break
        assert (await collect(model)).text == REPLY
        await model.close()

    asyncio.run(main())


def test_litellm_answers_a_call(litellm: str, tmp_path: Path) -> None:
    """The whole way: a simulated Twilio, our server, the model's server, in real time."""

    async def main() -> None:
        flags = {
            "llm.base_url": litellm,
            "llm.api_key": "sk-voicectl-test",
            "llm.model": "canned",
            "agent.greeting": "",
            "database.url": f"sqlite:///{tmp_path}/voicectl.db",
        }
        given = settings.load(environ={}, flags=flags, file=os.devnull)
        async with inside(given, sample=False) as server:
            call = TwilioCall(voice_url=server.voice_url, auth_token=server.auth_token, call_sid=f"CA{1:032x}")
            async with Caller(call, Route(server.public_url, server.address), lambda seen: None) as caller:
                await asyncio.sleep(2)
                caller.say("Are you open on Saturdays?")
                await caller.turn()
                await caller.leave()
            reply = (await server.services.calls.turns(call.call_sid))[1]
            assert reply.generated == REPLY
            assert reply.heard.strip() == "Yes, we are open on Saturdays. From nine until five. – Grüße"
            assert reply.usage is not None and reply.usage.completion_tokens > 0

    asyncio.run(main())


def test_any_server() -> None:
    base_url = os.environ.get("VOICECTL_TEST_OPENAI_URL", "")
    if not base_url:
        pytest.skip("VOICECTL_TEST_OPENAI_URL is not set")
    name = os.environ.get("VOICECTL_TEST_OPENAI_MODEL", "")

    async def main() -> None:
        model = model_of(
            base_url, name, os.environ.get("OPENAI_API_KEY", ""), first_token_seconds=60, total_seconds=120
        )
        await model.warm_up()
        got = await collect(model, ask("Please just say hello."))
        await model.close()
        assert got.kind == "ok"
        assert got.text.strip()
        assert got.end is not None

    asyncio.run(main())
