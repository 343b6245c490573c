"""A folder of CSV files: `SYMBOL.csv` and rate files, in the folder itself or in its `prices/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from alphaoverlay.errors import DataError, SymbolNotFound, did_you_mean
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market.csv_files import read_prices, read_rate

# What may name a file: no separators, no leading dot, so that a symbol never leaves the folder.
SYMBOL = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.^=_-]{0,31}")


class FolderSource:
    """Prices and rates from a folder of CSV files; each file is read once.

    Parameters
    ----------
    folder : holds `SYMBOL.csv` with columns date, close, adj_close (vendors' spellings are understood) and rate files
        such as `DFF.csv` with columns date, percent; both also in its `prices/`.

    Raises
    ------
    DataError : the folder does not exist.
    """

    default_rate = "DFF"
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.name = str(folder)
        self._prices: dict[str, PriceSeries] = {}
        self._rates: dict[str, RateSeries] = {}
        if not self.folder.is_dir():
            raise DataError(f"no folder {self.folder}; give --data the folder that holds your SYMBOL.csv files")

    def holds(self, symbol: str) -> bool:
        """Whether there is a file for the symbol."""
        return self._find(symbol) is not None

    def prices(self, symbol: str) -> PriceSeries:
        """Read `SYMBOL.csv`.

        Raises
        ------
        SymbolNotFound : there is no such file.
        DataError : the file has a defect; names file, line and column.
        """
        if symbol not in self._prices:
            path = self._need(symbol, "date,close,adj_close", f" or leave {symbol} out")
            place = self._place(path)
            frame, lines = read_prices(path, place)
            provenance = Provenance(symbol, self.name, place, iso(frame.index[0]), iso(frame.index[-1]), len(frame))
            self._prices[symbol] = PriceSeries(symbol, frame, provenance, tuple(lines.tolist()))
        return self._prices[symbol]

    def rate(self, name: str) -> RateSeries:
        """Read a rate file such as `DFF.csv`, in percent a year.

        Raises
        ------
        SymbolNotFound : there is no such file.
        DataError : the file has a defect; names file, line and column.
        """
        if name not in self._rates:
            path = self._need(name, "date,percent", " or fix the rate at a yearly fraction (--cash-rate 0.02)")
            place = self._place(path)
            values = read_rate(path, place, name)
            provenance = Provenance(name, self.name, place, iso(values.index[0]), iso(values.index[-1]), len(values))
            self._rates[name] = RateSeries(name, values, provenance)
        return self._rates[name]

    def _place(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _files(self) -> dict[str, Path]:
        """Readable files by folded stem; the folder's own before those of `prices/`."""
        found: dict[str, Path] = {}
        for place in (self.folder, self.folder / "prices"):
            if place.is_dir():
                for path in sorted(place.iterdir()):
                    if path.suffix.lower() == ".csv":
                        found.setdefault(path.stem.lstrip("^").casefold(), path)
        return found

    def _find(self, symbol: str) -> Path | None:
        if not SYMBOL.fullmatch(symbol):
            return None
        return self._files().get(symbol.lstrip("^").casefold())

    def _need(self, symbol: str, columns: str, instead: str) -> Path:
        path = self._find(symbol)
        if path is None:
            near = did_you_mean(symbol, [p.stem for p in self._files().values()])
            raise SymbolNotFound(
                f"no data for {symbol}: looked for {symbol}.csv in {self.folder} and {self.folder / 'prices'}.{near} "
                f"Add the file (columns {columns}){instead}"
            )
        return path
