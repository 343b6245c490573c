"""Design, test and run alpha overlays with leveraged funds.

Names resolve on first use, so that importing the package loads neither pandas nor numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # `as` tells type checkers that these names are meant to be imported from here
    from alphaoverlay.analysis.attribution import Attribution as Attribution
    from alphaoverlay.analysis.attribution import attribute as attribute
    from alphaoverlay.analysis.exposure_history import Breach as Breach
    from alphaoverlay.analysis.exposure_history import breaches as breaches
    from alphaoverlay.analysis.metrics import Metrics as Metrics
    from alphaoverlay.analysis.metrics import active_performance as active_performance
    from alphaoverlay.analysis.metrics import performance as performance
    from alphaoverlay.analysis.money_weighted import money_weighted_return as money_weighted_return
    from alphaoverlay.engine.backtesting import Backtest as Backtest
    from alphaoverlay.engine.backtesting import backtest as backtest
    from alphaoverlay.engine.bands import Band as Band
    from alphaoverlay.engine.costs import CashTerms as CashTerms
    from alphaoverlay.engine.costs import TradingCosts as TradingCosts
    from alphaoverlay.engine.flows import CashFlow as CashFlow
    from alphaoverlay.engine.flows import CashFlows as CashFlows
    from alphaoverlay.engine.path_running import PathRunner as PathRunner
    from alphaoverlay.engine.path_running import prepare_paths as prepare_paths
    from alphaoverlay.engine.rebalancing import RebalancingRule as RebalancingRule
    from alphaoverlay.engine.schedule import CalendarRule as CalendarRule
    from alphaoverlay.engine.sweeping import Sweep as Sweep
    from alphaoverlay.engine.sweeping import sweep as sweep
    from alphaoverlay.engine.targets import Targets as Targets
    from alphaoverlay.errors import AlphaOverlayError as AlphaOverlayError
    from alphaoverlay.funds.calibration import Calibration as Calibration
    from alphaoverlay.funds.calibration import calibrate_fund as calibrate_fund
    from alphaoverlay.funds.catalogue import Catalogue as Catalogue
    from alphaoverlay.funds.catalogue import load_catalogue as load_catalogue
    from alphaoverlay.funds.fund import Fund as Fund
    from alphaoverlay.funds.fund import Index as Index
    from alphaoverlay.funds.fund_returns import FundReturns as FundReturns
    from alphaoverlay.funds.fund_returns import build_fund_returns as build_fund_returns
    from alphaoverlay.funds.index_returns import IndexReturns as IndexReturns
    from alphaoverlay.funds.index_returns import build_index_returns as build_index_returns
    from alphaoverlay.funds.synthesis import synthetic_returns as synthetic_returns
    from alphaoverlay.funds.ticker import Ticker as Ticker
    from alphaoverlay.funds.ticker import parse_ticker as parse_ticker
    from alphaoverlay.funds.ticker import ticker_fund as ticker_fund
    from alphaoverlay.funds.tracking import Tracking as Tracking
    from alphaoverlay.funds.tracking import track_fund as track_fund
    from alphaoverlay.history import History as History
    from alphaoverlay.market.checks import check_prices as check_prices
    from alphaoverlay.market.findings import Finding as Finding
    from alphaoverlay.market.folder import FolderSource as FolderSource
    from alphaoverlay.market.holdings import Holdings as Holdings
    from alphaoverlay.market.holdings import read_holdings as read_holdings
    from alphaoverlay.market.opening import DataChoice as DataChoice
    from alphaoverlay.market.opening import open_choice as open_choice
    from alphaoverlay.market.opening import open_source as open_source
    from alphaoverlay.market.reading import read_history as read_history
    from alphaoverlay.market.sample import SampleSource as SampleSource
    from alphaoverlay.market.source import Source as Source
    from alphaoverlay.overlays.carry import Carry as Carry
    from alphaoverlay.overlays.carry import yearly_carry as yearly_carry
    from alphaoverlay.overlays.leg_sizing import LegSizing as LegSizing
    from alphaoverlay.overlays.overlay import Overlay as Overlay
    from alphaoverlay.overlays.portfolio import Portfolio as Portfolio
    from alphaoverlay.overlays.solver import Design as Design
    from alphaoverlay.overlays.solver import solve_design as solve_design
    from alphaoverlay.report.html import render_html as render_html
    from alphaoverlay.scenarios.generators import make_generator as make_generator
    from alphaoverlay.scenarios.horizon import sessions_ahead as sessions_ahead
    from alphaoverlay.scenarios.joint_days import JointDays as JointDays
    from alphaoverlay.scenarios.shocks import Shock as Shock
    from alphaoverlay.scenarios.simulation import Simulation as Simulation
    from alphaoverlay.scenarios.simulation import simulate_paths as simulate_paths
    from alphaoverlay.scenarios.statement import Statement as Statement
    from alphaoverlay.signals.correction import find_corrections as find_corrections
    from alphaoverlay.signals.evidence import Evidence as Evidence
    from alphaoverlay.signals.evidence import examine_signal as examine_signal
    from alphaoverlay.signals.measures import measure_all as measure_all
    from alphaoverlay.signals.overfitting import cross_validate as cross_validate
    from alphaoverlay.signals.overfitting import deflate_sharpe as deflate_sharpe
    from alphaoverlay.signals.relative_value import Pair as Pair
    from alphaoverlay.signals.tactical import TacticalRule as TacticalRule
    from alphaoverlay.signals.tactical import follow_signal as follow_signal
    from alphaoverlay.signals.variants import vary_signal as vary_signal
    from alphaoverlay.store.series_store import SeriesStore as SeriesStore
    from alphaoverlay.store.series_store import open_store as open_store
    from alphaoverlay.study.alternatives import Alternatives as Alternatives
    from alphaoverlay.study.alternatives import compare_alternatives as compare_alternatives
    from alphaoverlay.study.calibrated import CalibratedFund as CalibratedFund
    from alphaoverlay.study.calibrated import read_calibration as read_calibration
    from alphaoverlay.study.compared import Compared as Compared
    from alphaoverlay.study.compared import compare_levels as compare_levels
    from alphaoverlay.study.delevered import Delevered as Delevered
    from alphaoverlay.study.delevered import delever_fund as delever_fund
    from alphaoverlay.study.designing import StudyDesign as StudyDesign
    from alphaoverlay.study.designing import design_study as design_study
    from alphaoverlay.study.levels import Levels as Levels
    from alphaoverlay.study.levels import common_span as common_span
    from alphaoverlay.study.levels import read_levels as read_levels
    from alphaoverlay.study.load import Study as Study
    from alphaoverlay.study.load import load_study as load_study
    from alphaoverlay.study.load import study_from as study_from
    from alphaoverlay.study.reporting import run_report as run_report
    from alphaoverlay.study.rule_comparison import RuleComparison as RuleComparison
    from alphaoverlay.study.rule_comparison import compare_rules as compare_rules
    from alphaoverlay.study.run import StudyResult as StudyResult
    from alphaoverlay.study.run import run_study as run_study
    from alphaoverlay.study.signal_reading import SignalReading as SignalReading
    from alphaoverlay.study.signal_reading import read_signal as read_signal
    from alphaoverlay.study.simulated import StudySimulation as StudySimulation
    from alphaoverlay.study.simulated import simulate_study as simulate_study
    from alphaoverlay.study.tracked import TrackedFund as TrackedFund
    from alphaoverlay.study.tracked import read_tracking as read_tracking
    from alphaoverlay.study.what_if import WhatIf as WhatIf
    from alphaoverlay.study.what_if import run_scenario as run_scenario

_HOMES = {
    "analysis.attribution": ("Attribution", "attribute"),
    "analysis.exposure_history": ("Breach", "breaches"),
    "analysis.metrics": ("Metrics", "active_performance", "performance"),
    "analysis.money_weighted": ("money_weighted_return",),
    "engine.backtesting": ("Backtest", "backtest"),
    "engine.bands": ("Band",),
    "engine.costs": ("CashTerms", "TradingCosts"),
    "engine.flows": ("CashFlow", "CashFlows"),
    "engine.path_running": ("PathRunner", "prepare_paths"),
    "engine.rebalancing": ("RebalancingRule",),
    "engine.schedule": ("CalendarRule",),
    "engine.sweeping": ("Sweep", "sweep"),
    "engine.targets": ("Targets",),
    "errors": ("AlphaOverlayError",),
    "funds.calibration": ("Calibration", "calibrate_fund"),
    "funds.catalogue": ("Catalogue", "load_catalogue"),
    "funds.fund": ("Fund", "Index"),
    "funds.fund_returns": ("FundReturns", "build_fund_returns"),
    "funds.index_returns": ("IndexReturns", "build_index_returns"),
    "funds.synthesis": ("synthetic_returns",),
    "funds.ticker": ("Ticker", "parse_ticker", "ticker_fund"),
    "funds.tracking": ("Tracking", "track_fund"),
    "history": ("History",),
    "market.checks": ("check_prices",),
    "market.findings": ("Finding",),
    "market.folder": ("FolderSource",),
    "market.holdings": ("Holdings", "read_holdings"),
    "market.opening": ("DataChoice", "open_choice", "open_source"),
    "market.reading": ("read_history",),
    "market.sample": ("SampleSource",),
    "market.source": ("Source",),
    "overlays.carry": ("Carry", "yearly_carry"),
    "overlays.leg_sizing": ("LegSizing",),
    "overlays.overlay": ("Overlay",),
    "overlays.portfolio": ("Portfolio",),
    "overlays.solver": ("Design", "solve_design"),
    "report.html": ("render_html",),
    "scenarios.generators": ("make_generator",),
    "scenarios.horizon": ("sessions_ahead",),
    "scenarios.joint_days": ("JointDays",),
    "scenarios.shocks": ("Shock",),
    "scenarios.simulation": ("Simulation", "simulate_paths"),
    "scenarios.statement": ("Statement",),
    "signals.correction": ("find_corrections",),
    "signals.evidence": ("Evidence", "examine_signal"),
    "signals.measures": ("measure_all",),
    "signals.overfitting": ("cross_validate", "deflate_sharpe"),
    "signals.relative_value": ("Pair",),
    "signals.tactical": ("TacticalRule", "follow_signal"),
    "signals.variants": ("vary_signal",),
    "store.series_store": ("SeriesStore", "open_store"),
    "study.alternatives": ("Alternatives", "compare_alternatives"),
    "study.calibrated": ("CalibratedFund", "read_calibration"),
    "study.compared": ("Compared", "compare_levels"),
    "study.delevered": ("Delevered", "delever_fund"),
    "study.designing": ("StudyDesign", "design_study"),
    "study.levels": ("Levels", "common_span", "read_levels"),
    "study.load": ("Study", "load_study", "study_from"),
    "study.reporting": ("run_report",),
    "study.rule_comparison": ("RuleComparison", "compare_rules"),
    "study.run": ("StudyResult", "run_study"),
    "study.signal_reading": ("SignalReading", "read_signal"),
    "study.simulated": ("StudySimulation", "simulate_study"),
    "study.tracked": ("TrackedFund", "read_tracking"),
    "study.what_if": ("WhatIf", "run_scenario"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_MODULE_OF, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        value = getattr(import_module(f"alphaoverlay.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'alphaoverlay' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
