"""What other programs read: RR intervals as text, and a CSV with the columns of HRV4Training.

The intervals are in ms, one on a line, as Kubios, HeartPy, NeuroKit2 and GoldenCheetah take them. The column names are
those that HRV4Training writes and GoldenCheetah imports; its own score, which is not public, is left out.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from vitalkeep.hrv_table import HrvTable

COLUMNS = {
    "HR": "mean_hr_bpm",
    "AVNN": "mean_nn_ms",
    "SDNN": "sdnn_ms",
    "rMSSD": "rmssd_ms",
    "pNN50": "pnn50_pct",
    "LF": "lf_ms2",
    "HF": "hf_ms2",
}


def rr_text(table: HrvTable, *, nn_only: bool) -> str:
    """The intervals in ms, to the hundredth where they have one."""
    intervals_ms = table.nn_ms if nn_only else table.rr_ms
    return "".join(f"{_number(ms, 2)}\n" for ms in intervals_ms)


def table_csv(tables: Sequence[HrvTable], began: datetime | None) -> str:
    """A row for each window that has values; a record that knows no date, and was given none, leaves its cell empty."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["timestamp_measurement", *COLUMNS])
    for table in tables:
        for window in table.windows:
            if window.values is None:
                continue
            after = timedelta(seconds=(window.start_ns - table.start_ns) / 1e9)
            when = ""
            if began is not None:
                when = f"{began + after:%Y-%m-%d %H:%M:%S}"
            elif table.dated:
                at = datetime.fromtimestamp(math.floor(window.start_ns / 1e9), UTC).astimezone()
                when = f"{at:%Y-%m-%d %H:%M:%S}"
            values = [window.values[name] for name in COLUMNS.values()]
            rows.writerow([when, *("" if value is None else _number(value, 4) for value in values)])
    return out.getvalue()


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
