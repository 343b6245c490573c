"""Places where a store can lie; whatever it promises, it promises in each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.store.postgres_server import PostgresServer

from alphaoverlay.store.series_store import SeriesStore, open_store

NewPlace = Callable[[], str]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewPlace:
    """Gives the address of a place where no store is yet."""
    if request.param == "sqlite":
        return lambda: str(tmp_path_factory.mktemp("store") / "store.sqlite")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.address


@pytest.fixture(scope="session")
def shared(new_place: NewPlace) -> SeriesStore:
    """One store for all examples of a property, each of which takes a series of its own."""
    return open_store(new_place())


@pytest.fixture
def store(new_place: NewPlace) -> SeriesStore:
    """A new, empty store."""
    return open_store(new_place())
