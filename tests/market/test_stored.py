"""A live source behind the store: what is asked, when, and what is read when nothing can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphaoverlay.errors import DataError, FetchError, StoreError, SymbolNotFound
from alphaoverlay.history import FloatArray, PriceSeries, Provenance, RateSeries
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.stored import StoredSource, remember, version_words
from alphaoverlay.store.series_store import SeriesStore, open_store
from alphaoverlay.store.versions import Key, Version

DAYS = exchange_sessions(2024, 2024)
SPY = Key("fake", "price", "SPY")
# Wednesday; the exchange closes at 20:00 UTC in summer, and its prices have settled half an hour later.
WEDNESDAY = datetime(2024, 6, 12, 20, 30, tzinfo=UTC)


def shares(seed: int = 1) -> pd.DataFrame:
    """A year of closes with a distribution in May, adjusted for it."""
    close = np.round(100.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0, 0.01, len(DAYS))), 4)
    paid = np.where(pd.Timestamp("2024-05-10") == DAYS, 1.0, 0.0)
    return pd.DataFrame({"close": close, "adj_close": adjusted(close, paid), "distribution": paid}, index=DAYS)


def adjusted(close: FloatArray, paid: FloatArray) -> FloatArray:
    """Closes before each distribution lowered by its share of the close before it."""
    factor = np.ones(len(close))
    for k in np.flatnonzero(paid):
        factor[:k] *= 1.0 - paid[k] / close[k - 1]
    return close * factor


@dataclass
class Fake:
    """A live source of whatever a test puts in it, which counts what it is asked."""

    name: str = "fake"
    series: dict[str, pd.DataFrame] = field(default_factory=lambda: {"SPY": shares()})
    rates: dict[str, pd.Series] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    default_rate: str = "DFF"
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ("This is a fake.",)
    accept: frozenset[str] = frozenset()

    def holds(self, symbol: str) -> bool:
        return symbol in self.series

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        frame = self._answer(symbol, since, dict(self.series))
        return PriceSeries(symbol, frame, self._came(symbol, len(frame)))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        values = self._answer(name, since, dict(self.rates))
        return RateSeries(name, values, self._came(name, len(values)))

    def _answer(self, name: str, since: str | None, having: dict[str, Any]) -> Any:
        self.asked.append((name, since))
        if self.error is not None:
            raise self.error
        if name.lstrip("^").upper() not in having:
            raise SymbolNotFound(f"the fake has no {name}")
        found = having[name.lstrip("^").upper()]
        return found if since is None else found[found.index >= pd.Timestamp(since)]

    def _came(self, name: str, count: int) -> Provenance:
        return Provenance(name, self.name, f"chart {name}", "", "", count, currency="USD", timezone="America/New_York")


@dataclass
class Desk:
    """A fake source and a store, at a moment; each `source()` is a new process."""

    store: SeriesStore
    fake: Fake = field(default_factory=Fake)
    now: datetime = WEDNESDAY

    def source(self, **options: Any) -> StoredSource:
        return StoredSource(self.fake, self.store, now=lambda: self.now, **options)

    def closes(self, **options: Any) -> pd.Series:
        return self.source(**options).prices("SPY").frame["close"]

    def asked_then(self, **options: Any) -> list[tuple[str, str | None]]:
        """What a new process asks for to read SPY."""
        self.fake.asked.clear()
        self.source(**options).prices("SPY")
        return list(self.fake.asked)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(open_store(str(tmp_path / "store.sqlite")))


def served(desk: Desk, until: str) -> pd.DataFrame:
    return desk.fake.series["SPY"][:until]


def change(desk: Desk, day: str, factor: float, *columns: str) -> None:
    """Have the source multiply what it says of a day."""
    frame = desk.fake.series["SPY"]
    for name in columns:
        frame[name] = np.where(frame.index == pd.Timestamp(day), factor, 1.0) * frame[name].to_numpy()


# --- what is asked, and when ---


def test_the_first_reading_asks_for_everything_and_keeps_it(desk: Desk) -> None:
    source = desk.source()
    read = source.prices("SPY")
    assert desk.fake.asked == [("SPY", None)]
    pd.testing.assert_frame_equal(read.frame, served(desk, "2024-06-12"), check_freq=False, check_names=False)
    came = read.provenance
    assert (came.source, came.place, came.currency) == ("fake", "chart SPY", "USD")
    assert (came.first, came.last, came.observations) == ("2024-01-02", "2024-06-12", 113)
    assert (came.version, came.retrieved) == (1, "2024-06-12T20:30:00Z")
    assert (source.used, source.failures) == ({SPY: 1}, {})
    assert source.notes == ("This is a fake.",)
    assert [one.outcome for one in source.updates] == ["first"]


def test_one_process_asks_once_under_every_spelling(desk: Desk) -> None:
    desk.fake.series["GSPC"] = shares(2)
    source = desk.source()
    assert source.holds("^GSPC")
    assert source.prices("gspc").symbol == "gspc"
    assert source.prices("GSPC").provenance.name == "GSPC"
    assert desk.fake.asked == [("^GSPC", None)]
    assert source.symbols == ("GSPC",)


@pytest.mark.parametrize(
    ("moment", "asks"),
    [
        ("2024-06-12 20:30", False),  # the moment it was fetched
        ("2024-06-13 13:30", False),  # the next session opens
        ("2024-06-13 20:29", False),  # it has closed, and its prices have not settled
        ("2024-06-13 20:30", True),
        ("2024-06-16 12:00", True),
    ],
)
def test_it_asks_again_once_a_session_has_ended(desk: Desk, moment: str, asks: bool) -> None:
    desk.closes()
    desk.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert bool(desk.asked_then()) is asks
    assert desk.asked_then() == []


def test_no_session_ends_over_a_weekend_and_a_holiday(desk: Desk) -> None:
    desk.now = datetime(2024, 6, 14, 21, 0, tzinfo=UTC)  # Friday
    desk.closes()
    for moment in (datetime(2024, 6, 15, 23, tzinfo=UTC), datetime(2024, 6, 17, 20, 29, tzinfo=UTC)):
        desk.now = moment
        assert desk.asked_then() == []
    desk.now = datetime(2024, 6, 18, 21, 0, tzinfo=UTC)  # Tuesday; Wednesday is Juneteenth
    desk.closes()
    desk.now = datetime(2024, 6, 20, 20, 29, tzinfo=UTC)
    assert desk.asked_then() == []


def test_a_source_that_lags_is_asked_once_a_session(desk: Desk) -> None:
    desk.fake.series["SPY"] = shares()[:"2024-06-11"]
    desk.closes()
    assert desk.asked_then() == []
    desk.now += timedelta(days=1)
    assert len(desk.asked_then()) == 1
    assert desk.asked_then() == []
    assert len(desk.store.versions(SPY)) == 1


def test_only_the_missing_days_are_asked_for_and_ten_rows_before_them(desk: Desk) -> None:
    """The ten sessions to 12 June 2024 begin on 30 May."""
    desk.closes()
    desk.now += timedelta(days=2)
    source = desk.source()
    read = source.prices("SPY")
    assert desk.fake.asked[1:] == [("SPY", "2024-05-30")]
    assert [(one.outcome, one.added) for one in source.updates] == [("appended", 2)]
    pd.testing.assert_frame_equal(read.frame, served(desk, "2024-06-14"), check_freq=False, check_names=False)
    assert read.provenance.version == 2
    assert source.notes == ("This is a fake.",)


@pytest.mark.parametrize(("rows", "since"), [(10, None), (11, "2024-01-03")])
def test_a_short_series_is_asked_for_whole(desk: Desk, rows: int, since: str | None) -> None:
    desk.fake.series["SPY"] = shares().iloc[:rows]
    desk.closes()
    desk.now += timedelta(days=1)
    assert desk.asked_then() == [("SPY", since)]


def test_progress_says_what_is_asked_for(desk: Desk) -> None:
    said: list[str] = []
    desk.closes(on_fetch=said.append)
    desk.now += timedelta(days=1)
    desk.closes(on_fetch=said.append)
    assert said == ["SPY from fake", "SPY from fake since 2024-05-30"]


def test_a_fetch_asks_although_nothing_is_old(desk: Desk) -> None:
    desk.closes()
    assert desk.asked_then(refresh=True) == [("SPY", "2024-05-30")]
    assert desk.asked_then(refresh="whole") == [("SPY", None)]


def test_an_end_in_the_past_needs_nothing_newer(desk: Desk) -> None:
    desk.closes()
    desk.now += timedelta(days=100)
    assert desk.asked_then(until="2024-06-12") == []
    assert desk.asked_then(until="2024-03-01") == []
    assert len(desk.asked_then(until="2024-06-13")) == 1


def test_the_session_under_way_is_left_out_and_fetched_when_it_is_over(desk: Desk) -> None:
    desk.now = datetime(2024, 6, 12, 15, 0, tzinfo=UTC)
    desk.fake.series["SPY"].loc["2024-06-12", "close"] = 1.0
    assert desk.closes().index[-1] == pd.Timestamp("2024-06-11")
    assert desk.asked_then() == []
    desk.fake.series["SPY"] = shares()
    desk.now = WEDNESDAY
    source = desk.source()
    assert source.prices("SPY").frame["close"].iloc[-1] == shares().loc["2024-06-12", "close"]
    assert [one.outcome for one in source.updates] == ["appended"]


# --- a source that changes its past ---


def test_a_new_distribution_rescales_the_past_and_changes_no_return(desk: Desk) -> None:
    before = desk.source().prices("SPY").frame["adj_close"]
    desk.now += timedelta(days=2)
    changed = desk.fake.series["SPY"]
    changed.loc["2024-06-13", "distribution"] = 2.0
    changed["adj_close"] = adjusted(changed["close"].to_numpy(), changed["distribution"].to_numpy())
    source = desk.source()
    after = source.prices("SPY").frame["adj_close"]
    assert desk.fake.asked[1:] == [("SPY", "2024-05-30"), ("SPY", None)]
    assert [one.outcome for one in source.updates] == ["rescaled"]
    assert after.iloc[0] == pytest.approx(changed["adj_close"].iloc[0], rel=1e-12)
    assert after.iloc[0] < 0.99 * before.iloc[0]
    gap = (after.pct_change() - before.pct_change())[1 : len(before)]
    assert gap.abs().max() < 1e-12
    assert source.notes == ("This is a fake.",)  # no return changed, so there is nothing to say


def test_a_revision_keeps_both_versions_and_says_its_size(desk: Desk) -> None:
    first = desk.closes()
    desk.now += timedelta(days=1)
    change(desk, "2024-06-10", 1.05, "adj_close")
    change(desk, "2024-06-11", 0.99, "adj_close")
    change(desk, "2024-03-01", 1.01, "close")
    source = desk.source()
    source.prices("SPY")
    assert desk.fake.asked[1:] == [("SPY", "2024-05-30"), ("SPY", None)]
    assert source.notes[1:] == (
        "SPY from fake REVISED its past: 3 rows changed between 2024-03-01 and 2024-06-11, most in adj_close on "
        "2024-06-10 (5.000%); version 1 is kept beside 2.",
    )
    assert desk.source().notes == ("This is a fake.",)  # said once, when it was seen
    old, new = (desk.store.read(SPY, number) for number in (1, 2))
    assert old is not None
    assert new is not None
    pd.testing.assert_series_equal(old.rows.frame()["close"], first)
    assert new.rows.frame()["close"]["2024-03-01"] == pytest.approx(1.01 * first["2024-03-01"])


def test_a_revision_of_one_day_is_said_in_the_singular(desk: Desk) -> None:
    desk.closes()
    change(desk, "2024-06-10", 1.01, "close", "adj_close")
    source = desk.source(refresh=True)
    source.prices("SPY")
    assert "1 row changed on 2024-06-10, most in" in source.notes[-1]


def test_rows_that_come_and_go_are_counted(desk: Desk) -> None:
    desk.fake.series["SPY"] = shares().drop(index=DAYS[50])
    desk.closes()
    desk.fake.series["SPY"] = shares().drop(index=[DAYS[20], DAYS[21]])
    source = desk.source(refresh="whole")
    source.prices("SPY")
    days = f"between {DAYS[20]:%Y-%m-%d} and {DAYS[50]:%Y-%m-%d}"
    assert f"REVISED its past: 1 came, 2 went {days}; version 1" in source.notes[-1]


def test_an_old_revision_is_seen_only_when_the_whole_is_asked_for(desk: Desk) -> None:
    desk.closes()
    change(desk, "2024-02-01", 1.01, "close", "adj_close")
    for refresh, outcome in ((True, "unchanged"), ("whole", "revised")):
        source = desk.source(refresh=refresh)
        source.prices("SPY")
        assert [one.outcome for one in source.updates] == [outcome]


def test_a_source_that_has_lost_its_last_days_changes_nothing(desk: Desk) -> None:
    kept = desk.closes()
    desk.fake.series["SPY"] = shares()[:"2024-06-05"]
    desk.now += timedelta(days=1)
    source = desk.source()
    pd.testing.assert_series_equal(source.prices("SPY").frame["close"], kept)
    assert [one.outcome for one in source.updates] == ["behind"]
    assert len(desk.asked_then()) == 1  # it may be back


# --- no network, or a source that fails ---


def test_offline_reads_what_is_stored_and_asks_nothing(desk: Desk) -> None:
    kept = desk.closes()
    desk.now += timedelta(days=400)
    pd.testing.assert_series_equal(desk.closes(offline=True), kept)
    assert desk.asked_then(offline=True) == []


def test_offline_without_anything_stored_says_how_to_fetch_it(desk: Desk) -> None:
    source = desk.source(offline=True)
    with pytest.raises(SymbolNotFound, match="alphaoverlay data fetch SPY --data fake"):
        source.prices("SPY")
    assert not source.holds("spy")
    assert not source.holds("QQQ")
    assert desk.fake.asked == []
    assert source.notes[1:] == ("Offline, fake was never asked for SPY, QQQ: taken as not there.",)


def test_offline_says_nothing_of_what_the_source_is_known_not_to_have(desk: Desk) -> None:
    assert not desk.source().holds("NOPE")
    source = desk.source(offline=True)
    assert not source.holds("NOPE")
    assert source.notes == ("This is a fake.",)


FAULTS = [
    FetchError("the fake gave no usable answer in 4 tries."),
    SymbolNotFound("the fake has no SPY, which was delisted"),
    DataError("chart SPY: two different rows for 2024-06-11"),
]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_what_is_stored_is_used_when_the_source_fails_and_the_note_says_how_old_it_is(
    desk: Desk, error: Exception
) -> None:
    kept = desk.closes()
    desk.now += timedelta(days=2)
    desk.fake.error = error
    for options in ({}, {"refresh": True}, {"refresh": "whole"}):
        source = desk.source(**options)
        assert source.holds("SPY")
        pd.testing.assert_series_equal(source.prices("SPY").frame["close"], kept)
        said = f"{error}".removesuffix(".")
        assert source.notes[1:] == (
            f"SPY: {said}. What is stored up to 2024-06-12 is used, last confirmed 2024-06-12.",
        )
        assert source.failures == {SPY: str(error)}
    assert desk.asked_then(), "a failure is no confirmation: the next process asks again"
    desk.fake.error = None
    assert desk.closes().index[-1] == pd.Timestamp("2024-06-14")


def test_a_source_that_is_out_is_not_waited_for_again_and_again(desk: Desk) -> None:
    """Each time costs seconds; after two in a row what is stored is used, and said to be."""
    names = ["SPY", "A", "B", "C", "D"]
    desk.fake.series = {name: shares(k) for k, name in enumerate(names)}
    for name in names:
        desk.source().prices(name)
    desk.now += timedelta(days=1)
    desk.fake.error = FAULTS[0]
    desk.fake.asked.clear()
    source = desk.source()
    for name in names:
        assert source.prices(name).provenance.last == "2024-06-12"
    assert [name for name, _ in desk.fake.asked] == ["SPY", "A"]
    assert source.notes[-1].startswith("D: fake was not asked again in this run.")
    assert source.notes[-1].endswith("What is stored up to 2024-06-12 is used, last confirmed 2024-06-12.")
    with pytest.raises(FetchError, match="no usable answer"):
        source.prices("NEW")  # of which nothing is stored
    assert desk.fake.asked[-1] == ("NEW", None)
    desk.fake.asked.clear()
    fetching = desk.source(refresh=True)
    for name in names:
        fetching.prices(name)
    assert [name for name, _ in desk.fake.asked] == names, "who asks for a fetch gets one"


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_source_that_fails_at_once_is_an_error(desk: Desk, error: Exception) -> None:
    desk.fake.error = error
    with pytest.raises(type(error), match=str(error)[:20]):
        desk.source().prices("SPY")
    assert desk.store.list() == ()


def test_an_outage_is_not_taken_for_an_unknown_symbol(desk: Desk) -> None:
    desk.fake.error = FAULTS[0]
    with pytest.raises(FetchError):
        desk.source().holds("SPY")
    desk.fake.error = None
    assert desk.source().holds("SPY")


def test_an_unknown_symbol_is_asked_for_again_after_seven_days(desk: Desk) -> None:
    assert not desk.source().holds("NEW")
    assert desk.fake.asked == [("NEW", None)]
    desk.now = WEDNESDAY + timedelta(days=7) - timedelta(seconds=1)
    source = desk.source()
    assert not source.holds("NEW")
    with pytest.raises(SymbolNotFound, match="did not know NEW when it was last asked, on 2024-06-12"):
        source.prices("NEW")
    assert len(desk.fake.asked) == 1
    desk.now = WEDNESDAY + timedelta(days=7)
    assert not desk.source().holds("NEW")
    assert not desk.source().holds("NEW")
    assert len(desk.fake.asked) == 2
    desk.fake.series["NEW"] = shares(3)
    assert desk.source(refresh=True).holds("NEW")
    assert desk.source().holds("NEW")
    assert len(desk.fake.asked) == 3


# --- odd answers ---


def test_a_day_that_stands_twice_is_refused(desk: Desk) -> None:
    frame = shares()
    desk.fake.series["SPY"] = pd.concat([frame[:"2024-06-11"], frame["2024-06-11":"2024-06-12"]])
    with pytest.raises(DataError, match="fake: SPY has two rows for 2024-06-11; name another source"):
        desk.closes()
    assert desk.store.list() == ()
    desk.fake.series["SPY"] = frame
    assert len(desk.closes()) == 113


def test_one_row_is_a_series(desk: Desk) -> None:
    desk.fake.series["SPY"] = shares()[:"2024-01-02"]
    assert len(desk.closes()) == 1
    desk.fake.series["SPY"] = shares()
    desk.now += timedelta(days=1)
    assert len(desk.closes()) == 114


@pytest.mark.parametrize("begin", ["2024-06-13", "2030-01-01"])
def test_an_answer_without_a_finished_session_is_no_answer(desk: Desk, begin: str) -> None:
    whole = desk.fake.series["SPY"]
    desk.fake.series["SPY"] = whole[begin:]
    with pytest.raises(FetchError, match="fake has no finished session of SPY yet"):
        desk.closes()
    assert desk.store.list() == ()
    desk.fake.series["SPY"] = whole
    assert len(desk.closes()) == 113


def test_an_answer_that_has_lost_most_rows_is_not_stored(desk: Desk) -> None:
    """A symbol that another company has taken over, or an answer cut at its beginning."""
    kept = desk.closes()
    desk.fake.series["SPY"] = shares(9)["2024-05-30":]
    desk.now += timedelta(days=1)
    source = desk.source()
    pd.testing.assert_series_equal(source.prices("SPY").frame["close"], kept)
    assert "taken for a broken answer" in source.failures[SPY]
    assert len(desk.store.versions(SPY)) == 1


# --- rates ---


def test_rates_are_kept_apart_from_prices(desk: Desk) -> None:
    days = pd.date_range("2024-01-01", "2024-06-12", name="date")
    desk.fake.rates["DFF"] = pd.Series(np.linspace(0.05, 0.06, len(days)), index=days, name="DFF")
    desk.fake.series["DFF"] = shares(5)
    source = desk.source()
    rate = source.rate("DFF")
    pd.testing.assert_series_equal(rate.values, desk.fake.rates["DFF"], check_freq=False, check_index_type=False)
    assert (rate.name, rate.provenance.version) == ("DFF", 1)
    assert len(source.prices("DFF").frame) == 113
    assert source.used == {Key("fake", "rate", "DFF"): 1, Key("fake", "price", "DFF"): 1}
    assert source.symbols == ("DFF",)
    desk.now += timedelta(days=1)
    desk.fake.asked.clear()
    assert len(desk.source().rate("DFF").values) == len(days)
    assert desk.fake.asked == [("DFF", "2024-06-03")]


def test_a_rate_is_not_cut_at_the_last_session(desk: Desk) -> None:
    """A rate is known when it is published, weekends included."""
    days = pd.date_range("2024-06-01", "2024-06-16", name="date")
    desk.fake.rates["DFF"] = pd.Series(0.05, index=days, name="DFF")
    assert desk.source().rate("DFF").values.index[-1] == pd.Timestamp("2024-06-16")


@pytest.mark.parametrize(
    ("name", "kind"), [("yahoo", "rate"), ("stooq", "rate"), ("tiingo", "rate"), ("fred", "price")]
)
@pytest.mark.parametrize("offline", [False, True])
def test_a_source_refuses_what_it_never_has_in_its_own_words(desk: Desk, name: str, kind: str, offline: bool) -> None:
    """Nothing is looked up for it, or remembered."""
    desk.fake = Fake(name=name, series={})
    source = desk.source(offline=offline)
    with pytest.raises(SymbolNotFound, match="the fake has no XYZ"):
        (source.rate if kind == "rate" else source.prices)("XYZ")
    assert not source.serves(kind)
    assert desk.store.unknown_since(Key(name, kind, "XYZ")) is None
    assert source.notes == ("This is a fake.",)


# --- versions of an earlier result ---


def test_pins_read_the_old_versions_bit_for_bit(desk: Desk) -> None:
    first = desk.source().prices("SPY").frame
    desk.now += timedelta(days=1)
    change(desk, "2024-06-10", 1.05, "close", "adj_close")
    second = desk.source().prices("SPY").frame
    desk.now += timedelta(days=30)
    for number, frame in ((1, first), (2, second)):
        source = desk.source(pins={SPY: number}, refresh=True)
        assert source.prices("SPY").frame.to_numpy().tobytes() == frame.to_numpy().tobytes()
        assert source.prices("SPY").provenance.version == number
        assert source.updates == []
    assert len(desk.fake.asked) == 3


def test_pins_know_nothing_else(desk: Desk) -> None:
    desk.fake.series["QQQ"] = shares(2)
    desk.closes()
    source = desk.source(pins={SPY: 7})
    assert not source.holds("QQQ")
    with pytest.raises(SymbolNotFound, match="QQQ from fake was not part of the result"):
        source.prices("QQQ")
    with pytest.raises(StoreError, match="version 7 of SPY from fake is not in the store"):
        source.prices("SPY")


def test_what_was_read_is_remembered_by_fingerprint(desk: Desk) -> None:
    source = desk.source()
    source.prices("SPY")
    assert remember([source], "sha256:abc") == ""
    assert desk.store.pinned("sha256:abc") == {SPY: 1}
    desk.now += timedelta(days=1)
    later = desk.source()
    later.prices("SPY")
    assert remember([later], "sha256:abc") == ""
    assert desk.store.pinned("sha256:abc") == {SPY: 1}, "the versions that gave it first stay"


def test_a_result_of_old_versions_is_remembered_too(desk: Desk) -> None:
    """Another study, or span, on the versions of an earlier result has a fingerprint of its own."""
    desk.closes()
    desk.now += timedelta(days=1)
    desk.closes()
    source = desk.source(pins={SPY: 1, Key("fake", "price", "QQQ"): 1})
    source.prices("SPY")
    assert remember([source], "sha256:def") == ""
    assert desk.store.pinned("sha256:def") == {SPY: 1}


def test_a_store_that_cannot_remember_is_a_note_and_no_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    source = desk.source()
    source.prices("SPY")

    def full(*args: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(SeriesStore, "pin", full)
    assert "could not be remembered" in remember([source], "sha256:abc")
    assert "the disk is full" in remember([source], "sha256:abc")


def test_every_reason_has_its_words() -> None:
    words = {
        reason: version_words(Version(number=1, created="", reason=reason, facts={}))
        for reason in ("first", "appended", "rescaled", "revised")
    }
    assert len(set(words.values())) == 4
    assert words["revised"] == "past revised by the source"


def test_series_that_end_long_ago_are_said_to_and_a_study_of_the_past_is_not_told(desk: Desk) -> None:
    desk.fake.series = {"SPY": shares(1)[:"2024-06-12"], "A": shares(2)[:"2024-06-12"]}
    desk.source().prices("SPY")
    desk.now += timedelta(days=29)
    soon = desk.source()
    soon.prices("SPY")
    assert not any("Long before today" in note for note in soon.notes)
    desk.now += timedelta(days=2)
    late = desk.source()
    late.prices("SPY")
    late.prices("A")
    [note] = [note for note in late.notes if "Long before today" in note]
    assert note.startswith("Long before today, on 2024-06-12, the data of SPY, A from fake end")
    past = desk.source(until="2024-01-31")
    past.prices("SPY")
    assert not any("Long before today" in note for note in past.notes)
