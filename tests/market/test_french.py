"""Kenneth French's factors: indices of them, the bill rate on its days, and every way in which the file fails."""

from __future__ import annotations

import io
import logging
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from tests.market.loopback import HASTY, Reply, in_turn, loopback
from tests.market.served_days import SESSIONS, faults, recoveries, refused
from tests.market.served_french import PLAIN, Row, answer, csv_of, french, rows, zip_of

from alphaoverlay.errors import DataError, FetchError, MissingExtra, SymbolNotFound
from alphaoverlay.market import french as module
from alphaoverlay.market.french import FrenchSource
from alphaoverlay.market.reading import read_history

GOOD = zip_of(csv_of(rows()))


def served(body: bytes | str) -> str:
    """What is said of an answer."""
    with loopback(in_turn(Reply(body))) as server:
        return refused(lambda: FrenchSource(server.url, HASTY).prices("MKT"))


# --- what is served ---


def test_the_market_is_a_total_return_index() -> None:
    """(0.491 + 0.009)% up, (-1.009 + 0.009)% down, then the bill's 0.009% a session."""
    with french() as (source, _):
        frame = source.prices("MKT").frame
    assert list(frame.columns) == ["close", "adj_close"]
    assert frame["close"].equals(frame["adj_close"])
    expected = [100.0, 100.5, 99.495, 99.495 * 1.00009, 99.495 * 1.00009**2]
    assert frame["adj_close"].tolist()[:5] == pytest.approx(expected, rel=1e-14)
    assert frame["adj_close"].iloc[-1] == pytest.approx(99.495 * 1.00009 ** (len(SESSIONS) - 3), rel=1e-13)
    assert [str(day.date()) for day in frame.index] == list(SESSIONS)
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert frame.index.tz is None


@pytest.mark.parametrize(("symbol", "levels"), [("SMB", [100.0, 102.0, 100.98]), ("HML", [100.0, 99.0, 101.97])])
def test_a_factor_is_the_growth_of_its_own_return(symbol: str, levels: list[float]) -> None:
    with french() as (source, _):
        series = source.prices(symbol)
    assert series.frame["adj_close"].tolist() == pytest.approx(levels + [levels[-1]] * (len(SESSIONS) - 3), rel=1e-14)
    assert "long-short" in series.provenance.note


def test_the_rate_earns_the_files_return_on_every_session() -> None:
    """0.009% over one day, three (a weekend) or four (and a holiday), on 360 days a year."""
    with french() as (source, _):
        rate = source.rate("RF")
    assert rate.values["2021-01-04"] == pytest.approx(0.00009 * 360, rel=1e-13)
    assert rate.values["2021-01-08"] == pytest.approx(0.00009 * 120, rel=1e-13)
    assert rate.values["2021-01-15"] == pytest.approx(0.00009 * 90, rel=1e-13)
    assert [str(day.date()) for day in rate.values.index] == list(SESSIONS[:-1])
    assert rate.name == rate.values.name == "RF"
    assert rate.values.dtype == np.dtype("float64")


def test_a_history_accrues_the_files_return() -> None:
    with french() as (source, _):
        history = read_history(source, ["MKT"])
    assert history.accrual[1:].tolist() == pytest.approx([0.00009] * (len(SESSIONS) - 1), rel=1e-13)
    assert history.total_returns["MKT"].iloc[1] == pytest.approx(0.005, rel=1e-12)


def test_saturdays_of_old_are_sessions() -> None:
    days = [str(day.date()) for day in pd.date_range("1926-07-01", periods=40) if day.weekday() < 6]
    with loopback(in_turn(Reply(zip_of(csv_of([PLAIN] * len(days), days))))) as server:
        source = FrenchSource(server.url, HASTY)
        assert "1926-07-10" in [str(day.date()) for day in source.prices("MKT").frame.index]
        assert source.rate("RF").values["1926-07-09"] == pytest.approx(0.00009 * 360, rel=1e-13)
        assert source.rate("RF").values["1926-07-10"] == pytest.approx(0.00009 * 180, rel=1e-13)


def test_provenance_is_filled() -> None:
    with french() as (source, _):
        series, rate = source.prices("mkt"), source.rate("RF")
    assert series.symbol == series.provenance.name == "mkt"
    assert (series.provenance.source, series.provenance.place) == ("french", "F-F_Research_Data_Factors_daily.CSV")
    assert (series.provenance.first, series.provenance.last) == (SESSIONS[0], SESSIONS[-1])
    assert (rate.provenance.first, rate.provenance.last) == (SESSIONS[0], SESSIONS[-2])
    assert (series.provenance.observations, rate.provenance.observations) == (len(SESSIONS), len(SESSIONS) - 1)
    assert (series.provenance.currency, rate.provenance.currency) == ("USD", "")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", series.provenance.retrieved)


def test_one_file_is_asked_for_once() -> None:
    with french() as (source, server):
        assert source.holds("MKT")
        assert server.asked == []
        for symbol in ("MKT", "SMB", "HML"):
            source.prices(symbol, since="2021-02-01")
        source.rate("RF")
        assert len(server.asked) == 1


@pytest.mark.parametrize("change", [("\r\n", "\n"), ("\r\n", "\r")], ids=["LF", "CR"])
def test_lines_may_end_in_any_way(change: tuple[str, str]) -> None:
    with loopback(in_turn(Reply(zip_of(csv_of(rows()).replace(*change))))) as server:
        assert len(FrenchSource(server.url, HASTY).prices("MKT").frame) == len(SESSIONS)


# --- what it does not have ---


@pytest.mark.parametrize("symbol", ["NOSUCHTHING", "", "../x", "SPY", "RF"])
def test_other_symbols_are_not_asked_for(symbol: str) -> None:
    with french() as (source, server):
        assert not source.holds(symbol)
        with pytest.raises(SymbolNotFound, match="only MKT, SMB, HML") as caught:
            source.prices(symbol)
        assert symbol in str(caught.value)
        assert server.asked == []


@pytest.mark.parametrize("name", ["NOSUCHTHING", "", "../x", "DFF", "rf"])
def test_other_rates_are_not_asked_for(name: str) -> None:
    with french() as (source, server):
        with pytest.raises(SymbolNotFound, match="only the rate RF") as caught:
            source.rate(name)
        assert name in str(caught.value)
        assert server.asked == []


# --- faults ---


@pytest.mark.parametrize(("name", "reply", "said"), faults(GOOD), ids=lambda value: value if value else None)
def test_a_fault_is_said(name: str, reply: object, said: str) -> None:
    with loopback(reply) as server:  # type: ignore[arg-type]
        message = refused(lambda: FrenchSource(server.url, HASTY).prices("MKT"))
    assert message.startswith("french ")
    assert said in message


def test_a_fault_that_passes_is_waited_for() -> None:
    for _, reply in recoveries(GOOD):
        with loopback(reply) as server:
            assert len(FrenchSource(server.url, HASTY).prices("MKT").frame) == len(SESSIONS)


def test_no_server_and_another_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with loopback(answer) as server:
        url = server.url
        moved = refused(lambda: FrenchSource(url + "/mirror", HASTY).prices("MKT"))
        assert len(server.asked) == 1
    assert "check the base URL" in moved
    assert "http" not in moved
    assert "no connection to 127.0.0.1" in refused(lambda: FrenchSource(url, HASTY).prices("MKT"))


def empty_zip() -> bytes:
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    return file.getvalue()


def damaged() -> bytes:
    return GOOD[:200] + bytes(255 - byte for byte in GOOD[200:260]) + GOOD[260:]


TEXT = csv_of(rows())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("date,close\n2021-01-04,1\n", "no zip file"),
        (empty_zip(), "holds no file"),
        (damaged(), "damaged"),
        (GOOD[:-30], "no zip file"),
        (zip_of("hello"), "no table"),
        (zip_of("folder only", "folder/"), "holds no file"),
        (zip_of(TEXT.replace("HML", "UMD")), "no column HML"),
        (zip_of(TEXT.replace(",Mkt-RF,SMB,HML,RF", "")), "layout is another"),
        (zip_of(TEXT.replace("0.491", "n/a")), "no column Mkt-RF of numbers"),
        (zip_of(TEXT.replace("20210105,", "20210105,1,")), "layout is another"),
        (zip_of(TEXT.replace("20210105,", "yesterday,")), "layout is another"),
        (zip_of(TEXT.replace("20210106", "20210105")), "comes after 2021-01-05"),
        (zip_of(TEXT.replace("20210106", "20210103")), ""),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(body: bytes | str, said: str) -> None:
    assert said in served(body)


@pytest.mark.parametrize("mark", [-99.99, -999.0])
def test_a_missing_value_is_named_by_factor_and_day(mark: float) -> None:
    table: list[Row] = rows()
    table[5] = (0.1, mark, 0.1, 0.009)
    with loopback(in_turn(Reply(zip_of(csv_of(table))))) as server:
        source = FrenchSource(server.url, HASTY)
        with pytest.raises(DataError, match=r"column SMB: no value on 2021-01-11") as caught:
            source.prices("SMB")
        assert not isinstance(caught.value, FetchError)
        for other in ("HML", "MKT"):
            assert len(source.prices(other).frame) == len(SESSIONS)


def test_a_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED", 1000)
    assert "larger than" in served(GOOD)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> object:
        raise ImportError(name)

    source = FrenchSource()
    monkeypatch.setattr("alphaoverlay.errors.import_module", gone)
    assert source.holds("MKT")
    with pytest.raises(MissingExtra, match=r"alphaoverlay\[live\]"):
        source.prices("MKT")
