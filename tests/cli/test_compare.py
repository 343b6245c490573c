"""The command `compare`: printed, written, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.market.little_files import JANUARY, price_file

NAMES = ("RUT", "IXIC", "GSPC")
# The sample, in the middle of its life.
DAY = ("--asof", "2016-12-30")
AUTUMN = ("--since", "2016-06-30", "--to", "2016-11-25")


def test_compare_prints_one_document_and_the_same_as_tables(run: Run, tmp_path: Path) -> None:
    document = run("compare", *NAMES, *DAY, *AUTUMN, "--json").document
    assert (document["asof"], document["names"], document["basis"]) == ("2016-12-30", list(NAMES), "price")
    labels = [span["label"] for span in document["spans"]]
    assert {"year to date", "10 years", "since 2016-06-30", "2016-06-30 to 2016-11-25"} <= set(labels)
    assert any("SAMPLE DATA" in note for note in document["notes"])
    done = run("compare", *NAMES, *DAY, *AUTUMN, "--report", "c.html")
    assert (done.status, done.err) == (0, "")
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    for words in ("Returns without dividends", "With dividends", "Best ends, found with hindsight", *labels[:-2]):
        assert words in done.out
        assert words in page
    for fall in document["drawdown"].values():
        assert fall["deepest"]["trough"] in done.out
    assert f"{100 * document['spans'][0]['returns']['RUT']:.1f}%" in done.out
    assert "Report written to c.html" in done.out


def test_several_days_one_other_and_total_returns(run: Run) -> None:
    words = ["--since", "2016-06-30", "--since", "2015-12-31", "--versus", "sp500", "--basis", "total"]
    document = run("compare", "russell2000", "NASDAQ100", "SP500", *DAY, *words, "--json").document
    assert document["basis"] == "total"
    assert document["against"] == ["SP500"]
    assert [span["label"] for span in document["spans"]][-2:] == ["since 2016-06-30", "since 2015-12-31"]
    assert document["spans"][-1]["returns"] == document["spans"][0]["returns"]
    assert document["study"]["since"] == ["2016-06-30", "2015-12-31"]


def test_your_own_folder_and_a_finding_that_is_accepted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text(price_file(JANUARY))
    (tmp_path / "B.csv").write_text(price_file([day for day in JANUARY if day != "2021-01-07"]))
    refused = run("compare", "A", "B", "--data", ".")
    assert refused.status == 2
    assert "B.csv, line 4, column date: a hole" in refused.err
    document = run("compare", "A", "B", "--data", ".", "--accept", "gap", "--since", "2021-01-04", "--json").document
    # Eleven sessions of one each on 100, and ten.
    assert document["spans"][0]["returns"] == {"A": pytest.approx(0.10), "B": pytest.approx(0.09)}
    assert any("ACCEPTED as gap" in note for note in document["notes"])


def test_a_report_is_not_written_over_another_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine")
    done = run("compare", "RUT", *DAY, "--report", "mine.html")
    assert done.status == 2
    assert (tmp_path / "mine.html").read_text() == "mine"
    assert run("compare", "RUT", *DAY, "--report", "mine.html", "--force").status == 0
    assert "On 2016-12-30 RUT stood" in (tmp_path / "mine.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument"),
        (["RUT", "rut"], "RUT stands twice; name it once"),
        ([f"S{k}" for k in range(13)], "13 names are more than can be told apart; name at most 12"),
        (["RUT", "ZZZ"], "ZZZ is neither an index"),
        (["RUT", "--basis", "nominal"], "basis: 'nominal' is not known; write \"price\""),
        (["RUT", "--asof", "today"], "asof: 'today' is not a date; write it as YYYY-MM-DD"),
        (["RUT", "--asof", "1998-12-31"], "1998-12-31"),
        (["RUT", "--since", "2016"], "since: '2016' is not a date"),
        (["RUT", "--since", "1998-12-31"], "since 1998-12-31: no series reaches back to it; RUT, the longest"),
        (["RUT", "--since", "2018-11-30"], "since 2018-11-30: not before 2018-11-30, the last close"),
        (["RUT", "--to", "2018-11-30"], "to: it ends the spans that since begins; give since too"),
        (["RUT", "--since", "2018-10-01", "--to", "2018-12-03"], "to 2018-12-03: after 2018-11-30"),
        (["RUT", "IXIC", "--versus", "NDX"], "versus: NDX is not compared here. Write one of IXIC, or name it too"),
        (["RUT", "--open"], "--report FILE"),
        (["RUT", "--data", "nowhere"], "no folder nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    done = run("compare", *words)
    assert done.status == 2
    assert done.out == ""
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
