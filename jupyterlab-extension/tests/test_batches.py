"""Batches, against the built product and a server that answers each prompt with itself."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pilothouse as ph
import pytest
from rig import REPO

ECHO = REPO / "kernels-bridge/test/batches/programs/echo-server.mjs"


@pytest.fixture
def echo(session: ph.Session) -> ph.Service:
    pilot = session.pilots.ensure("demo", cores=1, runtime="10m")
    command = ["node", str(ECHO), "{port}", "{apiKeyFile}"]
    return session.services.ensure("echo", command=command, pilot=pilot)


def test_a_list_comes_back_in_its_order_and_again_asks_nothing(
    session: ph.Session, echo: ph.Service, tmp_path: Path
) -> None:
    prompts = [f"prompt {number}" for number in range(40)]
    out = tmp_path / "answers.jsonl"
    batch = echo.map(prompts, out=out, max_tokens=5)
    rows = batch.results(timeout="60s")
    assert [row["text"] for row in rows] == [f"echo {prompt}" for prompt in prompts]
    assert batch.state == "DONE"
    assert batch.out == str(out)
    assert repr(batch).endswith("40 of 40 rows (100 %)>")
    assert {row["key"] for row in batch.rows()} == set(range(40))
    again = echo.map(prompts, out=out, max_tokens=5)
    again.done(timeout="60s")
    assert again.id != batch.id
    assert again.progress["kept"] == 40
    assert [one.id for one in session.batches.list(all=True)] == [batch.id, again.id]
    assert session.batches.get(again.name).id == again.id


def test_a_file_with_failed_rows(echo: ph.Service, tmp_path: Path) -> None:
    inputs = tmp_path / "prompts.jsonl"
    inputs.write_text("".join(f"{json.dumps({'well': well, 'prompt': well})}\n" for well in "ABC") + '{"well": "D"}\n')
    batch = echo.map(inputs, out=tmp_path / "out.jsonl", key="well")
    assert batch.done(timeout="60s")["state"] == "DONE"
    with pytest.raises(ph.PilothouseError, match="row D failed: line 4 needs a text") as failed:
        batch.results()
    assert failed.value.code == "BATCH_FAILED"
    rows = {row["key"]: row for row in batch.results(settled=True)}
    assert rows["A"]["text"] == "echo A"
    assert rows["D"]["error"] is not None
    if find_spec("pandas") is not None:
        frame = batch.to_pandas()
        assert frame.loc["B", "text"] == "echo B"
        assert frame.loc["D", "error"].startswith("INVALID_DESCRIPTION: line 4")


def test_what_cannot_be_is_said_at_once(session: ph.Session, echo: ph.Service, tmp_path: Path) -> None:
    with pytest.raises(ph.PilothouseError, match="There is no file") as missing:
        echo.map("nothing.jsonl")
    assert missing.value.code == "DATA_NOT_FOUND"
    with pytest.raises(ph.PilothouseError, match="nothing to ask"):
        echo.map([])
    with pytest.raises(ph.PilothouseError, match="cannot be sent"):
        echo.map([{1, 2}])
    with pytest.raises(TypeError, match="takes no maximum"):
        echo.map(["a"], maximum=3)  # pyright: ignore[reportCallIssue]
    with pytest.raises(ph.PilothouseError) as folder:
        echo.map(["a"], out=tmp_path / "no" / "out.jsonl")
    assert folder.value.code == "DIRECTORY_NOT_FOUND"
    assert session.batches.list(all=True) == []


async def test_the_same_words_awaited(product: object, echo: ph.Service, tmp_path: Path) -> None:
    async with await ph.aconnect("tests") as session:
        service = await session.services.get(echo.id)
        batch = await service.map((f"prompt {number}" for number in range(5)), out=tmp_path / "out.jsonl")
        assert [row["text"] async for row in batch.rows()] != []
        assert len(await batch.results(timeout="60s")) == 5
        await batch.cancel()
        assert batch.state == "DONE"
