"""Kenneth French's file of daily factors as it is published.

Layout: F-F_Research_Data_Factors_daily.CSV of the 201910 database, as kept in github.com/tvme/qc_tests: three lines of
text, a blank line, the header, rows, a blank line, the copyright. Inside a zip file, its lines ended by CR and LF
(pandas-datareader's reader relies on that). Marks of missing values: the texts of the library's other files.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback
from tests.market.served_days import SESSIONS

from alphaoverlay.market.french import FrenchSource

ABOVE = (
    "This file was created by CMPT_ME_BEME_RETS_DAILY using the 202102 CRSP database.\r\n"
    "The Tbill return is the simple daily rate that, over the number of trading days\r\n"
    "in the month, compounds to 1-month TBill rate from Ibbotson and Associates Inc.\r\n\r\n"
)
BELOW = "\r\nCopyright 2021 Kenneth R. French\r\n"
Row = tuple[float, float, float, float]
# Mkt-RF, SMB, HML, RF in percent: nothing but the bill, except on a few days.
PLAIN: Row = (0.0, 0.0, 0.0, 0.009)


def rows() -> list[Row]:
    """One row a session, a few of them with something to say."""
    table = [PLAIN] * len(SESSIONS)
    table[0] = (9.99, 9.99, 9.99, 0.999)  # the first session's own return is in no index
    table[1] = (0.491, 2.00, -1.00, 0.009)
    table[2] = (-1.009, -1.00, 3.00, 0.009)
    return table


def csv_of(table: Sequence[Row], days: Sequence[str] = SESSIONS) -> str:
    """The file's text."""
    lines = [
        f"{day.replace('-', '')},{m:8.3f},{s:8.2f},{h:8.2f},{r:8.3f}\r\n"
        for day, (m, s, h, r) in zip(days, table, strict=True)
    ]
    return ABOVE + ",Mkt-RF,SMB,HML,RF\r\n" + "".join(lines) + BELOW


def zip_of(text: str, name: str = "F-F_Research_Data_Factors_daily.CSV") -> bytes:
    """The answer with the text in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text.encode())
    return file.getvalue()


def answer(asked: Asked) -> Reply:
    """Answer as the library's server does."""
    if asked.path != "/pages/faculty/ken.french/ftp/F-F_Research_Data_Factors_daily_CSV.zip":
        return Reply("<html>Not Found</html>", 404)
    return Reply(zip_of(csv_of(rows())))


@contextmanager
def french() -> Iterator[tuple[FrenchSource, Loopback]]:
    """The source and the server that it asks."""
    with loopback(answer) as server:
        yield FrenchSource(server.url, HASTY), server


@contextmanager
def french_case(folder: Path) -> Iterator[tuple[FrenchSource, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """For the contract of sources: the source, its symbols, other spellings, its rates."""
    with french() as (source, _):
        yield source, ("MKT", "SMB", "HML"), ("mkt", "smb"), ("RF",)
