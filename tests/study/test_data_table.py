"""`[data]` of a study: what is accepted, where its folders are looked for, and what a saved study says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_commands import call
from tests.funds.made import levels
from tests.market.little_files import rate_file

from alphaoverlay.cli.sources import opened_for
from alphaoverlay.errors import AlphaOverlayError, DataError, StudyError
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.opening import LIVE
from alphaoverlay.study.data_table import DataTable
from alphaoverlay.study.load import load_study, study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.run import run_study
from alphaoverlay.study.write import study_toml

WEIGHTS = {"SPY": 0.9}
SESSIONS = [f"{stamp:%Y-%m-%d}" for stamp in exchange_sessions(2020, 2020)]
HASH = "0123456789abcdef" * 4


def table(**values: Any) -> DataTable:
    return study_from({"weights": WEIGHTS, "data": values}, "my.toml").data


def prices_in(folder: Path) -> Path:
    """A folder with SPY and a rate."""
    folder.mkdir(parents=True)
    closes = levels([0.001 * (k % 7 - 3) for k in range(len(SESSIONS) - 1)], 300.0)
    rows = [f"{day},{close:.6f},{close:.6f}" for day, close in zip(SESSIONS, closes, strict=True)]
    (folder / "SPY.csv").write_text("\n".join(["date,close,adj_close", *rows, ""]))
    (folder / "DFF.csv").write_text(rate_file(dict.fromkeys(SESSIONS, 1.0)))
    return folder


def written(path: Path, data: str) -> Path:
    """A study in a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[weights]\nSPY = 0.9\n\n[data]\n{data}\n")
    return path


# --- what is accepted ---


@pytest.mark.parametrize(
    ("given", "sources"),
    [
        ("yahoo", ("yahoo",)),
        (["yahoo", "my-prices"], ("yahoo", "my-prices")),
        (["yahoo", " yahoo ", "fred"], ("yahoo", "fred")),
        ([], ()),
    ],
)
def test_sources_are_a_name_or_a_list(given: Any, sources: tuple[str, ...]) -> None:
    assert table(sources=given).sources == sources
    assert table(accept=["stale", "gap"]).accept == ("stale", "gap")
    assert table(accept="stale").accept == ("stale",)


@pytest.mark.parametrize("given", [HASH, f"sha256:{HASH}", f" SHA256:{HASH.upper()} ", HASH[:8], f"sha256:{HASH[:8]}"])
def test_a_fingerprint_is_known_by_its_digits(given: str) -> None:
    read = table(sources="yahoo", fingerprint=given).fingerprint
    assert read is not None
    assert read.startswith("sha256:01234567")
    assert f"sha256:{HASH}".startswith(read)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sources": 3}, ["data.sources", "write a name or a list of names", 'sources = ["yahoo", "my-prices"]']),
        ({"sources": ["yahoo", 3]}, ["data.sources", "write a name or a list of names"]),
        ({"sources": [""]}, ["data.sources", "write a name or a list of names"]),
        ({"sources": {"yahoo": True}}, ["data.sources", "write a name or a list of names"]),
        ({"source": "yahoo"}, ["unknown key data.source", "Did you mean sources?", "base_url"]),
        ({"store": "x"}, ["unknown key data.store"]),
        ({"symbols": ["SPY"]}, ["data.symbols", 'symbols = { SP500TR = "stooq" }']),
        ({"symbols": {"SPY": 3}}, ["data.symbols.SPY"]),
        ({"base_url": "http://127.0.0.1"}, ["data.base_url", 'base_url = { yahoo = "http://127.0.0.1:8080" }']),
        ({"accept": 1}, ["data.accept", 'accept = ["stale"]']),
        ({"fingerprint": "abc"}, ["data.fingerprint", "first 8 digits or more", 'fingerprint = "sha256:4f1c22d0"']),
        ({"fingerprint": "sha256:abc"}, ["data.fingerprint", "first 8 digits or more"]),
        ({"fingerprint": f"{HASH}0"}, ["data.fingerprint"]),
        ({"fingerprint": "sha256:..."}, ["data.fingerprint"]),
        ({"fingerprint": 12345678}, ["data.fingerprint"]),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_mistake_names_the_key_and_what_to_write(values: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(StudyError) as caught:
        table(**values)
    message = str(caught.value)
    assert message.startswith("my.toml: ")
    assert "\n" not in message
    for words in said:
        assert words in message


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sources": "yaho"}, "Did you mean yahoo?"),
        ({"sources": "Yahoo"}, "Did you mean yahoo?"),
        ({"sources": ["yahoo", "sample"]}, "the sample stands for itself"),
        ({"symbols": {"SPY": "yahoo"}}, "name those of all others in sources"),
        ({"sources": "yahoo", "symbols": {"SPY": "gone"}}, "no folder gone"),
        ({"sources": "yahoo", "accept": "stal"}, "Did you mean stale?"),
        ({"sources": "yahoo", "base_url": {"yaho": "http://127.0.0.1"}}, "yaho is no live source; known: yahoo"),
        ({"sources": "yahoo", "base_url": {"yahoo": "ftp://127.0.0.1"}}, "write http:// or https:// and a host"),
        ({"sources": "yahoo", "base_url": {"yahoo": "http://u:secret@x"}}, "without a query or a password"),
        ({"fingerprint": HASH}, "--fingerprint reads stored versions of live data"),
        ({"sources": "yahoo", "fingerprint": HASH}, "no result with a fingerprint that begins with sha256:0123"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_opened_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    study = study_from({"weights": WEIGHTS, "data": values}, "my.toml")
    with pytest.raises(AlphaOverlayError) as caught:
        opened_for(study, "store.sqlite")
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


# --- folders ---


def test_folders_are_looked_for_beside_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices_in(tmp_path / "studies" / "prices")
    path = written(tmp_path / "studies" / "my.toml", "sources = 'prices'\nsymbols = { QQQ = '../more', SPY = 'yahoo' }")
    for cwd, name in ((tmp_path, "studies/my.toml"), (tmp_path / "studies", "my.toml"), (Path("/"), str(path))):
        monkeypatch.chdir(cwd)
        found = load_study(name).data
        assert [Path(one).resolve() for one in found.sources] == [tmp_path / "studies" / "prices"]
        assert Path(found.symbols["QQQ"]).resolve() == tmp_path / "more"
        assert found.symbols["SPY"] == "yahoo"


def test_whole_paths_stay(tmp_path: Path) -> None:
    path = written(tmp_path / "a" / "my.toml", f"sources = '{tmp_path / 'prices'}'")
    assert load_study(path).data.sources == (str(tmp_path / "prices"),)


@pytest.mark.parametrize("name", [*LIVE, "sample"])
def test_a_folder_named_as_a_source_stays_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Read from the folder itself, and after the study was saved there."""
    prices_in(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    written(Path("my.toml"), f"sources = './{name}'")
    study = load_study("my.toml")
    assert isinstance(opened_for(study), FolderSource)
    Path("again.toml").write_text(study_toml(study, tmp_path))
    assert isinstance(opened_for(load_study("again.toml")), FolderSource)
    assert f'sources = ["./{name}"]' in Path("again.toml").read_text()


def test_a_saved_study_lies_elsewhere_and_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prices_in(tmp_path / "prices")
    written(tmp_path / "a" / "my.toml", "sources = '../prices'\naccept = 'stale'")
    monkeypatch.chdir(tmp_path / "a")
    study = load_study("my.toml")
    (tmp_path / "b" / "c").mkdir(parents=True)
    saved = tmp_path / "b" / "c" / "saved.toml"
    saved.write_text(study_toml(study, saved.parent))
    assert 'sources = ["../../prices"]' in saved.read_text()
    monkeypatch.chdir(tmp_path)
    one, other = (
        run_document(run_study(load_study(path), opened_for(load_study(path)))) for path in ("a/my.toml", saved)
    )
    values, others = one.dump(), other.dump()
    for document in (values, others):
        document["study"].pop("data")
        document["data"].pop("source")
        for series in document["data"]["series"]:
            series.pop("source")
    assert values == others


def test_save_on_the_command_line(tmp_path: Path) -> None:
    """With everything that [data] may hold; from one folder, to a second, run from a third."""
    prices_in(tmp_path / "my prices")
    for folder in ("here", "there", "elsewhere"):
        (tmp_path / folder).mkdir()
    words = ("run", "SPY=90", "--data", "../my prices", "--accept", "stale", "--accept", "gap", "--json")
    first = call(*words, "--save", "../there/saved.toml", cwd=tmp_path / "here")
    assert first.returncode == 0, first.stderr
    text = (tmp_path / "there" / "saved.toml").read_text()
    assert 'sources = ["../my prices"]' in text
    assert 'accept = ["stale", "gap"]' in text
    again = call("run", "../there/saved.toml", "--json", cwd=tmp_path / "elsewhere")
    assert again.returncode == 0, again.stderr
    one, other = json.loads(first.stdout), json.loads(again.stdout)
    assert one["data"]["fingerprint"] == other["data"]["fingerprint"]
    assert one["portfolio"] == other["portfolio"]
    assert one["study"]["data"]["accept"] == other["study"]["data"]["accept"] == ["stale", "gap"]


def test_everything_that_was_set_is_saved(tmp_path: Path) -> None:
    values = {
        "sources": ("yahoo", str(tmp_path / "prices")),
        "symbols": {"SP500TR": "stooq", "BRK.B": str(tmp_path / "x")},
        "base_url": {"yahoo": "http://127.0.0.1:8080"},
        "accept": ("stale",),
        "fingerprint": f"sha256:{HASH}",
    }
    study = study_from({"weights": WEIGHTS, "data": values}, "x")
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path))
    text = (tmp_path / "my.toml").read_text()
    assert 'sources = ["yahoo", "./prices"]' in text or 'sources = ["yahoo", "prices"]' in text
    assert load_study(tmp_path / "my.toml") == study


def test_nothing_set_is_nothing_saved(tmp_path: Path) -> None:
    assert "[data]" not in study_toml(study_from({"weights": WEIGHTS}, "x"), tmp_path)
    path = tmp_path / "my.toml"
    path.write_text("[weights]\nSPY = 0.9\n")
    assert "[data]" not in study_toml(load_study(path), tmp_path)


def test_the_command_line_names_other_sources_for_a_study(tmp_path: Path) -> None:
    prices_in(tmp_path / "prices")
    written(tmp_path / "a" / "my.toml", "sources = 'gone'\naccept = 'stale'")
    done = call("run", "a/my.toml", "--data", "prices", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["data"]["source"] == "prices"
    assert document["study"]["data"] == {"sources": ["prices"], "accept": ["stale"]}
    done = call("run", "a/my.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no folder a/gone" in done.stderr


def test_a_folder_that_is_gone_is_an_error_of_the_data() -> None:
    with pytest.raises(DataError, match="no folder gone"):
        opened_for(study_from({"weights": WEIGHTS, "data": {"sources": "gone"}}, "x"))
