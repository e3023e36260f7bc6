"""fit: find the number of training images at which a text-to-image model begins to imitate a concept."""

__version__ = "0.1.0"
