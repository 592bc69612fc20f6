"""A configuration is right or refused with file, key and what was expected; a missing one means the defaults."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from device_pipeline.config import BOUNDS, GOVERNOR_BOUNDS, Config, GovernorLimits, Limits, load_config
from device_pipeline.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path / "config.toml") == Config()


def test_what_is_set_is_used_and_the_rest_stays(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "keep_raw_days = 7\n[alerts]\ntachycardia_bpm = 130\npause_s = 2.5\n"))
    assert config == Config(Limits(tachycardia_bpm=130.0, pause_s=2.5), keep_raw_days=7)


def test_every_limit_has_bounds_that_hold_its_default() -> None:
    assert BOUNDS.keys() == {field.name for field in fields(Limits)} | {"keep_raw_days"}
    for field in fields(Limits):
        low, high = BOUNDS[field.name]
        assert low <= getattr(Limits(), field.name) <= high


def test_every_limit_of_the_governor_has_bounds_that_hold_its_default(tmp_path: Path) -> None:
    assert GOVERNOR_BOUNDS.keys() | {"enabled"} == {field.name for field in fields(GovernorLimits)}
    for name, (low, high) in GOVERNOR_BOUNDS.items():
        assert low <= getattr(GovernorLimits(), name) <= high
    set_ = load_config(written(tmp_path, "[governor]\nenabled = false\nhot_c = 80\n")).governor
    assert set_ == GovernorLimits(enabled=False, hot_c=80.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not toml", "not a TOML file"),
        ("colour = 1", "unknown key 'colour'"),
        ("alerts = 3", "must be a table"),
        ("[alerts]\ntachycardia = 3", "unknown key 'alerts.tachycardia'"),
        ("[alerts]\ntachycardia_bpm = 'high'", "alerts.tachycardia_bpm must be a number from 60 to 250"),
        ("[alerts]\ntachycardia_bpm = true", "alerts.tachycardia_bpm must be a number"),
        ("[alerts]\ntachycardia_bpm = nan", "alerts.tachycardia_bpm must be a number"),
        ("[alerts]\ntachycardia_bpm = inf", "alerts.tachycardia_bpm must be a number"),
        ("[alerts]\ntachycardia_bpm = 105", "tachycardia_clear_bpm must not lie above"),
        ("[alerts]\nbradycardia_bpm = 50", "bradycardia_clear_bpm must not lie below"),
        ("[alerts]\nbradycardia_clear_bpm = 80\ntachycardia_clear_bpm = 70", "must lie below the tachycardia limits"),
        ("keep_raw_days = 0", "keep_raw_days must be a number from 1"),
        ("governor = 1", "'governor' must be a table"),
        ("[governor]\nhot = 70", "unknown key 'governor.hot'"),
        ("[governor]\nhot_c = 20", "governor.hot_c must be a number from 45 to 110"),
        ("[governor]\nenabled = 'no'", "governor.enabled must be true or false"),
        ("[governor]\ncool_c = 80", "governor.cool_c must lie below governor.hot_c"),
        ("[governor]\nbattery_waveform_pct = 25", "must not rise"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_bytes_that_are_no_text_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_config(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
