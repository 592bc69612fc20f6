"""Every metric that a window reports, in the order it is shown. A new metric is one file and one line here."""

from __future__ import annotations

from device_pipeline.metrics.mean_hr import MeanHr
from device_pipeline.metrics.mean_nn import MeanNn
from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.pnn50 import Pnn50
from device_pipeline.metrics.rmssd import Rmssd
from device_pipeline.metrics.sdnn import Sdnn

METRICS: tuple[type[Metric], ...] = (
    MeanNn,
    MeanHr,
    Sdnn,
    Rmssd,
    Pnn50,
)
