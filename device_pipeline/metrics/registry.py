"""Every metric there is, in the order it is shown. A new metric is one file and one line here."""

from __future__ import annotations

from device_pipeline.metrics.apen import ApEn
from device_pipeline.metrics.cvnn import Cvnn
from device_pipeline.metrics.dfa_alpha1 import DfaAlpha1
from device_pipeline.metrics.ellipse_area import EllipseArea
from device_pipeline.metrics.hf import Hf
from device_pipeline.metrics.hf_nu import HfNu
from device_pipeline.metrics.hf_peak import HfPeak
from device_pipeline.metrics.iqr_nn import IqrNn
from device_pipeline.metrics.lf import Lf
from device_pipeline.metrics.lf_hf import LfHf
from device_pipeline.metrics.lf_nu import LfNu
from device_pipeline.metrics.lf_peak import LfPeak
from device_pipeline.metrics.lomb_hf import LombHf
from device_pipeline.metrics.lomb_lf import LombLf
from device_pipeline.metrics.lomb_vlf import LombVlf
from device_pipeline.metrics.mean_hr import MeanHr
from device_pipeline.metrics.mean_nn import MeanNn
from device_pipeline.metrics.median_nn import MedianNn
from device_pipeline.metrics.metric import Metric
from device_pipeline.metrics.pnn20 import Pnn20
from device_pipeline.metrics.pnn50 import Pnn50
from device_pipeline.metrics.rmssd import Rmssd
from device_pipeline.metrics.sampen import SampEn
from device_pipeline.metrics.sd1 import Sd1
from device_pipeline.metrics.sd1_sd2 import Sd1Sd2
from device_pipeline.metrics.sd2 import Sd2
from device_pipeline.metrics.sdann import Sdann
from device_pipeline.metrics.sdnn import Sdnn
from device_pipeline.metrics.sdnn_index import SdnnIndex
from device_pipeline.metrics.sdsd import Sdsd
from device_pipeline.metrics.tinn import Tinn
from device_pipeline.metrics.total_power import TotalPower
from device_pipeline.metrics.triangular_index import TriangularIndex
from device_pipeline.metrics.vlf import Vlf

TIME: tuple[type[Metric], ...] = (
    MeanNn,
    MeanHr,
    Sdnn,
    Rmssd,
    Pnn50,
    Pnn20,
    Sdsd,
    Cvnn,
    MedianNn,
    IqrNn,
)
FREQUENCY: tuple[type[Metric], ...] = (
    Vlf,
    Lf,
    Hf,
    TotalPower,
    LfHf,
    LfNu,
    HfNu,
    LfPeak,
    HfPeak,
    LombVlf,
    LombLf,
    LombHf,
)
NONLINEAR: tuple[type[Metric], ...] = (
    Sd1,
    Sd2,
    Sd1Sd2,
    EllipseArea,
    DfaAlpha1,
    SampEn,
    ApEn,
)
# Of a whole recording: in a window of five minutes they are nothing.
LONG: tuple[type[Metric], ...] = (
    Sdann,
    SdnnIndex,
    TriangularIndex,
    Tinn,
)
WINDOW: tuple[type[Metric], ...] = (*TIME, *FREQUENCY, *NONLINEAR)
METRICS: tuple[type[Metric], ...] = (*WINDOW, *LONG)
