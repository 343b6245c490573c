"""The packaged catalogue: complete, consistent, and what is known of its core funds."""

from __future__ import annotations

import datetime

import pytest

from alphaoverlay.errors import CatalogueError
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.financing import side_of
from alphaoverlay.funds.fund import Fund

CATALOGUE = load_catalogue()
FUNDS = list(CATALOGUE)

# Known to everyone who trades them: index and daily multiple.
CORE = {
    "SPY": ("SP500", 1),
    "SSO": ("SP500", 2),
    "UPRO": ("SP500", 3),
    "SH": ("SP500", -1),
    "QQQ": ("NASDAQ100", 1),
    "TQQQ": ("NASDAQ100", 3),
    "SQQQ": ("NASDAQ100", -3),
    "IWM": ("RUSSELL2000", 1),
    "UWM": ("RUSSELL2000", 2),
    "TNA": ("RUSSELL2000", 3),
    "TWM": ("RUSSELL2000", -2),
}
# The indices that the catalogue promises funds for.
PROMISED = (
    ["SP500", "NASDAQ100", "RUSSELL2000", "SPMIDCAP400", "DOW30", "TREASURY20", "TREASURY7_10", "TBILL", "GOLD"]
)  # fmt: skip


def test_there_are_at_least_sixty_funds() -> None:
    assert len(FUNDS) >= 60
    assert {fund.symbol for fund in FUNDS} == set(CATALOGUE.funds)


@pytest.mark.parametrize("fund", FUNDS, ids=lambda fund: fund.symbol)
def test_every_fund_is_described(fund: Fund) -> None:
    assert fund.symbol == fund.symbol.upper().strip()
    assert fund.name
    assert 0.0 < fund.expense < 0.03
    assert fund.sources
    assert all(source.strip() for source in fund.sources)
    borrows = bool(fund.exposures) and side_of(fund.leverage) is not None
    assert fund.spread_basis in (("calibrated", "pooled") if borrows else ("none",))
    assert 0.0 <= fund.spread < 0.01
    assert fund.swap_exposure == 1.0


@pytest.mark.parametrize("fund", [fund for fund in FUNDS if fund.verified], ids=lambda fund: fund.symbol)
def test_a_verified_fund_has_every_term(fund: Fund) -> None:
    assert fund.exposures
    assert fund.leverage
    assert fund.expense_as_of is not None
    assert fund.inception is not None
    assert fund.expense_as_of > fund.inception


def test_dates_are_in_order() -> None:
    for fund in FUNDS:
        known = [day for day in (fund.inception, fund.first_trade, fund.index_since, fund.closed) if day is not None]
        assert known == sorted(known), fund.symbol


def test_a_changed_fund_says_what_it_was() -> None:
    assert all(fund.former for fund in FUNDS if fund.status == "changed" or fund.index_since is not None)


def test_every_index_used_is_defined_and_every_plain_fund_known() -> None:
    assert {index for fund in FUNDS for index in fund.exposures} <= set(CATALOGUE.indices)
    for name, index in CATALOGUE.indices.items():
        assert index.name == name
        assert index.plain
        for symbol in index.plain:
            assert CATALOGUE.fund(symbol).exposures == {name: 1.0}, symbol


def test_daily_funds_are_between_minus_and_plus_three() -> None:
    daily = [fund for fund in FUNDS if fund.issuer in ("ProShares", "Direxion") and fund.exposures]
    assert len(daily) >= 40
    assert {fund.leverage for fund in daily} == {-3.0, -2.0, -1.0, 2.0, 3.0}


@pytest.mark.parametrize("index", PROMISED)
def test_each_promised_index_has_plain_funds(index: str) -> None:
    assert [fund for fund in FUNDS if fund.exposures == {index: 1.0}]


@pytest.mark.parametrize("index", ["SP500", "NASDAQ100", "RUSSELL2000", "SPMIDCAP400", "DOW30"])
def test_each_equity_index_has_both_sides_to_three(index: str) -> None:
    offered = {fund.leverage for fund in FUNDS if index in fund.exposures}
    assert offered >= {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize("symbol", CORE)
def test_the_core_funds_are_what_they_are(symbol: str) -> None:
    index, leverage = CORE[symbol]
    fund = CATALOGUE.fund(symbol)
    assert dict(fund.exposures) == {index: leverage}
    assert fund.leverage == leverage
    assert fund.verified


# --- looking up ---


def test_names_are_found_in_any_case() -> None:
    assert CATALOGUE.fund("upro") is CATALOGUE.funds["UPRO"]
    assert CATALOGUE.index("sp500") is CATALOGUE.indices["SP500"]


def test_an_unknown_fund_names_the_nearest() -> None:
    with pytest.raises(CatalogueError, match=r"unknown fund 'UPROO'\. Did you mean UPRO\?"):
        CATALOGUE.fund("UPROO")


def test_an_unknown_index_names_the_nearest_and_the_known() -> None:
    with pytest.raises(CatalogueError, match=r"unknown index 'RUSSEL2000'\. Did you mean RUSSELL2000\? Known: .*GOLD"):
        CATALOGUE.index("RUSSEL2000")


def test_nothing_near_suggests_nothing() -> None:
    with pytest.raises(CatalogueError, match="unknown fund") as caught:
        Catalogue({}, {}).fund("ZZZZZZ")
    assert "Did you mean" not in str(caught.value)


# --- whether a fund existed ---

DAY = datetime.date(2015, 6, 1)


def day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)


def fund_with(
    *, inception: str | None = "2010-01-04", since: str | None = None, closed: str | None = None, status: str = "open"
) -> Fund:
    return Fund(
        "X",
        "X",
        {"AAA": 1.0},
        expense=0.0,
        inception=day(inception),
        index_since=day(since),
        closed=day(closed),
        status=status,
    )


def test_a_fund_exists_from_its_inception() -> None:
    fund = fund_with(inception="2015-06-01")
    assert fund.existed_as_today(DAY)
    assert not fund.existed_as_today(datetime.date(2015, 5, 31))


def test_a_fund_of_unknown_inception_is_not_taken_to_exist() -> None:
    assert not fund_with(inception=None).existed_as_today(DAY)


def test_a_fund_whose_index_changed_exists_as_today_from_the_change() -> None:
    assert not fund_with(since="2015-06-02", status="changed").existed_as_today(DAY)
    assert fund_with(since="2015-06-01", status="changed").existed_as_today(DAY)


def test_a_closed_fund_existed_until_it_closed() -> None:
    fund = fund_with(closed="2015-06-01", status="closed")
    assert fund.existed_as_today(datetime.date(2015, 5, 29))
    assert not fund.existed_as_today(datetime.date(2020, 1, 1))


def test_a_fund_closed_on_an_unknown_day_is_not_taken_to_exist() -> None:
    assert not fund_with(status="closed").existed_as_today(datetime.date(2026, 1, 1))


def test_known_changes_and_closures_of_real_funds() -> None:
    """SPXL followed the Russell 1000 until about 2012-06-29; MIDZ took no purchases after 2020-03-27 (fund facts)."""
    spxl, midz = CATALOGUE.fund("SPXL"), CATALOGUE.fund("MIDZ")
    assert not spxl.existed_as_today(datetime.date(2011, 1, 3))
    assert spxl.existed_as_today(datetime.date(2013, 1, 3))
    assert midz.existed_as_today(datetime.date(2019, 1, 3))
    assert not midz.existed_as_today(datetime.date(2021, 1, 4))


def test_what_a_fund_follows_in_words() -> None:
    assert fund_with().follows == "+1x AAA"
    assert Fund("X", "X", {"AAA": 0.9, "BBB": -0.6}, 0.0).follows == "+0.9x AAA -0.6x BBB"
    assert Fund("X", "X", {}, 0.0).follows == "index unknown"
