"""matplotlib is loaded here and nowhere else first: drawing into memory, with its caches where caches belong."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from sensors.errors import MissingExtraError
from vitalkeep.paths import cache_folder
from vitalkeep.plot.ink import INK, MUTED

SUFFIXES = (".png", ".html")
_MISSING = "a picture needs the extra [plot]: pip install 'vitalkeep[plot]'"

# Whatever the wearer's own matplotlibrc says; text is text, and a dollar in a record's name is no formula.
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with the library, so a picture is the same wherever it is made
    "font.size": 8.0,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "path.simplify": True,
    "path.simplify_threshold": 0.1,
    "hatch.linewidth": 0.6,
    "axes.linewidth": 0.6,
    "axes.titlesize": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
}


def require() -> None:
    """Raises MissingExtraError where the library is not installed; loads nothing."""
    if find_spec("matplotlib") is None:
        raise MissingExtraError(_MISSING)


@contextmanager
def drawing(salt: str) -> Iterator[None]:
    """What is drawn within is drawn by our settings alone, and says nothing on standard error.

    `salt` goes into the names of an SVG's parts, so that two on one page keep theirs apart. Raises MissingExtraError.
    """
    _load()
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box, and that will do
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS | {"svg.hashsalt": f"vitalkeep-{salt}"})
        yield


def _load() -> None:
    """The library finds its folders when it is loaded, by the environment: it is told ours, for that moment.

    It keeps a list of the machine's fonts there; where that cannot be written, in a folder that goes with the process.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells when it makes that list
    told = {"MPLCONFIGDIR": str(cache_folder() / "matplotlib"), "MPLBACKEND": "agg"}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        from matplotlib import font_manager

        del font_manager
    except ImportError as error:
        raise MissingExtraError(_MISSING) from error
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
