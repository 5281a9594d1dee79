"""Answers of the real model: streamed, followed over broken connections, stopped, failed."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pilothouse as ph
import pytest
from pilothouse._bridge.places import Places
from pilothouse._client import Client
from pilothouse._streams import follow_answer
from rig import Folders, kill_bridge, session_in

STORY = "Tell a very long story about a ship."


@pytest.fixture
def session(model: Folders) -> Iterator[ph.Session]:
    with session_in(model) as made:
        yield made


@pytest.fixture
def llm(session: ph.Session) -> ph.Service:
    return session.services.get("smollm2")


def test_chunks_make_the_text(llm: ph.Service) -> None:
    answer = llm.chat("What does ionizing radiation do to DNA?", max_tokens=30, seed=1)
    chunks = list(answer)
    assert len(chunks) > 5
    assert [chunk["at"] for chunk in chunks] == sorted(chunk["at"] for chunk in chunks)
    text = "".join(chunk["text"] for chunk in chunks)
    result = answer.result()
    assert (result.text, answer.text) == (text, text)
    assert answer.state == "DONE"
    assert result.usage is not None
    assert result.usage["completionTokens"] == 30
    assert result.instance == 1
    timing = result.timing
    assert timing is not None
    parts = timing["communication"] + timing["queue"] + timing["service"] + (timing["inference"] or 0)
    assert parts == pytest.approx(timing["total"], rel=0.02)
    assert answer.timing == timing
    assert list(answer) == chunks


def test_a_conversation(llm: ph.Service) -> None:
    answer = llm.chat(
        [{"role": "system", "content": "Answer with one word."}, {"role": "user", "content": "Name a colour."}],
        max_tokens=5,
        temperature=0,
        timeout="1m",
    )
    assert answer.done(timeout="1m")["state"] == "DONE"
    again = answer.retry()
    assert again.id != answer.id
    assert again.result(timeout="1m").text == answer.text
    assert again.record["retryOf"] == answer.id


def test_what_else_can_be_asked(session: ph.Session, llm: ph.Service) -> None:
    answer = llm.complete("The colour of the clear sky is", max_tokens=4, temperature=0, stop=["."])
    result = answer.result(timeout="1m")
    assert result.text == answer.text != ""
    assert (answer.instance, result.model) == (1, "smollm2")
    assert answer.usage == result.usage
    assert answer.value == result
    assert [found.id for found in session.answers.search("colour of the CLEAR sky", service=llm)] == [answer.id]
    assert sum(bucket["count"] for bucket in llm.statistics(step="1m", buckets=2)["buckets"]) > 0
    with pytest.raises(ph.PilothouseError) as caught:
        llm.infer({"x": [1.0, 2.0]}).result(timeout="1m")
    assert caught.value.code == "UNSUPPORTED_REQUEST"
    assert caught.value.hint


def test_the_same_from_async_programs(model: Folders) -> None:
    async def ask() -> None:
        async with await ph.aconnect("async") as session:
            llm = await session.services.get("smollm2")
            answer = await llm.complete("One, two,", max_tokens=3, temperature=0)
            result = await answer.result(timeout="1m")
            assert result.text == await answer.text()
            found = await session.answers.search("One, two,", state=["DONE"], limit=5)
            assert answer.id in [one.id for one in found]

    with session_in(model):
        asyncio.run(ask())


def test_stop_ends_it_and_keeps_the_text(llm: ph.Service) -> None:
    answer = llm.chat(STORY, max_tokens=1500)
    seen = ""
    for chunk in answer:
        seen += chunk["text"]
        if len(seen) > 20:
            break
    assert answer.state == "STREAMING"
    answer.stop()
    assert answer.done(timeout="30s")["state"] == "CANCELED"
    assert answer.text.startswith(seen)
    with pytest.raises(ph.PilothouseError) as caught:
        answer.result()
    assert caught.value.code == "ANSWER_STOPPED"
    with pytest.raises(ph.PilothouseError) as caught:
        list(answer)
    assert caught.value.code == "ANSWER_STOPPED"


def test_interrupt_ends_the_reading(model: Folders, session: ph.Session) -> None:
    code = f"""
        import pilothouse as ph
        answer = ph.connect("other").services.get("smollm2").chat({STORY!r}, max_tokens=1500)
        print(answer.id, flush=True)
        try:
            for chunk in answer:
                pass
        except KeyboardInterrupt as stop:
            print(stop)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=model.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    answer = session.answers.get(child.stdout.readline().strip())
    answer.until("STREAMING", timeout="30s")
    child.send_signal(signal.SIGINT)
    said, errors = child.communicate(timeout=30)
    assert "The answer goes on; .stop() stops it." in said
    assert errors == ""
    assert answer.state == "STREAMING"
    answer.stop()


def test_a_program_may_end_in_the_middle(model: Folders, session: ph.Session) -> None:
    code = f"""
        import pilothouse as ph
        answer = ph.connect("other").services.get("smollm2").chat({STORY!r}, max_tokens=1500)
        chunks = iter(answer)
        next(chunks)
        print(answer.id)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=model.env, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    answer = session.answers.get(done.stdout.strip())
    assert answer.state == "STREAMING"
    answer.stop()


def test_over_the_context(llm: ph.Service) -> None:
    answer = llm.chat("word " * 20_000, max_tokens=5)
    with pytest.raises(ph.PilothouseError) as caught:
        answer.result(timeout="1m")
    assert caught.value.code == "CONTEXT_EXCEEDED"
    assert caught.value.hint
    assert answer.state == "FAILED"


def test_the_bridge_is_killed_while_it_streams(model: Folders, llm: ph.Service) -> None:
    answer = llm.chat(STORY, max_tokens=1500)
    seen: list[str] = []
    with pytest.raises(ph.PilothouseError) as caught:
        for chunk in answer:
            seen.append(chunk["text"])
            if len(seen) == 20:
                kill_bridge(model)
    assert caught.value.code == "BRIDGE_RESTARTED"
    assert caught.value.retryable
    # What was written down is kept: all but the last moment before the kill.
    assert "".join(seen).startswith(answer.text)
    assert answer.text
    assert llm.chat("Say hello.", max_tokens=3).result(timeout="1m").text


async def test_followed_over_broken_connections(model: Folders, llm: ph.Service) -> None:
    """A connection that is cut at arbitrary bytes, again and again: no chunk is lost and none comes twice."""
    answer = llm.chat(STORY, max_tokens=250, temperature=0)
    cuts = random.Random(7)
    limits = (cuts.randint(300, 3000) + 400 * n for n in itertools.count())
    async with cutting_proxy(model.runtime / "bridge.sock", limits) as (places, count):
        client = Client(places, starts=False)
        text = ""
        async with aclosing(follow_answer(client, answer.id)) as batches:
            async for batch in batches:
                text += "".join(chunk["text"] for chunk in batch["chunks"])
        await client.close()
        assert len(count) > 3
    assert text == answer.text
    assert answer.state == "DONE"


@asynccontextmanager
async def cutting_proxy(target: Path, limits: Iterator[int]) -> AsyncIterator[tuple[Places, list[int]]]:
    """Stands before a socket and cuts each connection after some bytes of what comes back."""
    connections: list[int] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(next(limits))
        left = connections[-1]
        there, here = await asyncio.open_unix_connection(str(target))
        up = asyncio.ensure_future(pour(reader, here))
        while left > 0 and (data := await there.read(min(left, 4096))):
            writer.write(data)
            await writer.drain()
            left -= len(data)
        up.cancel()
        here.close()
        writer.close()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()

    with tempfile.TemporaryDirectory(prefix="ph-", dir="/tmp") as folder:
        # No lease there, so the socket in the runtime folder counts.
        places = Places(Path(folder) / "home", Path(folder), Path(folder) / "launcher.json")
        server = await asyncio.start_unix_server(carry, str(places.socket))
        async with server:
            yield places, connections


async def test_awaited(model: Folders, session: ph.Session) -> None:
    async with await ph.aconnect("async") as asynchronous:
        llm = await asynchronous.services.get("smollm2")
        await llm.ready(timeout="1m")
        answer = await llm.chat("Name a star.", max_tokens=8)
        text = "".join([chunk["text"] async for chunk in answer])
        assert (await answer.result()).text == text == await answer.text()


def test_the_service_stops_and_says_so(session: ph.Session) -> None:
    second = session.services.start("smollm2", name="second", resources={"cores": 1})
    assert second.name == "second"
    second.stop()
    assert second.done(timeout="1m")["state"] == "STOPPED"
    with pytest.raises(ph.PilothouseError) as caught:
        second.ready()
    assert caught.value.code == "SERVICE_STOPPED"
