"""What needs no process: units, ids, descriptions, errors, and that both sides mean the same by codes and states."""

from __future__ import annotations

import copy
import doctest
import importlib
import json
import math
import pickle
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilothouse import PilothouseError, Task
from pilothouse._bridge.places import Places, check_socket_path
from pilothouse._ids import new_id, short_id
from pilothouse._version import PROTOCOL, __version__
from pilothouse.descriptions import pilot_description
from pilothouse.errors import ERROR_CODES, RETRYABLE
from pilothouse.questions import messages_of, options_of, tensors_of
from pilothouse.service_fields import service_description
from pilothouse.states import TABLES, can_reach, is_final
from pilothouse.units import to_seconds, wire_duration, wire_size

REPO = Path(__file__).parents[2]
SDK = REPO / "sdk" / "src"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("2h", 7200), ("1h30m", 5400), ("500ms", 0.5), ("1.5h", 5400), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert to_seconds(text) == seconds
    assert wire_duration(text) == text


def test_durations_as_numbers() -> None:
    assert to_seconds(3) == 3
    assert to_seconds(timedelta(minutes=2)) == 120
    assert wire_duration(0.5) == {"seconds": 0.5}
    assert wire_duration(timedelta(hours=1)) == {"seconds": 3600}


@pytest.mark.parametrize("wrong", ["", "soon", "10", "1h 30m", "-3s", -1])
def test_no_duration(wrong: str | int) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        to_seconds(wrong)


def test_sizes() -> None:
    assert wire_size("4GiB") == "4GiB"
    assert wire_size(1024) == "1024B"


@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=0, max_value=59))
def test_durations_add_up(hours: int, minutes: int) -> None:
    assert to_seconds(f"{hours}h{minutes}m") == hours * 3600 + minutes * 60


def test_ids() -> None:
    ids = {new_id("pilot") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"pilot-[0-9abcdefghjkmnpqrstvwxyz]{10}", identity) for identity in ids)
    assert short_id("pilot-7k2m9qz4wd") == "7k2m9q"


def test_task_travels_without_what_is_not_given() -> None:
    assert Task(["ls"]).to_wire() == {"command": ["ls"]}
    full = Task(["ls", "-l"], name="a", env={"A": "1"}, cores=2, memory=1024, services=["llm"], pilot="demo")
    assert full.to_wire() == {
        "command": ["ls", "-l"],
        "name": "a",
        "env": {"A": "1"},
        "cores": 2,
        "memory": "1024B",
        "services": ["llm"],
        "pilot": "demo",
    }


def test_a_command_is_a_list() -> None:
    with pytest.raises(TypeError, match="command is a list"):
        Task("python prep.py")
    with pytest.raises(TypeError, match="after is a list"):
        Task(["true"], after="prep")


def test_all_fields_of_a_task_travel_in_their_words() -> None:
    task = Task(
        ["train"],
        expected_duration=timedelta(minutes=5),
        retries={"max": 2, "onOom": {"memory": "×2"}},
        after=["prep", {"task": "check", "when": "finished"}],
        stage_in=["data/*.npy", {"from": "https://example.org/w.bin", "to": "weights/"}],
        gpus=0.5,
    )
    assert task.to_wire() == {
        "command": ["train"],
        "gpus": 0.5,
        "expectedDuration": {"seconds": 300},
        "retries": {"max": 2, "onOom": {"memory": "×2"}},
        "after": ["prep", {"task": "check", "when": "finished"}],
        "stageIn": [{"from": "data/*.npy"}, {"from": "https://example.org/w.bin", "to": "weights/"}],
    }


def test_descriptions() -> None:
    assert pilot_description(
        engine=None, cores=2, gpus=None, memory=None, nodes=None, runtime=timedelta(minutes=1), idle_after="5m"
    ) == {"cores": 2, "runtime": {"seconds": 60}, "idleAfter": "5m"}


def test_a_service_travels_in_the_words_of_the_interface() -> None:
    described = service_description(
        "llm",
        "vllm",
        {
            "params": {"model_name": "m"},
            "resources": {"gpus": 1, "memory": 2048},
            "instances": (1, 4),
            "ready": "/v1/models",
            "liveness": {"pattern": "alive", "initial_delay": "5s"},
            "start_timeout": "10m",
            "warm_up": {"path": "/warm", "body": {"max_tokens": 1}},
            "routing": {"policy": "power-of-two", "attempt_timeout": timedelta(seconds=30)},
            "lifetime": "1h",
            "ports": ["http", {"name": "metrics"}],
            "allow_unauthenticated": False,
        },
    )
    assert described == {
        "name": "llm",
        "template": "vllm",
        "params": {"model_name": "m"},
        "resources": {"gpus": 1, "memory": "2048B"},
        "instances": {"min": 1, "max": 4},
        "probes": {"readiness": {"http": "/v1/models"}, "liveness": {"pattern": "alive", "initialDelay": "5s"}},
        "startTimeout": "10m",
        "warmUp": {"path": "/warm", "body": {"max_tokens": 1}},
        "routing": {"policy": "power-of-two", "attemptTimeout": {"seconds": 30}},
        "lifetime": {"idle": "1h"},
        "ports": [{"name": "http"}, {"name": "metrics"}],
    }
    with pytest.raises(TypeError, match="command is a list"):
        service_description(None, None, {"command": "serve"})
    with pytest.raises(TypeError, match="has no instanzes"):
        service_description(None, None, {"instanzes": 2})  # type: ignore[typeddict-unknown-key]


def test_questions_travel_as_conversations() -> None:
    assert messages_of("hi") == [{"role": "user", "content": "hi"}]
    parts = messages_of([{"text": "How many?"}, {"image": Path("data/A01.png")}])
    assert parts == [{"role": "user", "content": [{"text": "How many?"}, {"image": "data/A01.png"}]}]
    system = messages_of([{"role": "system", "content": "Be brief."}, {"text": "Why?"}])
    assert [turn["role"] for turn in system] == ["system", "user"]


def test_options_travel_in_the_words_of_the_interface() -> None:
    options = options_of({"max_tokens": 3, "stop": "\n", "hedge_after": 0.5, "extra": {"top_k": 5}, "seed": None})
    assert options == {"maxTokens": 3, "stop": ["\n"], "hedgeAfter": {"seconds": 0.5}, "extra": {"top_k": 5}}
    with pytest.raises(TypeError, match="no request takes max_token"):
        options_of({"max_token": 3})  # type: ignore[typeddict-unknown-key]


def test_tensors_are_made_of_lists() -> None:
    assert tensors_of({"x": [[1, 2, 3], [4, 5, 6]], "y": [True], "s": "word"}) == [
        {"name": "x", "shape": [2, 3], "datatype": "INT64", "data": [1, 2, 3, 4, 5, 6]},
        {"name": "y", "shape": [1], "datatype": "BOOL", "data": [True]},
        {"name": "s", "shape": [], "datatype": "BYTES", "data": ["word"]},
    ]
    with pytest.raises(ValueError, match="equally long"):
        tensors_of({"x": [[1], [2, 3]]})


@given(st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4), st.integers())
def test_tensors_have_as_many_items_as_their_shape_says(shape: list[int], item: int) -> None:
    value: object = item
    for length in reversed(shape):
        value = [value] * length
    [tensor] = tensors_of({"x": value})
    assert tensor["shape"] == shape
    assert len(tensor["data"]) == math.prod(shape)


def test_error_says_the_remedy_first() -> None:
    error = PilothouseError("SERVICE_NOT_FOUND", "there is no service 'vep'", hint="start it", ids={"pilot": "p"})
    assert str(error) == "Start it. There is no service 'vep' (SERVICE_NOT_FOUND)."
    assert error.retryable is False
    assert PilothouseError("TIMEOUT", "x").retryable is True


def test_error_survives_copies() -> None:
    error = PilothouseError(
        "TIMEOUT", "too long", hint="wait", retryable=False, ids={"a": "b"}, field="f", retry_after=3, evidence="e"
    )
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), PilothouseError.from_data(error.to_data())):
        assert twin.to_data() == error.to_data()
    assert PilothouseError.from_data({"code": "FROM_THE_FUTURE", "message": "m"}).code == "INTERNAL"


def test_a_cell_shows_the_readers_own_lines() -> None:
    with pytest.raises(PilothouseError) as caught:
        check_socket_path(Path("/tmp") / ("x" * 200))
    shown = "".join(caught.value._render_traceback_())
    assert 'check_socket_path(Path("/tmp")' in shown
    assert "places.py" not in shown
    assert "(UNSAFE_PATH)" in shown
    assert Path(caught.traceback[-1].path).name == "places.py", "a debugger still finds every frame"


def test_same_codes_as_the_other_side() -> None:
    source = (SDK / "errors" / "codes.ts").read_text()
    table = source[source.index("ERROR_CODES = {") : source.index("} as const")]
    codes = {code: word == "true" for code, word in re.findall(r"^\s+([A-Z_]+): (true|false),", table, re.MULTILINE)}
    assert set(codes) == ERROR_CODES
    assert {code for code, retryable in codes.items() if retryable} == RETRYABLE


def test_same_states_as_the_other_side() -> None:
    source = (SDK / "states" / "index.ts").read_text()
    for kind, name in (
        ("pilot", "pilot"),
        ("task", "task"),
        ("service", "service"),
        ("answer", "request"),
        ("batch", "batch"),
    ):
        body = re.search(rf"export const {name}States = stateMachine\((\{{.*?\}})\);", source, re.DOTALL)
        assert body is not None
        text = re.sub(r"(\w+):", r'"\1":', body.group(1)).replace("'", '"')
        text = re.sub(r",(\s*[}\]])", r"\1", text)
        assert {state: list(nexts) for state, nexts in TABLES[kind].items()} == json.loads(text)  # type: ignore[index]


def test_same_version_and_protocol_as_the_other_side() -> None:
    assert json.loads((REPO / "sdk" / "package.json").read_text())["version"] == __version__
    assert json.loads((REPO / "jupyterlab-extension" / "package.json").read_text())["version"] == __version__
    assert f"PROTOCOL = {PROTOCOL};" in (SDK / "schemas" / "system.ts").read_text()


def test_reach() -> None:
    assert can_reach("pilot", "QUEUED", "ACTIVE")
    assert not can_reach("pilot", "DRAINING", "ACTIVE")
    assert can_reach("task", "RUNNING", "WAITING")
    assert can_reach("service", "READY", "READY")
    assert is_final("answer", "DONE")
    assert not is_final("answer", "STREAMING")


@pytest.mark.parametrize("name", ["units", "errors", "states", "descriptions", "questions", "session"])
def test_the_examples_in_the_documentation(name: str) -> None:
    module = importlib.import_module(f"pilothouse.{name}")
    assert doctest.testmod(module).failed == 0


def test_places_follow_the_environment(tmp_path: Path) -> None:
    places = Places.of({"PILOTHOUSE_HOME": str(tmp_path / "h"), "PILOTHOUSE_RUNTIME_DIR": str(tmp_path / "r")})
    assert places.launcher == tmp_path / "h" / "launcher.json"
    assert places.socket == tmp_path / "r" / "bridge.sock"
    assert Places.of({}).home == Path.home() / ".pilothouse"


def test_unsafe_runtime_folders(tmp_path: Path) -> None:
    def made(path: Path) -> Places:
        return Places.of({"PILOTHOUSE_RUNTIME_DIR": str(path)})

    made(tmp_path / "new").make_runtime()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "new")
    (tmp_path / "file").touch()
    for name, word in (("open", "open to others"), ("link", "symbolic link"), ("file", "not a folder")):
        with pytest.raises(PilothouseError, match=word) as caught:
            made(tmp_path / name).make_runtime()
        assert caught.value.code == "UNSAFE_PATH"
    with pytest.raises(PilothouseError, match="107"):
        check_socket_path(tmp_path / ("x" * 107))
