"""The command ``fit``: parsing, one call of the library, printing.

Errors end here: whatever a user causes is one line on stderr and an exit code of CONTRACT.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import typer

from concepts.errors import FitError

LONGEST = 4000
"""Characters of a message that are shown: it may quote a file that somebody else has made."""

INTERRUPTED = 130
INTERNAL = 70  # EX_SOFTWARE of sysexits.h: a mistake of this program, none of the contract's situations


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; every error has been printed as one line."""
    from fit.cli.app import command

    try:
        result = command()(args=list(arguments) or ["--help"], prog_name="fit", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # typer leaves by SystemExit here, and only for a broken pipe
        # The reader has what it wanted (`| head`); without this the interpreter complains on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except Exception as error:  # noqa: BLE001 (the edge: a bug is told in one line as well)
        return _tell(error)
    code = result if isinstance(result, int) else 0
    return _interrupted() if code == INTERRUPTED else code  # typer turns Ctrl-C into this code


def _tell(error: Exception) -> int:
    """Print an error as one line and return its exit code."""
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "fit"
        return _fail(f"{error.format_message().rstrip('.')} (see {where} --help)", error.exit_code)
    if isinstance(error, FitError):
        return _fail(str(error), error.exit_code)
    if isinstance(error, OSError):
        return _fail(f"{error.filename or 'input or output'}: {error.strerror or error}", FitError.exit_code)
    return _internal(error)


def _interrupted() -> int:
    return _fail("interrupted; what is done is kept, run the same command again to go on", INTERRUPTED)


def _fail(message: str, code: int) -> int:
    from corpus.sources.places import redact
    from fit.report.names import shown

    print(f"error: {shown(redact(message), LONGEST)}", file=sys.stderr)
    return code


def _internal(error: Exception) -> int:
    """Tell of a mistake of this program: the traceback goes to a file, or to stderr with FIT_DEBUG=1."""
    from corpus.sources.places import redact

    if os.environ.get("FIT_DEBUG"):
        traceback.print_exception(error)
        return INTERNAL
    with tempfile.NamedTemporaryFile("w", prefix="fit-error-", suffix=".log", delete=False) as log:
        log.write(redact("".join(traceback.format_exception(error))))
    what = f"{type(error).__name__}: {error}"
    return _fail(f"internal error, please report it with {log.name}: {what}", INTERNAL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
