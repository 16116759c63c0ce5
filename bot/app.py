"""The composition root: the one place where concrete stores, encoders and generators are chosen.

`Shop` is one shop at work: it answers, stores, remembers and reloads its index when that changes.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.errors import (
    ConfigError,
    MessageError,
    NotReadyError,
    SessionUnknownError,
    TurnUnknownError,
)
from bot.freshness import Freshness
from bot.generators.guarded import GuardedGenerator
from bot.generators.plain import PlainGenerator
from bot.handoff import notice
from bot.live import is_first, presence, taken_turn, woven
from bot.notices import make_notifier
from bot.promises import Never
from bot.replies import Recorder, found_by, new_turn, stored_reply
from bot.retention import retain
from bot.sessions import SessionLocks
from bot.settings import Settings
from bot.snapshots import Snapshot, Snapshots
from bot.speaking import Speaker
from bot.state import DialogState
from bot.turn import Card, ChatRequest, Language, Reply
from bot.understanding.redaction import redact, visible
from bot.unkept import Unkept
from bot.web.service import Limits, Presence, Readiness, Transcript, TranscriptEntry, WebSettings
from db.errors import DatabaseUnavailable, StoreError
from retrieval.values import Filters, Query

if TYPE_CHECKING:
    from bot.desk.office import Office
    from bot.dialog import Dialog
    from bot.generators.base import Generator
    from bot.phraser import Phraser
    from bot.syncing import Sync
    from db.catalog import CatalogStore
    from db.conversations import Conversation
    from db.engine import Database
    from db.models import ModelVersion, ModelVersionStore
    from retrieval.embedders import Embedder

log = logging.getLogger(__name__)

SESSION_BYTES = 24  # 192 random bits: the session id is a capability


class Shop:
    """One shop, answering. Safe to call from several threads."""

    def __init__(self, settings: Settings, *, generator: Generator | None = None) -> None:
        from db.catalog import CatalogStore
        from db.conversations import ConversationStore
        from db.desk import DeskStore
        from db.models import ModelVersionStore
        from db.orders import OrderStore
        from db.proofs import ProofStore
        from db.requests import RequestStore
        from retrieval.answering import AnswerScorer
        from retrieval.store import IndexStore

        self.settings = settings
        self.shop_name = settings.shop.name
        self._languages = settings.shop.languages
        self._now = settings.clock()
        self._database = open_store(settings)
        self.catalog = CatalogStore(self._database)
        self.orders = OrderStore(self._database)
        self.conversations = ConversationStore(self._database)
        self.requests = RequestStore(self._database)
        self.desk = DeskStore(self._database)
        self._proofs = ProofStore(self._database)
        self._secret = settings.secret()
        self._notifier = make_notifier(settings.handoff)
        versions = ModelVersionStore(self._database)
        self._speaker = Speaker(
            lambda: promoted_version(settings, versions),
            lambda version: _guarded(make_generator(settings, version), settings),
            given=generator and _guarded(generator, settings),
        )
        self._embedder = make_embedder(settings)
        self._reader = reader_of(settings, self._embedder)
        self._scorer = AnswerScorer()
        store = IndexStore(settings.index_folder, self._embedder)
        self._snapshots = Snapshots(store, lambda version: self._load(store, version))
        self._freshness = freshness_of(settings, self.catalog)
        self._sessions = SessionLocks()
        self._unkept = Unkept()

    def office(self) -> Office:
        """Returns the desk of this shop, which the console shows."""
        from bot.desk.office import office_of

        return office_of(self.settings, self._database)

    def close(self) -> None:
        """Sends the notices that wait and closes the database; the shop answers no more."""
        self._notifier.close()
        self._database.close()

    # -- answering --------------------------------------------------------------------------------
    def greeting(self, language: Language) -> str:
        """Returns the words that open an empty conversation, the shop's own where it has some; they
        are not stored."""
        from prompts.filling import fill
        from prompts.phrasing import phrasebook

        language = language if language in self._languages else self._languages[0]
        if own := getattr(self.settings.shop.greeting, language):
            return str(own)
        given = {"shop": self.shop_name} if self.shop_name else {}
        marked = phrasebook(language).plain("greet", given) or ""
        return fill(marked, given)

    def chat(self, request: ChatRequest, *, on_stage: Callable[[str], None] | None = None) -> Reply:
        """Answers one message; the reply is on disk when this returns.

        Raises SessionUnknownError, MessageError, NotReadyError, and StoreError where the turn could
        not be kept: then nothing was shown, and the same message may be sent again.
        """
        with self._unkept.watched():
            return self._chat(request, on_stage or (lambda _: None))

    def _chat(self, request: ChatRequest, on_stage: Callable[[str], None]) -> Reply:
        message = self._message(request.message)
        snapshot = self._current()
        now = self._now()
        session_id = request.session_id or secrets.token_urlsafe(SESSION_BYTES)
        with self._sessions.lock(session_id):
            conversation = self._conversation(request, session_id, now)
            if request.client_message_id:
                stored = self.conversations.reply_to(conversation.id, request.client_message_id)
                if stored is not None:
                    return stored_reply(stored.payload, session_id, stored.id)
            if name := self.desk.case(conversation.id).taken_by:
                return self._to_person(request, message, conversation, session_id, name, now)
            answer = snapshot.dialog.answer(
                message,
                state=DialogState.from_dict(conversation.state),
                locale=self._locale(request),
                session_id=session_id,
                now=now,
                requests=self._recorder(conversation.id, now),
                on_stage=on_stage,
            )
            turn = new_turn(request, answer)
            turn_id = self.conversations.add_turn(
                conversation.id,
                turn,
                words=found_by(turn.user_text, turn.reply_text),
                state=answer.state.as_dict(),
                handed_off=answer.state.handed_off,
                now=now,
                handoff=answer.trace["handoff"],
            )
            if answer.trace["handoff"]:
                self.desk.wait(conversation.id, now=now)
            called = answer.reply.request is not None and answer.reply.request.kind == "callback"
            if answer.trace["handoff"] and (called or not conversation.handed_off):
                self._notifier.notify(notice(answer.trace["handoff"], conversation.id))
            return replace(answer.reply, turn_id=turn_id)

    def _to_person(
        self,
        request: ChatRequest,
        message: str,
        conversation: Conversation,
        session_id: str,
        name: str,
        now: datetime,
    ) -> Reply:
        """Keeps a message for the person who speaks in the conversation."""
        first = is_first(self.conversations.turns(conversation.id), name)
        turn, reply = taken_turn(request, message, conversation, name=name, first=first)
        turn_id = self.conversations.add_turn(
            conversation.id,
            turn,
            words=found_by(turn.user_text, turn.reply_text),
            state=conversation.state,
            handed_off=True,
            now=now,
        )
        return replace(reply, session_id=session_id, turn_id=turn_id)

    def _locale(self, request: ChatRequest) -> str:
        """The language where the message does not tell, one that the shop speaks."""
        spoken = request.locale in self._languages
        return request.locale if request.locale and spoken else self.settings.shop.locale

    def _recorder(self, conversation_id: int, now: datetime) -> Recorder:
        return Recorder(self.requests, conversation_id, now, secret=self._secret)

    def purge(self) -> int:
        """Deletes what is kept of people only for a while; returns of how many requests."""
        return retain(self._database, self.settings, now=self._now()).requests

    def _message(self, raw: str) -> str:
        if len(raw) > self.settings.chat.max_message_chars:
            raise MessageError(
                f"the message has {len(raw)} characters; {self.settings.chat.max_message_chars} are accepted"
            )
        message = visible(raw)
        if not message:
            raise MessageError("the message is blank; write something")
        return message

    def _conversation(self, request: ChatRequest, session_id: str, now: datetime) -> Conversation:
        consent = request.training_consent
        if request.session_id is not None:
            found = self.conversations.find(request.session_id)
            if found is None:
                raise SessionUnknownError(
                    "no such conversation; start a new one without session_id"
                )
            if consent is not None and consent != found.training_consent:
                self.conversations.set_training_consent(found.id, consent)
            return found
        return self.conversations.open(
            session_id,
            language=self._locale(request),
            customer_id=redact(request.customer_id).text[:120] if request.customer_id else None,
            training_consent=self.settings.privacy.training_default if consent is None else consent,
            now=now,
        )

    # -- what was said ----------------------------------------------------------------------------
    def feedback(
        self, *, turn_id: int, session_id: str, score: int, reason: str | None, comment: str | None
    ) -> None:
        """Stores a thumb on a turn of this conversation. Raises SessionUnknownError, TurnUnknownError."""
        conversation = self._known(session_id)
        stored = self.conversations.set_feedback(
            turn_id,
            conversation_id=conversation.id,
            score=score,
            reason=redact(visible(reason)).text if reason else None,
            comment=redact(visible(comment)).text if comment else None,
            now=self._now(),
        )
        if not stored:
            raise TurnUnknownError(f"this conversation has no turn {turn_id}")

    def transcript(self, session_id: str) -> Transcript:
        """Returns the conversation, oldest first. Raises SessionUnknownError."""
        conversation = self._known(session_id).id
        entries: list[TranscriptEntry] = []
        for turn in self.conversations.turns(conversation):
            thumb = self.conversations.feedback(turn.id)
            payload = {"session_id": session_id, "turn_id": turn.id} | turn.payload
            entries.append(TranscriptEntry("shopper", turn.user_text, turn.created_at, turn.id))
            entries.append(
                TranscriptEntry(
                    "bot", turn.reply_text, turn.created_at, turn.id, payload,
                    thumb.score if thumb else None,
                )
            )  # fmt: skip
        return woven(entries, self.desk.said(conversation))

    def presence(self, session_id: str, *, after: int = 0) -> Presence:
        """Returns who is there beside the bot, and what they wrote since. SessionUnknownError."""
        conversation = self._known(session_id).id
        said = self.desk.said(conversation, after=after)
        return presence(self.desk.case(conversation), said)

    def erase(self, session_id: str) -> int:
        """Erases the conversation, and the training sets that hold it, and says how many turns went.

        An answer that is under way is waited for, so that it is erased too. Raises SessionUnknownError.
        """
        from bot.erasure import delete_sets
        from db.exports import ExportStore

        with self._sessions.lock(session_id):
            conversation = self._known(session_id).id
            turns = self.conversations.erase(conversation)
        held = ExportStore(self._database).holding(conversation)
        delete_sets(held, self.settings.training_folder)
        return turns

    def _known(self, session_id: str) -> Conversation:
        found = self.conversations.find(session_id)
        if found is None:
            raise SessionUnknownError("no such conversation")
        return found

    # -- the index --------------------------------------------------------------------------------
    def search(self, *, query: str, k: int, filters: Filters, explain: bool) -> dict[str, Any]:
        """Returns `query`, `total`, `found` and `hits` as the HTTP contract draws them.

        `found` is false where the hits are the nearest there is and not what was asked. NotReadyError.
        """
        from bot.searching import search
        from bot.understanding.language import language_of

        snapshot = self._current()
        text = visible(query)
        language, _ = language_of(text, before=None, locale=self.settings.shop.locale)
        asked = Query(text, language, k, filters)
        return search(snapshot.catalogue, snapshot.searcher, asked, explain=explain)

    def showcase(self, count: int) -> tuple[Card, ...]:
        """Returns cards of at most `count` products, of different kinds. Raises NotReadyError."""
        from bot.searching import showcase

        return showcase(self._current().catalogue, count)

    @property
    def dialog(self) -> Dialog:
        """What answers at present, over the index on disk. Raises NotReadyError."""
        return self._current().dialog

    def readiness(self) -> Readiness:
        """Tells whether the shop can answer, and what mends it where it cannot.

        A shop that answers may have reasons too: what an owner should mend before it does harm.
        """
        most = self.settings.feed.max_age
        readiness = Readiness(True, feed_max_age_seconds=most.total_seconds() if most else None)
        try:
            imported = self.catalog.imported_at()
            age = (self._now() - imported).total_seconds() if imported else None
            readiness = replace(readiness, feed_age_seconds=age)
            self._current()
        except NotReadyError as error:
            return replace(readiness, ready=False, reasons=(str(error),))
        except DatabaseUnavailable as error:
            return replace(readiness, ready=False, reasons=(f"{error.told} The log says why.",))
        if failure := self._unkept.lately():
            reasons: tuple[str, ...] = (f"{failure} The log says why.",)
            return replace(readiness, ready=False, reasons=reasons)
        reasons = tuple(filter(None, [self._snapshots.trouble, self._speaker.trouble]))
        return replace(readiness, reasons=reasons, generator_resting=not self._speaker.speaks)

    def sync(self) -> None:
        """Takes the feed over if it has changed, and what came of it up before a shopper asks.

        Raises SyncFailed and NotReadyError."""
        make_sync(self.settings, self._database, self._embedder).run()
        self._current()

    def take_up_promoted(self) -> None:
        """Lets the generator speak that was promoted or rolled back to since: turns that have begun end
        with the one before. For a thread beside the turns."""
        try:
            if self._speaker.take_up():
                phraser = self._phraser()
                self._snapshots.change(
                    lambda loaded: replace(loaded, dialog=loaded.dialog.spoken_by(phraser))
                )
        except StoreError as error:
            log.warning("what was promoted is looked up later: %s", error)

    def read_ahead(self, ended: Callable[[], bool]) -> int:
        """Encodes what product pages and rules say, so that no shopper waits for it; returns how many
        sentences. For a thread beside the turns: stops once `ended` says so."""
        try:
            return self._current().dialog.read_ahead(ended)
        except (NotReadyError, StoreError):
            return 0

    def warm(self) -> None:
        """Plays a few turns that nobody sees and nothing stores, so that no shopper waits for the
        encoder, the classifier's heads, the verifier's vocabulary or the generator to load; where
        there is no index yet, of the generator alone."""
        try:
            self._speaker.generator()
            dialog = self.dialog
        except (NotReadyError, StoreError):  # readiness tells
            return
        self._scorer.log_odds("does it float?", ["It floats."])
        for message in ("hello", "what is your return policy?", "do you have a gift?", "你好"):
            dialog.answer(
                message,
                state=DialogState(),
                locale=None,
                session_id="",
                now=self._now(),
                requests=self._recorder(0, self._now()),
            )

    def _current(self) -> Snapshot:
        return self._snapshots.current()

    def _load(self, store: Any, version: str) -> Snapshot:
        from bot.answers import Answerer
        from bot.catalogue import Catalogue
        from bot.dialog import Dialog
        from bot.policy import Desk
        from bot.recommend import Recommender
        from bot.understanding.intents import IntentClassifier
        from bot.understanding.understand import Understander

        searcher = store.open(self.catalog.digest())
        catalogue = Catalogue(self.catalog.products())
        secret = self._secret
        answerer = Answerer(
            catalogue=catalogue,
            searcher=searcher,
            encode=self._embedder.encode,
            scorer=self._scorer,
        )
        desk = Desk(
            shop_name=self.shop_name,
            contact=self.settings.shop.contact,
            catalogue=catalogue,
            recommender=Recommender(catalogue, searcher),
            answerer=answerer,
            orders=self.orders,
            attempts=self._proofs,
            secret=secret,
            most_products=self.settings.chat.max_products,
            hours=self.settings.shop.business_hours,
            topics=self.settings.handoff.topics,
            languages=self._languages,
            freshness=self._freshness,
        )
        understander = Understander(
            catalogue=catalogue,
            searcher=searcher,
            classifier=IntentClassifier(self._reader.encode),
            order_ids=self.orders.sample_ids(50),
            secret=secret,
            languages=self._languages,
        )
        currency = next((p.price.currency for p in catalogue.products.values() if p.price), "")
        dialog = Dialog(
            desk=desk, understander=understander, phraser=self._phraser(), currency=currency
        )
        return Snapshot(version, dialog, searcher, catalogue)

    def _phraser(self) -> Phraser:
        from bot.phraser import Phraser

        return Phraser(
            generator=self._speaker.generator(),
            plain=PlainGenerator(),
            k=self.settings.generator.candidates,
            tone=self.settings.generator.tone,
            never=Never(self.settings.chat.promise_never),
        )


def open_store(settings: Settings) -> Database:
    """Opens the shop's database and brings its schema up to date."""
    from db.engine import migrate, open_database

    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.url)
    migrate(database.engine)
    return database


def freshness_of(settings: Settings, catalog: CatalogStore) -> Freshness:
    """The feed's age as the settings judge it, by the days of the shop's own time zone."""
    hours = settings.shop.business_hours
    return Freshness(catalog.imported_at, settings.feed.max_age, hours.zone if hours else UTC)


def make_sync(
    settings: Settings,
    database: Database,
    embedder: Embedder,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Sync:
    """What takes the feed of the settings over and indexes it."""
    from bot.indexing import build_index
    from bot.syncing import Sync
    from db.catalog import CatalogStore
    from db.orders import OrderStore
    from retrieval.store import IndexStore, IndexUnusable

    catalog = CatalogStore(database)

    def refresh() -> bool:
        store = IndexStore(settings.index_folder, embedder)
        if not catalog.count():
            return False
        try:
            store.open(catalog.digest())
        except IndexUnusable:
            build_index(catalog, store, embedder, progress=progress)
            return True
        return False

    return Sync(settings, catalog=catalog, order_store=OrderStore(database), refresh=refresh)


def make_embedder(settings: Settings) -> Embedder:
    """The sentence encoder of the settings: bilingual, minilm, hashing or a folder.

    Raises ConfigError when the folder holds no encoder.
    """
    from pathlib import Path

    from retrieval.embedders import (
        BilingualEmbedder,
        ChineseEmbedder,
        HashingEmbedder,
        MiniLmEmbedder,
        SentenceTransformerEmbedder,
    )

    name, cache = settings.retrieval.encoder, settings.encoders_folder
    if name == "bilingual":
        return BilingualEmbedder(MiniLmEmbedder(cache=cache), ChineseEmbedder(cache=cache))
    if name == "minilm":
        return MiniLmEmbedder(cache=cache)
    if name == "hashing":
        return HashingEmbedder()
    try:
        return SentenceTransformerEmbedder(Path(name), cache=cache)
    except ValueError as error:
        raise ConfigError(f"SHOPBOT_RETRIEVAL__ENCODER: {error}") from None


def reader_of(settings: Settings, embedder: Embedder) -> Embedder:
    """The encoder that the intent head was fitted with, whichever one the search uses."""
    from retrieval.embedders import BilingualEmbedder, MiniLmEmbedder

    if isinstance(embedder, BilingualEmbedder):
        return embedder.english
    if isinstance(embedder, MiniLmEmbedder):
        return embedder
    return MiniLmEmbedder(cache=settings.encoders_folder)


def _guarded(generator: Generator, settings: Settings) -> Generator:
    """The generator as the shop asks it; plain sentences need no guard."""
    if isinstance(generator, PlainGenerator):
        return generator
    return GuardedGenerator(generator, seconds=settings.generator.seconds)


def promoted_version(settings: Settings, versions: ModelVersionStore) -> ModelVersion | None:
    """The promoted generator, where the settings leave the choice: plain and remote ones are theirs."""
    from bot.versions import KIND

    return versions.active(KIND) if settings.generator.kind == "gpt2" else None


def make_generator(settings: Settings, version: ModelVersion | None = None) -> Generator:
    """The generator of a version, or that of the settings. Raises ConfigError."""
    from pathlib import Path

    if settings.generator.kind == "plain":
        return PlainGenerator()
    if settings.generator.kind == "remote":
        from bot.generators.remote import RemoteGenerator

        return RemoteGenerator(
            settings.generator.remote_url,
            settings.generator.remote_model,
            api_key=settings.generator.remote_key.get_secret_value(),
            seconds=settings.generator.seconds,
        )
    folder = settings.home / version.path if version else Path(settings.generator.model)
    seconds = settings.generator.seconds
    if settings.generator.runtime == "ctranslate2":
        from bot.generators.ctranslate import CTranslateGenerator

        try:
            return CTranslateGenerator(
                folder,
                cache=settings.models_folder,
                seconds=seconds,
                workers=settings.generator.workers,
            )
        except (ConfigError, OSError) as error:
            log.warning("ctranslate2 does not serve, transformers takes its place: %s", error)
    from bot.generators.gpt2 import Gpt2Generator

    return Gpt2Generator(folder, seconds=seconds)


def web_settings(settings: Settings) -> WebSettings:
    """What the faces are told of the settings."""
    return WebSettings(
        secret=settings.secret(),
        shop_name=settings.shop.name or "Shop",
        language=settings.shop.locale,
        max_message_chars=settings.chat.max_message_chars,
        training_default=settings.privacy.training_default,
        frame_ancestors=settings.web.frame_ancestors,
        media_dir=settings.media_folder,
        limits=Limits(
            settings.limits.per_session_per_minute, settings.limits.per_client_per_minute
        ),
    )
