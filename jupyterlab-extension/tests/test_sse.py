"""The parser of server-sent events: however the bytes are cut, the events are the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pilothouse._sse import Event, EventParser

LINE = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\0"), max_size=12)
END = st.sampled_from(["\n", "\r\n", "\r"])


def parse(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *[place % (len(data) + 1) for place in places]})
    return [data[start:end] for start, end in pairwise(edges)]


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[Event]]:
    """A stream as a server may write it, and what it means."""
    text, events, last_id = "", [], None
    for _ in range(draw(st.integers(0, 5))):
        end = draw(END)
        name = draw(st.sampled_from(["", "message", "error", "done"]))
        data = draw(st.lists(LINE, min_size=1, max_size=3))
        if draw(st.booleans()):
            text += f": {draw(LINE)}{end}"
        if draw(st.booleans()):
            last_id = draw(LINE)
            text += f"id: {last_id}{end}"
        text += f"event: {name}{end}" if name else ""
        text += "".join(f"data: {line}{end}" for line in data) + end
        events.append(Event(name or "message", "\n".join(data), last_id))
    # A lone carriage return as the last byte may still become a line end of two characters.
    return (text + ":\n").encode(), events


@given(streams(), st.lists(st.integers(0, 10_000), max_size=8))
def test_any_cut_gives_the_same_events(stream: tuple[bytes, list[Event]], places: list[int]) -> None:
    data, events = stream
    assert parse(*cut(data, places)) == events
    assert parse(*[data[i : i + 1] for i in range(len(data))]) == events


@given(st.text("data:event id\r\n\ufeffé", max_size=60), st.lists(st.integers(0, 200), max_size=6))
@example("data: a\r\n\r\ndata: b\r\r", [8, 9, 10])
def test_any_cut_of_anything(text: str, places: list[int]) -> None:
    data = (text + ":\n").encode()
    assert parse(*cut(data, places)) == parse(data)


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"data: a\n\n", [Event("message", "a")]),
        (b"data:a\ndata\n\n", [Event("message", "a\n")]),
        (b": comment only\n\n", []),
        (b"event: done\n\n", []),
        (b"data: never ended\n", []),
        (b"\xef\xbb\xbfdata: after the mark\n\n", [Event("message", "after the mark")]),
        (b"event: error\r\ndata: {}\r\n\r\n", [Event("error", "{}")]),
        (b"retry: 5\ndata: x\n\n", [Event("message", "x")]),
    ],
)
def test_as_the_standard_says(data: bytes, events: list[Event]) -> None:
    assert parse(data) == events


def test_broken_text_is_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        parse(b"data: \xff\n\n")
