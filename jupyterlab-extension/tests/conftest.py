"""Fixtures of all tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pilothouse as ph
import pytest
from rig import CONNECT, Folders, Jupyter, folders_for_test, jupyter_server


@pytest.fixture
def folders() -> Iterator[Folders]:
    with folders_for_test() as made:
        yield made


@pytest.fixture(scope="session")
def jupyter() -> Iterator[Jupyter]:
    """One Jupyter server for all tests of the relay; each cleans its Pilothouse folders before it starts."""
    with folders_for_test() as made, jupyter_server(made) as server:
        yield server


@pytest.fixture(scope="session")
def model() -> Iterator[Folders]:
    """One pilot with a ready model, the demo's, for all tests that ask something."""
    with folders_for_test() as folders:
        folders.launch_product()
        ready = [sys.executable, "-c", f"{CONNECT}llm.ready(timeout='2m')"]
        subprocess.run(ready, env=folders.env, check=True, timeout=180)
        yield folders


@pytest.fixture
def product(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Folders of its own with the built product's launcher, as this process's environment."""
    folders.launch_product()
    monkeypatch.setenv("PILOTHOUSE_HOME", str(folders.home))
    monkeypatch.setenv("PILOTHOUSE_RUNTIME_DIR", str(folders.runtime))
    return folders


@pytest.fixture
def session(product: Folders) -> Iterator[ph.Session]:
    with ph.connect("tests") as made:
        yield made
