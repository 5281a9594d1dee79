"""Services of one's own in Python and TypeScript, called from both."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pilothouse import PilothouseError
from pilothouse.direct import AsyncDirectClient, DirectClient, Target
from pilothouse.serving import Service
from rig import REPO, until, wait_until

NODE24 = f"node-linux-{'arm64' if platform.machine() == 'aarch64' else 'x64'}"
TYPESCRIPT = """
import { defineService, serve } from '@pilothouse/sdk/service';
import { z } from 'zod';
const demo = defineService({ name: 'demo', methods: {
  sum: { input: z.object({ x: z.array(z.number()) }), output: z.number() },
  echo: { input: z.unknown(), output: z.unknown() },
  count: { input: z.number(), output: z.string(), chunk: z.number() },
  fail: { input: z.null(), output: z.null() },
} });
await serve(demo, { handlers: {
  sum: ({ x }) => x.reduce((a, b) => a + b, 0),
  echo: (value) => value,
  async *count(n) { for (let i = 0; i < n; i += 1) yield i; return 'done'; },
  fail: () => { throw new TypeError('bad dose'); },
} });
"""
CALLER = """
import { Connection, NdArray, ping } from '@pilothouse/sdk/direct';
import { validatorFor } from './lib/service-definition/index.js';
const target = JSON.parse(process.argv[1]);
const connection = new Connection({ ...target, name: 'dose-response instance 1' });
const call = async (method, input) => (await connection.call({ method, input })).value;
const refused = (promise) => promise.then(() => 'answered', ({ code, field }) => [code, field]);
const pieces = [];
const { methods } = await ping(connection.target, { methods: true });
const fit = validatorFor(methods.find(({ name }) => name === 'fit'));
console.log(JSON.stringify({
  fit: await call('fit', { dose: [1, 2], response: [0.5] }),
  refused: await refused(call('fit', { dose: ['x'], response: [] })),
  failed: await refused(call('fail', null)),
  streamed: (await connection.call({ method: 'count', input: { until: 200 }, stream: true,
    onChunk: async (piece) => { pieces.push(piece); } })).value,
  pieces: pieces.length === 200 && pieces.every((piece, index) => piece === index),
  array: [...(await call('echo', { a: new NdArray(new Float32Array([1, 2, 3, 4]), [2, 2]) })).a.data],
  checked: [fit.input({ dose: [1], response: [2] }), fit.input({ dose: ['x'], response: [2] })[0].path],
}));
connection.close();
"""


class Running(NamedTuple):
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    target: Target

    @classmethod
    def start(cls, argv: list[str], home: str) -> Running:
        process = subprocess.Popen(
            argv, cwd=REPO / "sdk", env={**os.environ, "PILOTHOUSE_HOME": home}, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = ""
        while said.count("\n") < 4 and (line := process.stdout.readline()):
            said += line
        found = re.search(r"(\S+) answers at (\S+)\n.* < (\S+)\n", said)
        key = re.search(r'server_key="([^"]+)"', said)
        assert found is not None and key is not None, said
        name, address, key_file = found.groups()
        return cls(process, Target(address, key[1], Path(key_file).read_text().strip(), f"{name} instance 1"))

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ph-own-", dir="/tmp") as made:
        yield made


Starter = Callable[[], Running]


@pytest.fixture
def start(home: str) -> Iterator[Starter]:
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running.start([sys.executable, str(Path(__file__).with_name("own_service.py"))], home))
        return started[-1]

    yield begin
    for each in started:
        each.end()


@pytest.fixture(scope="module")
def python_service(home: str) -> Iterator[Running]:
    made = Running.start([sys.executable, str(Path(__file__).with_name("own_service.py"))], home)
    yield made
    made.end()


@pytest.fixture(scope="module")
def typescript_service(home: str) -> Iterator[Running]:
    made = Running.start(["node", "--input-type=module", "--eval", TYPESCRIPT], home)
    yield made
    made.end()


@pytest.fixture
def client(python_service: Running) -> Iterator[DirectClient]:
    with DirectClient([python_service.target]) as made:
        yield made


def test_values_go_in_by_their_hints_and_come_out(client: DirectClient) -> None:
    assert client.call("fit", {"dose": [1, 2], "response": [0.5]}) == {"ec50": 3, "hill": 0.5}
    assert client.call("fit", {"dose": [1], "response": [9], "model": "line"}) == {"ec50": 1, "hill": 1}
    assert client.call("echo", [1, "two", None]) == [1, "two", None]
    reply = client.ask("echo", 1)
    assert reply.instance == 1 and reply.waited >= 0 and reply.ran >= 0


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"dose": ["x"], "response": []}, "input.dose.0"),
        ({"dose": []}, "input"),
        ({"dose": [], "response": [], "more": 1}, "input"),
        ({"dose": [], "response": [], "model": "cube"}, "input.model"),
        ([], "input"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(client: DirectClient, value: Any, field: str) -> None:
    with pytest.raises(PilothouseError) as caught:
        client.call("fit", value)
    assert (caught.value.code, caught.value.field) == ("INVALID_DESCRIPTION", field)


def test_what_is_raised_comes_with_its_traceback(client: DirectClient) -> None:
    with pytest.raises(PilothouseError, match=r"ose-response\.fail failed: ValueError: bad dose") as caught:
        client.call("fail")
    assert caught.value.code == "FUNCTION_RAISED"
    assert 'raise ValueError("bad dose")' in (caught.value.evidence or "")
    with pytest.raises(PilothouseError, match="Call one of: fit, echo, wait"):
        client.call("none")


@pytest.mark.parametrize("name", ["count", "count_in_thread"])
def test_streams(client: DirectClient, name: str) -> None:
    assert list(client.stream(name, {"until": 300})) == list(range(300))
    assert client.call(name, {"until": 3}) == [0, 1, 2]
    for piece in client.stream(name, {"until": 10_000_000}):
        if piece == 5:
            break
    assert client.call("echo", "others go on") == "others go on"


def test_batches(client: DirectClient) -> None:
    def ask(value: int) -> Any:
        try:
            return client.call("many", value)
        except PilothouseError as error:
            return error.message

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, [1, -2, 3, 4]))
    assert answers == [[1, 4], "dose-response.many failed: ValueError: negative", [3, 4], [4, 4]]


def test_ping_says_how_it_is_and_what_it_can_do(client: DirectClient) -> None:
    pong = client.ping(methods=True)
    assert (pong["ok"], pong["text"], pong["version"], pong["outstanding"]) == (True, "model loaded", "1.2", 0)
    fit = next(each for each in pong["methods"] if each["name"] == "fit")
    assert fit["description"] == "Fits a curve."
    assert fit["input"]["required"] == ["dose", "response"]
    assert fit["input"]["properties"]["model"] == {"enum": ["hill", "line"], "default": "hill"}
    assert set(fit["output"]["properties"]) == {"ec50", "hill"}


async def test_async_calls_run_side_by_side_and_are_canceled(start: Starter) -> None:
    service = start()
    async with AsyncDirectClient([service.target]) as client:
        waiting = [asyncio.create_task(client.call(name)) for name in ("wait", "wait_in_thread")]
        queued = [asyncio.create_task(client.call("echo", number)) for number in range(4)]

        async def all_wait() -> bool:
            return (await client.ping())["queued"] == 4

        async def both_end() -> bool:
            return await client.call("canceled_calls") == 2

        await until(all_wait, "four wait")
        with pytest.raises(PilothouseError) as caught:
            await client.call("echo", "one too many")
        assert caught.value.code == "QUEUE_FULL"
        for task in waiting:
            task.cancel()
        assert await asyncio.gather(*queued) == [0, 1, 2, 3]
        await until(both_end, "both are canceled")
        assert [piece async for piece in client.stream("count", {"until": 200})] == list(range(200))


def test_a_killed_instance_is_an_error_that_names_it_and_another_one_answers(start: Starter) -> None:
    one, other = start(), start()
    with DirectClient([one.target]) as client, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.call, "wait")
        wait_until(lambda: client.ping()["outstanding"] == 1, "it is under way")
        one.end()
        with pytest.raises(PilothouseError, match=r"instance 1 at tcp://.* went away") as caught:
            waiting.result(60)
        assert caught.value.code == "SERVICE_UNREACHABLE"
    with DirectClient([one.target, other.target]) as both:
        assert [both.call("echo", number) for number in range(10)] == list(range(10))


def test_told_to_end_it_answers_what_it_has(start: Starter) -> None:
    service = start()
    with DirectClient([service.target]) as client, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.call, "many", 7)
        wait_until(lambda: client.ping()["outstanding"] == 1, "it is under way")
        service.process.terminate()
        assert waiting.result(60) == [7, 1]
    assert service.process.wait(60) == 0


def test_only_who_has_the_token_comes_in(python_service: Running) -> None:
    address, key = python_service.target.address, python_service.target.server_key
    with DirectClient([Target(address, key, "guessed")]) as client, pytest.raises(PilothouseError) as caught:
        client.call("echo")
    assert caught.value.code == "AUTHENTICATION_FAILED"


def test_python_calls_typescript(typescript_service: Running) -> None:
    numpy = pytest.importorskip("numpy")
    with DirectClient([typescript_service.target]) as client:
        assert client.call("sum", {"x": [1, 2, 3]}) == 6
        with pytest.raises(PilothouseError) as caught:
            client.call("sum", {"x": ["one"]})
        assert (caught.value.code, caught.value.field) == ("INVALID_DESCRIPTION", "input.x.0")
        with pytest.raises(PilothouseError, match=r"emo\.fail failed: TypeError: bad dose"):
            client.call("fail")
        assert list(client.stream("count", 200)) == list(range(200))
        given = {"a": numpy.arange(6, dtype="f8").reshape(2, 3), "b": [b"bytes", numpy.array([1, 2], "u4")]}
        back = client.call("echo", given)
        numpy.testing.assert_array_equal(back["a"], given["a"])
        assert back["b"][0] == b"bytes" and back["b"][1].dtype == "u4"
        names = [each["name"] for each in client.ping(methods=True)["methods"]]
        assert names == ["sum", "echo", "count", "fail"]


def test_typescript_calls_python(python_service: Running) -> None:
    address, server_key, token = (getattr(python_service.target, name) for name in ("address", "server_key", "token"))
    target = json.dumps({"address": address, "serverKey": server_key, "token": token})
    run = subprocess.run(
        ["node", "--input-type=module", "--eval", CALLER, target],
        cwd=REPO / "sdk",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "fit": {"ec50": 3, "hill": 0.5},
        "refused": ["INVALID_DESCRIPTION", "input.dose.0"],
        "failed": ["FUNCTION_RAISED", None],
        "streamed": None,
        "pieces": True,
        "array": [1, 2, 3, 4],
        "checked": [[], ["dose", 0]],
    }


def test_the_examples_in_both_languages_do_the_same(home: str) -> None:
    node = REPO / "tools/node24/node_modules" / NODE24 / "bin/node"
    examples = REPO / "examples"
    for argv in ([sys.executable, str(examples / "dose_response.py")], [str(node), str(examples / "dose-response.ts")]):
        service = Running.start(argv, home)
        try:
            with DirectClient([service.target]) as client:
                fit = client.call("fit", {"dose": [1, 2, 4, 8], "response": [0.2, 0.4, 0.6, 0.8]})
                assert (round(fit["ec50"], 3), round(fit["hill"], 3)) == (2.828, 1.317)
                points = list(client.stream("curve", {"ec50": 2, "hill": 1, "points": 4}))
                assert points[1] == {"dose": 2, "response": 0.5}
        finally:
            service.end()


def test_a_class_that_cannot_be_a_service_says_why() -> None:
    class Empty(Service):
        pass

    class Vague(Service):
        def fit(self, *doses: float) -> float:
            return sum(doses)

    for service, why in ((Empty(), "has no public method"), (Vague(), r"takes \*doses")):
        with pytest.raises(PilothouseError, match=why):
            asyncio.run(service.serve_forever())
