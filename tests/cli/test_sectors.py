"""The command `sectors`: printed, written, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.market.served_holdings import invesco_file, ishares_file


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "iwm.csv").write_text(ishares_file(), encoding="utf-8")
    (tmp_path / "qqq.csv").write_text(invesco_file(), encoding="utf-8")
    return tmp_path


def test_sectors_prints_one_document_and_the_same_as_tables(run: Run, tmp_path: Path) -> None:
    document = run("sectors", "IWM", "QQQ", "--json").document
    assert (document["long"]["index"], document["short"]["index"]) == ("RUSSELL2000", "NASDAQ100")
    assert (document["long"]["verified"], document["short"]["verified"]) == (False, True)
    assert sum(group["active"] for group in document["groups"]) == pytest.approx(0.0007)
    done = run("sectors", "IWM", "QQQ", "--report", "s.html")
    assert (done.status, done.err) == (0, "")
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    for group in document["groups"]:
        for written in (group["sectors"][-1], f"{100 * group['active']:+.2f}"):
            assert written in done.out
            assert written in page
    for words in ("NOT VERIFIED", "as of 2021-12-31", "at most 41.8%", "information technology"):
        assert words in " ".join(done.out.split())
        assert words in page
    assert "Report written to s.html" in done.out


@pytest.mark.usefixtures("files")
def test_issuers_files_are_read_and_told_apart_from_the_package(run: Run) -> None:
    words = ["--holdings", "RUT=iwm.csv"]
    document = run("sectors", "RUSSELL2000", "NASDAQ100", *words, "--json").document
    assert document["asof"] == "2026-11-20"
    assert document["long"]["source"] == "holdings of iShares Russell 2000 ETF, iwm.csv"
    assert document["long"]["verified"] is True
    assert {"sectors": ["cash and derivatives"], "weight": pytest.approx(0.009)} in document["long"]["weights"]
    assert any("days apart" in note for note in document["notes"])
    both = run("sectors", "IWM", "QQQ", *words, "--holdings", "QQQ=qqq.csv", "--json").document
    assert not any("VERIFIED" in note or "days apart" in note for note in both["notes"])
    # What Invesco calls technology, and cash without a sector.
    assert {one["sectors"][0]: one["weight"] for one in both["short"]["weights"]} == {
        "information technology": pytest.approx(0.995),
        "not stated": pytest.approx(0.004),
    }
    assert both["short"]["classification"] == "names of another classification (Technology)"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["RUT"], "Missing argument 'SHORT'"),
        (["RUT", "IWM"], "RUT and IWM are both RUSSELL2000"),
        (
            ["RUT", "SP500"],
            "no sector weights of SP500: known are RUSSELL2000, NASDAQ100. For another, give --holdings",
        ),
        (["RUT", "NDX", "--holdings", "iwm.csv"], "'iwm.csv' is not a file of an index; write --holdings RUSSELL2000="),
        (["RUT", "NDX", "--holdings", "RUT="], "'RUT=' is not a file of an index"),
        (["RUT", "NDX", "--holdings", "RUT=a", "--holdings", "RUT=b"], "--holdings RUT stands twice; give one file"),
        (["RUT", "NDX", "--holdings", "RUT=iwm.csv", "--holdings", "IWM=iwm.csv"], "RUSSELL2000 stands twice"),
        (["RUT", "NDX", "--holdings", "SPY=iwm.csv"], "holdings: SPY is not compared here"),
        (["RUT", "NDX", "--holdings", "RUT=none.csv"], "none.csv: cannot be read"),
        (["RUT", "NDX", "--holdings", "RUT=."], "cannot be read"),
        (["RUT", "NDX", "--holdings", "RUT=qqq.csv"], "qqq.csv: holds QQQ, a fund on NASDAQ100"),
        (["RUT", "NDX", "--open"], "--report FILE"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(run: Run, files: Path, words: list[str], said: str) -> None:
    done = run("sectors", *words)
    assert done.status == 2
    assert done.out == ""
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert sorted(path.name for path in files.iterdir()) == ["iwm.csv", "qqq.csv"]
