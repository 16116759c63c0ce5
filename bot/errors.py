"""The error tree of the bot. Each error says when it occurs and what to do.

ShopbotError
 ├── ConfigError       a setting is wrong; the message names the setting and the remedy
 ├── NotReadyError     something has to be built first; the message names the command
 ├── GeneratorError    a generator could not answer; the plain fallback speaks
 ├── MessageError      a message is blank or over-long; send another
 ├── SessionUnknownError  no such conversation, or it was erased; start a new one
 ├── TurnUnknownError  the conversation has no such turn
 ├── AccountError      a name or password of the desk is refused; the message says what would do
 ├── NotAllowedError   the account's role may not do that; ask a lead or an admin
 └── DeskError         what an agent asks for cannot be done so; the message says why
"""

from __future__ import annotations


class ShopbotError(Exception):
    """Anything the user can mend; printed as one line."""


class ConfigError(ShopbotError):
    """A setting is unknown or has a value that cannot be used."""


class NotReadyError(ShopbotError):
    """The shop has no catalogue or index yet, or they do not belong together."""


class GeneratorError(ShopbotError):
    """The model behind a generator is missing, broken or too slow."""


class UntaughtError(GeneratorError):
    """The model is older than an act or a slot, and was never taught it."""


class MessageError(ShopbotError):
    """A message is blank once cleaned, or longer than `chat.max_message_chars`."""


class SessionUnknownError(ShopbotError):
    """No conversation has this session id: it was never issued, or has been erased."""


class TurnUnknownError(ShopbotError):
    """The turn does not exist or belongs to another conversation."""


class AccountError(ShopbotError):
    """A name or password cannot be taken, or too many wrong ones were tried."""


class NotAllowedError(ShopbotError):
    """Nobody is signed in, or the account's role does not suffice."""


class DeskError(ShopbotError):
    """A form of the desk that cannot be carried out: a field is blank, over-long or not of its list."""
