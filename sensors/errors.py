"""What can go wrong between a sensor or a file and us. Messages state both sides and never a health value."""


class SensorError(Exception):
    """The peer or the file did wrong."""


class LinkError(SensorError):
    """The radio link failed."""


class DecodeError(SensorError):
    """Bytes that are not what their characteristic says."""


class FileFormatError(SensorError):
    """A file that is not what it should be."""


class MissingExtraError(SensorError):
    """A library of an optional extra is needed and not installed."""
