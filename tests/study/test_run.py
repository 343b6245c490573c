"""Running a study: the founding case on real data, the sample, and what a design may look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphaoverlay.errors import AlphaOverlayError, CatalogueError, DataError, DesignError
from alphaoverlay.funds.catalogue import packaged_catalogue
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.designing import design_study
from alphaoverlay.study.load import study_from
from alphaoverlay.study.run import StudyResult, run_study

CASE: dict[str, Any] = {"base": {"SP500": 1.0}, "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.3}}
ALLOWED = {"funds": {"allow": ["SPY", "UPRO", "TNA", "SQQQ"]}}
SPAN = {"start": "2010-02-11", "end": "2021-12-15"}
FREE = {"costs": {"half_spread_bps": 0.0}}


@pytest.fixture(scope="module")
def sample() -> SampleSource:
    return SampleSource()


@pytest.fixture(scope="module")
def case(sample: SampleSource) -> StudyResult:
    return run_study(study_from(CASE | ALLOWED, "test"), sample)


def test_the_sample_runs_from_its_first_to_its_last_session(case: StudyResult) -> None:
    dates = case.portfolio.history.dates
    assert [str(dates[0].date()), str(dates[-1].date())] == ["1999-01-04", "2018-11-30"]


def test_every_output_of_the_sample_says_what_is_real_and_what_is_not(case: StudyResult) -> None:
    said = " ".join(case.notes)
    for words in ("SAMPLE DATA", "Real: daily closes", "Not real", "small caps are modelled", "IXIC stands in"):
        assert words in said
    assert "Synthetic throughout: SPY, UPRO, TNA, SQQQ" in said


def test_portfolio_and_benchmark_run_under_the_same_rules(case: StudyResult) -> None:
    assert case.portfolio.rule == case.benchmark.rule
    assert case.portfolio.costs == case.benchmark.costs
    assert case.portfolio.history.dates.equals(case.benchmark.history.dates)


def test_the_benchmark_of_a_base_is_the_base_in_plain_funds(sample: SampleSource, case: StudyResult) -> None:
    assert case.design.benchmark.by_symbol == {"SPY": 1.0}
    mixed = run_study(study_from({"base": {"SP500": 0.6, "RUSSELL2000": 0.4}}, "test"), sample)
    assert mixed.design.benchmark.by_symbol == {"SPY": 0.6, "IWM": 0.4}


def test_a_base_above_one_is_scaled_down_for_the_benchmark_and_said_so(sample: SampleSource) -> None:
    result = run_study(study_from({"base": {"SP500": 1.5}}, "test"), sample)
    assert result.design.benchmark.by_symbol == {"SPY": 1.0}
    assert any("scaled down from 1.5" in note for note in result.notes)


def test_exposures_and_the_weights_they_give_run_alike(sample: SampleSource, case: StudyResult) -> None:
    weights = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    given = run_study(study_from({"weights": weights, "benchmark": "SPY"}, "test"), sample)
    np.testing.assert_array_equal(given.portfolio.value.to_numpy(), case.portfolio.value.to_numpy())


def test_the_whole_catalogue_never_costs_more_than_a_part_of_it(sample: SampleSource) -> None:
    catalogue = packaged_catalogue()
    whole = design_study(study_from(CASE, "test"), sample, catalogue)
    part = design_study(study_from(CASE | ALLOWED, "test"), sample, catalogue)
    assert whole.design is not None
    assert part.design is not None
    assert whole.design.yearly_cost <= part.design.yearly_cost
    assert all(fund.existed_as_today(pd.Timestamp("2018-11-30").date()) for fund in whole.portfolio.funds)


def test_an_impossible_design_runs_the_nearest_and_says_so(sample: SampleSource) -> None:
    study = study_from(CASE | {"funds": {"allow": ["SPY", "TNA", "SQQQ"]}}, "test")
    result = run_study(study, sample)
    assert any("not met (SP500 by -0.2)" in note and "capital is the limit" in note for note in result.notes)


@pytest.mark.parametrize("kind", [{"kind": "beta"}, {"kind": "volatility", "target": 0.05}])
def test_sizes_look_only_at_data_before_the_span(sample: SampleSource, kind: dict[str, Any]) -> None:
    """Cutting the data's end, or running longer, changes no size."""
    short = study_from(CASE | ALLOWED | {"sizing": kind, "start": "2005-01-03", "end": "2006-06-30"}, "test")
    long = study_from(CASE | ALLOWED | {"sizing": kind, "start": "2005-01-03", "end": "2018-11-30"}, "test")
    first, second = run_study(short, sample), run_study(long, sample)
    assert first.design.portfolio.by_symbol == second.design.portfolio.by_symbol
    np.testing.assert_array_equal(
        first.portfolio.value.to_numpy(), second.portfolio.value.to_numpy()[: len(first.portfolio.value)]
    )


def test_sizes_by_estimate_need_a_beginning(sample: SampleSource) -> None:
    with pytest.raises(DesignError, match="write start = YYYY-MM-DD"):
        run_study(study_from(CASE | {"sizing": {"kind": "beta"}}, "test"), sample)


def test_sizes_without_a_past_to_estimate_from_are_refused(sample: SampleSource) -> None:
    study = study_from(CASE | {"sizing": {"kind": "beta"}, "start": "1999-01-05"}, "test")
    with pytest.raises(AlphaOverlayError, match="60 are needed"):
        run_study(study, sample)


def test_the_fingerprint_does_not_see_rows_after_the_end(sample: SampleSource, tmp_path: Path) -> None:
    dates = sample.prices("GSPC").frame.loc["2010":"2012"]
    (tmp_path / "SPY.csv").write_text(dates.to_csv(index_label="date"))
    (tmp_path / "long").mkdir()
    longer = sample.prices("GSPC").frame.loc["2010":"2013"]
    (tmp_path / "long" / "SPY.csv").write_text(longer.to_csv(index_label="date"))
    study = study_from({"weights": {"SPY": 1}, "end": "2012-06-29", "cash": {"rate": 0.01}}, "test")
    one, two = (run_study(study, FolderSource(folder)) for folder in (tmp_path, tmp_path / "long"))
    assert one.fingerprint == two.fingerprint
    assert one.metrics.values == two.metrics.values


def test_a_symbol_outside_the_catalogue_is_its_own_exposure(sample: SampleSource, tmp_path: Path) -> None:
    frame = sample.prices("GSPC").frame.loc["2010":"2011"]
    (tmp_path / "MINE.csv").write_text(frame.to_csv(index_label="date"))
    values: dict[str, Any] = {"weights": {"MINE": 1}, "benchmark": "MINE", "cash": {"rate": 0.0}}
    study = study_from(values | FREE, "test")
    result = run_study(study, FolderSource(tmp_path))
    assert result.design.portfolio.exposures == {"MINE": 1.0}
    expected = frame["close"].iloc[-1] / frame["close"].iloc[0]
    assert result.portfolio.final_value == pytest.approx(expected, rel=1e-12)


def test_a_fund_of_unknown_index_needs_prices_and_is_its_own_exposure(sample: SampleSource, tmp_path: Path) -> None:
    study = study_from({"weights": {"IJR": 1}, "benchmark": "SPY", "cash": {"rate": 0.02}}, "test")
    with pytest.raises(CatalogueError, match=r"--data FOLDER with IJR\.csv, or hold another fund"):
        run_study(study, sample)
    for symbol in ("IJR", "SPY"):
        frame = sample.prices("GSPC").frame.loc["2010":"2011"]
        (tmp_path / f"{symbol}.csv").write_text(frame.to_csv(index_label="date"))
    result = run_study(study, FolderSource(tmp_path))
    assert result.design.portfolio.exposures == {"IJR": 1.0}
    assert result.design.carry.financing == 0.0


def test_trading_costs_guide_the_choice_only_by_what_was_known(sample: SampleSource) -> None:
    costly = CASE | {"costs": {"half_spread_bps": 50.0}}
    without_past = run_study(study_from(costly, "test"), sample)
    assert any("did not guide the choice" in note for note in without_past.notes)
    with_past = run_study(study_from(costly | {"start": "2005-01-03"}, "test"), sample)
    assert not any("did not guide" in note for note in with_past.notes)
    early = run_study(study_from(costly | {"start": "2005-01-03", "end": "2018-06-29"}, "test"), sample)
    assert early.design.portfolio.by_symbol == with_past.design.portfolio.by_symbol


def test_without_synthetic_returns_the_span_is_the_real_one(sample: SampleSource, tmp_path: Path) -> None:
    for symbol, begin in (("GSPC", "2010"), ("SPY", "2011")):
        frame = sample.prices("GSPC").frame.loc[begin:"2012"]
        (tmp_path / f"{symbol}.csv").write_text(frame.to_csv(index_label="date"))
    values: dict[str, Any] = {"weights": {"SPY": 1}, "cash": {"rate": 0.01}}
    with_both = run_study(study_from(values, "test"), FolderSource(tmp_path))
    real_only = run_study(study_from(values | {"funds": {"synthetic": False}}, "test"), FolderSource(tmp_path))
    assert str(with_both.portfolio.history.dates[0].date()) == "2010-01-04"
    assert str(real_only.portfolio.history.dates[0].date()) == "2011-01-03"
    assert not any("Synthetic" in note for note in real_only.notes)


def test_without_synthetic_returns_a_fund_needs_prices_and_the_setting_is_named(sample: SampleSource) -> None:
    study = study_from({"weights": {"SPY": 1}, "funds": {"synthetic": False}}, "test")
    with pytest.raises(DataError, match=r"no prices of SPY, and funds\.synthetic = false .* name a source"):
        run_study(study, sample)


def test_the_founding_case_on_real_data(reference_data: Path) -> None:
    """Known figures come from the second implementation and from `bt`, see tests/engine."""
    result = run_study(study_from(CASE | ALLOWED | SPAN | FREE, "test"), FolderSource(reference_data))
    assert result.design.portfolio.by_symbol == {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    assert result.metrics["final_value"] == pytest.approx(3.770342190357, abs=1e-11)
    assert result.benchmark_metrics["final_value"] == pytest.approx(5.467889726130, abs=1e-11)
    assert result.active["cagr"] == pytest.approx(-0.035672925311, abs=1e-11)
    assert not any("Synthetic" in note for note in result.notes)


def test_before_their_inception_funds_are_synthetic_and_named(reference_data: Path) -> None:
    study = study_from(CASE | ALLOWED | {"start": "2000-01-03", "end": "2021-12-15"}, "test")
    result = run_study(study, FolderSource(reference_data))
    # The day before each fund's first return: UPRO 2009-06-26, TNA 2008-11-20, SQQQ 2010-02-12.
    assert {symbol: str(day.date()) for symbol, day in result.portfolio.fund_returns.synthetic_until.items()} == {
        "UPRO": "2009-06-25", "TNA": "2008-11-19", "SQQQ": "2010-02-11",
    }  # fmt: skip
    assert any("Synthetic until 2010-02-11: SQQQ" in note for note in result.notes)
