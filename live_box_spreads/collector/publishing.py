"""How events reach those who subscribe to them, each in a thread of its own.

A subscriber that is slow, blocks or fails loses events of its own; it never delays the publisher
or another subscriber.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import structlog

from live_box_spreads.collector.report import error_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from live_box_spreads.collector.events import Event

MOST_WAITING = 16
"""So many events wait for a subscriber; a snapshot of 25,000 contracts takes about 4 MB."""

_log = structlog.get_logger(__name__)


class Subscriber(Protocol):
    """What receives events."""

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        ...

    @property
    def wants(self) -> Collection[type[Event]]:
        """The types of event that it receives; fixed for as long as it subscribes."""
        ...

    def receive(self, event: Event) -> None:
        """Take one event, in the order of publishing; always called in the same thread.

        What it raises is logged and counted, and the next event comes.
        """
        ...


@dataclass(frozen=True, slots=True)
class SubscriberHealth:
    """How the subscribers of one name are served.

    Attributes:
        waiting: events that wait to be received.
        dropped: events that were dropped because too many waited.
        failures: events at which ``receive`` raised.
    """

    waiting: int = 0
    dropped: int = 0
    failures: int = 0

    def __add__(self, other: SubscriberHealth) -> SubscriberHealth:
        """Return the sums."""
        return SubscriberHealth(
            self.waiting + other.waiting,
            self.dropped + other.dropped,
            self.failures + other.failures,
        )


class Publisher:
    """Hands events to subscribers without ever waiting for one. Safe to use from many threads."""

    def __init__(self) -> None:
        """Start without subscribers."""
        self._subscriptions: tuple[Subscription, ...] = ()  # replaced, never changed
        self._ended: dict[str, SubscriberHealth] = {}
        self._lock = threading.Lock()

    def subscribe(
        self, subscriber: Subscriber, *, most_waiting: int = MOST_WAITING
    ) -> Subscription:
        """Start to deliver events to a subscriber, beginning with the next one.

        Args:
            subscriber: what receives them.
            most_waiting: when more events than this wait, the oldest are dropped.

        Returns:
            The subscription; close it, or leave its ``with`` block, to end it.
        """
        subscription = Subscription(self, subscriber, most_waiting)
        with self._lock:
            self._subscriptions += (subscription,)
        return subscription

    def wants(self, kind: type[Event]) -> bool:
        """Return whether a type of event has a subscriber."""
        return any(kind in subscription.wants for subscription in self._subscriptions)

    def publish(self, event: Event) -> None:
        """Queue an event for all who want it; never waits and never raises because of one."""
        for subscription in self._subscriptions:
            if type(event) in subscription.wants:
                subscription.put(event)

    def health(self) -> dict[str, SubscriberHealth]:
        """Return how subscribers are served, by name; with the counts of those that have ended."""
        with self._lock:
            found = dict(self._ended)
            for subscription in self._subscriptions:
                earlier = found.get(subscription.name, SubscriberHealth())
                found[subscription.name] = earlier + subscription.health()
        return found

    def close(self, timeout_secs: float = 5.0) -> None:
        """End all subscriptions once what waits is delivered; leave behind what takes too long.

        Args:
            timeout_secs: the longest wait for all of them together.
        """
        deadline = time.monotonic() + timeout_secs
        subscriptions = self._subscriptions
        for subscription in subscriptions:  # first all of them, so that none waits for another
            subscription.accept_no_more()
        for subscription in subscriptions:
            subscription.finish(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        """Return this publisher."""
        return self

    def __exit__(self, *_exc_info: object) -> None:
        """Close it."""
        self.close()

    def forget(self, subscription: Subscription) -> None:
        """Deliver nothing more to a subscription; called by itself when it is closed."""
        with self._lock:
            if subscription not in self._subscriptions:
                return
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
            before = self._ended.get(subscription.name, SubscriberHealth())
            self._ended[subscription.name] = before + subscription.health()


class Subscription:
    """The queue and the thread of one subscriber."""

    def __init__(self, publisher: Publisher, subscriber: Subscriber, most_waiting: int) -> None:
        """Start the thread; see :meth:`Publisher.subscribe`."""
        self.name = subscriber.name
        self.wants = frozenset(subscriber.wants)
        self._publisher = publisher
        self._subscriber = subscriber
        self._most_waiting = most_waiting
        self._waiting: deque[Event] = deque()
        self._dropped = 0
        self._failures = 0
        self._kinds_logged: set[type[BaseException]] = set()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._deliver, name=f"subscriber {self.name}", daemon=True
        )
        self._thread.start()

    def put(self, event: Event) -> None:
        """Queue an event; drop the oldest ones where too many wait."""
        with self._changed:
            if self._closed:
                return
            first_loss = not self._dropped
            last = self._waiting[-1] if self._waiting else None
            if event.coalesces and type(last) is type(event):
                self._waiting[-1] = event.joined_to(last)
            else:
                self._waiting.append(event)
                self._drop_surplus()
            first_loss = first_loss and self._dropped > 0
            self._changed.notify()
        if first_loss:
            _log.warning("events_dropped", subscriber=self.name, waiting=self._most_waiting)

    def health(self) -> SubscriberHealth:
        """Return how this subscriber is served."""
        with self._changed:
            return SubscriberHealth(len(self._waiting), self._dropped, self._failures)

    def close(self) -> None:
        """End the subscription; what waits is dropped, and a call under way is not waited for."""
        with self._changed:
            self._closed = True
            self._drop_all()
            self._changed.notify()
        self._publisher.forget(self)

    def accept_no_more(self) -> None:
        """Queue no further event, and end the thread once what waits is delivered."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def finish(self, timeout_secs: float) -> None:
        """Wait for the end of the thread; drop what then still waits and leave the thread behind.

        Args:
            timeout_secs: the longest wait.
        """
        if self._thread is not threading.current_thread():
            self._thread.join(timeout_secs)
            if self._thread.is_alive():
                self._leave_behind()
        self._publisher.forget(self)

    def __enter__(self) -> Self:
        """Return this subscription."""
        return self

    def __exit__(self, *_exc_info: object) -> None:
        """Close it."""
        self.close()

    def _drop_surplus(self) -> None:
        """Drop the oldest events, each with the changes that follow it: the next has them all.

        Changes alone count for nothing, so that none of them takes the place of a snapshot.
        """
        surplus = sum(not event.coalesces for event in self._waiting) - self._most_waiting
        while surplus > 0:
            surplus -= not self._waiting.popleft().coalesces
            self._dropped += 1
            while surplus <= 0 and len(self._waiting) > 1 and self._waiting[0].coalesces:
                self._waiting.popleft()
                self._dropped += 1

    def _drop_all(self) -> None:
        self._dropped += len(self._waiting)
        self._waiting.clear()

    def _leave_behind(self) -> None:
        with self._changed:
            waiting = len(self._waiting)
            self._drop_all()
        _log.warning("subscriber_left_behind", subscriber=self.name, waiting=waiting)

    def _deliver(self) -> None:
        while (event := self._next()) is not None:
            try:
                self._subscriber.receive(event)
            except BaseException as error:  # noqa: BLE001 # not even an exit ends the deliveries
                self._note_failure(error)

    def _next(self) -> Event | None:
        """Wait for an event; None once the subscription is closed and nothing waits."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            return self._waiting.popleft()

    def _note_failure(self, error: BaseException) -> None:
        with self._changed:
            self._failures += 1
            is_new = type(error) not in self._kinds_logged
            self._kinds_logged.add(type(error))
        if is_new:
            _log.warning("subscriber_failed", subscriber=self.name, error=error_text(error))
