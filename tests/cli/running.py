"""What a command run inside the tests' own process left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Done(NamedTuple):
    """What a command returned, printed and complained."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document that was printed, and nothing beside it."""
        assert (self.status, self.err) == (0, ""), self.err
        read: dict[str, Any] = json.loads(self.out)
        return read


Run = Callable[..., Done]
