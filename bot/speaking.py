"""Which generator speaks: the version that was promoted, else the one that the settings name.

Another one is loaded whole before it takes over, and one that cannot be loaded changes nothing but what
is told. Knows nothing about how a generator is made or what a turn is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.generators.base import Generator
from bot.generators.guarded import GuardedGenerator
from bot.generators.plain import PlainGenerator

if TYPE_CHECKING:
    from db.models import ModelVersion

log = logging.getLogger(__name__)

Which = (
    tuple[str, str] | None
)  # name and version of a promoted generator; None is the settings' own


class Speaker:
    """The generator of a shop at work. `take_up` is for one thread, the rest for any."""

    def __init__(
        self,
        promoted: Callable[[], ModelVersion | None],
        load: Callable[[ModelVersion | None], Generator],
        *,
        given: Generator | None = None,
    ) -> None:
        """`load` makes the generator of a version, or of the settings for None. `given` speaks
        whatever was promoted."""
        self._promoted = promoted
        self._load = load
        self._fixed = given is not None
        self._generator = given
        self._which: Which = None
        self._refused: Which = None  # a version that could not be loaded
        self._reason = ""  # why another speaks than should

    def generator(self) -> Generator:
        """The generator that speaks at present; the first call loads it. Raises StoreError."""
        if self._generator is None:
            version = self._promoted()
            try:
                self._generator, self._which = self._load(version), _which(version)
            except Exception as error:  # whatever the libraries make of a broken folder
                self._refuse(version, error)
                self._generator = self._instead(version)
        return self._generator

    def take_up(self) -> bool:
        """Loads what was promoted or rolled back to since; returns whether another speaks from now on.

        What cannot be loaded is told, and the one before goes on. Raises StoreError.
        """
        if self._fixed:
            return False
        before = self.generator()
        version = self._promoted()
        which = _which(version)
        if which == self._which:
            self._refused, self._reason = None, "" if self.speaks else self._reason
            return False
        if which is not None and which == self._refused:
            return False
        try:
            self._generator = self._load(version)
        except Exception as error:  # whatever the libraries make of a broken folder
            self._refuse(version, error)
            return False
        self._which, self._refused, self._reason = which, None, ""
        log.info(
            "another generator speaks: %s %s after %s %s",
            self._generator.name, self._generator.version, before.name, before.version,
        )  # fmt: skip
        return True

    @property
    def speaks(self) -> bool:
        """Whether a generator speaks that was asked for, and not plain sentences in its place."""
        if isinstance(self._generator, GuardedGenerator):
            return not self._generator.trouble
        return not (isinstance(self._generator, PlainGenerator) and self._reason)

    @property
    def trouble(self) -> str:
        """Why another speaks than should, "" where none does."""
        if isinstance(self._generator, GuardedGenerator) and self._generator.trouble:
            return self._generator.trouble
        return self._reason

    def _instead(self, version: ModelVersion | None) -> Generator:
        """The generator of the settings where a promoted one cannot be loaded, else plain sentences."""
        if version is not None:
            try:
                return self._load(None)
            except Exception as error:  # as above
                self._refuse(None, error)
        return PlainGenerator()

    def _refuse(self, version: ModelVersion | None, error: Exception) -> None:
        told = str(error) if isinstance(error, ConfigError) else type(error).__name__
        if version is None:
            self._reason = f"no generator ({told}); plain sentences speak until a restart"
        else:
            self._refused = _which(version)
            self._reason = (
                f"the promoted generator {version.name} {version.version} cannot be loaded ({told}); "
                "another speaks: copy its folder back, or run `shopbot models rollback`"
            )
        log.error("%s", self._reason)


def _which(version: ModelVersion | None) -> Which:
    return None if version is None else (version.name, version.version)
