"""What diffusers and transformers would print: kept off stderr, which is ours, and handed over."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType

_COLOUR = re.compile(r"\x1b\[\d+m")


class _Collector(logging.Handler):
    """Keeps messages as plain text."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.messages.append(_COLOUR.sub("", record.getMessage()))


@contextmanager
def quiet(bars: bool = False) -> Iterator[list[str]]:
    """Silence progress bars, warnings and hints; all of it is as before afterwards.

    Args:
        bars: Leave the progress bars, for long downloads.

    Yields:
        The libraries' log messages so far, growing. They tell what a loader passed over in silence.
    """
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    collector = _Collector()
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, library in (("diffusers", diffusers_logging), ("transformers", transformers_logging)):
            stack.enter_context(_redirected(name, library, collector, bars))
        yield collector.messages


@contextmanager
def _redirected(
    name: str, library: ModuleType, collector: logging.Handler, keep_bars: bool
) -> Iterator[None]:
    level = library.get_verbosity()  # this makes the logger
    bars = library.is_progress_bar_enabled() and not keep_bars
    logger = logging.getLogger(name)
    handlers, propagate = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [collector], False
    library.set_verbosity_warning()
    if bars:
        library.disable_progress_bar()
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        library.set_verbosity(level)
        if bars:
            library.enable_progress_bar()
