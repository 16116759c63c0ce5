"""Taking over, requests and accounts as the desk handles them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_support import AT, open_accounts
from reviewed_shop import Desk, build, opened
from shop_homes import copy_of

from bot.desk.office import Office, office_of
from bot.errors import DeskError, NotAllowedError
from bot.sealing import seal
from bot.turn import ChatRequest
from db.accounts import User
from db.errors import LastAdmin, TakenByAnother, UnknownUser
from db.requests import RequestStore


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = build(tmp_path_factory.mktemp("live") / "home")
    desk = opened(home)
    open_accounts(office_of(desk.shop.settings, desk.shop._database).accounts)
    desk.shop.close()
    return home


@pytest.fixture
def desk(tiny: Path, tmp_path: Path) -> Iterator[Desk]:
    desk = opened(copy_of(tiny, tmp_path / "home"))
    yield desk
    desk.shop.close()


@pytest.fixture
def office(desk: Desk) -> Office:
    return office_of(desk.shop.settings, desk.shop._database, clock=lambda: AT)


def user(office: Office, name: str) -> User:
    found = office.accounts.store.find(name)
    assert found is not None
    return found


def actions(office: Office) -> list[str]:
    return [entry.action for entry in reversed(office.accounts.store.log())]


def waiting(desk: Desk) -> int:
    desk.ask("how much is the copper kettle?", "I want to talk to a person")
    return desk.shop.desk.waiting()[-1].conversation_id


def test_that_who_waits_is_shown_with_a_summary_and_for_how_long(
    desk: Desk, office: Office
) -> None:
    number = waiting(desk)
    mia = user(office, "Mia")
    (talk,) = office.live.board(mia).waiting

    assert (talk.case.conversation_id, talk.last) == (number, "I want to talk to a person")
    assert talk.summary["reason"] == "asked" and talk.summary["products"] == ["Copper Kettle"]
    assert talk.seconds == 2 * 3600  # the shop's clock stands at ten, the desk's at twelve
    assert office.live.count(mia) == 1


def test_that_the_bot_is_silent_until_the_conversation_is_handed_back(
    desk: Desk, office: Office
) -> None:
    number, mia = waiting(desk), user(office, "Mia")
    session = desk.replies[-1].session_id
    office.live.take(mia, number)
    office.live.say(mia, number, " Hello.\u200b ")
    reply = desk.shop.chat(ChatRequest("what is your return policy?", session_id=session))

    assert reply.speaker == "Mia" and "30 days" not in reply.text
    assert [one.text for one in desk.shop.desk.said(number)] == ["Hello."]
    (talk,) = office.live.board(mia).taken
    assert (talk.case.taken_by, talk.last) == ("Mia", "what is your return policy?")
    office.live.hand_back(mia, number)
    reply = desk.shop.chat(ChatRequest("what is your return policy?", session_id=session))
    assert reply.speaker is None and "30 days" in reply.text
    assert actions(office) == ["take over", "write to shopper", "hand back"]


def test_that_only_who_took_it_or_a_lead_hands_it_back(desk: Desk, office: Office) -> None:
    number, mia, lea = waiting(desk), user(office, "Mia"), user(office, "Lea")
    office.live.take(lea, number)
    with pytest.raises(TakenByAnother, match="Lea"):
        office.live.hand_back(mia, number)
    with pytest.raises(TakenByAnother, match="Lea"):
        office.live.take(mia, number)
    with pytest.raises(TakenByAnother, match="Lea"):
        office.live.say(mia, number, "Hello.")
    office.live.hand_back(lea, number)
    office.live.take(mia, number)
    office.live.hand_back(lea, number)

    assert office.live.board(mia) == office.live.board(lea)
    assert office.live.board(mia).taken == ()


@pytest.mark.parametrize("text", ["", " \u200b\n", "x" * 2001])
def test_that_a_message_that_is_none_is_not_sent(desk: Desk, office: Office, text: str) -> None:
    number, mia = waiting(desk), user(office, "Mia")
    office.live.take(mia, number)

    with pytest.raises(DeskError, match="1 to 2000"):
        office.live.say(mia, number, text)
    assert desk.shop.desk.said(number) == []


@pytest.fixture
def request_of(desk: Desk) -> tuple[str, int]:
    """The number of a request with sealed details, and its conversation."""
    number = waiting(desk)
    sealed = seal({"phone": "415 555 0134"}, desk.shop.settings.secret())
    kept = RequestStore(desk.shop._database).record(
        "callback", conversation_id=number, order_id=None, sealed_details=sealed, now=AT
    )
    return kept.number, number


def test_that_sealed_details_are_for_leads_and_for_who_has_the_conversation(
    office: Office, request_of: tuple[str, int]
) -> None:
    number, conversation = request_of
    mia, lea = user(office, "Mia"), user(office, "Lea")
    with pytest.raises(NotAllowedError, match="assigned to"):
        office.requests.details(mia, number)
    assert [one.may_open for one in office.requests.all(mia).open] == [False]
    assert actions(office) == []
    office.conversations.assign(mia, conversation, "Mia")

    assert office.requests.details(mia, number) == {"phone": "415 555 0134"}
    assert office.requests.details(lea, number) == {"phone": "415 555 0134"}
    assert [one.may_open for one in office.requests.all(mia).open] == [True]
    assert actions(office) == ["assign", "open details", "open details"]
    assert "415" not in str(office.accounts.store.log())


def test_that_a_request_is_closed_once_and_stays_to_be_seen(
    office: Office, request_of: tuple[str, int]
) -> None:
    number, mia = request_of[0], user(office, "Mia")
    with pytest.raises(DeskError, match="ends as one of"):
        office.requests.close(mia, number, "recorded")
    office.requests.close(mia, number, "done")
    with pytest.raises(DeskError, match="not open"):
        office.requests.close(mia, number, "declined")
    found = office.requests.all(mia)

    assert found.open == ()
    assert [(one.request.number, one.request.status) for one in found.closed] == [(number, "done")]
    assert actions(office) == ["close request"]


@pytest.mark.parametrize("number", ["R-9999", "R-", "", "R-1001'; --", "R-٣"])
def test_that_a_request_that_is_not_there_is_told(office: Office, number: str) -> None:
    with pytest.raises(DeskError):
        office.requests.details(user(office, "Lea"), number)
    with pytest.raises(DeskError):
        office.requests.close(user(office, "Lea"), number, "done")


def test_that_an_admin_closes_accounts_but_never_their_own(office: Office) -> None:
    ada = user(office, "Ada")
    known = office.accounts.sign_in("Mia", "correct horse")
    assert known is not None
    office.people.set_active(ada, "mia", False)

    assert office.accounts.signed_in(known[1]) is None
    assert [one.active for one in office.people.all(ada)] == [True, True, False]
    office.people.set_active(ada, "Mia", True)
    assert office.accounts.sign_in("Mia", "correct horse") is not None
    with pytest.raises(DeskError, match="your own"):
        office.people.set_active(ada, "ADA", False)
    with pytest.raises(UnknownUser):
        office.people.set_active(ada, "nobody", False)
    assert actions(office) == ["account closed", "account reopened"]


def test_that_the_last_admin_stays(office: Office) -> None:
    ada = user(office, "Ada")
    office.accounts.store.set_role("Lea", "admin", now=AT)
    office.people.set_active(user(office, "Lea"), "Ada", False)

    with pytest.raises(LastAdmin):
        office.people.set_active(ada, "Lea", False)  # a page of hers that is still open


def test_that_the_audit_log_is_read_page_by_page(office: Office) -> None:
    ada = user(office, "Ada")
    for number in range(60):
        office.accounts.store.note(ada, "count", str(number), now=AT)
    first = office.people.log(ada)
    second = office.people.log(ada, before=first.older)

    assert [one.subject for one in first.entries[:2]] == ["59", "58"]
    assert (len(first.entries), len(second.entries), second.older) == (50, 10, None)
