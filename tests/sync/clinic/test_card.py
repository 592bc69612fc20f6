"""No figure without its error; no median where too little was worn; and the errors are what the noise really does."""

from __future__ import annotations

import json
import math
import random
import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest
from click.testing import CliRunner

from sync.clinic.__main__ import app
from sync.clinic.card import Card, Figure, make_card, median_interval
from sync.clinic.catalogue import FIRST_DAY, MONTH_DAYS, QUARTER_DAYS, QUESTIONS, last_day, question
from sync.clinic.cli.card import card_json, card_lines
from sync.count_noise import count_within
from sync.private import window
from sync.private.noise import noisy_count, noisy_median
from sync.private.registry import STATISTICS
from sync.release import Answer
from tests.rigs.clinic import ClinicRig, FakeDevice, af_days, resting_hr, rmssd, worn_days


def _card(clinic: ClinicRig, *answers: Answer) -> Card:
    device = clinic.enrolled("Patient 17")
    for answer in answers:
        clinic.receipt(device.release(answer))
    return make_card(clinic.devices()[0], clinic.answers(device.id))


def _figure(card: Card, statistic: str) -> Figure:
    return next(figure for figure in card.figures if figure.statistic == statistic)


def _worn(*days: float) -> list[Answer]:
    return [worn_days(27 + month, each) for month, each in enumerate(days)]


# -- the catalogue


def test_the_clinic_knows_every_statistic_as_devices_compute_it() -> None:
    for statistic in STATISTICS:
        asked = question(statistic.name, statistic.version)
        assert asked is not None
        assert (asked.length_days, asked.epsilon_milli, asked.unit, asked.meaning, (asked.low, asked.high)) == (
            statistic.length_days,
            statistic.epsilon_milli,
            statistic.unit,
            statistic.meaning,
            statistic.bounds,
        )
        assert asked.grid == getattr(statistic, "grid", ())
    assert len(QUESTIONS) == len(STATISTICS)


def test_windows_are_those_of_the_device() -> None:
    assert (FIRST_DAY, MONTH_DAYS, QUARTER_DAYS) == (window.FIRST_DAY, window.MONTH_DAYS, window.QUARTER_DAYS)
    assert last_day(28, 27) == window.Window(28, 27).last_day


def test_whatever_a_device_draws_is_admitted() -> None:
    for statistic in STATISTICS:
        asked = question(statistic.name, statistic.version)
        assert asked is not None
        for _ in range(200):
            value = statistic.draw([None] * statistic.length_days)
            answer = Answer(statistic.name, statistic.version, statistic.length_days, 9, value, statistic.epsilon_milli)
            assert asked.admits(answer)


def test_a_count_lies_within_6_days_95_times_of_100() -> None:
    assert count_within(0.5) == 6
    draw = noisy_count(0.5)
    errors = [abs(draw(10) - 10) for _ in range(20_000)]
    assert statistics.fmean(error <= 6 for error in errors) > 0.955
    assert statistics.fmean(error <= 5 for error in errors) < 0.945


# -- the card


def test_a_count_has_its_range_and_the_range_its_bounds(clinic: ClinicRig) -> None:
    card = _card(clinic, af_days(27, 10.0), af_days(28, -3.0), af_days(29, 40.0))
    assert [(figure.value, figure.interval) for figure in card.figures] == [
        (40.0, (22.0, 28.0)),
        (-3.0, (0.0, 6.0)),
        (10.0, (4.0, 16.0)),
    ]
    assert "1 card in 20" in card.figures[0].note


def test_a_median_is_shown_where_the_quarter_was_worn_enough(clinic: ClinicRig) -> None:
    card = _card(clinic, *_worn(28.0, 28.0, 28.0), resting_hr(value=61.0), rmssd())
    assert _figure(card, "resting_hr_median").interval == (58.0, 64.0)
    assert _figure(card, "rmssd_median").interval == (27.9, 40.1)
    assert "5 bpm" in _figure(card, "resting_hr_median").note


@pytest.mark.parametrize("worn", [(20.0, 20.0, 20.0), (35.0, 30.0, -5.0)])
def test_60_noisy_days_are_enough(clinic: ClinicRig, worn: tuple[float, ...]) -> None:
    assert _figure(_card(clinic, *_worn(*worn), resting_hr(value=61.0)), "resting_hr_median").interval == (55.0, 67.0)


def test_less_than_60_days_are_not_enough(clinic: ClinicRig) -> None:
    card = _card(clinic, *_worn(20.0, 20.0, 19.0), resting_hr())
    figure = _figure(card, "resting_hr_median")
    assert (figure.value, figure.interval) == (None, None)
    assert "sum to 59, 60 needed" in figure.why


def test_a_median_waits_for_all_of_its_months(clinic: ClinicRig) -> None:
    figure = _figure(_card(clinic, *_worn(28.0, 28.0), resting_hr()), "resting_hr_median")
    assert figure.value is None
    assert "2 of the 3 months" in figure.why


def test_the_months_of_another_quarter_do_not_count(clinic: ClinicRig) -> None:
    card = _card(clinic, worn_days(26, 28.0), worn_days(27, 28.0), worn_days(28, 28.0), resting_hr())
    assert _figure(card, "resting_hr_median").value is None


@pytest.mark.parametrize("spread", [2.0, 3.0, 5.0])
def test_the_range_of_a_heart_rate_holds_95_times_of_100(spread: float) -> None:
    grid = _grid("resting_hr_median")
    held = _coverage(noisy_median(0.5, grid), grid, lambda true, chance: true + chance.gauss(0.0, spread), (50.0, 80.0))
    assert held >= 0.95


@pytest.mark.parametrize("spread", [0.1, 0.3])
def test_the_range_of_rmssd_holds_95_times_of_100(spread: float) -> None:
    grid = _grid("rmssd_median")
    held = _coverage(
        noisy_median(0.5, grid), grid, lambda true, chance: true * math.exp(chance.gauss(0.0, spread)), (15.0, 80.0)
    )
    assert held >= 0.95


def _grid(name: str) -> tuple[float, ...]:
    asked = question(name, 1)
    assert asked is not None
    return asked.grid


def _coverage(
    draw: Callable[[Sequence[float]], float],
    grid: tuple[float, ...],
    day: Callable[[float, random.Random], float],
    centres: tuple[float, float],
) -> float:
    """How often the true median of a made quarter lies in the range that a card shows, over all that are shown."""
    chance = random.Random(5)
    count = noisy_count(0.5)
    held: list[bool] = []
    name = "resting_hr_median" if grid[0] == 40.0 else "rmssd_median"
    while len(held) < 1500:
        worn = chance.sample(range(QUARTER_DAYS), chance.randint(45, QUARTER_DAYS))
        months = [count(sum(each // MONTH_DAYS == month for each in worn)) for month in range(3)]
        if sum(months) < 60:
            continue
        true = chance.uniform(*centres)
        days = [min(max(day(true, chance), grid[0]), grid[-1]) for _ in worn]
        value = draw([min(grid, key=lambda point, at=each: abs(point - at)) for each in days])  # type: ignore[misc]
        interval = _interval(Answer(name, 1, QUARTER_DAYS, 0, value, 500), [float(month) for month in months])
        held.append(interval[0] <= statistics.median(days) <= interval[1])
    return statistics.fmean(held)


def _interval(answer: Answer, months: list[float]) -> tuple[float, float]:
    asked = question(answer.statistic, 1)
    assert asked is not None
    interval, _ = median_interval(asked, answer, list(months))
    assert interval is not None
    return interval


# -- how it is shown


def test_no_number_is_shown_bare(clinic: ClinicRig) -> None:
    card = _card(clinic, *_worn(28.0, 28.0, 28.0), resting_hr(), rmssd(), af_days())
    assert len(card.figures) == 6
    period = ""
    shown = []
    for line in list(card_lines(card))[2:]:
        if re.fullmatch(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d", line):
            period = line
        elif (name := line.split()[:1]) and question(name[0], 1) is not None:
            assert re.search(r" (days|bpm|ms), between \S+ and \S+ \(ε = 0\.5 for each day\)$", line)
            shown.append((name[0], period))
    assert shown == [(each.statistic, f"{each.first_day} to {each.last_day}") for each in card.figures]


def test_a_hidden_median_says_why_and_no_number(clinic: ClinicRig) -> None:
    card = _card(clinic, *_worn(10.0, 10.0, 10.0), replace(resting_hr(), value=77.0))
    text = "\n".join(card_lines(card)) + json.dumps(card_json(card))
    assert "not shown: worn on too few days" in text
    assert "77" not in text


def test_never_is_more_claimed_than_holds(clinic: ClinicRig) -> None:
    text = "\n".join(card_lines(_card(clinic, af_days()))).lower()
    for word in ("anonym", "untrace", "gdpr", "differentially private"):
        assert word not in text


def test_the_desk_shows_patients_and_cards(clinic: ClinicRig) -> None:
    device: FakeDevice = clinic.enrolled("Patient 17")
    clinic.receipt(device.release(af_days(27, 4.0)))
    runner = CliRunner()
    listed = runner.invoke(app, ["patients", "--data", str(clinic.folder), "--json"])
    (patient,) = json.loads(listed.stdout)["patients"]
    assert patient["label"] == "Patient 17"
    assert patient["newest_day"] == date(2026, 2, 22).isoformat()
    shown = runner.invoke(app, ["card", patient["pseudonym"].lower(), "--data", str(clinic.folder), "--json"])
    (figure,) = json.loads(shown.stdout)["figures"]
    assert (figure["value"], figure["interval"], figure["epsilon"]) == (4.0, [0.0, 10.0], 0.5)
    told = runner.invoke(app, ["card", patient["pseudonym"], "--data", str(clinic.folder)])
    assert "4 days, between 0 and 10" in told.stdout
    assert "Not a medical device" in told.stderr


def test_a_pseudonym_of_nobody_is_told(clinic: ClinicRig) -> None:
    done = CliRunner().invoke(app, ["card", "P-0000000", "--data", str(clinic.folder)])
    assert done.exit_code == 1
    assert "patients lists all" in done.stderr
