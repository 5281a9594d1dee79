"""Fixtures of all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rig import Folders, Jupyter, folders_for_test, jupyter_server


@pytest.fixture
def folders() -> Iterator[Folders]:
    with folders_for_test() as made:
        yield made


@pytest.fixture(scope="session")
def jupyter() -> Iterator[Jupyter]:
    """One Jupyter server for all tests of the relay; each cleans its Pilothouse folders before it starts."""
    with folders_for_test() as made, jupyter_server(made) as server:
        yield server
