"""What can go wrong between a model file and us. Messages state both sides and never a health value."""


class ModelError(Exception):
    """The model file did wrong."""


class CardError(ModelError):
    """A card that is not what a card must be."""


class CardMismatchError(ModelError):
    """Weights that are not the ones their card describes."""


class RuntimeMissingError(ModelError):
    """No interpreter of TFLite is installed."""
