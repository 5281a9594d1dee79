"""The relay in a real Jupyter server: who may pass, what passes, and what happens when nobody is behind it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from urllib.error import HTTPError

import pytest
from rig import HERE, TOKEN, Jupyter, until, wait_until
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

AUTH = {"Authorization": f"token {TOKEN}"}


@pytest.fixture
def lab(jupyter: Jupyter) -> Iterator[Jupyter]:
    """Jupyter with nothing behind the relay and no launcher."""
    shutil.rmtree(jupyter.folders.runtime)
    shutil.rmtree(jupyter.folders.home)
    jupyter.folders.runtime.mkdir(mode=0o700)
    jupyter.folders.home.mkdir(mode=0o700)
    yield jupyter
    for pid in jupyter.folders.processes():
        if pid != jupyter.process.pid:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def bridge(lab: Jupyter) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, str(HERE / "echo_bridge.py")], env=lab.folders.env)
    wait_until((lab.folders.runtime / "bridge.sock").exists, "the socket is there")
    yield process
    process.kill()
    process.wait()


@asynccontextmanager
async def connected(lab: Jupyter, headers: dict[str, str] = AUTH) -> AsyncIterator[WebSocketClientConnection]:
    request = HTTPRequest(lab.url("pilothouse/ws", "ws"), headers=headers, request_timeout=60)
    connection = await websocket_connect(request, max_message_size=64 * 1024 * 1024)
    try:
        yield connection
    finally:
        connection.close()


async def refusal(lab: Jupyter, headers: dict[str, str], path: str = "pilothouse/ws") -> HTTPClientError:
    with pytest.raises(HTTPClientError) as caught:
        await websocket_connect(HTTPRequest(lab.url(path, "ws"), headers=headers, request_timeout=60))
    return caught.value


async def ask(connection: WebSocketClientConnection, message: str | bytes) -> str | bytes | None:
    await connection.write_message(message, binary=isinstance(message, bytes))
    return await connection.read_message()


async def test_without_authentication_403(lab: Jupyter, bridge: object) -> None:
    assert (await refusal(lab, {})).code == 403
    assert (await refusal(lab, {"Authorization": "token wrong"})).code == 403


async def test_foreign_origin_with_cookie_403(lab: Jupyter, bridge: object) -> None:
    jar = CookieJar()
    urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(lab.url(f"login?token={TOKEN}")).close()
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    foreign = await refusal(lab, {"Cookie": cookies, "Origin": "https://evil.example"})
    assert foreign.code == 403
    async with connected(lab, {"Cookie": cookies, "Origin": f"http://127.0.0.1:{lab.port}"}) as connection:
        assert await connection.read_message() == "welcome"


def test_not_a_websocket_426(lab: Jupyter, bridge: object) -> None:
    request = urllib.request.Request(lab.url("pilothouse/ws"), headers=AUTH)
    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 426
    caught.value.close()


async def test_only_the_upgrade_passes(lab: Jupyter, bridge: object) -> None:
    extra = {"Cookie": "a=secret", "X-Forwarded-For": "10.0.0.1", "Sec-WebSocket-Extensions": "permessage-deflate"}
    request = HTTPRequest(lab.url(f"pilothouse/ws?token={TOKEN}", "ws"), headers=AUTH | extra)
    connection = await websocket_connect(request, compression_options={})
    assert await connection.read_message() == "welcome"
    headers = json.loads(str(await ask(connection, "headers")))
    assert set(headers) == {"Host", "Upgrade", "Connection", "Sec-Websocket-Key", "Sec-Websocket-Version"}
    assert await ask(connection, "uri") == "/ws"
    assert TOKEN not in json.dumps(headers)
    connection.close()
    assert TOKEN not in "".join(line for line in lab.log.splitlines() if "pilothouse" in line)


async def test_bytes_pass_both_ways_unchanged(lab: Jupyter, bridge: object) -> None:
    async with connected(lab) as connection:
        assert await connection.read_message() == "welcome"
        for size in (0, 1, 125, 126, 65_535, 65_536, 3_000_000):
            data = os.urandom(size)
            assert await ask(connection, data) == data
        assert await ask(connection, "größe µs ✓") == "größe µs ✓"


async def test_close_codes_pass_both_ways(lab: Jupyter, bridge: object) -> None:
    async with connected(lab) as connection:
        await connection.read_message()
        await connection.write_message("close 4002 moved")
        assert await connection.read_message() is None
        assert (connection.close_code, connection.close_reason) == (4002, "moved")
    async with connected(lab) as connection:
        await connection.read_message()
        connection.close(4003, "bye")
        assert await connection.read_message() is None
    async with connected(lab) as connection:
        await connection.read_message()

        async def seen() -> bool:
            return json.loads(str(await ask(connection, "last-close"))) == [4003, "bye"]

        await until(seen, "the close code is seen behind the relay")


async def test_killed_behind_the_relay(lab: Jupyter, bridge: subprocess.Popen[bytes]) -> None:
    async with connected(lab) as connection:
        await connection.read_message()
        bridge.kill()
        assert await connection.read_message() is None
        assert connection.close_code is None


async def test_nothing_behind_and_no_launcher_503(lab: Jupyter) -> None:
    error = await refusal(lab, AUTH)
    assert error.code == 503
    assert error.response is not None
    data = json.loads(error.response.body)
    assert data["code"] == "LAUNCHER_MISSING"
    assert "npm start" in data["hint"]
    assert data["retryable"] is False
    assert status(lab)["error"]["code"] == "LAUNCHER_MISSING"


async def test_starts_what_is_not_there_once(lab: Jupyter) -> None:
    lab.folders.launch_with(sys.executable, str(HERE / "echo_bridge.py"))
    assert status(lab)["state"] != "running"

    async def greet() -> str | bytes | None:
        async with connected(lab) as connection:
            return await connection.read_message()

    assert set(await asyncio.gather(*[greet() for _ in range(8)])) == {"welcome"}
    assert len((lab.folders.runtime / "starts").read_text().splitlines()) == 1
    assert status(lab) == {"state": "running"}
    inherited = (lab.folders.runtime / "env").read_text().splitlines()
    unwanted = ("JUPYTER", "JPY_", "SECRET", "PILOTHOUSE_TASK_ID", "PILOTHOUSE_PILOT")
    assert not [name for name in inherited if name.startswith(unwanted)]
    assert "PATH" in inherited


async def test_start_that_fails_shows_the_log(lab: Jupyter) -> None:
    lab.folders.launch_with(sys.executable, str(HERE / "echo_bridge.py"))
    (lab.folders.runtime / "refuse").touch()
    code, data = post_start(lab)
    assert code == 503
    assert data["state"] == "failed"
    assert data["error"]["code"] == "BRIDGE_START_FAILED"
    assert data["error"]["evidence"].endswith("the disk is full")
    (lab.folders.runtime / "refuse").unlink()
    assert post_start(lab) == (200, {"state": "running"})


async def test_stale_socket_is_no_obstacle(lab: Jupyter, bridge: subprocess.Popen[bytes]) -> None:
    bridge.kill()
    bridge.wait()
    assert (lab.folders.runtime / "bridge.sock").exists()
    assert (await refusal(lab, AUTH)).code == 503
    lab.folders.launch_with(sys.executable, str(HERE / "echo_bridge.py"))
    async with connected(lab) as connection:
        assert await connection.read_message() == "welcome"


async def test_with_the_product_behind_it(lab: Jupyter) -> None:
    lab.folders.launch_product()
    assert post_start(lab) == (200, {"state": "running"})
    async with connected(lab) as connection:
        assert connection.selected_subprotocol is None
        await connection.write_message("this is no call")
        assert await connection.read_message() is None
        assert connection.close_code is not None


def test_status_and_start_want_authentication(lab: Jupyter) -> None:
    for path, data in (("pilothouse/status", None), ("pilothouse/start", b"{}")):
        with pytest.raises(HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(lab.url(path), data=data))
        assert caught.value.code == 403
        caught.value.close()


async def test_paused_reader_keeps_memory_flat(lab: Jupyter, bridge: object) -> None:
    blocks = 4_000  # 250 MiB
    async with connected(lab) as flooded, connected(lab) as other:
        await flooded.read_message()
        await other.read_message()
        before = lab.rss()
        await flooded.write_message(f"flood {blocks}")
        # The writer stops by itself: its count no longer moves, far below the end.
        counts: list[int] = []

        async def stands_still() -> bool:
            counts.append(int(str(await ask(other, "sent"))))
            return len(counts) > 10 and counts[-1] > 0 and len(set(counts[-10:])) == 1

        await until(stands_still, "the writer waits for the reader")
        assert counts[-1] < blocks / 4
        assert lab.rss() - before < 16 * 1024 * 1024
        for _ in range(blocks):
            block = await flooded.read_message()
            assert block is not None
        assert lab.rss() - before < 32 * 1024 * 1024


async def test_no_descriptor_is_left(lab: Jupyter, bridge: object) -> None:
    async def settled() -> bool:
        return lab.log.count("101 GET") == lab.log.count("closed /user/alice/pilothouse/ws")

    async with connected(lab) as connection:
        await connection.read_message()
    await until(settled, "all connections are closed")
    before = lab.descriptors()
    for _ in range(50):
        async with connected(lab) as connection:
            await connection.read_message()
    await until(settled, "all connections are closed")
    assert lab.descriptors() <= before


def read(response: HTTPResponse) -> dict[str, object]:
    with response:
        return json.loads(response.read())


def status(lab: Jupyter) -> dict:
    return read(urllib.request.urlopen(urllib.request.Request(lab.url("pilothouse/status"), headers=AUTH)))


def post_start(lab: Jupyter) -> tuple[int, dict]:
    request = urllib.request.Request(lab.url("pilothouse/start"), data=b"{}", headers=AUTH)
    try:
        return 200, read(urllib.request.urlopen(request))
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
