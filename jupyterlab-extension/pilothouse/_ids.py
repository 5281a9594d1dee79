"""Ids: ``<kind>-<10 lowercase Crockford base32>``."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(kind: str) -> str:
    """Makes an id of 50 random bits, enough for one user's things."""
    return f"{kind}-{''.join(secrets.choice(_ALPHABET) for _ in range(10))}"


def id_of_bytes(kind: str, content: bytes) -> str:
    """The id that the first ten bytes stand for: of what has the same digest, the same."""
    return f"{kind}-{''.join(_ALPHABET[byte & 31] for byte in content[:10])}"


def short_id(identity: str) -> str:
    """The six characters that people see instead of the whole id."""
    return identity.partition("-")[2][:6]
