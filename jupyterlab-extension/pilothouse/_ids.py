"""Ids: ``<kind>-<10 lowercase Crockford base32>``."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(kind: str) -> str:
    """Makes an id of 50 random bits, enough for one user's things."""
    return f"{kind}-{''.join(secrets.choice(_ALPHABET) for _ in range(10))}"


def short_id(identity: str) -> str:
    """The six characters that people see instead of the whole id."""
    return identity.partition("-")[2][:6]
