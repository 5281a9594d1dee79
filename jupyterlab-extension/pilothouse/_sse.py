"""Server-sent events, cut anywhere (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """One event: its name (``message`` unless given), its data, and the last id seen."""

    name: str
    data: str
    id: str | None = None


class EventParser:
    """Turns bytes into events, in whatever pieces the bytes come.

    An event without data is dropped, as the standard says; so are comments, which only keep the connection awake.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("strict").decode
        self._rest = ""
        self._first = True
        self._data: list[str] = []
        self._name = ""
        self._id: str | None = None

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Takes the next bytes and gives every event that is complete by now."""
        text = self._decode(piece)
        if self._first and text:
            text = text.removeprefix("\ufeff")
            self._first = False
        self._rest += text
        start = 0
        for end in _LINE_END.finditer(self._rest):
            # A carriage return at the very end may be the first half of a line end of two characters.
            if end.group() == "\r" and end.end() == len(self._rest):
                break
            event = self._line(self._rest[start : end.start()])
            start = end.end()
            if event is not None:
                yield event
        self._rest = self._rest[start:]

    def _line(self, line: str) -> Event | None:
        if line == "":
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> Event | None:
        data, name = self._data, self._name
        self._data, self._name = [], ""
        return Event(name or "message", "\n".join(data), self._id) if data else None
