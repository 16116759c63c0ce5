"""What Prometheus is told: counts and durations, never words. Knows nothing about HTTP."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.turn import Reply
from bot.web.service import Readiness

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Metrics:
    """The figures of one app, in a registry of its own so that apps do not share counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._turns = Counter(
            "shopbot_turns", "Replies shown.", ["language", "intent"], registry=self._registry
        )
        self._fallbacks = Counter(
            "shopbot_fallbacks",
            "Replies in which the plain fallback spoke.",
            registry=self._registry,
        )
        self._handoffs = Counter(
            "shopbot_handoffs", "Replies that hand over to a person.", registry=self._registry
        )
        self._failures = Counter(
            "shopbot_failures", "Messages not answered.", ["kind"], registry=self._registry
        )
        self._feedback = Counter(
            "shopbot_feedback", "Thumbs of shoppers.", ["score"], registry=self._registry
        )
        self._stages = Histogram(
            "shopbot_stage_seconds",
            "Time one stage of a turn took.",
            ["stage"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._ready = Gauge(
            "shopbot_ready", "1 while the shop can answer.", registry=self._registry
        )
        self._resting = Gauge(
            "shopbot_generator_resting",
            "1 while plain sentences speak because the generator fails or cannot be loaded.",
            registry=self._registry,
        )
        self._feed_age = Gauge(
            "shopbot_feed_age_seconds", "Age of the last import.", registry=self._registry
        )
        self._feed_stale = Gauge(
            "shopbot_feed_stale",
            "1 while the feed is older than it may be.",
            registry=self._registry,
        )

    def answered(self, reply: Reply) -> None:
        intent = reply.intents[0] if reply.intents else "unclear"
        self._turns.labels(reply.language, intent).inc()
        if reply.fallback:
            self._fallbacks.inc()
        if reply.handoff:
            self._handoffs.inc()
        for stage, milliseconds in reply.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000.0)

    def failed(self, kind: str) -> None:
        self._failures.labels(kind).inc()

    def feedback(self, score: int) -> None:
        self._feedback.labels("up" if score > 0 else "down").inc()

    def text(self, readiness: Readiness) -> bytes:
        """Returns the Prometheus exposition text."""
        self._ready.set(float(readiness.ready))
        self._resting.set(float(readiness.generator_resting))
        self._feed_stale.set(float(readiness.feed_stale))
        if readiness.feed_age_seconds is not None:
            self._feed_age.set(readiness.feed_age_seconds)
        return generate_latest(self._registry)
