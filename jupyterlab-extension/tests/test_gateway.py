"""OpenAI's API under the Jupyter server: who may use it, what passes, and OpenAI's own clients against a real model."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar

import httpx
import httpx2
import openai
import pytest
from rig import REPO, TOKEN, Folders, Jupyter, jupyter_server, session_in

BEARER = {"Authorization": f"Bearer {TOKEN}"}
CHAT = {"model": "smollm2", "messages": [{"role": "user", "content": "Say hello."}]}


class Behind:
    """Stands behind the relay: keeps what it is asked, and answers piece by piece, as it is told to."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            # Somebody only looked whether the socket answers.
            writer.close()
            return
        self.requests.append(head)
        length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        self.bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        ended = asyncio.ensure_future(reader.read(1))
        while True:
            piece = asyncio.ensure_future(self.pieces.get())
            await asyncio.wait([piece, ended], return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                piece.cancel()
                self.gone.set()
                break
            data = piece.result()
            writer.write(b"0\r\n\r\n" if data is None else b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            if data is None:
                break
        ended.cancel()
        writer.close()


@asynccontextmanager
async def behind(jupyter: Jupyter) -> AsyncIterator[Behind]:
    made = Behind()
    shutil.rmtree(jupyter.folders.home)
    jupyter.folders.home.mkdir(mode=0o700)
    path = jupyter.folders.runtime / "bridge.sock"
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(made.serve, path)
    path.chmod(0o600)
    try:
        yield made
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def test_what_passes_and_what_does_not(jupyter: Jupyter) -> None:
    async with behind(jupyter) as made, httpx.AsyncClient(timeout=60) as client:
        url = jupyter.url(f"pilothouse/v1/chat/completions?token={TOKEN}")
        headers = BEARER | {"Cookie": "a=secret", "X-Pilothouse-Priority": "5", "X-Forwarded-For": "10.0.0.1"}
        async with client.stream("POST", url, json=CHAT | {"note": "ä" * 70_000}, headers=headers) as response:
            made.pieces.put_nowait(b"data: one\n\n")
            read = response.aiter_raw()
            # Each piece is sent only when the one before has arrived: nothing waits for more.
            assert await anext(read) == b"data: one\n\n"
            made.pieces.put_nowait(b"data: two\n\n")
            assert await anext(read) == b"data: two\n\n"
            made.pieces.put_nowait(None)
            assert [piece async for piece in read] == []
            assert response.headers["content-type"] == "text/event-stream"
            assert "sandbox" in response.headers["content-security-policy"]
        [request] = made.requests
        assert request.startswith("POST /v1/chat/completions HTTP/1.1\r\n")
        assert "X-Pilothouse-Priority: 5" in request
        assert [
            word for word in ("authorization", "cookie", "forwarded", TOKEN, "secret") if word in request.lower()
        ] == []
        assert json.loads(made.bodies[0])["note"] == "ä" * 70_000


async def test_a_client_that_goes_away_takes_its_request_along(jupyter: Jupyter) -> None:
    async with behind(jupyter) as made, httpx.AsyncClient(timeout=60) as client:
        async with client.stream("POST", jupyter.url("pilothouse/v1/completions"), json=CHAT, headers=BEARER) as answer:
            made.pieces.put_nowait(b"data: one\n\n")
            assert await anext(answer.aiter_raw()) == b"data: one\n\n"
        await asyncio.wait_for(made.gone.wait(), 30)


async def test_who_may_use_it(jupyter: Jupyter) -> None:
    async with behind(jupyter) as made, httpx.AsyncClient(timeout=60) as client:
        url = jupyter.url("pilothouse/v1/chat/completions")
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            # Without a token it could be a page of another site, so what Jupyter checks of those comes first.
            refused = await client.post(url, json=CHAT, headers=headers)
            assert refused.status_code in (401, 403)
        assert (await client.get(jupyter.url("pilothouse/v1/models"))).json()["error"]["code"] == "invalid_api_key"
        jar = CookieJar()
        login = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        login.open(jupyter.url(f"login?token={TOKEN}")).close()
        cookies = {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)}
        # A page with the user's cookies alone cannot ask: it lacks the mark against forged requests.
        assert (await client.post(url, json=CHAT, headers=cookies)).status_code == 403
        assert made.requests == []


@pytest.fixture(scope="module")
def lab(model: Folders) -> Iterator[Jupyter]:
    """A Jupyter server beside the demo's model."""
    with jupyter_server(model) as server:
        yield server


def test_the_python_client_of_openai_works_unchanged(lab: Jupyter) -> None:
    client = openai.OpenAI(base_url=lab.url("pilothouse/v1"), api_key=TOKEN, max_retries=0, timeout=120)
    assert [model.id for model in client.models.list()] == ["smollm2"]
    _ask_with(client)
    with pytest.raises(openai.NotFoundError, match="There is smollm2"):
        client.chat.completions.create(model="other", messages=[{"role": "user", "content": "hello"}])
    # A client of its own: Jupyter gives who has the right token a cookie, which the first one keeps.
    wrong = openai.OpenAI(base_url=lab.url("pilothouse/v1"), api_key="wrong", max_retries=0)
    with pytest.raises((openai.AuthenticationError, openai.PermissionDeniedError)):
        wrong.models.list()
    # Over the socket, where no key is asked for: only its user reaches it.
    socket = str(lab.folders.runtime / "bridge.sock")
    transport = openai.DefaultHttpxClient(transport=httpx2.HTTPTransport(uds=socket))
    _ask_with(openai.OpenAI(base_url="http://pilothouse/v1", api_key="none", http_client=transport, max_retries=0))


def _ask_with(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="smollm2", messages=[{"role": "user", "content": "Say hello."}], max_tokens=8, temperature=0
    )
    said = answer.choices[0].message.content
    assert said
    assert answer.usage is not None
    assert 1 <= answer.usage.completion_tokens <= 8
    stream = client.chat.completions.create(
        model="smollm2",
        messages=[{"role": "user", "content": "Say hello."}],
        max_tokens=8,
        temperature=0,
        stream=True,
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert len(pieces) > 2
    assert "".join(pieces) == said
    assert client.completions.create(model="smollm2", prompt="One, two,", max_tokens=4).choices[0].text


def test_the_javascript_client_of_openai_works_unchanged(lab: Jupyter) -> None:
    socket = str(lab.folders.runtime / "bridge.sock")
    script = str(REPO / "jupyterlab-extension" / "tests" / "openai_client.mjs")
    argv = ["node", script, lab.url("pilothouse/v1"), socket]
    # In the environment, as users have it: an argument could be read by others.
    env = lab.folders.env | {"OPENAI_API_KEY": TOKEN}
    result = subprocess.run(argv, env=env, cwd=REPO, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stderr
    for way in json.loads(result.stdout):
        assert way["models"] == ["smollm2"]
        assert way["said"]
        assert way["streamed"] == way["said"]
        assert way["pieces"] > 2
        assert way["missing"] == [404, "model_not_found"]


TASK = """
import json
import os
import openai
client = openai.OpenAI(max_retries=0)
request = {"model": os.environ["OPENAI_MODEL"], "messages": [{"role": "user", "content": "Say hello."}]}
answer = client.chat.completions.create(**request, max_tokens=8, temperature=0)
stream = client.chat.completions.create(**request, max_tokens=8, temperature=0, stream=True)
pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
print(json.dumps([answer.choices[0].message.content, "".join(pieces), len(pieces)]))
"""


def test_a_task_calls_the_model_with_nothing_but_its_environment(model: Folders) -> None:
    with session_in(model) as session:
        task = session.tasks.submit([sys.executable, "-c", TASK], services=["smollm2"])
        said, streamed, pieces = json.loads(task.result(timeout="3m").stdout)
    assert said
    assert streamed == said
    assert pieces > 2
