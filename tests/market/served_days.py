"""Sessions that the served answers are dated by, and faults that any server may show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.market.loopback import Asked, Reply, in_turn

from alphaoverlay.errors import FetchError

HOLIDAYS = ("2021-01-18", "2021-02-15")  # Martin Luther King, Washington
# The exchange's sessions of January and February 2021.
SESSIONS = tuple(
    str(day)
    for day in (date(2021, 1, 4) + timedelta(days=k) for k in range(54))
    if day.weekday() < 5 and str(day) not in HOLIDAYS
)
PAGE = "<!DOCTYPE html><html><body>Are you a person?</body></html>"
Answer = Callable[[Asked], Reply]


def half(body: bytes | str) -> Reply:
    """The answer under its full length, cut in the middle."""
    return Reply(body, cut=len(body) // 2)


def faults(good: bytes | str) -> list[tuple[str, Answer, str]]:
    """What any server may do to a request, and what must be said then; each lasts for ever."""
    return [
        ("too many requests", in_turn(Reply("slow down", 429)), "too many requests"),
        ("an outage", in_turn(Reply("", 503)), "an outage"),
        ("half an answer", in_turn(half(good)), "half way"),
        ("a web page", in_turn(Reply(PAGE)), "a web page"),
        ("an empty answer", in_turn(Reply("")), "an empty answer"),
        ("a refusal", in_turn(Reply('{"detail": "Invalid token."}', 401)), "check the key"),
    ]


def recoveries(good: bytes | str) -> list[tuple[str, Answer]]:
    """Faults that pass."""
    return [
        ("429, then fine", in_turn(Reply("", 429, {"Retry-After": "0"}), Reply(good))),
        ("500, then 503, then fine", in_turn(Reply("", 500), Reply("", 503), Reply(good))),
        ("half, then whole", in_turn(half(good), Reply(good))),
    ]


def refused(ask: Callable[[], object]) -> str:
    """The words of the `FetchError` that asking raises: one sentence or two, and not long."""
    with pytest.raises(FetchError) as caught:
        ask()
    assert len(str(caught.value)) < 400
    return str(caught.value)
