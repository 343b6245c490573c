"""Prices, distributions and splits from Yahoo Finance, read by the library yfinance; Yahoo serves no rates."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import AlphaOverlayError, DataError, FetchError, SymbolNotFound, did_you_mean, need
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market.answers import Web
from alphaoverlay.market.folder import SYMBOL

if TYPE_CHECKING:  # it needs packages of the extra "live", which are imported when Yahoo is first asked
    from alphaoverlay.market.client import Patience

# The names of our catalogue, as Yahoo writes them.
INDICES: Mapping[str, str] = MappingProxyType(
    {name: f"^{name}" for name in ("DJI", "GSPC", "IXIC", "NDX", "RUI", "RUT", "SP500TR", "VIX", "XNDX")}
    | {"MID": "^SP400"}
)
PRICE_INDICES = frozenset({"^DJI", "^GSPC", "^IXIC", "^NDX", "^RUI", "^RUT", "^SP400"})
TOTAL_RETURN_INDICES = frozenset({"^SP500TR", "^XNDX"})
# BRK.B, but not VOD.L: none of Yahoo's exchanges is called A or B.
SHARE_CLASS = re.compile(r"([A-Z]{1,5})\.([AB])")
ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
CHART = "/v8/finance/chart/"
# Rows in which a distribution may not have reached the adjusted closes before it yet.
FRESH = 5


class YahooSource(Web):
    """Prices from Yahoo Finance; the whole history of a symbol is asked for once.

    Parameters
    ----------
    base_url : a mirror with Yahoo's paths, asked in the place of all of Yahoo's hosts.
    patience : how long to wait, and how often to try.

    Raises
    ------
    StudyError : the base URL cannot be used.
    MissingExtra : the packages of the extra "live" are not installed (without a base URL: when Yahoo is first asked).
    """

    name = "yahoo"
    default_rate = "DFF"  # served by FRED beside it
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def __init__(self, base_url: str | None = None, patience: Patience | None = None) -> None:
        super().__init__(base_url, patience)
        self._library = _Library(base_url, patience)
        self._whole: dict[str, PriceSeries] = {}
        self._absent: set[str] = set()

    def holds(self, symbol: str) -> bool:
        """Whether Yahoo has prices of the symbol.

        Raises
        ------
        FetchError : Yahoo gave no usable answer.
        """
        try:
            self.prices(symbol)
        except FetchError:
            raise
        except DataError as error:  # what is there and defective is there
            return not isinstance(error, SymbolNotFound)
        return True

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Read all of one symbol, or from a day on; an index may be written with or without its caret.

        Raises
        ------
        SymbolNotFound : Yahoo has no prices of the symbol.
        DataError : what it has cannot be used, or has nothing from the day on.
        FetchError : it gave no usable answer.
        """
        asked = yahoo_symbol(symbol)
        if asked in self._absent:
            raise _no_prices(symbol, asked)
        series = self._whole.get(asked) if since is None else None
        if series is None:
            try:
                series = self._library.read(asked, since)
            except _NothingError as nothing:
                if since is not None and nothing.known:
                    raise DataError(f"Yahoo has no prices of {symbol} from {since} on; ask from earlier on") from None
                self._absent.add(asked)
                raise _no_prices(symbol, asked) from None
            if since is None:
                self._whole[asked] = series
        return replace(series, symbol=symbol, provenance=replace(series.provenance, name=symbol))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Refuse: Yahoo has no rates.

        Raises
        ------
        SymbolNotFound : always.
        """
        raise SymbolNotFound(
            f"Yahoo has no rates, so not {name} either; FRED has them: DFF, DTB3, SOFR and others (source fred)"
        )


def yahoo_symbol(symbol: str) -> str:
    """Write a symbol as Yahoo does: ^GSPC for GSPC, BRK-B for BRK.B.

    Raises
    ------
    SymbolNotFound : nothing at Yahoo can be called so.
    """
    if not SYMBOL.fullmatch(symbol):
        raise SymbolNotFound(
            f"{symbol[:40]!r} cannot be a symbol at Yahoo; write one of letters, digits, and . ^ = _ -, such as SPY"
        )
    name = symbol.upper()
    if ISIN.fullmatch(name):
        raise SymbolNotFound(f"{symbol} is an ISIN; write the symbol that finance.yahoo.com finds for it")
    if share := SHARE_CLASS.fullmatch(name):
        return f"{share[1]}-{share[2]}"
    return INDICES.get(name, name)


def _no_prices(symbol: str, asked: str) -> SymbolNotFound:
    under = "" if asked == symbol.upper() else f" (asked for as {asked})"
    return SymbolNotFound(
        f"Yahoo has no prices of {symbol}{under}: there is no such symbol, or it was delisted."
        f"{did_you_mean(symbol, INDICES)} Look it up at finance.yahoo.com, where indices begin with ^, or give your "
        "own file with --data FOLDER"
    )


class _NothingError(Exception):
    """Yahoo has no such symbol, or knows it and sends no prices."""

    def __init__(self, known: bool) -> None:
        super().__init__(known)
        self.known = known


class _Memory(dict[str, Any]):
    """What yfinance would keep in a database in the user's home, for this source and as long as it lives."""

    def lookup(self, key: str) -> Any:
        return self.get(key)

    def store(self, key: str, value: Any) -> None:
        self[key] = value


class _Library:
    """yfinance, kept apart from everything else that may use it in this process and on this machine."""

    def __init__(self, base_url: str | None, patience: Patience | None) -> None:
        self._base_url = base_url
        self._given_patience = patience
        self._session: Any = None
        self._shared: Any = None  # yfinance's one YfData, with our session, cookie and crumb
        self._zones = _Memory()
        self._refusal, self._asked = 0, ""  # of the question under way: a status, and the symbol

    def read(self, symbol: str, since: str | None) -> PriceSeries:
        """Read a symbol in Yahoo's spelling.

        Raises
        ------
        _NothingError : there is nothing to read.
        DataError, FetchError : as for the source.
        """
        need("requests", "live", "the source yahoo")
        from alphaoverlay.market.client import patiently, time_of_asking

        retrieved = time_of_asking()
        try:
            with self._apart() as yfinance:
                history, meta = patiently("Yahoo", lambda: self._ask(yfinance, symbol, since), self._patience)
        except AttributeError:  # of its inner parts, which `_apart` replaces
            raise FetchError("this yfinance is not known here: pip install 'yfinance>=1.7.0,<1.8'") from None
        place = f"chart {symbol}"
        frame = _frame(place, history)
        if frame.empty:
            raise _NothingError(known=True)
        first, last = iso(frame.index[0]), iso(frame.index[-1])
        note, currency, zone = _note(symbol, meta, history), meta.get("currency"), meta.get("exchangeTimezoneName")
        provenance = Provenance(symbol, YahooSource.name, place, first, last, len(frame), "real", note, retrieved)
        provenance = replace(provenance, currency=currency or "", timezone=zone or "")
        return PriceSeries(symbol, frame, provenance)

    @property
    def _patience(self) -> Patience:
        from alphaoverlay.market.client import Patience

        return self._given_patience or Patience()

    def _ask(self, yfinance: Any, symbol: str, since: str | None) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        """Ask once, and put what goes wrong into the words of the client."""
        from alphaoverlay.market.client import BusyError, UnreachableError

        self._refusal, self._asked = 0, symbol
        span = {"period": "max"} if since is None else {"start": since}
        try:
            ticker = yfinance.Ticker(symbol, session=self._watched_session(yfinance))
            history = ticker.history(**span, interval="1d", auto_adjust=False, actions=True, repair=False)
            return history, ticker.history_metadata
        except (AlphaOverlayError, BusyError, UnreachableError, _NothingError):
            raise
        except yfinance.exceptions.YFRateLimitError:
            raise BusyError(429) from None
        except OSError as error:  # the network errors of requests and of curl_cffi are all of this kind
            raise UnreachableError(_why(error)) from None
        except Exception:  # a library that reads a document unlike what it expects can raise anything
            if self._refusal:
                raise FetchError(f"Yahoo refused the request (status {self._refusal}): try again later") from None
            raise _strange(symbol) from None

    @contextmanager
    def _apart(self) -> Iterator[Any]:
        """Lend yfinance our state for one question, and put back what it had: settings, caches, the one session."""
        with warnings.catch_warnings(), ExitStack() as afterwards:
            warnings.simplefilter("ignore")
            yfinance = need("yfinance", "live", "the source yahoo")
            # yfinance 1.7 uses calls that pandas 3 deprecates. Said again because its import puts a filter of its own
            # in front. Of ours only the client runs inside this block.
            warnings.simplefilter("ignore")
            cache, data = import_module("yfinance.cache"), import_module("yfinance.data")
            for owner, name, value in (
                (logging.getLogger("yfinance"), "disabled", True),  # without a handler it would write to the terminal
                (yfinance.config.debug, "hide_exceptions", False),
                (yfinance.config.network, "retries", 0),
                # Databases in the user's home: locked by other processes, or on a disk that cannot be written.
                (cache._TzCacheManager, "_tz_cache", self._zones),
                (cache._CookieCacheManager, "_Cookie_cache", cache._CookieCacheDummy()),
                (cache._ISINCacheManager, "_isin_cache", cache._ISINCacheDummy()),
            ):
                afterwards.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, value)
            # One YfData a process holds the session: its owner shall not find ours, nor Yahoo's cookie go to a mirror.
            instances = data.SingletonMeta._instances
            afterwards.callback(_put_back, instances, data.YfData, instances.pop(data.YfData, None))
            _put_back(instances, data.YfData, self._shared)
            try:
                yield yfinance
            finally:
                self._shared = instances.get(data.YfData)

    def _watched_session(self, yfinance: Any) -> Any:
        """The session that yfinance is given: every chart is looked at before yfinance interprets it."""
        if self._session is None:
            # Without a mirror it is of yfinance's own kind, which looks like a browser: Yahoo refuses others.
            self._session = self._mirror(self._patience) if self._base_url else yfinance.Ticker("SPY").session
            self._session.request = self._watching(self._session.request)
        return self._session

    def _mirror(self, patience: Patience) -> Any:
        from alphaoverlay.market.client import Client

        return Client("Yahoo", self._base_url, patience, strict=False)

    def _watching(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        patience = self._patience
        once = self._mirror(replace(patience, tries=1)).request if self._base_url else None

        def request(method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            kwargs["timeout"] = (patience.connect, patience.read)
            if CHART not in url:
                return _aside(once, method, url, *args, **kwargs) if once else ask(method, url, *args, **kwargs)
            answer = ask(method, url, *args, **kwargs)
            if CHART in str(answer.url):  # else it led to a page of consent, which yfinance fills in
                self._look(answer, whole="period1" in (kwargs.get("params") or {}))
            return answer

        return request

    def _look(self, answer: Any, whole: bool) -> None:
        """Raise what yfinance would hide: the status, that it is no chart, two values for a day."""
        from alphaoverlay.market.client import BusyError, UnreachableError, looks_like_a_page

        status = answer.status_code
        if status == 429 or status >= 500:
            raise BusyError(status, answer.headers.get("Retry-After"))
        if status in (401, 403):  # yfinance tries again with another cookie
            self._refusal = status
            return
        if looks_like_a_page(answer.content):
            raise FetchError(
                "Yahoo answered with a web page, not with data: a consent is missing, or the base URL wrong"
            )
        try:
            document = json.loads(answer.content)
        except ValueError:
            raise UnreachableError("what it sent is empty or breaks off") from None
        try:
            chart = document["chart"]
            _refuse_error(chart.get("error") or {}, status, whole)
            result = chart["result"][0]
            zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
            if whole:
                _refuse_two_values_of_a_day(f"chart {self._asked}", result, zone)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise _strange(self._asked) from None


def _aside(once: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Ask a mirror for a cookie or crumb, once and no matter: charts can do without, and yfinance then does."""
    try:
        answer = once(*args, **kwargs)
    except FetchError:
        raise ConnectionError from None
    if answer.status_code != 200:
        raise ConnectionError
    return answer


def _put_back(instances: dict[Any, Any], kind: Any, instance: Any) -> None:
    instances.pop(kind, None)
    if instance is not None:
        instances[kind] = instance


def _strange(symbol: str) -> FetchError:
    return FetchError(
        f"Yahoo's answer about {symbol} is not of the form that yfinance reads; update it with "
        "pip install -U yfinance, or check the base URL"
    )


def _why(error: OSError) -> str:
    kind = type(error).__name__
    if "Timeout" in kind:
        return "it took too long"
    return "the answer broke off half way" if kind in ("IncompleteRead", "ChunkedEncodingError") else "no connection"


def _refuse_error(error: Mapping[str, Any], status: int, whole: bool) -> None:
    """Raise for what Yahoo itself calls an error; its description may quote what was asked, so it is not repeated."""
    if error.get("code") == "Not Found":
        raise _NothingError(known=False)
    if status == 400 and whole:  # "Data doesn't exist for startDate ..."
        raise _NothingError(known=True)
    if error or status != 200:
        raise FetchError(f"Yahoo could not answer (status {status}); try again later, or check the base URL")


def _refuse_two_values_of_a_day(place: str, result: Mapping[str, Any], zone: ZoneInfo) -> None:
    """Refuse a day with two different rows, of which yfinance keeps the first in silence.

    The running session is no such day: after its row at the opening may come a second one, at the time of its last
    trade. yfinance keeps that one.
    """
    stamps, quote = result.get("timestamp"), result["indicators"]["quote"][0]
    if not stamps:
        raise _NothingError(known=True)
    adjusted = result["indicators"].get("adjclose", [{}])[0].get("adjclose", quote["close"])
    rows = pd.DataFrame({"close": quote["close"], "adj_close": adjusted, "volume": quote["volume"], "at": stamps})
    rows = rows.sort_values("at", kind="stable")
    local = pd.DatetimeIndex(pd.to_datetime(rows["at"], unit="s", utc=True)).tz_convert(zone)
    # Yahoo dates some days an hour or two before their midnight; yfinance knows.
    local = local + pd.to_timedelta(np.where((local.minute == 0) & (local.hour >= 22), 2, 0), unit="h")
    rows["day"] = local.strftime("%Y-%m-%d")
    last = rows.iloc[-2:]
    if len(last) == 2 and last["day"].nunique() == 1 and last["at"].nunique() == 2:
        rows = rows.drop(index=last.index[0])
    rows = rows.drop(columns="at").drop_duplicates()
    twice = rows["day"][rows["day"].duplicated()]
    if len(twice):
        raise DataError(
            f"{place}: two different rows for {twice.iloc[0]}; ask again later, or give your own file with "
            "--data FOLDER"
        )


def _frame(place: str, history: pd.DataFrame) -> pd.DataFrame:
    """Our columns from those of yfinance, from the first price to the last."""
    index = pd.DatetimeIndex(history.index)
    # Midnight of the exchange, which is the session's day there whatever the day is in UTC.
    index = index.tz_localize(None).normalize().as_unit("ns")
    paid = history["Dividends"]
    if "Capital Gains" in history:
        paid = paid + history["Capital Gains"]
    columns = {
        "close": history["Close"],
        "adj_close": history["Adj Close"],
        "volume": history["Volume"],
        "distribution": paid,
        "split": history["Stock Splits"],
    }
    frame = pd.DataFrame({name: one.to_numpy(dtype=np.float64) for name, one in columns.items()}, index=index)
    frame.index.name = "date"
    # yfinance adds a row for a distribution or split of a day that has no price yet: that day is not over.
    priced = np.flatnonzero(frame[["close", "adj_close"]].notna().any(axis=1))
    frame = frame.iloc[priced[0] : priced[-1] + 1] if len(priced) else frame.iloc[:0]
    for name in ("close", "adj_close"):
        _refuse(place, frame, name, ~(frame[name] > 0.0) & frame[name].notna(), "is not a price: prices are above zero")
        _refuse(place, frame, name, np.isinf(frame[name]), "is not a price")
    for name in ("volume", "distribution", "split"):
        _refuse(place, frame, name, ~((frame[name] >= 0.0) & np.isfinite(frame[name])), "is not zero or more")
    _refuse_lost_distributions(place, frame)
    return frame


def _refuse(place: str, frame: pd.DataFrame, column: str, bad: pd.Series | NDArray[np.bool_], what: str) -> None:
    if len(rows := np.flatnonzero(bad)):
        raise DataError(
            f"{place}, column {column}: {frame[column].iloc[rows[0]]:g} on {iso(frame.index[rows[0]])} {what}; "
            "give your own file with --data FOLDER"
        )


def _refuse_lost_distributions(place: str, frame: pd.DataFrame) -> None:
    """Refuse adjusted closes that are not adjusted: without any, yfinance repeats the close in silence."""
    paid = frame["distribution"].iloc[1:-FRESH]
    paid = paid[paid > 0.0]
    if len(paid) and frame["adj_close"].equals(frame["close"]):
        raise DataError(
            f"{place}, column adj_close: repeats close, although {iso(paid.index[0])} paid a distribution; "
            "ask again later, or give your own file with --data FOLDER"
        )


def _note(symbol: str, meta: Mapping[str, Any], history: pd.DataFrame) -> str:
    """What a reader must know about the series."""
    if meta.get("instrumentType") == "INDEX" and symbol in PRICE_INDICES:
        return "price index"
    if meta.get("instrumentType") == "INDEX" and symbol in TOTAL_RETURN_INDICES:
        return "total-return index"
    if "Capital Gains" in history:
        both = history[(history["Capital Gains"] > 0.0) & (history["Dividends"] >= history["Capital Gains"])]
        if len(both):
            return f"Yahoo may count capital gains twice, again in the dividends (first on {iso(both.index[0])})"
    return ""
