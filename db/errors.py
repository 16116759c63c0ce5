"""The errors of storage. Each says when it occurs; its message names the remedy in one line.

StoreError
 ├── DatabaseUnavailable    the database cannot be opened or spoken to
 │    ├── DatabaseBusy      another program holds the lock, or every connection is taken
 │    ├── DatabaseFull      the disk has no room for what should be kept
 │    └── DatabaseDamaged   the file is no database, or no whole one
 ├── DatabaseTooNew         a newer release has already changed the database
 ├── EmptyImport            a complete catalogue import holds no product
 ├── WithdrawalTooLarge     a complete import would withdraw too much of the catalogue
 ├── UnknownConversation    the conversation was erased, or never was
 ├── MessageAlreadyAnswered the client's message id has a reply in this conversation
 ├── UnknownTurn            the turn was erased, or never was
 ├── NameTaken              an account of this name exists
 ├── UnknownUser            no account of this name exists
 ├── LastAdmin              the shop would be left without an admin
 ├── TakenByAnother         another agent speaks in this conversation
 └── UnknownVersion         there is no such model version, or none before it
"""

from __future__ import annotations


class StoreError(Exception):
    """Anything that storage refuses; printed as one line."""


class DatabaseUnavailable(StoreError):
    """The URL is unusable, the driver is missing, or the database does not answer.

    `kind` names it for programs and `told` for strangers, who need not learn where the database
    is; `retry_after` is in how many seconds it may be over, None where only the owner can mend it.
    """

    kind = "database-unavailable"
    told = "The shop's records do not answer just now."
    retry_after: int | None = 10


class DatabaseBusy(DatabaseUnavailable):
    """Another program holds the write lock longer than is waited, or no connection is free."""

    kind = "database-busy"
    told = "The shop's records are locked by other work just now."
    retry_after = 5


class DatabaseFull(DatabaseUnavailable):
    """The disk, or the database's share of it, is full; nothing of the transaction was kept."""

    kind = "disk-full"
    told = "The shop has no room to keep the conversation."
    retry_after = 60


class DatabaseDamaged(DatabaseUnavailable):
    """The file is not a database, or parts of it are missing or overwritten."""

    kind = "database-damaged"
    told = "The shop's records cannot be read."
    retry_after = None


class DatabaseTooNew(StoreError):
    """The database holds a schema revision that this release does not know."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database was last used by a newer shopbot (revision {revision}): "
            "upgrade shopbot, or restore a backup that was made with this release"
        )


class EmptyImport(StoreError):
    """A complete import holds no usable product; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "the import holds no usable product and nothing was changed: "
            "check the feed's path and format, or pass --partial"
        )


class WithdrawalTooLarge(StoreError):
    """An import would withdraw more of the active products than may go unasked."""

    def __init__(self, *, withdrawn: int, active: int) -> None:
        self.withdrawn = withdrawn
        self.active = active
        super().__init__(
            f"the import would withdraw {withdrawn} of {active} active products and nothing was "
            "changed: pass --yes if that is meant, or --partial if the feed is not the whole shop"
        )


class UnknownConversation(StoreError):
    """A turn was added to a conversation that does not exist (any more)."""

    def __init__(self, conversation_id: int) -> None:
        super().__init__(f"there is no conversation {conversation_id}: begin a new session")


class MessageAlreadyAnswered(StoreError):
    """Two turns of one conversation carry the same client message id; the first one stands."""

    def __init__(self, client_message_id: str) -> None:
        self.client_message_id = client_message_id
        super().__init__("this message has a reply already: read it with reply_to()")


class UnknownTurn(StoreError):
    """A review of a turn that does not exist (any more)."""

    def __init__(self, turn_id: int) -> None:
        super().__init__(f"there is no turn {turn_id}: it may have been erased")


class NameTaken(StoreError):
    """Two accounts cannot have one name, however it is capitalised."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an account {name!r} already: choose another name")


class UnknownUser(StoreError):
    """No account has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no account {name!r}: `shopbot users list` names them")


class LastAdmin(StoreError):
    """The last active admin cannot be demoted or closed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is the last admin: make another one first")


class TakenByAnother(StoreError):
    """One agent speaks in a conversation at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} speaks in this conversation: ask them to hand it back")


class UnknownVersion(StoreError):
    """A model version that is not registered, or a rollback with nothing to go back to."""
