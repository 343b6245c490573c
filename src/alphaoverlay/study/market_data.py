"""Which series a study needs, read from its source and turned into index and fund returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from alphaoverlay.errors import CatalogueError, DataError, did_you_mean
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import Fund, Index
from alphaoverlay.funds.fund_returns import FundReturns, build_fund_returns, price_symbols
from alphaoverlay.funds.index_returns import IndexReturns, build_index_returns, index_symbols
from alphaoverlay.funds.ticker import has_terms, index_holding, parse_ticker, ticker_fund
from alphaoverlay.history import History, iso
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.source import Source

PRICE_ONLY = "a price index: its dividends are missing, which understates it"


@dataclass(frozen=True)
class StudyData:
    """The history a study used, and the returns of its indices (only those the source has a series for)."""

    history: History
    indices: dict[str, IndexReturns]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that every output must carry."""
        return (*self.history.notes, *(note for one in self.indices.values() for note in one.notes))


def known_fund(symbol: str, source: Source, catalogue: Catalogue) -> Fund:
    """Return the catalogue's fund, or for another symbol with data a holding that is its own exposure.

    A ticker with terms, such as `SPY?L=3`, is built on the fund, index or other symbol before its question mark.

    Raises
    ------
    TickerError : terms that cannot be read.
    CatalogueError : neither in the catalogue nor in the source, or of unknown index and without data.
    """
    if has_terms(symbol):
        return ticker_fund(parse_ticker(symbol), lambda name: _holding(name, source, catalogue))
    known = catalogue.funds.get(symbol.upper())
    if known is not None and known.exposures:
        return known
    if known is not None and source.holds(known.symbol):
        return replace(known, exposures={known.symbol: 1.0}, note=f"taken as its own exposure. {known.note}")
    if known is not None:
        raise CatalogueError(
            f"{known.symbol} follows an index that is not in the catalogue, and there are no data for it in "
            f"{source.name}: {what_to_do(source, known.symbol)}, or hold another fund"
        )
    if symbol.upper() in catalogue.indices:
        plain = catalogue.indices[symbol.upper()].plain
        instead = f"hold a fund on it such as {plain[0]}, or ask" if plain else "ask"
        raise CatalogueError(f"{symbol} is an index, not a fund: {instead} for exposures with [base] and [overlay]")
    if source.holds(symbol):
        note = "not in the catalogue: taken as it is, its own exposure, fees inside its prices"
        if any(symbol.upper().lstrip("^") in index.price for index in catalogue.indices.values()):
            note = PRICE_ONLY
        return Fund(symbol, symbol, {symbol: 1.0}, expense=0.0, note=note, status="unknown")
    raise CatalogueError(
        f"unknown symbol {symbol!r}: not in the catalogue and no data in {source.name}."
        f"{did_you_mean(symbol, catalogue.funds)} To use it, {what_to_do(source, symbol)}, or describe it in a fund "
        "file"
    )


def _holding(symbol: str, source: Source, catalogue: Catalogue) -> Fund:
    """What a ticker stands on: also an index itself."""
    if symbol in catalogue.indices and symbol not in catalogue.funds:
        return index_holding(catalogue.index(symbol))
    return known_fund(symbol, source, catalogue)


def read_study_data(
    source: Source,
    catalogue: Catalogue,
    indices: Iterable[str],
    funds: Sequence[Fund],
    rate: str | float | None,
    start: str | None,
    end: str | None,
    also: Sequence[str] = (),
) -> StudyData:
    """Read the funds' prices and every series their indices can be built from, as far as the source has them.

    Parameters
    ----------
    also : further symbols that belong to the history.

    Raises
    ------
    DataError : the source has none of them, or a file has a defect.
    """
    needed = [*indices, *(name for fund in funds if fund.multiple is not None for name in fund.built_from)]
    wanted = [known_index(name, source, catalogue) for name in dict.fromkeys(needed)]
    symbols = [symbol for fund in funds for symbol in price_symbols(fund) if source.holds(symbol)]
    for index in wanted:
        symbols += index_symbols(index, source.holds)
    symbols += also
    if not symbols:
        names = ", ".join([*(fund.symbol for fund in funds), *(index.name for index in wanted)])
        raise DataError(f"no data for any of {names} in {source.name}: {what_to_do(source, _example(wanted, funds))}")
    history = remembered(source, read_history(source, symbols, rate, start, end))
    built = {index.name: build_index_returns(index, history, catalogue) for index in wanted}
    known = {name: one for name, one in built.items() if one.spans}
    return StudyData(history, {name: _with_stand_in_note(one, source) for name, one in known.items()})


def what_to_do(source: Source, symbol: str) -> str:
    """Say how to get a symbol that a source does not have; a clause without a full stop."""
    stored = source.stored if isinstance(source, CombinedSource) else ()
    if any(one.pins is not None for one in stored):
        return "leave out --fingerprint, whose result did not read it"
    if any(one.offline for one in stored):
        return "run it once without --offline, which fetches what is missing"
    if stored and not any(one.serves("price") for one in stored):
        return "name a source of prices too, such as --data yahoo"
    if stored or source.name == "sample":
        live = "" if stored else "--data yahoo, or "
        return f"name a source that has it, such as {live}--data FOLDER with {symbol}.csv"
    return f"add {symbol}.csv to the data folder"


def remembered(source: Source, history: History) -> History:
    """Have the store remember which versions a history was read from, so that it can be read again."""
    failed = source.remember(history.fingerprint) if isinstance(source, CombinedSource) else ""
    return replace(history, notes=(*history.notes, failed)) if failed else history


def fingerprint_notes(asked: str | None, history: History) -> tuple[str, ...]:
    """Say where data are not those of the fingerprint that was asked for."""
    if asked is None or history.fingerprint.startswith(asked):
        return ()
    return (
        f"NOT THE DATA OF {asked}: the same stored versions were read, but this study takes other symbols, another "
        "span or other files from them.",
    )


def study_fund_returns(data: StudyData, funds: Sequence[Fund], *, synthetic: bool) -> FundReturns:
    """Return the funds' returns on all of the history: real, and synthetic before.

    Raises
    ------
    DataError : a fund has no prices and synthetic returns are switched off.
    """
    built = [fund.symbol for fund in funds if fund.multiple is not None]
    if built and not synthetic:
        raise DataError(
            f"{', '.join(built)} is synthetic by its terms, and funds.synthetic = false allows real prices only: "
            "hold a listed fund, or leave synthetic returns on"
        )
    bare = [f.symbol for f in funds if f.symbol not in data.history.adj_close.columns and f.status != "index"]
    if bare and not synthetic:
        raise DataError(
            f"no prices of {', '.join(bare)}, and funds.synthetic = false allows real prices only: name a source that "
            "has them, hold another fund, or leave synthetic returns on"
        )
    return build_fund_returns(funds, data.history, data.indices, synthetic=synthetic)


def synthetic_notes(returns: FundReturns) -> tuple[str, ...]:
    """Say which of the funds' returns are not real, and which real ones belong to another index."""
    by_span: dict[str, list[str]] = {}
    last = returns.history.dates[-1]
    filled = {fund.symbol for fund in returns.funds if fund.multiple is not None and fund.multiple.fill is not None}
    for symbol, until in returns.synthetic_until.items():
        if symbol not in filled or until == last:
            by_span.setdefault("throughout" if until == last else f"until {iso(until)}", []).append(symbol)
    notes = [
        f"Synthetic {span}: {', '.join(symbols)} (built by M1, not observed)." for span, symbols in by_span.items()
    ]
    for fund in returns.funds:
        notes += [*_fill_notes(fund, returns), *fund.warnings]
        notes += [f"{under.symbol} is {under.note}." for under in _holdings(fund) if under.note == PRICE_ONLY]
    notes += _ruined(returns)
    for fund in returns.funds:
        since = fund.index_since
        real = returns.returns.index[~returns.synthetic[fund.symbol].to_numpy()][1:]
        if fund.former and len(real) and (since is None or iso(real[0]) < since.isoformat()):
            notes.append(f"{fund.symbol} followed another index before: {fund.former}.")
    return tuple(dict.fromkeys(notes))


def _ruined(returns: FundReturns) -> list[str]:
    """Say which funds lost everything on a session; its first session's return is nobody's."""
    lost = returns.returns.iloc[1:] <= -1.0
    return [
        f"{symbol} lost everything on {iso(lost.index[int(lost[symbol].to_numpy().argmax())])}: a real fund would "
        "be gone then; it is not bought again, and its share stays in cash."
        for symbol in lost.columns
        if lost[symbol].any()
    ]


def _holdings(fund: Fund) -> tuple[Fund, ...]:
    """The fund, or what stands under a ticker."""
    if fund.multiple is None:
        return (fund,)
    fill = () if fund.multiple.fill is None else _holdings(fund.multiple.fill)
    return (*_holdings(fund.multiple.of), *fill)


def _fill_notes(fund: Fund, returns: FundReturns) -> tuple[str, ...]:
    """Say up to when a ticker is another holding, and whether that one is synthetic."""
    if fund.multiple is None or fund.multiple.fill is None:
        return ()
    of, fill = fund.multiple.of, fund.multiple.fill
    real = fill.multiple is None and fill.symbol in returns.history.adj_close.columns
    kind = "its real prices where it has them" if real else "which is synthetic"
    return (f"{fund.symbol}: before the first price of {of.symbol} it is built on {fill.symbol} ({kind}).",)


def known_index(name: str, source: Source, catalogue: Catalogue) -> Index:
    """Return the index, with the source's stand-in where it has one."""
    if name not in catalogue.indices and source.holds(name):
        return Index(name, name, total_return=(name,))
    index = catalogue.index(name)
    stand_in = source.stand_ins.get(index.name)
    return index if stand_in is None else replace(index, total_return=(), price=(stand_in,), plain=())


def _with_stand_in_note(one: IndexReturns, source: Source) -> IndexReturns:
    stand_in = source.stand_ins.get(one.index.name)
    if stand_in is None:
        return one
    return replace(one, notes=(*one.notes, f"{stand_in} stands in for {one.index.name} ({one.index.title})."))


def _example(indices: Sequence[Index], funds: Sequence[Fund]) -> str:
    for index in indices:
        for symbol in (*index.total_return, *index.price, *index.plain):
            return symbol
    return funds[0].symbol if funds else "SPY"
