"""The uplink over a network that cuts, repeats, loses and delays: complete, in order, and never stuck."""

from collections import deque

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hallserver.link.uplink import ACK_SECONDS, LinkFaultError, LinkState, Uplink
from hallserver.store.batch import StoredEvent, Tip
from qingting.contract.link import (
    GENESIS,
    MAX_FRAME_BYTES,
    MAX_FRAME_EVENTS,
    Ack,
    Events,
    Nack,
    Welcome,
    chain_hash,
)

EPOCH = 7


def grow(log: list[StoredEvent], count: int, padding: int = 0, salt: str = "") -> None:
    """Appends ``count`` chained events."""
    for _ in range(count):
        seq = len(log) + 1
        text = msgspec.json.encode({"s": seq, "at": 1000 + seq, "pad": "x" * padding, "salt": salt})
        previous = log[-1].hash if log else GENESIS
        log.append(StoredEvent(seq, text, chain_hash(previous, text)))


def tip(log: list[StoredEvent]) -> Tip:
    return Tip(log[-1].seq, log[-1].hash) if log else Tip()


def welcome(cursor: int, hash_at_cursor: str, credit: int = 4, **more: object) -> Welcome:
    base = Welcome(
        proto=1,
        session="s",
        cursor=cursor,
        hash_at_cursor=hash_at_cursor,
        credit=credit,
        verdict="resume",
    )
    return msgspec.structs.replace(base, **more)


class City:
    """What the contract asks of the city, and nothing else: one cursor, applied in order, or refused."""

    def __init__(self) -> None:
        self.cursor = Tip()
        self.applied: list[bytes] = []

    def take(self, frame: Events) -> Ack | Nack:
        if frame.first > self.cursor.seq + 1:
            return Nack(code="gap", expect=self.cursor.seq + 1)
        texts = [text.encode() for text in frame.events]
        fresh = texts[self.cursor.seq + 1 - frame.first :]
        if fresh and len(fresh) == len(texts) and frame.prev_hash != self.cursor.hash:
            return Nack(code="hash", expect=self.cursor.seq + 1)
        for text in fresh:
            self.cursor = Tip(self.cursor.seq + 1, chain_hash(self.cursor.hash, text))
            self.applied.append(text)
        return Ack(epoch=EPOCH, upto=self.cursor.seq, hash=self.cursor.hash, credit=3)


class Network(RuleBasedStateMachine):
    """Hall and city with two lines between them; a cut empties both."""

    @initialize()
    def start(self) -> None:
        self.log: list[StoredEvent] = []
        self.city = City()
        self.uplink = Uplink(EPOCH)
        self.up: deque[Events] = deque()
        self.down: deque[Ack | Nack] = deque()
        self.connected = False
        self.now = 0.0

    @rule(count=st.integers(1, 1200))
    def hall_works(self, count: int) -> None:
        grow(self.log, count)

    @rule()
    def connect(self) -> None:
        self.cut()
        cursor = self.city.cursor
        ours = self.log[cursor.seq - 1].hash if cursor.seq else GENESIS
        self.uplink.open(welcome(cursor.seq, cursor.hash), tip(self.log), ours)
        self.connected = True

    @rule()
    def cut(self) -> None:
        self.connected = False
        self.up.clear()
        self.down.clear()
        self.uplink.close()

    @rule()
    def hall_restarts(self) -> None:
        self.cut()
        self.uplink = Uplink(EPOCH)

    @precondition(lambda self: self.connected)
    @rule()
    def hall_sends(self) -> None:
        if self.uplink.may_send and self.uplink.sent.seq < len(self.log):
            after = self.uplink.sent.seq
            self.up.append(self.uplink.frame(self.log[after : after + 500], self.now))

    @precondition(lambda self: self.up)
    @rule(twice=st.booleans(), answer_lost=st.booleans())
    def city_takes(self, twice: bool, answer_lost: bool) -> None:
        frame = self.up.popleft()
        if twice:
            self.up.append(frame)
        answer = self.city.take(frame)
        if not answer_lost:
            self.down.append(answer)

    @precondition(lambda self: self.up)
    @rule()
    def frame_is_lost(self) -> None:
        self.up.popleft()

    @precondition(lambda self: self.down)
    @rule()
    def hall_hears(self) -> None:
        try:
            self._hear(self.down.popleft())
        except LinkFaultError as fault:
            assert fault.state is LinkState.OFFLINE, "a lossy line must never look like a fork"
            self.cut()

    def _hear(self, answer: Ack | Nack) -> None:
        if isinstance(answer, Nack):
            raise self.uplink.nack(answer)
        self.uplink.ack(answer)

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        if self.uplink.overdue(self.now):
            self.cut()

    @invariant()
    def city_holds_the_beginning_of_the_log(self) -> None:
        count = len(self.city.applied)
        assert count <= len(self.log)
        assert self.city.cursor == (tip(self.log[:count]))

    @invariant()
    def hall_believes_no_more_than_the_city_has(self) -> None:
        assert self.uplink.acked.seq <= self.city.cursor.seq

    @invariant()
    def credit_is_kept(self) -> None:
        assert len(self.uplink._flights) <= 4

    def teardown(self) -> None:
        """When the faults stop, the lag goes to 0: the property that such links lose."""
        for _ in range(4 * len(self.log) // MAX_FRAME_EVENTS + 20):
            self.now += 10
            if self.uplink.overdue(self.now):
                self.cut()
            if not self.connected:
                self.connect()
            self.hall_sends()
            while self.up:
                self.down.append(self.city.take(self.up.popleft()))
            while self.down:
                self.hall_hears()
        assert [one.json for one in self.log] == self.city.applied
        assert self.uplink.acked == tip(self.log)


TestAnyNetwork = Network.TestCase
TestAnyNetwork.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.fixture
def log() -> list[StoredEvent]:
    events: list[StoredEvent] = []
    grow(events, 10)
    return events


def opened(log: list[StoredEvent], credit: int = 4) -> Uplink:
    uplink = Uplink(EPOCH)
    uplink.open(welcome(0, GENESIS, credit), tip(log), GENESIS)
    return uplink


class TestFrames:
    def test_hold_at_most_500_events(self) -> None:
        log: list[StoredEvent] = []
        grow(log, 1200)
        uplink = opened(log)
        sizes = [len(uplink.frame(log[uplink.sent.seq :], 0.0).events) for _ in range(3)]
        assert sizes == [500, 500, 200]

    def test_hold_at_most_256_kib(self) -> None:
        log: list[StoredEvent] = []
        grow(log, 30, padding=20_000)
        frame = opened(log).frame(log, 0.0)
        assert sum(len(text) for text in frame.events) <= MAX_FRAME_BYTES
        assert len(frame.events) == 13

    def test_let_a_larger_event_travel_alone(self) -> None:
        log: list[StoredEvent] = []
        grow(log, 2, padding=MAX_FRAME_BYTES)
        assert len(opened(log).frame(log, 0.0).events) == 1

    def test_carry_the_exact_stored_text_and_the_chain_before_it(
        self, log: list[StoredEvent]
    ) -> None:
        uplink = Uplink(EPOCH)
        uplink.open(welcome(4, log[3].hash), tip(log), log[3].hash)
        frame = uplink.frame(log[4:], 0.0)
        assert (frame.epoch, frame.first, frame.prev_hash) == (EPOCH, 5, log[3].hash)
        assert frame.events == tuple(one.json.decode() for one in log[4:])

    def test_must_follow_what_was_sent(self, log: list[StoredEvent]) -> None:
        with pytest.raises(ValueError, match="do not follow"):
            opened(log).frame(log[1:], 0.0)

    def test_stop_when_the_credit_is_used_and_go_on_after_an_ack(
        self, log: list[StoredEvent]
    ) -> None:
        uplink = opened(log, credit=1)
        uplink.frame(log[:5], 0.0)
        assert not uplink.may_send
        uplink.ack(Ack(epoch=EPOCH, upto=5, hash=log[4].hash, credit=2))
        assert uplink.may_send

    def test_are_halved_after_the_city_found_one_too_large(self) -> None:
        log: list[StoredEvent] = []
        grow(log, 600)
        uplink = opened(log)
        uplink.frame(log, 0.0)
        fault = uplink.nack(Nack(code="size", expect=1))
        assert fault.state is LinkState.OFFLINE
        uplink.open(welcome(0, GENESIS), tip(log), GENESIS)
        assert len(uplink.frame(log, 0.0).events) == 250


class TestADifferentPast:
    @pytest.mark.parametrize(
        ("cursor", "theirs"),
        [(11, "f" * 64), (5, "f" * 64)],
        ids=["city is ahead of us", "another hash"],
    )
    def test_is_a_quarantine_whatever_the_verdict(
        self, log: list[StoredEvent], cursor: int, theirs: str
    ) -> None:
        ours = log[cursor - 1].hash if cursor <= len(log) else ""
        with pytest.raises(LinkFaultError) as caught:
            Uplink(EPOCH).open(welcome(cursor, theirs), tip(log), ours)
        assert caught.value.state is LinkState.QUARANTINED

    def test_is_believed_when_the_city_says_so(self, log: list[StoredEvent]) -> None:
        verdict = welcome(0, GENESIS, verdict="fork", code="link.fork", retry_after=45.0)
        with pytest.raises(LinkFaultError) as caught:
            Uplink(EPOCH).open(verdict, tip(log), GENESIS)
        assert (caught.value.state, caught.value.retry_after) == (LinkState.QUARANTINED, 45.0)

    @pytest.mark.parametrize("code", ["hash", "epoch"])
    def test_is_a_quarantine_when_found_later(self, log: list[StoredEvent], code: str) -> None:
        assert opened(log).nack(Nack(code=code, expect=1)).state is LinkState.QUARANTINED

    def test_shows_in_an_ack_with_another_hash(self, log: list[StoredEvent]) -> None:
        uplink = opened(log)
        uplink.frame(log, 0.0)
        with pytest.raises(LinkFaultError) as caught:
            uplink.ack(Ack(epoch=EPOCH, upto=10, hash="f" * 64, credit=4))
        assert caught.value.state is LinkState.QUARANTINED


def test_a_hall_that_the_city_does_not_know_is_refused_not_quarantined(
    log: list[StoredEvent],
) -> None:
    verdict = welcome(0, "", verdict="refuse", code="link.unknown_hall")
    with pytest.raises(LinkFaultError) as caught:
        Uplink(EPOCH).open(verdict, tip(log), GENESIS)
    assert caught.value.state is LinkState.REFUSED
    assert opened(log).nack(Nack(code="auth", expect=0)).state is LinkState.REFUSED


def test_a_busy_city_is_asked_again_when_it_says(log: list[StoredEvent]) -> None:
    fault = opened(log).nack(Nack(code="busy", expect=1, retry_after=4.0))
    assert (fault.state, fault.retry_after) == (LinkState.OFFLINE, 4.0)


def test_a_frame_without_answer_is_overdue(log: list[StoredEvent]) -> None:
    uplink = opened(log)
    assert not uplink.overdue(1000.0)
    uplink.frame(log, 100.0)
    assert not uplink.overdue(100.0 + ACK_SECONDS)
    assert uplink.overdue(100.1 + ACK_SECONDS)
    uplink.ack(Ack(epoch=EPOCH, upto=10, hash=log[-1].hash, credit=4))
    assert not uplink.overdue(1000.0)


def test_an_ack_of_what_was_never_sent_ends_the_session(log: list[StoredEvent]) -> None:
    with pytest.raises(LinkFaultError):
        opened(log).ack(Ack(epoch=EPOCH, upto=3, hash=log[2].hash, credit=4))


def test_the_age_of_the_oldest_unconfirmed_event_follows_acks_and_cuts(
    log: list[StoredEvent],
) -> None:
    uplink = opened(log)
    uplink.first_waits(1001)
    uplink.frame(log[:3], 0.0)
    uplink.frame(log[3:6], 0.0)
    assert uplink.waiting_since == 1001
    uplink.ack(Ack(epoch=EPOCH, upto=3, hash=log[2].hash, credit=4))
    assert uplink.waiting_since == 1004
    uplink.close()
    assert uplink.waiting_since == 1004
