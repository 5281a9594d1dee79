"""Pickling by value: what notebooks define has no module that a worker could import."""

from __future__ import annotations

from typing import cast

import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

from .payloads import Dumps

dumps_by_value = cast("Dumps", cloudpickle.dumps)  # pyright: ignore[reportUnknownMemberType]
