"""A folder of CSV or Parquet files: `SYMBOL.csv` and rate files, in the folder itself or in its `prices/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alphaoverlay.errors import DataError, SymbolNotFound, did_you_mean
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market.csv_files import read_prices, read_rate
from alphaoverlay.market.parquet_files import read_parquet_prices, read_parquet_rate

# What may name a file: no separators, no leading dot, so that a symbol never leaves the folder.
SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.^=_-]{0,31}")
SUFFIXES = (".csv", ".parquet")


class FolderSource:
    """Prices and rates from a folder of CSV or Parquet files; each file is read once.

    Parameters
    ----------
    folder : holds `SYMBOL.csv` with columns date, close, adj_close (vendors' spellings are understood) and rate files
        such as `DFF.csv` with columns date, percent; both also in its `prices/`, and as `.parquet` (with the extra
        "parquet").

    Raises
    ------
    DataError : the folder does not exist.
    """

    default_rate = "DFF"
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        # A name that is not text, as some file systems allow, must not break what prints it.
        self.name = str(folder).encode("utf-8", "replace").decode("utf-8")
        self._prices: dict[str, PriceSeries] = {}
        self._rates: dict[str, RateSeries] = {}
        try:
            there = self.folder.is_dir()
        except OSError:  # a name that no folder can have
            there = False
        if not there:
            raise DataError(
                f"no folder {str(self.folder)[:200]}; give --data the folder that holds your SYMBOL.csv files"
            )

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the files in `prices/` are called, or where there is no such folder those in the folder itself."""
        own, below = self._files()
        return tuple(sorted({path.stem.lstrip("^").upper() for path in below or own}))

    def holds(self, symbol: str) -> bool:
        """Whether there is a file for the symbol."""
        return bool(self._find(symbol))

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Read `SYMBOL.csv` or `SYMBOL.parquet`.

        Raises
        ------
        SymbolNotFound : there is no such file.
        DataError : the file has a defect; names file, line (of CSV) or row (of Parquet), and column.
        MissingExtra : the file is Parquet and pyarrow is not installed.
        """
        if symbol not in self._prices:
            path = self._need(symbol, "date,close,adj_close", f" or leave {symbol} out")
            place = self._place(path)
            lines: tuple[int, ...] = ()
            if _is_parquet(path):
                frame = read_parquet_prices(path, place)
            else:
                frame, numbers = read_prices(path, place)
                lines = tuple(numbers.tolist())
            provenance = Provenance(symbol, self.name, place, iso(frame.index[0]), iso(frame.index[-1]), len(frame))
            self._prices[symbol] = PriceSeries(symbol, frame, provenance, lines)
        return self._prices[symbol]

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Read a rate file such as `DFF.csv` or `DFF.parquet`, in percent a year.

        Raises
        ------
        SymbolNotFound : there is no such file.
        DataError : the file has a defect; names file, line (of CSV) or row (of Parquet), and column.
        MissingExtra : the file is Parquet and pyarrow is not installed.
        """
        if name not in self._rates:
            path = self._need(name, "date,percent", " or fix the rate at a yearly fraction (--cash-rate 0.02)")
            place = self._place(path)
            values = (read_parquet_rate if _is_parquet(path) else read_rate)(path, place, name)
            provenance = Provenance(name, self.name, place, iso(values.index[0]), iso(values.index[-1]), len(values))
            self._rates[name] = RateSeries(name, values, provenance)
        return self._rates[name]

    def _place(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _files(self) -> list[list[Path]]:
        """CSV and Parquet files of the folder itself and of its `prices/`."""
        try:
            return [
                sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES) if place.is_dir() else []
                for place in (self.folder, self.folder / "prices")
            ]
        except OSError as error:
            raise DataError(f"the folder {self.folder} cannot be listed ({error.strerror}); check its rights") from None

    def _find(self, symbol: str) -> list[Path]:
        """Files that name the symbol, in whatever case and with or without a caret."""
        if not SYMBOL.fullmatch(symbol):
            return []
        key = symbol.lstrip("^").casefold()
        return [path for place in self._files() for path in place if path.stem.lstrip("^").casefold() == key]

    def _need(self, symbol: str, columns: str, instead: str) -> Path:
        if not SYMBOL.fullmatch(symbol):
            raise SymbolNotFound(
                f"{symbol[:40]!r} cannot name a file in {self.folder}; write a symbol of letters, digits, and . ^ = _ -"
            )
        found = self._find(symbol)
        if not found:
            near = did_you_mean(symbol, [path.stem for place in self._files() for path in place])
            raise SymbolNotFound(
                f"no data for {symbol}: looked for {symbol}.csv in {self.folder} and {self.folder / 'prices'}, and for "
                f"{symbol}.parquet.{near} "
                f"Add the file (columns {columns}){instead}"
            )
        if len(found) > 1:
            both = " and ".join(self._place(path) for path in found)
            raise DataError(f"{both} both name {symbol}; keep one")
        return found[0]


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"
