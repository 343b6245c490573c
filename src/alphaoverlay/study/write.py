"""A study as a TOML file: what was asked on the command line, or a commented beginning."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alphaoverlay.study.load import Study

STARTER = """\
# A study for alphaoverlay: what you hold anyway, what you believe, and how to test it.
# Run it:     alphaoverlay run {name}
# With data:  alphaoverlay run {name} --data yahoo    (live; or a folder of SYMBOL.csv files: date, close, adj_close)

title = "Small caps over mega-cap growth on top of the S&P 500"

# The span; as long as the data allow when left out.
# start = 2010-02-11
# end = 2021-12-15

# What to compare with: a symbol, or a table such as {{ SPY = 0.6, TLT = 0.4 }}.
# When left out: the base, held in plain funds.
# benchmark = "SPY"

# What is invested, in money. It matters only for what is in money, and to hold trades against the funds' volumes.
# capital = 100000

# What you hold anyway, in multiples of your capital, by index. List the indices with: alphaoverlay funds --indices
[base]
SP500 = 1.0

# What you add on top: positive is long, negative is short.
[overlay]
RUSSELL2000 = 0.30
NASDAQ100 = -0.30

# Instead of [base] and [overlay] you can give the weights yourself; what is missing to 1 is cash.
# [weights]
# SPY = 0.70
# UPRO = 0.10
# TNA = 0.10
# SQQQ = 0.10

# How to read the sizes of the legs: "exposure" as written, "beta" scales the short legs until the legs have no beta
# to the base, "volatility" scales all legs to a target active volatility. Estimated on the sessions before the span.
# [sizing]
# kind = "volatility"
# target = 0.05            # with "volatility" only
# window = 756             # sessions of the estimate

# Which funds the design may use; every fund of the catalogue when left out.
[funds]
allow = ["SPY", "UPRO", "TNA", "SQQQ"]
# file = "my-funds.toml"    # terms of your own funds, laid over the catalogue
# synthetic = false         # use real fund prices only, no returns built from the index

# never, daily, weekly, monthly, quarterly, semiannual or annual; offset = sessions before the period's last.
# Which rule costs how much and lets exposures go how far: alphaoverlay rules {name}
[rebalance]
calendar = "quarterly"
offset = 0
# band = {{ on = "exposure", size = 0.10 }}   # also trade when an exposure is 10 points off its target; or a list of
#                                            # bands. on: weight, exposure, net, gross, active; kind = "relative": a
#                                            # share of the target; size = {{ below = 0.05, above = 0.10 }};
#                                            # only = ["TNA"]; destination: "target", "edge", or 0.5 between them
# check = "monthly"        # look at the bands only then; each session when left out
# min_interval = 5         # sessions between two rebalances, at least
# tranches = 3             # equal parts, traded on different days of the period
# lag = 1                  # sessions between seeing and trading
# flows = "underweight"    # where money that comes or goes is placed: underweight, current, or rebalance

# Half the bid-ask spread, in hundredths of a percent of each trade: a number, a table by fund, or by fund and date from
# the catalogue. Zero is a choice, and said so in the report.
[costs]
half_spread_bps = "catalogue"
# half_spread_bps = {{ SPY = 0.5, UPRO = 2.0, TNA = [{{ since = 2012-01-03, bps = 3.0 }}], SQQQ = 3.0 }}
# widen = 3.0              # times this on days when a fund is volatile; 1 turns it off. Volatile is above
# widen_above = 0.30       # a year and per unit of leverage, over its last 21 sessions
# per_trade = 1.0          # money a fund traded; needs capital
# per_share = 0.005        # money a share
# min_trade = 100          # smaller trades are left undone
# impact = 1.0             # square-root law of market impact; needs capital, and volumes in the data

# The short rate: a rate file such as "DFF" (effective federal funds), or a fixed yearly fraction such as 0.02.
# When left out: DFF, or the Treasury bill rate for the sample.
# [cash]
# rate = "DFF"
# spread = 0.005           # cash earns that much less
# borrowing_spread = 0.015 # weights may add up to more than 1; what is borrowed pays that much more

# Money that comes in, or goes out with a minus sign: an amount or a share of the value, on a calendar or on dates.
# [[flows]]
# amount = 500             # needs capital
# calendar = "monthly"
# offset = 0
# [[flows]]
# share = -0.04
# dates = [2020-03-31]

# A signal that decides how large the overlay is: at a close, traded at the next. Read it: alphaoverlay signal {name}
# [signal]
# long = "RUT"             # a symbol, or an index such as RUSSELL2000
# short = "IXIC"
# basis = "price"          # or "total", with dividends; the same for both
# window = 756             # sessions of the difference of returns
# lookback = "all"         # its percentile is taken among: "all", "20y", or sessions
# enter = 0.05             # on at or below this percentile ...
# exit = 0.50              # ... and off at or above that one
# steps = {{ "5%" = 0.5, "1%" = 1.0 }}   # sizes by depth
# profit_target = 0.25     # also off when the spread has earned that, or
# stop = 0.15              # lost that, or
# time_limit = 504         # after so many sessions
# cooldown = 21            # sessions off before the next time
# rest = 0                 # size while off
# horizon = 252            # sessions over which `signal` measures what followed
# proxies = [["IWM", "QQQ"]]   # other pairs for the same view, for `signal`
# confirm = "trend"        # enter only while the ratio is above its 200-session mean; or "momentum"
# role = "watch"           # read it only, and hold the overlay at full size

# Where the data come from, in order: yahoo, stooq, tiingo, french, fred, or folders; the sample when left out.
# [data]
# sources = ["yahoo", "my-prices"]
# symbols = {{ SP500TR = "stooq" }}     # one symbol from another source
# base_url = {{ yahoo = "https://mirror.example" }}   # a mirror in the place of a live source
# accept = ["stale"]                  # serious findings that you take as they are: alphaoverlay data check --help
# fingerprint = "sha256:..."          # the very versions that an earlier result used
"""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def starter_study(name: str) -> str:
    """Return a commented study to begin from; `name` is its file's name."""
    return STARTER.format(name=name)


def study_toml(study: Study, beside: Path) -> str:
    """Write a study as TOML; paths of its fund file and data folders are written relative to the folder `beside`."""
    values = study.model_dump(exclude_defaults=True, exclude_none=True)
    if study.funds.file is not None:
        values["funds"]["file"] = os.path.relpath(study.funds.file, beside)
    if "data" in values:
        values["data"] = study.data.beside(beside)
    values.setdefault("rebalance", {}).setdefault("calendar", study.rebalance.calendar)
    values["costs"] = study.costs.toml_values()
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for name, table in tables.items():
        lines += ["", f"[{_key(name)}]", *(f"{_key(key)} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value) if isinstance(value, int | float) else value.isoformat()
