"""What a newcomer reads is true: links lead somewhere, commands parse, tables are those of the code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from device_pipeline.alerts.alert import Alert
from device_pipeline.alerts.rules import RULES
from device_pipeline.anomaly.anomaly import Anomaly
from device_pipeline.beat import Beat, BeatSource, Quality
from device_pipeline.beat_types import BeatType
from device_pipeline.config import BOUNDS, GOVERNOR_BOUNDS, Config, Limits, load_config
from device_pipeline.hrv import Hrv
from device_pipeline.motion.activity import Activity, Level, Posture
from device_pipeline.oximetry.desaturation import Desaturation
from device_pipeline.oximetry.oxygenation import Oxygenation
from device_pipeline.oximetry.spo2 import Spo2
from device_pipeline.respiration.respiration import Respiration
from device_pipeline.rhythm import RhythmKind, RhythmSpan
from device_pipeline.run import Finding
from device_pipeline.store.connection import DATABASE_NAME
from device_pipeline.store.lock import LOCK_NAME
from device_pipeline.store.vault import KEY_NAME
from device_pipeline.temperature.temperature import Site, Temperature
from device_pipeline.usability.usable import Usable
from device_pipeline.windows import HeartRate
from sensors.samples import Gap, GapReason
from sync.clinic.__main__ import app as clinic
from sync.uplink.__main__ import app as uplink
from tests.data import shared_data
from vitalkeep.cli import evaluate_beats, exit_codes
from vitalkeep.cli.app import NOT_MEDICAL, app
from vitalkeep.cli.finding_json import finding_line

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "fixtures" / "README.md", *sorted(DOCS.glob("*.md"))]


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _rows(text: str, first: str) -> list[list[str]]:
    """The cells of the rows of the table whose head begins with the cell `first`."""
    (table,) = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()]


def _named(cell: str) -> str:
    (name,) = re.findall(r"`([^`]+)`", cell)
    return str(name)


# -- links


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_something_that_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert "://" not in target, f"{target}: what is said here is said without another host"
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        assert not anchor or anchor in _anchors(there), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = {(README.parent / target).resolve() for target in re.findall(r"\]\(([^)#]+)", README.read_text("utf-8"))}
    assert [page.name for page in sorted(DOCS.glob("*.md")) if page.resolve() not in linked] == []


# -- commands


def _options(command: click.Command) -> set[str]:
    """Of the command and of all below it."""
    found = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return found.union(*(_options(each) for each in below))


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(?: {4}|\$ )(?:\.venv/bin/)?(vitalkeep .*)", line)
            if match and "..." not in match[1] and "[--" not in match[1]:
                found.append((page.name, match[1]))
    return found


@pytest.mark.parametrize(("page", "line"), _commands())
def test_every_command_that_is_shown_parses(page: str, line: str) -> None:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>&;")
    lexer.whitespace_split = True
    words = list(lexer)
    for end in ("|", ">", "&", ";"):
        words = words[: words.index(end)] if end in words else words
    command = app.get_command(click.Context(app), words[1]) if not words[1].startswith("-") else app
    assert command is not None, f"{page}: there is no command {words[1]!r}"
    arguments = words[1:] if command is app else words[2:]
    parent = None if command is app else app.make_context("vitalkeep", [], resilient_parsing=True)
    if isinstance(command, click.Group) and command is not app and not arguments[0].startswith("-"):
        of = command.get_command(click.Context(command), arguments[0])
        assert of is not None, f"{page}: there is no command {words[1]} {arguments[0]!r}"
        command, arguments = of, arguments[1:]
    # Within the group, whose settings a command keeps for the life of the process.
    command.make_context("vitalkeep", arguments, parent=parent, resilient_parsing=command is app)


def test_the_readme_shows_enough_commands() -> None:
    shown = {line.split()[1] for page, line in _commands() if page == "README.md"}
    assert {"run", "analyze", "evaluate", "status", "alerts"} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_that_is_named_exists(page: Path) -> None:
    known = {"--help", "--version", "--check", "--hours", "--fs"}  # the middle ones are of fixtures and docs
    for name in app.list_commands(click.Context(app)):
        command = app.get_command(click.Context(app), name)
        assert command is not None
        parts = [command]
        if isinstance(command, click.Group):
            found = [
                command.get_command(click.Context(command), one)
                for one in command.list_commands(click.Context(command))
            ]
            parts += [one for one in found if one is not None]
        known |= {opt for part in parts for param in part.params for opt in (*param.opts, *param.secondary_opts)}
    known |= _options(clinic) | _options(uplink)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
    of_scripts = {"--strict", "--write", "--held-out", "--leave-out", "--groups", "--rounds", "--folds"}
    of_scripts |= {"--data", "--scratch", "--out", "--fetch"}  # of training
    of_scripts |= {"--key", "--name", "--reason"}  # of models.training.bundle
    of_scripts |= {"--kills", "--restarts"}  # of benchmarks.uploads
    of_scripts |= {"--of"}  # of benchmarks.clinic_pages
    of_scripts |= {"--resting"}  # as LOINC writes it
    assert named - known - of_scripts == set()


@pytest.mark.parametrize("name", app.list_commands(click.Context(app)))
def test_every_command_has_a_synopsis_and_its_page_names_every_option(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    page = DOCS / f"{name}.md"
    assert command is not None
    if not page.exists() or name == "alerts":
        return
    text = page.read_text(encoding="utf-8")
    for param in command.params:
        if isinstance(param, click.Option):
            assert all(opt in text for opt in (*param.opts, *param.secondary_opts)), param.name


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)`", README.read_text(encoding="utf-8"))) | {"demo", "test"}
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


# -- what is shown


def test_the_picture_and_the_printed_output_are_what_comes_out() -> None:
    script = [sys.executable, str(DOCS / "make_pictures.py"), "--check"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["live-view.svg", "analyze-plot.svg"])
def test_a_picture_is_small_and_loads_nothing_from_anywhere(name: str) -> None:
    picture = (DOCS / name).read_text(encoding="utf-8")
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # of what it is written in, not places
    assert set(re.findall(r"[a-z]+://[^\s\"')]+", picture)) <= names
    assert not re.search(r"@import|@font-face|<image|<script|href=\"[^#]", picture)
    assert len(picture) < 300_000


def test_the_readme_says_what_this_is_not() -> None:
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert NOT_MEDICAL in text
    assert "Nothing is sent anywhere, unless you pair with a clinic and say yes" in text


@pytest.mark.slow
def test_the_readme_states_the_figures_that_are_measured() -> None:
    result = CliRunner().invoke(app, ["evaluate", "--json", "--jobs", "1", str(shared_data("mitdb"))])
    last = json.loads(result.stdout.splitlines()[-1])
    gross, mean = last["gross"], last["average"]
    rows = {row[0]: row for row in _rows(README.read_text(encoding="utf-8"), "figures")}
    assert rows["gross"][1] == f"{gross['tp'] + gross['fn']:,}"
    for name, figures in (("gross", gross), ("mean of the records", mean)):
        told = [float(cell.rstrip(" %")) for cell in rows[name][-3:]]
        measured = [100 * figures[key] for key in ("sensitivity", "positive_predictivity", "f1")]
        assert told == pytest.approx(measured, abs=0.011)


# -- tables


def test_the_configuration_keys_are_those_of_the_code() -> None:
    rows = _rows(_text("alerts.md"), "key")
    told = {_named(key): (float(default), float(low), float(high)) for key, default, low, high, _ in rows}
    defaults = {field.name: getattr(Limits(), field.name) for field in fields(Limits)}
    defaults["keep_raw_days"] = Config().keep_raw_days
    assert told == {key: (defaults[key], *BOUNDS[key]) for key in BOUNDS}
    assert [_named(row[0]) for row in rows] == [*(field.name for field in fields(Limits)), "keep_raw_days"]


def test_the_configuration_that_is_shown_is_the_default_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", _text("alerts.md"), re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(shown, encoding="utf-8")
    assert load_config(file) == Config()
    assert all(key in shown for key in BOUNDS)


def test_the_limits_of_the_governor_that_are_shown_are_the_default_ones(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", _text("governor.md"), re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(shown, encoding="utf-8")
    assert load_config(file) == Config()
    told = re.findall(r"^(\w+) = \S+ +# ([\d.]+) to ([\d.]+)", shown, re.MULTILINE)
    assert {key: GOVERNOR_BOUNDS[key] for key, *_ in told} == {key: (float(a), float(b)) for key, a, b in told}
    assert all(key in shown for key in GOVERNOR_BOUNDS)


def test_the_rules_are_those_of_the_code() -> None:
    rows = {_named(row[0]): row for row in _rows(_text("alerts.md"), "rule")}
    assert list(rows) == [rule.name for rule in RULES]
    odd = Limits(**{field.name: 1000.0 + k for k, field in enumerate(fields(Limits))})
    for rule in RULES:
        _, _, _, raised, over, without = rows[rule.name]
        for told, meant in ((raised, rule.hold_s(odd)), (over, rule.clear_s(odd))):
            keys = [key for key in re.findall(r"`(\w+)`", told) if key.endswith("_hold_s")]
            assert [getattr(odd, key) for key in keys] == ([meant] if meant else []), rule.name
        waits = re.findall(r"waits (\d+) s", without)
        assert [float(wait) for wait in waits] == ([rule.patience_s] if rule.patience_s else []), rule.name


def test_the_exit_codes_are_those_of_the_code() -> None:
    told = {_named(name): int(code) for code, name, _ in _rows(_text("exit-codes.md"), "code")}
    assert told == {name: code for name, code in vars(exit_codes).items() if name.isupper()}


_FINDINGS: list[Finding] = [
    BeatType(1, None, None, "m", "1.0.0", "noise"),
    Beat(1, BeatSource.ECG, 0.8),
    Gap("ecg", 1, 2, GapReason.SILENT),
    HeartRate(1, 2, 60.0, 0.9, None, BeatSource.ECG),
    Hrv(1, 2, 3, 0.0, "m", {}, None),
    RhythmSpan(1, 2, RhythmKind.N),
    Alert("pause", 1, 2, None, "text"),
    Quality(1, 2, 0.9, True),
    Respiration(1, 2, 14.0, 0.9, None, "m"),
    Spo2(1, 2, 97.0, 0.9, None, "m"),
    Desaturation(1, 2, 88.0),
    Oxygenation(1, 2, 3, 95.0, 90.0, 0, 1, 1),
    Activity(1, 2, 3, Level.LIGHT, Posture.UPRIGHT, 1.0, None),
    Temperature(1, 2, 36.6, 0.1, None, Site.BODY),
    Anomaly(1, 2, 4.4, 60, 1, "morphology", "1.0.0", None),
    Usable(1, 2, True, 0.9, 0.1, "quality 1.0.0", None),
]


def test_the_lines_of_run_are_those_of_the_code() -> None:
    told = {_named(row[0]): set(re.findall(r"`(\w+)`", row[1])) for row in _rows(_text("run.md"), "`type`")}
    lines = [json.loads(finding_line(finding) or "null") for finding in _FINDINGS]
    assert told == {line["type"]: set(line) - {"type"} for line in lines}


def test_the_lines_of_run_that_are_shown_are_lines_of_run() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", _text("run.md"), re.DOTALL)
    made = {json.loads(finding_line(finding) or "null")["type"]: finding for finding in _FINDINGS}
    for line in map(json.loads, shown.splitlines()):
        assert set(line) == set(json.loads(finding_line(made[line["type"]]) or "null"))


def test_what_the_command_of_an_alert_is_told_is_written_down() -> None:
    source = (ROOT / "vitalkeep" / "alert_command.py").read_text(encoding="utf-8")
    text = _text("run.md")
    for name in set(re.findall(r"VITALKEEP_\w+", source)):
        assert f"`{name}`" in text
    (at_once,) = re.findall(r"_AT_ONCE = (\d+)", source)
    assert f"at most {at_once} at a time" in text
    (longest_s,) = re.findall(r"_LONGEST_S = ([\d.]+)", source)
    assert f"It has {float(longest_s):g} s" in text


def test_the_figures_of_evaluate_are_written_down() -> None:
    figures = evaluate_beats._figures(None, None), evaluate_beats._gross_row([])
    keys = {key for row in figures for key in row} | {"record", "fs_hz", "channel", "error"}
    assert {key for key in keys - {"schema"} if f"`{key}`" not in _text("evaluate.md")} == set()


def test_the_files_of_the_store_are_written_down() -> None:
    text = _text("privacy-at-home.md")
    for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm", KEY_NAME, LOCK_NAME):
        assert f"`{name}`" in text


def test_a_rule_whose_hold_changes_changes_the_table() -> None:
    # the comparison above rests on this: a hold follows its key and no other
    for rule in RULES:
        if rule.hold_s(Limits()):
            moved = [f.name for f in fields(Limits) if rule.hold_s(replace(Limits(), **{f.name: 999.0})) == 999.0]
            assert len(moved) == 1
