"""What can go wrong between a model file and us. Messages state both sides and never a health value."""


class ModelError(Exception):
    """The model file did wrong."""


class CardMismatchError(ModelError):
    """Weights that are not the ones their card describes."""
