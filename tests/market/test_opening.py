"""What the user typed after --data, or wrote in a study, opens the right sources, in order; nonsense is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file
from tests.market.loopback import Asked, Loopback, Reply, loopback
from tests.market.served_fred import DFF
from tests.market.served_fred import served as fred_served
from tests.market.served_stooq import answer as stooq_answer
from tests.market.served_yahoo import Chart
from tests.market.served_yahoo import served as yahoo_served

from alphaoverlay.errors import DataError, StoreError, StudyError, SymbolNotFound
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.findings import CHECKS
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.opening import DataChoice, is_folder, open_choice, open_source
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.market.source import Source
from alphaoverlay.market.stored import StoredSource

AFTERWARDS = datetime(2021, 6, 1, 12, tzinfo=UTC)


def opened(choice: DataChoice) -> Source:
    return open_choice(choice, now=lambda: AFTERWARDS)


def sources_of(source: Source) -> Sequence[Source]:
    assert isinstance(source, CombinedSource)
    return source.sources


# --- the sample and folders ---


@pytest.mark.parametrize("place", [None, "sample"])
def test_nothing_or_the_word_sample_opens_the_sample(place: str | None) -> None:
    assert isinstance(open_source(place), SampleSource)


def test_a_choice_of_nothing_is_the_sample() -> None:
    assert isinstance(open_choice(DataChoice()), SampleSource)


def test_a_folder_is_opened_by_text_or_path(tmp_path: Path) -> None:
    for place in (tmp_path, str(tmp_path)):
        source = open_source(place)
        assert isinstance(source, FolderSource)
        assert source.name == str(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        open_source(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("yaho", "yahoo"), ("Yahoo", "yahoo"), ("FRED", "fred"), ("tingo", "tiingo"), ("samle", "sample")],
)
def test_an_unknown_live_name_is_a_folder_that_does_not_exist_and_the_message_helps(written: str, meant: str) -> None:
    with pytest.raises(DataError) as caught:
        open_source(written)
    message = str(caught.value)
    assert message.startswith(f"no folder {written}; give --data the folder")
    assert message.endswith(f"or name a live source: yahoo, fred, stooq, tiingo, french. Did you mean {meant}?")


def test_what_is_a_folder() -> None:
    assert [is_folder(place) for place in ("sample", "yahoo", "french", "prices", "./yahoo")] == [False] * 3 + [
        True
    ] * 2


def test_folders_are_opened_in_order_and_each_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert [source.name for source in sources_of(opened(DataChoice((two, one, two))))] == [two, one]


def test_a_symbol_has_its_own_folder(tmp_path: Path) -> None:
    for name, first in (("one", 100.0), ("two", 200.0)):
        (tmp_path / name).mkdir()
        folder_of(tmp_path / name, GSPC=price_file(JANUARY, first), SPY=price_file(JANUARY, first))
    source = opened(DataChoice((str(tmp_path / "one"),), symbols={"^gspc": str(tmp_path / "two")}))
    assert [source.prices(symbol).frame["close"].iloc[0] for symbol in ("GSPC", "SPY")] == [200.0, 100.0]
    assert len(sources_of(source)) == 1


@pytest.mark.parametrize(
    "choice",
    [DataChoice(("sample", "yahoo")), DataChoice(("here", "sample")), DataChoice(("sample",), symbols={"SPY": "here"})],
)
def test_the_sample_beside_other_data_is_refused(choice: DataChoice) -> None:
    with pytest.raises(StudyError, match="the sample stands for itself"):
        open_choice(choice)


def test_the_sample_for_a_symbol_beside_other_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the sample stands for itself"):
        open_choice(DataChoice((str(tmp_path),), symbols={"GSPC": "sample"}))


# --- accepting ---


@pytest.mark.parametrize("name", [name for name, one in CHECKS.items() if one.accepted])
def test_what_can_be_accepted_is_handed_on(tmp_path: Path, name: str) -> None:
    assert opened(DataChoice((str(tmp_path),), accept=(name,))).accept == {name}
    assert opened(DataChoice(accept=(name,))).accept == {name}  # by the sample too


@pytest.mark.parametrize("name", ["duplicate", "not-positive", "unreadable"])
def test_what_cannot_be_accepted_is_refused(name: str) -> None:
    with pytest.raises(StudyError, match=rf"accept in \[data\]: {name} cannot be accepted: mend the data") as caught:
        open_choice(DataChoice(accept=("stale", name)))
    assert "These can be accepted: gap, empty, closed-day, stale" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"), [("spikes", " Did you mean spike?"), ("", ""), ("STALE", " Did you mean stale?")]
)
def test_an_unknown_name_to_accept_is_refused(name: str, hint: str) -> None:
    with pytest.raises(StudyError) as caught:
        open_choice(DataChoice(accept=(name,)))
    assert f"no finding is called {name!r}.{hint} These can" in str(caught.value)


# --- live sources ---


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store.sqlite")


def world(asked: Asked) -> Reply:
    """One mirror for all: Yahoo's, FRED's and Stooq's paths do not meet."""
    for reply in (yahoo_served(Chart("SPY"), Chart("^GSPC", first=3700.0)), fred_served(DFF=DFF), stooq_answer):
        answer = reply(asked)
        if answer.status == 200:
            return answer
    return yahoo_served()(asked) if "chart" in asked.path else Reply("", 404)


def paths(server: Loopback) -> set[str]:
    return {asked.path.split("/")[1] for asked in server.asked}


def test_a_live_source_is_behind_the_store_with_fred_for_its_rates(store: str) -> None:
    with loopback(world) as server:
        mirrors = {"yahoo": server.url, "fred": server.url}
        source = opened(DataChoice(("yahoo",), base_url=mirrors, store=store))
        assert [type(one) for one in sources_of(source)] == [StoredSource, StoredSource]
        assert source.name == "yahoo, fred"
        history = read_history(source, ["SPY"], end="2021-01-15", now=AFTERWARDS)
        assert [one.source for one in history.provenance] == ["yahoo", "fred"]
        assert [one.version for one in history.provenance] == [1, 1]
        asked = len(server.asked)
        again = opened(DataChoice(("yahoo",), base_url=mirrors, store=store, offline=True))
        assert read_history(again, ["SPY"], end="2021-01-15", now=AFTERWARDS).fingerprint == history.fingerprint
        assert len(server.asked) == asked


@pytest.mark.parametrize("other", ["fred", "french"])
def test_a_source_of_rates_needs_no_fred_beside_it(store: str, other: str) -> None:
    source = opened(
        DataChoice(("yahoo", other), base_url=dict.fromkeys(("yahoo", other), "http://127.0.0.1:9"), store=store)
    )
    assert [one.name for one in sources_of(source)] == ["yahoo", other]


def test_a_folder_before_a_live_source_goes_first(tmp_path: Path, store: str) -> None:
    (tmp_path / "own").mkdir()
    own = folder_of(tmp_path / "own", SPY=price_file(JANUARY, 777.0), DFF=rate_file({"2021-01-01": 9.0}))
    with loopback(world) as server:
        choice = DataChoice((own.name, "yahoo"), base_url=dict.fromkeys(("yahoo", "fred"), server.url), store=store)
        source = opened(choice)
        assert source.prices("SPY").frame["close"].iloc[0] == 777.0
        assert source.rate("DFF").values.tolist() == pytest.approx([0.09])
        assert server.asked == []
        assert source.prices("GSPC").frame["close"].iloc[0] == 3700.0


def test_a_symbol_may_come_from_another_live_source(store: str) -> None:
    with loopback(world) as server:
        source = opened(
            DataChoice(
                ("yahoo",),
                symbols={"SPY": "stooq"},
                base_url=dict.fromkeys(("yahoo", "stooq", "fred"), server.url),
                store=store,
            )
        )
        assert [source.prices(symbol).provenance.source for symbol in ("SPY", "GSPC")] == ["stooq", "yahoo"]
        assert source.name == "yahoo, fred, stooq"


def test_the_base_url_of_the_study_beats_that_of_the_environment(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(world) as study, loopback(world) as environment:
        monkeypatch.setenv("ALPHAOVERLAY_YAHOO_URL", environment.url)
        monkeypatch.setenv("ALPHAOVERLAY_FRED_URL", environment.url)
        source = opened(DataChoice(("yahoo",), base_url={"yahoo": study.url}, store=store))
        source.prices("SPY")
        source.rate("DFF")
        assert "v8" in paths(study)
        assert paths(environment) == {"graph"}


def test_an_empty_base_url_in_the_environment_is_none(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(world) as server:
        monkeypatch.setenv("ALPHAOVERLAY_YAHOO_URL", "")
        source = opened(DataChoice(("yahoo",), base_url={"yahoo": server.url}, store=store))
        assert source.holds("SPY")


def test_a_base_url_of_what_is_not_live_is_refused() -> None:
    with pytest.raises(StudyError, match=r"\[data\] base_url: yaho is no live source; known: yahoo, fred"):
        open_choice(DataChoice(("yahoo",), base_url={"yaho": "http://127.0.0.1:9"}))


def test_an_unknown_symbol_is_refused_in_the_words_of_the_source_of_prices(store: str) -> None:
    """Not in those of FRED, which was added for the rates."""
    with loopback(world) as server:
        source = opened(DataChoice(("yahoo",), base_url=dict.fromkeys(("yahoo", "fred"), server.url), store=store))
        with pytest.raises(SymbolNotFound, match=r"^(Yahoo|yahoo) .*NOSUCH"):
            source.prices("NOSUCH")


def test_a_fingerprint_that_no_store_knows_is_refused(store: str) -> None:
    choice = DataChoice(("yahoo",), base_url={"yahoo": "http://127.0.0.1:9"}, store=store, fingerprint="sha256:0000")
    with pytest.raises(StoreError, match="no result with a fingerprint that begins with sha256:0000"):
        open_choice(choice)


def test_what_is_asked_for_is_told(store: str) -> None:
    told: list[str] = []
    with loopback(world) as server:
        choice = DataChoice(("yahoo",), base_url=dict.fromkeys(("yahoo", "fred"), server.url), store=store)
        source = open_choice(choice, told.append, lambda: AFTERWARDS)
        source.prices("SPY")
        source.rate("DFF")
        source.prices("SPY")
    assert len(told) == 2
    assert "SPY" in told[0]
    assert "DFF" in told[1]
