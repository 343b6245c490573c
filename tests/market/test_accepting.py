"""What a serious finding stops, and how a run goes on when it is accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, without

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.history import History, PriceSeries, Provenance, RateSeries
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.findings import CHECKS
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history

RATE = 0.01
NAN = float("nan")
NOW = datetime(2022, 6, 1, tzinfo=UTC)
DAYS = [str(stamp.date()) for stamp in exchange_sessions(2020, 2020)[:60]]
LEVELS = [100.0 + (k * 7) % 5 for k in range(60)]  # moves of one to four percent


@dataclass
class Made:
    """A source of one series, which is served as it is."""

    series: PriceSeries
    accept: frozenset[str] = frozenset()
    name: str = "made"
    default_rate: str = "DFF"
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ("Made.",)

    def holds(self, symbol: str) -> bool:
        return symbol == self.series.symbol

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        return self.series

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        raise SymbolNotFound(name)


def text_of(close: Sequence[float], adjusted: Sequence[float] | None = None, days: Sequence[str] = DAYS) -> str:
    cells = zip(days, close, close if adjusted is None else adjusted, strict=True)
    rows = [",".join((day, *("" if one != one else repr(one) for one in pair))) for day, *pair in cells]
    return "\n".join(("date,close,adj_close", *rows, ""))


def from_row(values: Sequence[float], k: int, by: float, until: int | None = None) -> list[float]:
    return [value * by if k <= row < (until or len(values)) else value for row, value in enumerate(values)]


def gap(k: int) -> str:
    return text_of([v for j, v in enumerate(LEVELS) if j != k], days=without(DAYS, DAYS[k]))


def empty(k: int) -> str:
    return text_of(LEVELS, from_row(LEVELS, k, NAN, k + 1))


def closed_day(k: int) -> str:
    """A row more, on the Saturday after that week."""
    odd = pd.Timestamp(DAYS[k]) + pd.offsets.Week(weekday=5)
    days = sorted([*DAYS, str(odd.date())])
    return text_of([1000.0 if day not in DAYS else LEVELS[DAYS.index(day)] for day in days], days=days)


def split(k: int) -> str:
    return text_of(from_row(LEVELS, k, 0.25))


def spike(k: int) -> str:
    return text_of(from_row(LEVELS, k, 3.0, k + 1))


def stale(k: int) -> str:
    return text_of([*LEVELS[:k], *[LEVELS[k]] * 12, *LEVELS[k + 12 :]])


def contradiction(k: int) -> str:
    return text_of(from_row(LEVELS, k, 1.05), LEVELS)


FILES: Mapping[str, Callable[[int], str]] = {
    "gap": gap,
    "empty": empty,
    "closed-day": closed_day,
    "split-like-jump": split,
    "spike": spike,
    "stale": stale,
    "contradiction": contradiction,
}
EARLY, START, LATE = 8, DAYS[25], 40  # a row before the asked span, its first day, a row in it


def read(folder: FolderSource, *accept: str, start: str | None = START) -> History:
    return read_history(CombinedSource((folder,), accept=frozenset(accept)), ["A"], RATE, start=start, now=NOW)


# --- stopping, saying, going on ---


@pytest.mark.parametrize("check", FILES)
def test_a_serious_finding_stops_and_says_how_to_go_on(tmp_path: Path, check: str) -> None:
    with pytest.raises(DataError) as caught:
        read(folder_of(tmp_path, A=FILES[check](LATE)))
    message = str(caught.value)
    assert message.startswith("A.csv, line 4")
    assert message.endswith(f". To go on all the same: --accept {check} ({CHECKS[check].accepted})")


@pytest.mark.parametrize("check", FILES)
def test_an_accepted_finding_is_said_in_the_notes(tmp_path: Path, check: str) -> None:
    history = read(folder_of(tmp_path, A=FILES[check](LATE)), check)
    [said] = [note for note in history.notes if note.startswith("ACCEPTED")]
    assert said.startswith(f"ACCEPTED as {check} ({CHECKS[check].accepted}): A.csv, line 4")
    assert said.endswith(".")
    assert history.adj_close["A"].notna().all()
    assert [str(stamp.date()) for stamp in history.dates] == DAYS


@pytest.mark.parametrize("check", FILES)
def test_accepting_something_else_does_not_help(tmp_path: Path, check: str) -> None:
    others = set(FILES) - {check}
    with pytest.raises(DataError, match=f"--accept {check} "):
        read(folder_of(tmp_path, A=FILES[check](LATE)), *others)


@pytest.mark.parametrize("check", FILES)
def test_before_the_asked_span_it_is_only_said(tmp_path: Path, check: str) -> None:
    history = read(folder_of(tmp_path, A=FILES[check](EARLY)))
    if check in ("gap", "empty"):
        [said] = [note for note in history.notes if note.startswith("A: ")]
        assert f"rows up to {DAYS[EARLY]} not used, 1 session missing or empty there" in said
        assert history.adj_close["A"].notna().tolist() == [False] * (EARLY + 1) + [True] * (59 - EARLY)
        return
    [said] = [note for note in history.notes if note.startswith("Before the asked span: ")]
    assert "A.csv, line 1" in said
    assert said.endswith(".")
    assert history.adj_close["A"].notna().all()


@pytest.mark.parametrize("check", FILES)
def test_after_the_asked_span_nothing_is_looked_at(tmp_path: Path, check: str) -> None:
    source = folder_of(tmp_path, A=FILES[check](LATE))
    history = read_history(source, ["A"], RATE, end=DAYS[LATE - 1], now=NOW)
    assert history.notes == ("The financing rate is fixed at 1.00% a year by the study, not observed.",)


def test_nothing_is_accepted_by_a_source_alone(tmp_path: Path) -> None:
    assert folder_of(tmp_path, A=price_file(JANUARY)).accept == frozenset()


def test_several_findings_are_accepted_one_by_one(tmp_path: Path) -> None:
    text = text_of(from_row(from_row(LEVELS, 30, 0.25), 50, 3.0, 51))
    source = folder_of(tmp_path, A=text)
    for accept in ((), ("spike",), ("split-like-jump",)):
        with pytest.raises(DataError, match="To go on all the same"):
            read(source, *accept)
    notes = read(source, "spike", "split-like-jump").notes
    assert len([note for note in notes if note.startswith("ACCEPTED")]) == 2


def test_a_warning_stops_nothing_and_is_said(tmp_path: Path) -> None:
    text = text_of([*LEVELS[:30], *[LEVELS[30]] * 6, *LEVELS[36:]])
    assert any("stood still for 6 sessions" in note for note in read(folder_of(tmp_path, A=text)).notes)


# --- what cannot be accepted ---


def made(days: Sequence[str] = DAYS, **changes: float) -> PriceSeries:
    frame = pd.DataFrame(
        {"close": LEVELS[: len(days)], "adj_close": LEVELS[: len(days)]}, index=pd.DatetimeIndex(list(days))
    )
    for row, value in changes.items():
        frame.iloc[int(row.removeprefix("row"))] = value
    return PriceSeries("A", frame, Provenance("A", "made", "chart A", days[0], days[-1], len(days)))


TWICE = [*DAYS[:EARLY], DAYS[EARLY], *DAYS[EARLY:-1]]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (made(row8=0.0), "a price of zero or less"),
        (made(row8=-1.0), "a price of zero or less"),
        (made(TWICE), "more than one row on"),
    ],
)
def test_what_is_no_price_stops_and_cuts_the_past_whatever_is_accepted(one: PriceSeries, said: str) -> None:
    """Found before the asked span, the rows up to it are not used: no return can be made of them."""
    source = Made(one, frozenset(CHECKS))
    with pytest.raises(DataError, match=said) as caught:
        read_history(replace(source, accept=frozenset()), ["A"], RATE, now=NOW)
    assert "--accept" not in str(caught.value)
    history = read_history(replace(source, accept=frozenset()), ["A"], RATE, start=START, now=NOW)
    assert history.adj_close["A"].notna().tolist() == [False] * (EARLY + 1) + [True] * (len(history.dates) - EARLY - 1)
    assert np.isfinite(history.total_returns["A"].iloc[EARLY + 2 :]).all()
    assert any(f"rows up to {DAYS[EARLY]} not used" in note for note in history.notes)


@pytest.mark.parametrize(("currency", "zone", "check"), [("EUR", "", "currency"), ("", "Europe/London", "time-zone")])
def test_what_a_source_says_of_itself_is_accepted_too(currency: str, zone: str, check: str) -> None:
    one = made()
    source = Made(replace(one, provenance=replace(one.provenance, currency=currency, timezone=zone)))
    with pytest.raises(DataError, match=f"--accept {check} "):
        read_history(source, ["A"], RATE, now=NOW)
    notes = read_history(replace(source, accept=frozenset({check})), ["A"], RATE, now=NOW).notes
    assert notes[0] == "Made."
    assert notes[1].startswith(f"ACCEPTED as {check} (used as they are): A from made is")


def test_an_unfinished_session_is_accepted_too() -> None:
    now = datetime.fromisoformat(f"{DAYS[-1]}T15:00:00-05:00")
    with pytest.raises(DataError, match="--accept intraday "):
        read_history(Made(made()), ["A"], RATE, now=now)
    assert len(read_history(Made(made(), frozenset({"intraday"})), ["A"], RATE, now=now).dates) == 60
    assert len(read_history(Made(made()), ["A"], RATE, end=DAYS[-2], now=now).dates) == 59


# --- carrying prices over ---


@pytest.mark.parametrize("file", [gap, empty])
def test_the_last_price_is_carried_and_the_next_session_makes_the_whole_move(
    tmp_path: Path, file: Callable[[int], str]
) -> None:
    history = read(folder_of(tmp_path, A=file(LATE)), file.__name__)
    returns = history.total_returns["A"]
    assert returns.iloc[LATE] == 0.0
    assert returns.iloc[LATE + 1] == pytest.approx(LEVELS[LATE + 1] / LEVELS[LATE - 1] - 1.0, rel=1e-15)
    assert history.close["A"].iloc[LATE] == LEVELS[LATE - 1]
    others = [k for k in range(60) if k not in (LATE, LATE + 1)]
    expected = [LEVELS[k] / LEVELS[k - 1] - 1.0 for k in others[1:]]
    assert returns.iloc[others[1:]].tolist() == pytest.approx(expected, rel=1e-14)


def test_several_sessions_in_a_row_are_carried(tmp_path: Path) -> None:
    days = without(DAYS, *DAYS[40:44])
    text = text_of([LEVELS[DAYS.index(day)] for day in days], days=days)
    history = read(folder_of(tmp_path, A=text), "gap")
    assert history.adj_close["A"].iloc[39:45].tolist() == [LEVELS[39]] * 5 + [LEVELS[44]]


VENDOR = "date,close,adj_close,volume,nav\n"


def test_on_carried_sessions_nothing_is_traded_and_other_volumes_stay(tmp_path: Path) -> None:
    text = VENDOR + (
        "2021-01-04,20,10,500,20.1\n"
        "2021-01-05,21,10.5,,20.9\n"  # an unknown volume is not none
        "2021-01-07,22,11,700,21.9\n"
        "2021-01-08,22.5,,800,22.4\n"
        "2021-01-11,23,11.5,900,23.1\n"
    )
    source = folder_of(tmp_path, A=text, B=price_file(JANUARY))
    combined = CombinedSource((source,), accept=frozenset({"gap", "empty"}))
    history = read_history(combined, ["A", "B"], RATE, now=NOW)
    rows = slice(0, 7)
    assert history.adj_close["A"].iloc[rows].tolist() == pytest.approx([10, 10.5, 10.5, 11, 11, 11.5, NAN], nan_ok=True)
    assert history.close["A"].iloc[rows].tolist() == pytest.approx([20, 21, 21, 22, 22, 23, NAN], nan_ok=True)
    assert history.volume["A"].iloc[rows].tolist() == pytest.approx([500, NAN, 0, 700, 800, 900, NAN], nan_ok=True)
    assert history.nav["A"].iloc[rows].tolist() == pytest.approx([20.1, 20.9, 20.9, 21.9, 22.4, 23.1, NAN], nan_ok=True)
    assert history.volume["A"].iloc[7:].isna().all()


def test_a_close_that_is_unknown_stays_so_where_another_session_is_carried(tmp_path: Path) -> None:
    close = from_row(LEVELS, 20, NAN, 30)
    days = without(DAYS, DAYS[LATE])
    text = text_of([v for k, v in enumerate(close) if k != LATE], [v for k, v in enumerate(LEVELS) if k != LATE], days)
    history = read(folder_of(tmp_path, A=text), "gap")
    assert history.close["A"].isna().tolist() == [20 <= k < 30 for k in range(60)]
    assert history.adj_close["A"].notna().all()


def test_an_empty_last_row_is_carried_and_an_empty_first_row_has_nothing_to_carry(tmp_path: Path) -> None:
    adjusted = from_row(from_row(LEVELS, 0, NAN, 1), 59, NAN)
    history = read(folder_of(tmp_path, A=text_of(LEVELS, adjusted)), "empty", start=None)
    assert np.isnan(history.adj_close["A"].iloc[0])
    assert history.adj_close["A"].iloc[1:].tolist() == [*LEVELS[1:59], LEVELS[58]]


def test_the_past_is_carried_too_where_it_is_accepted(tmp_path: Path) -> None:
    history = read(folder_of(tmp_path, A=gap(EARLY)), "gap")
    assert history.adj_close["A"].notna().all()
    assert history.total_returns["A"].iloc[EARLY] == 0.0
    assert any(note.startswith("ACCEPTED as gap") for note in history.notes)


def test_before_a_series_begins_and_after_it_ends_nothing_is_carried(tmp_path: Path) -> None:
    days = without(DAYS[10:50], DAYS[30])
    text = text_of([LEVELS[DAYS.index(day)] for day in days], days=days)
    source = CombinedSource((folder_of(tmp_path, A=text, B=text_of(LEVELS)),), accept=frozenset({"gap"}))
    history = read_history(source, ["A", "B"], RATE, now=NOW)
    assert history.adj_close["A"].notna().tolist() == [10 <= k < 50 for k in range(60)]


def test_rows_of_closed_days_are_left_out(tmp_path: Path) -> None:
    history = read(folder_of(tmp_path, A=closed_day(LATE)), "closed-day")
    assert history.adj_close["A"].tolist() == LEVELS


def test_findings_of_one_series_do_not_touch_another(tmp_path: Path) -> None:
    source = CombinedSource((folder_of(tmp_path, A=gap(LATE), B=text_of(LEVELS)),), accept=frozenset({"gap"}))
    history = read_history(source, ["A", "B"], RATE, now=NOW)
    assert history.adj_close["B"].tolist() == LEVELS
    assert [note.startswith("ACCEPTED as gap") for note in history.notes].count(True) == 1
