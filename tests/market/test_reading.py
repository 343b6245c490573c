"""From files to a `History`: the exchange's sessions, holes, and the asked span."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file, without

from alphaoverlay.errors import DataError, SpanError, SymbolNotFound
from alphaoverlay.market.reading import read_history

RATE = 0.01  # fixed, where a test is not about rates
HEADER = "date,close,adj_close\n"


def days_of(index: pd.DatetimeIndex) -> list[str]:
    return [str(stamp.date()) for stamp in index]


# --- what a history holds ---


def test_prices_stand_on_the_exchanges_sessions(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE)
    assert days_of(history.dates) == list(JANUARY)
    assert history.close["A"].tolist() == [100.0 + k for k in range(11)]
    assert history.adj_close["A"].tolist() == [(100.0 + k) / 2 for k in range(11)]


def test_a_symbol_asked_twice_is_one_column(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), B=price_file(JANUARY))
    history = read_history(source, ["B", "A", "B"], RATE)
    assert list(history.close.columns) == ["B", "A"]
    assert [one.name for one in history.provenance] == ["B", "A", "rate"]


def test_prices_are_unknown_before_a_symbols_first_and_after_its_last(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), B=price_file(JANUARY[3:6]))
    history = read_history(source, ["A", "B"], RATE)
    assert history.adj_close["B"].notna().tolist() == [False] * 3 + [True] * 3 + [False] * 5
    assert history.notes == (history.notes[0],)  # the fixed rate's only: a short life is no defect


def test_all_the_past_is_kept_before_start(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE, start="2021-01-13")
    assert days_of(history.dates) == list(JANUARY)


def test_nothing_is_kept_after_end(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE, end="2021-01-08")
    assert days_of(history.dates) == list(JANUARY[:5])


def test_an_end_after_the_data_is_the_datas_last_session(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE, end="2021-06-30")
    assert days_of(history.dates) == list(JANUARY)


@pytest.mark.parametrize("end", ["2021-01-09", "2021-01-10"])
def test_an_end_on_a_weekend_is_the_friday_before(tmp_path: Path, end: str) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE, end=end)
    assert str(history.dates[-1].date()) == "2021-01-08"


def test_a_start_on_a_weekend_is_fine(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE, start="2021-01-09")
    assert days_of(history.dates) == list(JANUARY)


def test_exchange_sessions_are_whole_years_with_one_more_on_both_sides(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY[5:])), ["A"], RATE, end="2021-01-15")
    sessions = history.exchange_sessions
    assert (sessions.year == 2021).sum() == 252
    assert (str(sessions[0].date()), str(sessions[-1].date())) == ("2020-01-02", "2022-12-30")


def test_two_files_for_one_symbol_are_refused(tmp_path: Path) -> None:
    source = folder_of(tmp_path, GSPC=price_file(JANUARY))
    (tmp_path / "^GSPC.csv").write_text(price_file(JANUARY))
    with pytest.raises(DataError, match="both name GSPC; keep one"):
        source.prices("GSPC")


def test_a_history_over_new_year(tmp_path: Path) -> None:
    days = ("2020-12-30", "2020-12-31", "2021-01-04")
    history = read_history(folder_of(tmp_path, A=price_file(days)), ["A"], RATE)
    assert days_of(history.dates) == list(days)
    assert history.days.tolist() == [0.0, 1.0, 4.0]


def test_an_empty_close_is_unknown_where_adj_close_is_there(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=HEADER + "2021-01-04,,10\n2021-01-05,,11\n"), ["A"], RATE)
    assert history.close["A"].isna().all()
    assert history.total_returns["A"].iloc[1] == pytest.approx(0.1, abs=1e-15)


# --- holes and empty cells ---


def test_a_hole_inside_the_span_names_file_line_and_missing_date(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-07")))
    with pytest.raises(DataError) as caught:
        read_history(source, ["A"], RATE, start="2021-01-05")
    message = str(caught.value)
    for fragment in ("A.csv, line 4, column date:", "hole", "1 session missing", "2021-01-07", "Add the rows"):
        assert fragment in message


def test_a_hole_of_several_sessions_is_counted_without_weekends(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-08", "2021-01-11", "2021-01-12")))
    with pytest.raises(DataError, match=r"3 sessions missing after 2021-01-07, first 2021-01-08"):
        read_history(source, ["A"], RATE)


def test_without_a_start_the_whole_file_must_be_complete(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-05")))
    with pytest.raises(DataError, match=r"A\.csv, line 2, .*2021-01-05"):
        read_history(source, ["A"], RATE)


def test_a_hole_after_the_end_does_not_matter(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-13")))
    history = read_history(source, ["A"], RATE, end="2021-01-12")
    assert history.adj_close["A"].notna().all()


def test_a_hole_on_the_first_day_of_the_span_is_refused(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-07")))
    with pytest.raises(DataError, match="2021-01-07"):
        read_history(source, ["A"], RATE, start="2021-01-07")


def test_a_hole_before_the_span_cuts_the_past_and_says_so(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-07")), B=price_file(JANUARY))
    history = read_history(source, ["A", "B"], RATE, start="2021-01-08")
    assert days_of(history.dates) == list(JANUARY)
    for frame in (history.close, history.adj_close):
        assert frame["A"].notna().tolist() == [False] * 4 + [True] * 7
        assert frame["B"].notna().all()
    (note,) = [note for note in history.notes if note.startswith("A: ")]
    for fragment in ("A.csv", "rows up to 2021-01-07 not used", "1 session missing"):
        assert fragment in note
    assert "rows up to 2021-01-07 not used" in history.provenance[0].note
    assert history.provenance[1].note == ""


def test_of_several_holes_before_the_span_the_last_one_cuts(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(without(JANUARY, "2021-01-05", "2021-01-08")))
    history = read_history(source, ["A"], RATE, start="2021-01-12")
    assert history.adj_close["A"].notna().tolist() == [False] * 5 + [True] * 6
    assert "rows up to 2021-01-08 not used, 2 sessions missing" in history.provenance[0].note


def test_an_empty_adj_close_inside_the_span_is_refused(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=HEADER + "2021-01-04,1,1\n2021-01-05,1,\n2021-01-06,1,1\n")
    with pytest.raises(DataError) as caught:
        read_history(source, ["A"], RATE, start="2021-01-05")
    message = str(caught.value)
    for fragment in ("A.csv, line 3, column adj_close:", "2021-01-05", "Fill it in"):
        assert fragment in message


def test_an_empty_adj_close_before_the_span_cuts_the_past_and_says_so(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=HEADER + "2021-01-04,1,1\n2021-01-05,1,\n2021-01-06,1,1\n")
    history = read_history(source, ["A"], RATE, start="2021-01-06")
    assert history.adj_close["A"].notna().tolist() == [False, False, True]
    assert any("A.csv" in note and "2021-01-05" in note for note in history.notes)


def test_an_empty_adj_close_after_the_end_does_not_matter(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=HEADER + "2021-01-04,1,1\n2021-01-05,1,1\n2021-01-06,1,\n")
    assert len(read_history(source, ["A"], RATE, end="2021-01-05").dates) == 2


# --- rows on days without a session ---


@pytest.mark.parametrize(
    ("days", "day", "line"),
    [
        pytest.param((*JANUARY[:5], "2021-01-09", *JANUARY[5:]), "2021-01-09", 7, id="a Saturday"),
        pytest.param((*JANUARY[:10], "2021-01-18", "2021-01-19"), "2021-01-18", 12, id="a holiday"),
        pytest.param(("2021-01-02", *JANUARY), "2021-01-02", 2, id="a Saturday as the first row"),
        pytest.param((*JANUARY[:5], "2021-01-09"), "2021-01-09", 7, id="a Saturday as the last row"),
        pytest.param(("2012-10-26", "2012-10-29", "2012-10-31"), "2012-10-29", 3, id="an unplanned closure"),
    ],
)
def test_a_row_on_a_day_without_a_session_is_refused(
    tmp_path: Path, days: tuple[str, ...], day: str, line: int
) -> None:
    source = folder_of(tmp_path, A=price_file(days))
    with pytest.raises(DataError) as caught:
        read_history(source, ["A"], RATE)
    message = str(caught.value)
    assert message.startswith(f"A.csv, line {line}, column date: {day} is not a session")
    assert "remove the row" in message


def test_nothing_but_a_saturday_is_no_span(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(["2021-01-09"]))
    with pytest.raises(SpanError, match=r"no session .* from 2021-01-09 to 2021-01-09: the data are A 2021-01-09 to"):
        read_history(source, ["A"], RATE)


# --- spans ---


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2022-01-03", None, id="starts after the data"),
        pytest.param(None, "2020-12-31", id="ends before the data"),
        pytest.param("2021-01-12", "2021-01-06", id="ends before it starts"),
        pytest.param("2021-01-09", "2021-01-10", id="a weekend"),
        pytest.param("2021-01-18", "2021-01-18", id="a holiday"),
        pytest.param("2021-01-23", None, id="starts on the weekend after the data"),
    ],
)
def test_a_span_without_data_is_refused(tmp_path: Path, start: str | None, end: str | None) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY))
    with pytest.raises(SpanError) as caught:
        read_history(source, ["A"], RATE, start=start, end=end)
    for asked in filter(None, (start, end)):
        assert asked in str(caught.value)


def test_the_refusal_of_a_span_says_where_the_data_are(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY))
    with pytest.raises(SpanError, match=r"A 2021-01-04 to 2021-01-19\. Ask for dates inside the data"):
        read_history(source, ["A"], RATE, start="2022-01-03")


def test_no_symbol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no symbol"):
        read_history(folder_of(tmp_path), [], RATE)


def test_an_unknown_symbol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SymbolNotFound, match=r"B\.csv"):
        read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A", "B"], RATE)


# --- fingerprint ---


def test_the_fingerprint_does_not_depend_on_the_order_of_symbols(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), B=price_file(JANUARY, first=50.0))
    one, other = read_history(source, ["A", "B"], RATE), read_history(source, ["B", "A"], RATE)
    assert one.fingerprint == other.fingerprint


def test_the_fingerprint_does_not_depend_on_rows_after_the_end(tmp_path: Path) -> None:
    (tmp_path / "short").mkdir()
    (tmp_path / "long").mkdir()
    rates = {"2021-01-01": 1.0, "2021-01-07": 2.0}
    short = folder_of(tmp_path / "short", A=price_file(JANUARY[:5]), DFF=rate_file(rates))
    long = folder_of(tmp_path / "long", A=price_file(JANUARY), DFF=rate_file(rates | {"2021-01-11": 3.0}))
    end = "2021-01-08"
    assert read_history(short, ["A"], end=end).fingerprint == read_history(long, ["A"], end=end).fingerprint
    assert read_history(short, ["A"]).fingerprint != read_history(long, ["A"]).fingerprint


def test_the_fingerprint_does_not_depend_on_the_files_spelling(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    text = price_file(JANUARY)
    plain = folder_of(tmp_path, A=text)
    vendor = folder_of(tmp_path / "other", A=text.replace("date,close,adj_close", "Date,Close,Adj Close"))
    assert read_history(plain, ["A"], RATE).fingerprint == read_history(vendor, ["A"], RATE).fingerprint


def test_frames_and_rate_share_the_dates(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], RATE)
    for part in (history.close, history.adj_close, history.rate):
        assert part.index.equals(history.dates)
    assert history.close.dtypes.tolist() == [np.dtype("float64")]
