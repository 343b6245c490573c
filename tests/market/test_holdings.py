"""Holdings of funds: the two layouts, their defects, and where they are fetched."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.market.loopback import HASTY, Reply, in_turn, loopback
from tests.market.served_days import PAGE, faults, recoveries, refused
from tests.market.served_holdings import (
    INVESCO_HEADER,
    INVESCO_ROWS,
    ISHARES_HEADER,
    ISHARES_ROWS,
    PREAMBLE,
    answer,
    invesco_file,
    ishares_file,
    issuers,
)

from alphaoverlay.errors import DataError, FetchError, MissingExtra, SymbolNotFound
from alphaoverlay.market import holdings as module
from alphaoverlay.market.holdings import HoldingsSource, addresses, read_holdings

ISHARES, INVESCO = ishares_file(), invesco_file()


def refusal(text: str, fund: str = "") -> str:
    with pytest.raises(DataError) as caught:
        read_holdings(text.encode(), fund, "A.csv")
    assert len(str(caught.value)) < 500
    return str(caught.value)


# --- the layouts ---


def test_ishares() -> None:
    got = read_holdings(ISHARES.encode(), "IWM", "IWM.csv")
    assert (got.fund, got.asof, got.source, got.place, got.retrieved) == ("IWM", "2026-11-20", "file", "IWM.csv", "")
    assert list(got.frame.columns) == ["ticker", "name", "sector", "weight"]
    assert got.frame["ticker"].tolist() == ["FTAI", "SFM", "INSM", "XTSLA", "RTYZ6", "USD"]
    assert got.frame["name"].iloc[1] == "SPROUTS, FARMERS MARKET"
    assert got.frame["weight"].tolist() == pytest.approx([0.405, 0.3, 0.281, 0.012, 0.0, -0.003], abs=1e-15)


def test_sectors_are_summed_largest_first_and_cash_stays_apart() -> None:
    weights = read_holdings(ISHARES.encode()).sector_weights()
    assert list(weights.index) == ["Industrials", "Consumer Staples", "Cash and/or Derivatives"]
    assert weights.tolist() == pytest.approx([0.686, 0.3, 0.009], abs=1e-15)


def test_invesco() -> None:
    got = read_holdings(INVESCO.encode(), "qqq", "QQQ.csv")
    assert (got.fund, got.asof) == ("qqq", "2026-11-20")
    assert got.frame["ticker"].tolist() == ["AAPL", "ASML", "-"]
    assert got.frame["name"].tolist() == ["Apple Inc", "ASML, Holding NV", "US Dollars"]
    assert got.sector_weights().to_dict() == pytest.approx({"Technology": 0.995, "not stated": 0.004}, abs=1e-15)


def test_a_fund_that_is_not_given_is_the_files() -> None:
    assert read_holdings(ISHARES.encode()).fund == "iShares Russell 2000 ETF"
    assert read_holdings(INVESCO.encode()).fund == "QQQ"


def test_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "IWM_holdings.csv"
    path.write_text(ISHARES, encoding="utf-8")
    for given in (path, str(path)):
        got = read_holdings(given)
        assert got.place == "IWM_holdings.csv"
        assert got.asof == "2026-11-20"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + ISHARES,
        ISHARES.replace("\n", "\r\n"),
        ISHARES.partition(' \n"The content')[0],
        ISHARES.replace(" \nTicker", "Ticker"),
        ishares_file(header=ISHARES_HEADER.replace("Quantity", "Shares")),
        ishares_file(preamble='Fund Holdings as of,"20/Nov/2026"\n\n'),
        ishares_file(header=ISHARES_HEADER.replace("Weight (%)", "Market Weight")),
        ISHARES.replace("40.50", "40.50%"),
    ],
    ids=["byte-order mark", "CRLF", "no footer", "no blank line", "shares", "another date", "another weight", "a sign"],
)
def test_ways_to_write_the_ishares_file(text: str) -> None:
    got = read_holdings(text.encode())
    assert got.asof == "2026-11-20"
    assert got.frame["weight"].sum() == pytest.approx(0.995, abs=1e-12)


def test_names_of_an_older_encoding() -> None:
    text = ISHARES.replace("INSMED INC", "NESTLÉ").partition("©")[0].encode("cp1252")
    assert "NESTLÉ" in read_holdings(text).frame["name"].tolist()


# --- defects ---


@pytest.mark.parametrize("name", ["Ticker", "Name", "Sector", "Weight (%)"])
def test_a_changed_ishares_layout_names_the_missing_column(name: str) -> None:
    message = refusal(ishares_file(header=ISHARES_HEADER.replace(f"{name},", "Other,")))
    assert message.startswith(f"A.csv, line 10: no column {name}, so the issuer's layout is another")
    assert "Asset Class" in message


@pytest.mark.parametrize("name", ["Holding Ticker", "Name", "Sector", "Weight", "Date"])
def test_a_changed_invesco_layout_names_the_missing_column(name: str) -> None:
    header = ",".join("Other" if cell == name else cell for cell in INVESCO_HEADER.strip().split(",")) + "\n"
    assert f"A.csv, line 1: no column {name}, so" in refusal(invesco_file(header=header))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a holdings file that is known"),
        ("date,close\n2021-01-04,1\n", "not a holdings file that is known"),
        (PAGE, "a web page"),
        ("PK\x03\x04\0\0\0", "a spreadsheet"),
        (ISHARES.replace("Fund Holdings as of", "Date"), "no line Fund Holdings as of"),
        (ISHARES.replace('"Nov 20, 2026"', '"-"'), "A.csv, line 2: no date"),
        (ISHARES.replace("Nov 20", "Nov 31"), "'Nov 31, 2026' is not a date"),
        (ISHARES.replace("Nov 20, 2026", "20. November"), "is not a date"),
        (PREAMBLE + ISHARES_HEADER + " \n", "no holdings below the header"),
        (ishares_file(ISHARES_ROWS[:2]), "the weights sum to 70.5%"),
        (ishares_file([*ISHARES_ROWS, ISHARES_ROWS[1]]), "the weights sum to 129.5%"),
        (ISHARES.replace('"28.10"', '""'), "line 13, column Weight (%): '' is not a weight"),
        (ISHARES.replace('"28.10"', '"28,10"'), "line 13, column Weight (%): '28,10' is not a weight"),
        (ISHARES.replace('"28.10"', '"nan"'), "'nan' is not a weight"),
        (ISHARES.replace('"28.10"', '"1_0"'), "'1_0' is not a weight"),
        (ISHARES[: ISHARES.index('"8.00"')], "A.csv, line 13: 5 cells where the header has 15"),
        (INVESCO[: INVESCO.index("US Dollars")], "A.csv, line 4: 7 cells where the header has 10"),
        (INVESCO.replace("11/20/2026\n", "11/19/2026\n", 1), "holdings of several days (11/19/2026 and 11/20/2026)"),
        (INVESCO + invesco_file(fund="QQQM", header=""), "holdings of several funds (QQQ and QQQM)"),
        (INVESCO.replace("11/20/2026", "20/11/2026"), "'20/11/2026' is not a date"),
        (invesco_file(INVESCO_ROWS[1:]), "the weights sum to 39.4%"),
        (ISHARES.replace("FTAI AVIATION LTD", "x" * 200_000), "a cell without end"),
    ],
)
def test_a_defect_is_named(text: str, said: str) -> None:
    assert said in refusal(text)


def test_the_file_of_another_fund() -> None:
    assert refusal(INVESCO, "QQQM") == "A.csv: holds QQQ, not QQQM; give the file of QQQM"


def test_a_path_that_cannot_be_read(tmp_path: Path) -> None:
    for place in (tmp_path / "gone.csv", tmp_path):
        with pytest.raises(DataError, match=rf"^{place.name}: cannot be read"):
            read_holdings(place)


def test_a_file_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    assert "A.csv: larger than" in refusal(ISHARES)


# --- the addresses ---


def test_every_address_is_documented() -> None:
    assert {"IVV", "IWM", "QQQ"} <= set(addresses())
    for fund, one in addresses().items():
        parts = urlsplit(one.address)
        assert fund == one.fund == one.fund.upper()
        assert (parts.scheme, bool(parts.query)) == ("https", True)
        assert parts.hostname in ("www.blackrock.com", "www.invesco.com")
        assert one.issuer in ("iShares", "Invesco")
        assert one.layout == one.issuer.casefold()
        assert one.document
        assert "asOfDate" not in one.address
    assert len({one.address for one in addresses().values()}) == len(addresses())


def test_an_address_counts_as_verified_only_where_others_can_find_its_document() -> None:
    assert all("://" in one.document for one in addresses().values() if one.verified)


# --- fetching ---


@pytest.mark.parametrize(("fund", "issuer"), [("IWM", "iShares"), ("qqq", "Invesco")])
def test_holdings_are_fetched_once(fund: str, issuer: str) -> None:
    with issuers() as (source, server):
        assert source.holds(fund)
        assert server.asked == []
        got = source.holdings(fund)
        assert source.holdings(fund.upper()) is got
        assert len(server.asked) == 1
    assert (got.fund, got.asof, got.source, got.place) == (
        fund.upper(), "2026-11-20", issuer, f"{fund.upper()} holdings"
    )  # fmt: skip
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", got.retrieved)


@pytest.mark.parametrize("fund", ["NOSUCHTHING", "", "../x", "IWMM", "SPY"])
def test_other_funds_are_refused_by_name(fund: str) -> None:
    with issuers() as (source, server):
        assert not source.holds(fund)
        with pytest.raises(SymbolNotFound, match="read it with read_holdings") as caught:
            source.holdings(fund)
        assert fund in str(caught.value)
        assert server.asked == []


@pytest.mark.parametrize(("name", "reply", "said"), faults(ISHARES), ids=lambda value: value if value else None)
def test_a_fault_is_said(name: str, reply: object, said: str) -> None:
    with loopback(reply) as server:  # type: ignore[arg-type]
        assert said in refused(lambda: HoldingsSource(server.url, HASTY).holdings("IWM"))


def test_a_fault_that_passes_is_waited_for() -> None:
    for _, reply in recoveries(ISHARES):
        with loopback(reply) as server:
            assert HoldingsSource(server.url, HASTY).holdings("IWM").asof == "2026-11-20"


def test_an_address_that_is_dead_says_what_to_do() -> None:
    by_hand = "download the file from Invesco's page of QQQ and read it with read_holdings"
    with loopback(in_turn(Reply(PAGE))) as server:
        assert by_hand in refused(lambda: HoldingsSource(server.url, HASTY).holdings("QQQ"))
    with loopback(in_turn(Reply("", 404))) as server:
        assert by_hand in refused(lambda: HoldingsSource(server.url, HASTY).holdings("QQQ"))


def test_another_layout_is_no_fault_of_the_line() -> None:
    with loopback(in_turn(Reply(ISHARES.replace("Sector", "Branch")))) as server:
        with pytest.raises(DataError, match=r"^IWM holdings, line 10: no column Sector") as caught:
            HoldingsSource(server.url, HASTY).holdings("IWM")
        assert not isinstance(caught.value, FetchError)


def test_no_server() -> None:
    with loopback(answer) as server:
        url = server.url
    assert "no connection to 127.0.0.1" in refused(lambda: HoldingsSource(url, HASTY).holdings("IWM"))


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("alphaoverlay.errors.import_module", gone)
    assert len(read_holdings(ISHARES.encode()).frame) == len(ISHARES_ROWS)
    with pytest.raises(MissingExtra, match=r"alphaoverlay\[live\]"):
        HoldingsSource().holdings("IWM")
