"""Holdings files as documents show them.

iShares: the fixtures of github.com/yevklym/etfscraper (internal/providers/ishares/holdings_test.go) and of a project
that calls them "real layout: preamble, header, equity + cash/futures rows, footer" (October 2026); the older column is
that of nikulpatel3141/ETF-Scraper issue 10. Invesco: the header that several readers quote, and the type
InvescoHoldingRecord of one, with a row of 2022.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback

from alphaoverlay.market.holdings import HoldingsSource

PREAMBLE = (
    "iShares Russell 2000 ETF\n"
    'Fund Holdings as of,"Nov 20, 2026"\n'
    'Inception Date,"May 22, 2000"\n'
    'Shares Outstanding,"310,150,000.00"\n'
    'Stock,"-"\nBond,"-"\nCash,"-"\nOther,"-"\n \n'
)
ISHARES_HEADER = (
    "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Notional Value,Quantity,Price,Location,Exchange,Currency,"
    "FX Rate,Market Currency,Accrual Date\n"
)
FOOTER = (
    ' \n"The content contained herein is owned or licensed by BlackRock and/or its third-party information providers, '
    'and "as is". It may not be copied"\n\n"©2026 BlackRock, Inc. All rights reserved. iSHARES, 50,000 and more"\n'
)
ISHARES_ROWS = (
    ("FTAI", "FTAI AVIATION LTD", "Industrials", "Equity", "1,411.11", "40.50"),
    ("SFM", "SPROUTS, FARMERS MARKET", "Consumer Staples", "Equity", "9.00", "30.00"),
    ("INSM", "INSMED INC", "Industrials", "Equity", "8.00", "28.10"),
    ("XTSLA", "BLK CSH FND TREASURY SL AGENCY", "Cash and/or Derivatives", "Money Market", "1.00", "1.20"),
    ("RTYZ6", "RUSSELL 2000 EMINI DEC 26", "Cash and/or Derivatives", "Futures", "0.00", "-"),
    ("USD", "USD CASH", "Cash and/or Derivatives", "Cash", "-1.00", "-0.30"),
)
INVESCO_CELLS = "Fund Ticker,Security Identifier,Holding Ticker,Shares/Par Value,MarketValue,Weight,Name"
INVESCO_HEADER = f"{INVESCO_CELLS},Class of Shares,Sector,Date\n"
INVESCO_ROWS = (
    ("037833100", "AAPL   ", '"1,305,938"', '"26,790,990.66"', "60.5", "Apple Inc", "Common Stock", "Technology"),
    ("N07059210", "ASML", '"10"', '"26.66"', "39.0", '"ASML, Holding NV"', "NY Registry Shares", "Technology"),
    ("CASHUSD00", "-", '"100"', '"100.00"', "0.4", "US Dollars", "Cash", ""),
)


def ishares_file(
    rows: Sequence[Sequence[str]] = ISHARES_ROWS,
    *,
    preamble: str = PREAMBLE,
    header: str = ISHARES_HEADER,
    footer: str = FOOTER,
) -> str:
    """A file of iShares; cells that are not read are made up."""
    width = header.count(",") + 1
    lines = (",".join(f'"{cell}"' for cell in (*row, *["-"] * (width - len(row)))) for row in rows)
    return preamble + header + "".join(f"{line}\n" for line in lines) + footer


def invesco_file(
    rows: Sequence[Sequence[str]] = INVESCO_ROWS,
    fund: str = "QQQ",
    day: str = "11/20/2026",
    header: str = INVESCO_HEADER,
) -> str:
    """A file of Invesco."""
    return header + "".join(f"{','.join((fund, *row, day))}\n" for row in rows)


def answer(asked: Asked) -> Reply:
    """Answer as the issuers do: IWM by its product number, QQQ by its ticker."""
    if asked.path == "/varnish-api/blk-one01-product-data/product-data/api/v1/get-fund-document":
        known = asked.query["portfolioId"] == "239710" and asked.query["component"] == "holdings"
        return Reply(ishares_file()) if known else Reply("", 404)
    if asked.path == "/us/financial-products/etfs/holdings/main/holdings/0" and asked.query["ticker"] == "QQQ":
        return Reply(invesco_file())
    return Reply("", 404)


@contextmanager
def issuers() -> Iterator[tuple[HoldingsSource, Loopback]]:
    """The source and the server that it asks."""
    with loopback(answer) as server:
        yield HoldingsSource(server.url, HASTY), server
