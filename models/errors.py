"""What can go wrong between a model file and us. Messages state both sides and never a health value."""


class ModelError(Exception):
    """The model file did wrong."""


class CardError(ModelError):
    """A card that is not what a card must be."""


class CardMismatchError(ModelError):
    """Weights that are not the ones their card describes."""


class RuntimeMissingError(ModelError):
    """No interpreter of TFLite is installed."""


class BundleError(ModelError):
    """A file that is no bundle, or not one for this program."""


class TrustError(ModelError):
    """Signed by nobody who is trusted for it, or not signed, or taken back by who signed it."""


class GoldenError(ModelError):
    """Weights that do not say of their golden inputs what they said where they were made."""


class SlotError(ModelError):
    """The slots cannot do what was asked: nothing to promote, an older version, another process at work, damaged."""
