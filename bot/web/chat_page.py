"""The Gradio chat page: a view that turns events of the browser into calls on the shop.

No state lives here or in Gradio. What the page shows is drawn from the reply or from the stored
transcript, and each event carries all it needs.

**Who chooses the session.** Nothing a browser can set does. A session id is made by the shop (at
least 128 random bits) and reaches the browser only inside a token signed with the home's secret;
the browser keeps the token in its own storage and hands it back with each event. A value that
is not such a token opens nothing, an id that the shop never issued or has erased opens nothing,
and a turn is only rated if it belongs to the token's own conversation. There is no list of
sessions, no index into one, and no component that holds an id.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from bot.errors import MessageError, NotReadyError, SessionUnknownError, ShopbotError
from bot.turn import ChatRequest, Language
from bot.web import chat_render as render
from bot.web.limits import Client, RateLimitedError, client_of
from bot.web.payload import reply_payload
from bot.web.problems import log_failure
from bot.web.service import Presence, TranscriptEntry, WebSettings
from bot.web.turns import Answered, Desk, Failed, Stage, pieces
from db.errors import DatabaseUnavailable, StoreError, UnknownConversation

logger = logging.getLogger(__name__)

Data = dict[str, Any]
MAX_STEPS = 24  # how many pieces a reply is unrolled in
HISTORY = 60  # the newest messages of a transcript that a page shows

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The names in quotes are the events that the script may raise; Gradio reads them from here.
_START = "window.shopbotChat.start(element, props, trigger, watch, ['open', 'send', 'rate', 'wipe', 'look'])"


def sign(session_id: str, *, secret: bytes) -> str:
    """Returns the token that proves this shop gave the browser this session id."""
    mark = hmac.new(secret, b"shopbot-page:" + session_id.encode(), hashlib.sha256).hexdigest()
    return f"{session_id}.{mark}"


def opened(token: object, *, secret: bytes) -> str | None:
    """Returns the session id of a token that `sign` made with this secret, else None."""
    if not isinstance(token, str) or len(token) > 400 or not token.isascii():
        return None
    session_id = token.rpartition(".")[0]
    genuine = session_id and hmac.compare_digest(sign(session_id, secret=secret), token)
    return session_id if genuine else None


class ChatPage:
    """Answers the page's five events. Every value that comes from a browser is checked here."""

    def __init__(
        self, desk: Desk, settings: WebSettings, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._pause = pause

    def open(self, data: Data) -> Data:
        """Draws the frame in the browser's language, and the conversation of its token if any."""
        language = self._language(data)
        update: Data = {
            "kind": "opened",
            "language": language,
            "chrome": render.chrome(language, shop_name=self._settings.shop_name),
            "accent": self._settings.accent,
            "max_chars": self._settings.max_message_chars,
            "consent": self._settings.training_default,
            "token": "",
            "turns": [],
            "heard": 0,
        }
        session_id = opened(data.get("token"), secret=self._settings.secret)
        if session_id:
            try:
                transcript = self._desk.service.transcript(session_id)
            except SessionUnknownError:
                transcript = ()
            except StoreError as error:
                log_failure(error)
                return _stamped(update | {"token": data["token"], "turns": [_unread(language)]})
            if transcript:
                update["token"] = data["token"]
                update["heard"] = max(entry.message_id or 0 for entry in transcript)
                update["turns"] = [
                    {
                        "key": _key_of(entry, position),
                        "html": render.entry_html(entry, language=language),
                    }
                    for position, entry in enumerate(transcript[-HISTORY:])
                ]
        if not update["turns"]:
            greeting = self._desk.service.greeting(language)
            update["turns"] = [
                {"key": "greeting", "html": render.greeting_html(greeting, language=language)}
            ]
        return _stamped(update)

    def send(self, data: Data, client: Client) -> Iterator[Data]:
        """Answers a message; yields the turn as it grows. Each update holds the whole turn."""
        language = self._language(data)
        key = data.get("key")
        if not (isinstance(key, str) and _KEY.fullmatch(key)):
            key = secrets.token_hex(16)
        message = data.get("message")
        # Halves of characters can be spelled in JSON; they are no text and are dropped.
        text = message.encode("utf-8", "ignore").decode() if isinstance(message, str) else ""
        said = render.shopper_html(text, language=language)

        def turn(state: str, html: str, **more: Any) -> Data:
            return _stamped(
                {"kind": "turn", "key": key, "state": state, "html": said + html} | more
            )

        session_id = opened(data.get("token"), secret=self._settings.secret)
        consent = data.get("consent")
        request = ChatRequest(
            message=text,
            session_id=session_id,
            locale=language,
            training_consent=consent if isinstance(consent, bool) else None,
            client_message_id=key,
        )
        try:
            self._desk.admit(client, session_id=session_id)
        except RateLimitedError as error:
            yield turn("failed", self._failure(error, language))
            return
        stage = "understand"
        yield turn("stage", render.stage_html(stage, language=language))
        for event in self._desk.watch(request):
            if isinstance(event, Answered):
                payload = reply_payload(event.reply)
                token = sign(event.reply.session_id, secret=self._settings.secret)
                for beginning in self._unrolled(payload["reply"]):
                    html = render.partial_html(beginning, language=payload["language"])
                    yield turn("text", html, token=token)
                yield turn(
                    "done",
                    render.reply_html(payload),
                    token=token,
                    spoken=render.spoken(payload),
                    watch=payload["handoff"],
                )
            elif isinstance(event, Failed):
                ended = isinstance(event.error, SessionUnknownError | UnknownConversation)
                gone = {"token": ""} if ended else {}
                yield turn("failed", self._failure(event.error, language), **gone)
            else:
                stage = event.name if isinstance(event, Stage) else stage
                yield turn("stage", render.stage_html(stage, language=language))

    def look(self, data: Data) -> Data:
        """Tells who is there beside the bot, and what persons wrote behind the message `after`."""
        session_id = opened(data.get("token"), secret=self._settings.secret)
        after = data.get("after")
        known = session_id and type(after) is int and 0 <= after <= 2**53
        update: Data = {"said": [], "watch": False, "status": "", "spoken": ""}
        if not (session_id and known):
            return _stamped(update)
        language = self._language(data)
        try:
            presence = self._desk.service.presence(session_id, after=int(str(after)))
        except SessionUnknownError:
            return _stamped(update)
        except StoreError as error:  # the page asks again, and leaves what it says as it is
            log_failure(error)
            return _stamped(update | {"watch": True, "status": None})
        return _stamped(
            update
            | self._there(presence, language)
            | {
                "said": [
                    {
                        "key": _key_of(entry, 0),
                        "number": entry.message_id,
                        "html": render.entry_html(entry, language=language),
                    }
                    for entry in presence.said
                ],
                "spoken": " ".join(f"{entry.speaker}: {entry.text}" for entry in presence.said),
            }
        )

    def _there(self, presence: Presence, language: Language) -> Data:
        chrome = render.words(language).chrome
        status = chrome["awaited"] if presence.awaited else ""
        if presence.speaker:
            status = render.fill(chrome["with_person"], name=presence.speaker)
        return {"watch": bool(presence.speaker or presence.awaited), "status": status}

    def rate(self, data: Data, client: Client) -> Data:
        """Stores a thumb on a turn of the token's own conversation."""
        turn_id, score = data.get("turn_id"), data.get("score")
        session_id = opened(data.get("token"), secret=self._settings.secret)
        stored = False
        if session_id and type(turn_id) is int and 0 <= turn_id <= 2**53 and score in (1, -1):
            try:
                self._desk.admit(client)
                self._desk.feedback(
                    turn_id=turn_id,
                    session_id=session_id,
                    score=int(score),
                    reason=None,
                    comment=None,
                )
                stored = True
            except (ShopbotError, StoreError) as error:
                log_failure(error)
                logger.info("a thumb was refused: %s", type(error).__name__)
        thanks = render.words(self._language(data)).reply["thanks" if stored else "failed"]
        return _stamped({"turn_id": turn_id, "stored": stored, "score": score, "spoken": thanks})

    def wipe(self, data: Data, client: Client) -> Data:
        """Erases the token's conversation from the shop, then opens an empty one."""
        session_id = opened(data.get("token"), secret=self._settings.secret)
        if session_id:
            try:
                self._desk.admit(client)
                self._desk.service.erase(session_id)
            except SessionUnknownError:
                pass  # already gone, which is what was asked
            except RateLimitedError:
                return self.open(data)
            except StoreError as error:  # it is not gone, and must not be said to be
                log_failure(error)
                failed = render.words(self._language(data)).reply["not_erased"]
                return self.open(data) | {"spoken": failed}
        language = self._language(data)
        erased = render.words(language).chrome["erased"]
        return self.open(data | {"token": ""}) | {"spoken": erased}

    def _language(self, data: Data) -> Language:
        wanted = str(data.get("language") or "").lower()
        if wanted.startswith("zh"):
            return "zh"
        return "en" if wanted.startswith("en") else self._settings.language

    def _unrolled(self, text: str) -> Iterator[str]:
        parts = pieces(text)
        step = max(1, -(-len(parts) // MAX_STEPS))
        ends = range(step, len(parts), step)
        for end in ends:
            yield "".join(parts[:end])
            self._pause(self._settings.reveal_seconds / MAX_STEPS)

    def _failure(self, error: Exception, language: Language) -> str:
        words = render.words(language).reply
        log_failure(error)
        if isinstance(error, RateLimitedError):
            text = render.fill(words["busy"], seconds=error.retry_after)
        elif isinstance(error, MessageError):
            text = words["too_long"]
        elif isinstance(error, SessionUnknownError | UnknownConversation):
            text = words["gone"]
        elif isinstance(error, DatabaseUnavailable):
            text = words["out_of_order"]
        else:
            text = words["not_ready" if isinstance(error, NotReadyError) else "failed"]
        return render.failure_html(text, language=language)


def _unread(language: Language) -> Data:
    """The turn in place of a conversation that cannot be read: that it is kept is said."""
    text = render.words(language).reply["unread"]
    return {"key": "unread", "html": render.failure_html(text, language=language, act="reopen")}


def _key_of(entry: TranscriptEntry, position: int) -> str:
    """What a message is known by in the page: a person's is told twice, on opening and on looking."""
    if entry.message_id is not None:
        return f"agent-{entry.message_id}"
    return f"{entry.turn_id}-{entry.role}-{position}"


def _stamped(update: Data) -> Data:
    """Makes every update differ from the one before, or the browser would not be told of it."""
    return update | {"stamp": secrets.token_hex(4)}


def _data(event: gr.EventData) -> Data:
    data = getattr(event, "_data", None)
    return data if isinstance(data, dict) else {}


def _client(request: gr.Request) -> Client:
    host = request.client.host if request.client else None
    return client_of(host, dict(request.headers))


def build_blocks(page: ChatPage, settings: WebSettings) -> Any:
    """Returns the Blocks: one HTML component that shows the page and raises its five events."""

    def on_open(event: gr.EventData) -> Data:
        return page.open(_data(event))

    def on_send(event: gr.EventData, request: gr.Request) -> Iterator[Data]:
        yield from page.send(_data(event), _client(request))

    def on_rate(event: gr.EventData, request: gr.Request) -> Any:
        return gr.update(rated=page.rate(_data(event), _client(request)))

    def on_look(event: gr.EventData) -> Any:
        return gr.update(there=page.look(_data(event)))

    def on_wipe(event: gr.EventData, request: gr.Request) -> Data:
        return page.wipe(_data(event), _client(request))

    shell = (render.HERE / "templates" / "shell.html").read_text(encoding="utf-8")
    with gr.Blocks(title=settings.shop_name, analytics_enabled=False) as blocks:
        view = gr.HTML(
            value=None,
            html_template=shell,
            js_on_load=_START,
            apply_default_css=False,
            elem_id="shopbot-view",
            rated=None,
            there=None,
        )
        quiet: dict[str, Any] = {
            "inputs": None,
            "outputs": view,
            "api_visibility": "private",
            "show_progress": "hidden",
            "trigger_mode": "multiple",
        }
        # A browser has one stream for what is queued, and Gradio closes it behind the last event: one
        # that is raised at that moment is never heard of. So only what streams is queued.
        view.send(on_send, queue=True, **quiet)
        view.open(on_open, queue=False, **quiet)
        view.rate(on_rate, queue=False, **quiet)
        view.look(on_look, queue=False, **quiet)
        view.wipe(on_wipe, queue=False, **quiet)
    blocks.queue(api_open=False, max_size=64, default_concurrency_limit=settings.concurrent_turns)
    return blocks
