"""One valid example of every command, event, directive, request, server message and link frame.

Keyed by type name; link frames that share a name with a hub message are keyed ``link.<name>``. A
test demands one for each member of every union and sends each through its decoder.
"""

from typing import Any

from qingting.contract import acts as a
from qingting.contract import bookings as b
from qingting.contract import calendar as cal
from qingting.contract import commands as c
from qingting.contract import config as cfg
from qingting.contract import config_parts as parts
from qingting.contract import continuity as co
from qingting.contract import directives as d
from qingting.contract import events as e
from qingting.contract import face_check as fc
from qingting.contract import hub as h
from qingting.contract import hub_acts as ha
from qingting.contract import hub_desk as desk
from qingting.contract import hub_face as face
from qingting.contract import link as k
from qingting.contract import printing as p
from qingting.contract import releases as rel
from qingting.contract import rules as r
from qingting.contract import views as v
from qingting.contract.examples_sound import SOUND_EXAMPLES
from qingting.contract.ids import (
    BookingId,
    BusinessDay,
    CommandKey,
    DepartmentId,
    DeviceId,
    HallId,
    ItemId,
    QueueId,
    StaffId,
    TicketId,
    WindowId,
)
from qingting.contract.pads import PadFacts, PadReport
from qingting.contract.people import Person
from qingting.contract.states import (
    ActOutcome,
    AddressClass,
    App,
    CertificateKind,
    Condition,
    DeviceKind,
    DeviceState,
    IdentityWay,
    NotRatedReason,
    PrintOutcome,
    PrintState,
    RatingChannel,
    RatingLevel,
    ReturnCause,
    Role,
    TicketState,
    TurnedAway,
)

AT = 1_795_489_200_000
DAY = BusinessDay("2026-11-24")
KEY = CommandKey("k1:5f0c2c1e-0001")
HALL, DEPARTMENT = HallId("saertu"), DepartmentId("gaj")
QUEUE, ITEM = QueueId("ga"), ItemId("id-renew")
WINDOW, STAFF, KIOSK = WindowId("w3"), StaffId("s-0103"), DeviceId("k1")
AGENT, PRINTER, READER, SCANNER = (
    DeviceId("k1-agent"),
    DeviceId("k1-printer"),
    DeviceId("k1-reader"),
    DeviceId("k1-scanner"),
)
FACE = DeviceId("k1-face")
FACE_CHECK = fc.FaceCheck(verdict=fc.FaceVerdict.MATCH, liveness=fc.Liveness.LIKELY)
ACT = a.ActId("h-7f3a9c0d11e2")
PLAN = a.PlanScreen(hours=(a.ScreenHours(days=(1, 2, 3, 4, 5), on="08:00", off="17:30"),))
RELEASE = rel.ReleaseFacts(
    id="9f1c04ab77e2d310",
    app=App.PAD,
    version="0.2.0",
    build="3f9a0c11d2e7",
    sha256="9f1c04ab77e2d310" + "0" * 48,
    size=182_400,
)
ROLL = a.PaperRoll(since=AT, metres=120, mm=48_200, tickets=402)
_FILES = {"printers/huayin.hy-80k.toml": 'schema = 1\nid = "huayin.hy-80k"\n'}
BUNDLE = a.ProfileBundle(id=a.bundle_id(_FILES), name="2026-11", files=_FILES)
LEASED = co.LeasedTicket(
    day=DAY, queue=QUEUE, serial=9001, item=ITEM, token="LAAAjKQ…", taken_at=AT
)
TICKET = TicketId("2026-11-24-ga-23")
CASE = "saertu-20261124-ga-0023"
PERSON = Person(
    kind=CertificateKind.RESIDENT_ID,
    masked_name="张*三",
    masked_number="230602********1238",
    sealed="k1.3q2+7w==",
    index="66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
)
CONFIG = cfg.HallConfig(
    version=1,
    hall=cfg.HallInfo(
        id=HALL,
        name="萨尔图区政务服务中心",
        name_en="Sartu District Service Hall",
        division="230602",
    ),
    departments=(
        cfg.Department(
            id=DEPARTMENT, name="大庆市公安局", name_en="Public Security Bureau", short_name="公安"
        ),
    ),
    queues=(cfg.Queue(id=QUEUE, name="公安综合", name_en="Police services", prefix="A"),),
    items=(
        cfg.Item(
            id=ITEM,
            name="居民身份证换领",
            name_en="Renewal of the resident ID card",
            department=DEPARTMENT,
            queue=QUEUE,
            materials=("居民户口簿", "原居民身份证"),
            pinyin="juminshenfenzhenghuanling",
            initials="jmsfzhl",
            sample=True,
        ),
    ),
    windows=(
        cfg.Window(
            id=WINDOW, number="3", name="公安综合窗口", name_en="Police services", queues=(QUEUE,)
        ),
    ),
    staff=(cfg.Staff(id=STAFF, number="0103", name="李敏"),),
    devices=(cfg.Device(id=KIOSK, kind=DeviceKind.KIOSK, name="1号取号机", name_en="Kiosk 1"),),
)
OTHER_WINDOW, OTHER_QUEUE, OTHER_ITEM = WindowId("w5"), QueueId("rs"), ItemId("card-renew")
PLACING = e.Placing(line=QUEUE, at=AT, priority=r.BOOKED)
BOOKING = b.Booking(
    id=BookingId("b-20261124-0007"),
    code="Zk3q2xWc9vS0y1",
    day=DAY,
    start=AT,
    end=AT + 1_800_000,
    items=(ITEM,),
    person=PERSON,
    early_minutes=20,
)
RULES = r.CallingRules(
    version=2,
    ratios=(r.Ratio(first=r.BOOKED, second=r.ORDINARY, a=2, b=1),),
    conditions=(
        r.CallCondition(
            name="午前先叫老年人",
            name_en="Elderly first before noon",
            when=(
                r.WaitingOver(minutes=10, classes=("elderly",)),
                r.LineAtLeast(people=2, queues=(QUEUE,)),
                r.CalledFewer(classes=("elderly",), than=2, of=4),
                r.Between(period=cal.Period(start="09:00", end="12:00")),
            ),
            classes=("elderly",),
        ),
    ),
)
BOOKING_BRIEF = h.BookingBrief(
    id=BOOKING.id,
    start=BOOKING.start,
    end=BOOKING.end,
    items=BOOKING.items,
    masked_name=PERSON.masked_name,
    masked_number=PERSON.masked_number,
)
JOB = p.PrintJob(
    ticket=TICKET,
    attempt=1,
    printer=PRINTER,
    issued_at=AT,
    document=(
        p.TextLine(text="A023", align=p.Align.CENTRE, scale=4, bold=True),
        p.QrCode(data="t/3q2x"),
    ),
)
PAD = v.BoardCall(
    ticket=TICKET,
    number="A023",
    window_number="3",
    window_name="公安综合窗口",
    window_name_en="Police services",
    masked_name="张*三",
    called_at=AT,
    calls=1,
    call_no=7,
    active=True,
)
DEVICE_VIEW = v.DeviceView(
    id=PRINTER,
    kind=DeviceKind.PRINTER,
    name="号票打印机",
    name_en="Ticket printer",
    parent=KIOSK,
    window=None,
    state=DeviceState.DEGRADED,
    conditions=(v.ConditionView(condition=Condition.PAPER_OUT, since=AT),),
    since=AT,
    seen=AT,
)
QUEUE_VIEW = v.QueueView(
    id=QUEUE,
    name="公安综合",
    name_en="Police services",
    waiting=3,
    windows_open=2,
    closed=False,
    wait=e.Interval(low=12, high=20),
)
EVENT = e.Event(
    s=42,
    at=AT,
    bd=DAY,
    by="staff:s-0103",
    cmd=KEY,
    b=e.TicketCalled(ticket=TICKET, window=WINDOW, staff=STAFF),
)

_ALL: tuple[Any, ...] = (
    *SOUND_EXAMPLES,
    # commands
    c.IssueTicket(item=ITEM, token="3q2xWc9vS0y1", device=KIOSK, person=PERSON),
    c.ReportPrint(ticket=TICKET, attempt=1, outcome=PrintOutcome.FAILED, cause=Condition.PAPER_OUT),
    c.ReprintTicket(ticket=TICKET, device=KIOSK),
    c.LeaveQueue(ticket=TICKET),
    c.CallNext(window=WINDOW),
    c.Recall(window=WINDOW),
    c.BeginService(window=WINDOW),
    c.FinishService(window=WINDOW),
    c.MarkNoShow(window=WINDOW),
    c.CallTicket(window=WINDOW, ticket=TICKET, reason="轮椅使用者"),
    c.ParkVisit(window=WINDOW, reason="去复印", minutes=15),
    c.ResumeVisit(window=WINDOW, ticket=TICKET),
    c.ReturnTicket(ticket=TICKET),
    c.TransferVisit(window=WINDOW, to_window=OTHER_WINDOW, back=True, note="先核验材料"),
    c.HandBack(window=WINDOW),
    c.SetPriority(ticket=TICKET, priority="disabled", reason="已核残疾人证"),
    c.AddItem(window=WINDOW, item=OTHER_ITEM),
    c.LendWindow(window=WINDOW, queues=(OTHER_QUEUE,), minutes=60),
    c.LeaseNumbers(device=KIOSK, queue=QUEUE, upto=20),
    c.EditConfig(base=1, part=parts.RulesPart(rules=RULES)),
    c.OpenWindow(window=WINDOW, staff=STAFF),
    c.PauseWindow(window=WINDOW, reason="取材料"),
    c.CloseWindow(window=WINDOW),
    c.RateVisit(ticket=TICKET, level=RatingLevel.DISSATISFIED, tags=("208",), words="没有清单"),
    c.LeaveUnrated(ticket=TICKET, reason=NotRatedReason.TIMEOUT),
    c.RegisterDevice(device=KIOSK, kind=DeviceKind.KIOSK, name="1号取号机"),
    c.ReportDevice(
        device=PRINTER,
        kind=DeviceKind.PRINTER,
        state=DeviceState.DEGRADED,
        conditions=(Condition.PAPER_OUT,),
    ),
    c.RefuseDevice(
        device=KIOSK, why=TurnedAway.WRONG_KEY, origin=AddressClass.OWN_NETWORK, count=3
    ),
    c.KeyDevice(device=KIOSK),
    c.AskAct(act=ACT, device=PRINTER, action=a.PrintTest(), until=AT + 60_000, asked_by="s-0103"),
    c.ReportRelease(release=RELEASE.id, code="release.digest"),
    c.EndAct(act=ACT, outcome=ActOutcome.DONE, figures={"mm": 118}),
    c.RequestHelp(device=KIOSK),
    c.AnswerHelp(device=KIOSK),
    c.ApplyConfig(config=CONFIG),
    c.ApplyDirective(no=1, directive=d.PutNotice(text="11月30日停电检修")),
    c.CloseDay(),
    c.Envelope(key=KEY, at=AT, actor="staff:s-0103", command=c.CallNext(window=WINDOW)),
    # directives
    d.PutConfig(config=CONFIG),
    d.PutNotice(text="11月30日停电检修", text_en="Power maintenance on 30 November"),
    d.PutBooking(booking=BOOKING),
    d.DropBooking(booking=BOOKING.id),
    d.ForgetPerson(person=PERSON),
    d.DirectAct(act=ACT, device=AGENT, action=a.UseProfiles(bundle=BUNDLE.id), until=AT + 60_000),
    d.PutProfiles(bundle=BUNDLE),
    d.PutRelease(release=RELEASE),
    # events
    e.DayOpened(day=DAY),
    e.DayClosed(day=DAY),
    e.ConfigApplied(config=CONFIG),
    e.ConfigEdited(version=2, part=parts.RulesPart(rules=RULES)),
    e.TicketIssued(
        ticket=TICKET,
        number="A023",
        serial=23,
        day=DAY,
        queue=QUEUE,
        item=ITEM,
        department=DEPARTMENT,
        token="3q2xWc9vS0y1",
        ahead=3,
        wait=e.Interval(low=12, high=20),
        person=PERSON,
        device=KIOSK,
        face_check=FACE_CHECK,
    ),
    e.PrintRequested(ticket=TICKET, device=KIOSK, attempt=1),
    e.PrintReported(ticket=TICKET, attempt=1, outcome=PrintOutcome.PRINTED),
    e.TicketCalled(ticket=TICKET, window=WINDOW, staff=STAFF),
    e.TicketRecalled(ticket=TICKET, window=WINDOW, calls=2),
    e.ServiceBegun(ticket=TICKET, window=WINDOW, staff=STAFF),
    e.ServiceFinished(ticket=TICKET, window=WINDOW, staff=STAFF, case=CASE),
    e.TicketNoShow(ticket=TICKET, window=WINDOW, staff=STAFF),
    e.TicketParked(ticket=TICKET, window=WINDOW, staff=STAFF, reason="去复印", until=AT),
    e.TicketReturned(ticket=TICKET, cause=ReturnCause.PARK_OVER, placing=PLACING),
    e.TicketTransferred(
        ticket=TICKET,
        window=WINDOW,
        staff=STAFF,
        item=OTHER_ITEM,
        queue=OTHER_QUEUE,
        department=DEPARTMENT,
        placing=PLACING,
    ),
    e.TicketHandedBack(ticket=TICKET, window=WINDOW, staff=STAFF, placing=PLACING),
    e.PrioritySet(ticket=TICKET, placing=PLACING, reason="已核残疾人证"),
    e.ItemAdded(ticket=TICKET, item=OTHER_ITEM),
    e.WindowLent(window=WINDOW, queues=(OTHER_QUEUE,), until=AT),
    e.NumbersLeased(device=KIOSK, queue=QUEUE, first=9001, last=9020),
    e.BookingPut(booking=BOOKING),
    e.BookingDropped(booking=BOOKING.id),
    e.BookingMissed(booking=BOOKING.id),
    e.PersonForgotten(index=PERSON.index),
    e.TicketCancelled(ticket=TICKET, reason="day_end"),
    e.RatingGiven(
        ticket=TICKET,
        case=CASE,
        window=WINDOW,
        staff=STAFF,
        item=ITEM,
        department=DEPARTMENT,
        level=RatingLevel.VERY_SATISFIED,
        tags=("517",),
        words="",
        channel=RatingChannel.HALL_TABLET,
        seconds=9,
    ),
    e.RatingNotGiven(ticket=TICKET, case=CASE, reason=NotRatedReason.TIMEOUT),
    e.WindowOpened(window=WINDOW, staff=STAFF),
    e.WindowPaused(window=WINDOW, staff=STAFF, reason="取材料"),
    e.WindowClosed(window=WINDOW, staff=STAFF),
    e.DeviceRegistered(device=KIOSK, kind=DeviceKind.KIOSK, name="1号取号机"),
    e.DeviceChanged(device=PRINTER, kind=DeviceKind.PRINTER, state=DeviceState.READY),
    e.DeviceRefused(device=KIOSK, why=TurnedAway.COPIED_KEY, origin=AddressClass.OWN_NETWORK),
    e.DeviceKeyed(device=KIOSK, revoked=True),
    e.DeviceActAsked(act=ACT, device=KIOSK, action=PLAN, until=AT + 60_000, asked_by="s-0103"),
    e.DeviceActEnded(act=ACT, device=KIOSK, outcome=ActOutcome.REFUSED, code="act.device_away"),
    e.ProfilesPut(bundle=BUNDLE),
    e.ReleasePut(release=RELEASE),
    e.ReleaseKept(release=RELEASE.id),
    e.HelpRequested(device=KIOSK),
    e.HelpAnswered(device=KIOSK),
    e.NoticePut(text="11月30日停电检修"),
    e.DirectiveApplied(no=1),
    e.DirectiveRefused(no=2, code="config.older", params={"version": 7}),
    EVENT,
    # hub, client to server
    h.Auth(device=KIOSK, key="vX3…", version=1),
    h.Pair(code="12345678", kind=DeviceKind.CALL_PAD, version=1),
    h.Ask(id=7, key="5f0c2c1e-0001", body=h.Next()),
    h.Subscribe(topics=("hall", "board")),
    h.TakeTicket(item=ITEM, identity="tok_8fe1", face_check=FACE_CHECK),
    h.Reprint(ticket=TICKET),
    h.ComeBack(ticket=TICKET),
    h.LeaveLine(ticket=TICKET),
    co.PrepareOffline(port=8790, secret="sec_71…"),
    co.MergeLeased(ticket=LEASED, signature="9f2c…"),
    h.BeginIdentity(),
    h.EndIdentity(),
    h.AskHelp(),
    h.Login(number="0103", password="…"),
    h.Logout(),
    h.TakeWindow(window=WINDOW),
    h.Pause(reason="取材料"),
    h.LeaveWindow(),
    h.Next(),
    h.Again(),
    h.Begin(),
    h.Finish(),
    h.Absent(),
    desk.Pick(ticket=TICKET, reason="轮椅使用者"),
    desk.Resume(ticket=TICKET),
    desk.Park(reason="去复印", minutes=15),
    desk.Transfer(to_queue=OTHER_QUEUE, place=r.Place.FIRST),
    desk.PutBack(),
    desk.OneMore(item=OTHER_ITEM),
    desk.Reclass(ticket=TICKET, priority="disabled", reason="已核残疾人证"),
    desk.MakeTicket(item=ITEM, waiver="证件遗失，现场补办"),
    desk.Lend(queues=(OTHER_QUEUE,), minutes=60),
    desk.ChangePassword(present="…", new="…"),
    desk.OfferScan(),
    h.SubmitRating(ticket=TICKET, level=RatingLevel.SATISFIED, tags=("408",)),
    h.DeclineRating(ticket=TICKET, reason=NotRatedReason.DECLINED),
    h.HelpDone(device=KIOSK),
    h.DeviceReport(device=PRINTER, kind=DeviceKind.PRINTER, state=DeviceState.READY),
    h.PrintReport(ticket=TICKET, attempt=1, outcome=PrintOutcome.PRINTED),
    h.CardRead(
        device=READER,
        kind=CertificateKind.RESIDENT_ID,
        name="张小三",
        number="230602199001011238",
        valid_to="20360101",
    ),
    h.CardFault(device=READER, code="identity.unreadable"),
    h.CodeScanned(device=SCANNER, text="t/3q2xWc9vS0y1"),
    face.LookForFace(on=True),
    face.FaceRead(device=FACE, credential="QF1.5c1d…"),
    face.FaceFault(device=FACE, code="face.not_recognised"),
    ha.ActGoing(act=ACT),
    ha.ActPart(act=ACT, no=1, count=1, data="iVBORw0KGgo="),
    ha.ActTold(act=ACT, outcome=ActOutcome.FAILED, code="act.command_failed", note="exit 1"),
    rel.RunsReport(runs=rel.Runs(program="3f9a0c11d2e7", release=RELEASE.id)),
    h.Ping(),
    PadReport(facts=PadFacts(battery=76, charging=True, network="wifi", rtt=12)),
    # hub, server to client
    h.Welcome(role=Role.KIOSK, device=KIOSK, name="1号取号机", now=AT, version=1),
    h.Paired(device=DeviceId("pad-w3"), key="vX3…"),
    h.Result(id=7, ok=True, answer=h.Answer(ticket=TICKET, number="A023")),
    h.Snapshot(topic="board", seq=12, entries={TICKET: PAD}),
    h.Delta(topic="queues", seq=13, set={QUEUE: QUEUE_VIEW}),
    h.PrintOrder(job=JOB),
    h.ArmReader(armed=True),
    face.ArmFace(armed=True),
    ha.ActOrder(act=ACT, device=KIOSK, action=a.SetBrightness(percent=60), answer_by=AT + 30_000),
    rel.ReleaseInForce(release=RELEASE.id, build=RELEASE.build),
    ha.HandsInForce(volume=60, hours=PLAN.hours, utc_offset_minutes=480, rolls={PRINTER: ROLL}),
    h.IdentityRead(
        token="tok_8fe1",
        masked_name="张*三",
        masked_number="230602********1238",
        kind=CertificateKind.RESIDENT_ID,
        photo=fc.CardPhoto(port=41207, token="pk7Vw2m0QkzTn4rB"),
    ),
    face.IdentityChecking(way=IdentityWay.FACE),
    h.IdentityRefused(problem=h.Problem(code="identity.expired", params={"date": "2025-01-01"})),
    h.CodeFound(ticket=TICKET, number="A023"),
    h.ScannedIn(staff=STAFF, staff_name="李静", number="0103", window=WINDOW),
    h.BookingFound(booking=BOOKING_BRIEF),
    co.OfflineKit(
        day=DAY,
        hall_name="萨尔图区政务服务大厅",
        hall_name_en="Saertu District Government Service Hall",
        base_url="http://10.1.2.3:8080",
        utc_offset_minutes=480,
        key="00…",
        seal_key="00…",
        blocks=(co.LeasedBlock(queue=QUEUE, prefix="A", first=9001, last=9030),),
        items=(),
    ),
    co.OfflineOffer(port=8790, secret="sec_71…"),
    h.CodeRefused(problem=h.Problem(code="code.unknown")),
    h.Bye(problem=h.Problem(code="hub.replaced"), retry=False),
    # link
    k.Hello(
        proto=(1, 1), hall=HALL, key="vX3…", epoch=1, head=42, head_hash="9f…", first=1, clock=AT
    ),
    k.Events(epoch=1, first=42, prev_hash="9f…", events=('{"s":42}',)),
    k.Ack(epoch=1, upto=42, hash="a0…", credit=4),
    k.Nack(code="gap", expect=40),
    k.LinkPing(t0=AT),
    k.LinkPong(t0=AT, t1=AT + 12),
    k.Live(at=AT, oldest_unacked=0, backup_bad=AT, queues=(QUEUE_VIEW,), devices=(DEVICE_VIEW,)),
    k.Dir(no=1, directive=k.write_directive(d.PutNotice(text="11月30日停电检修"))),
    k.Dack(no=1),
    k.File(act=ACT, media="text/plain", data="5bqG5Y6F"),
    k.Want(release=RELEASE.id, offset=0),
    k.Piece(release=RELEASE.id, offset=0, data="UEsDBBQ="),
    k.LinkBye(code="link.version"),
)
EXAMPLES: dict[str, Any] = {type(one).__name__: one for one in _ALL}
EXAMPLES["link.Welcome"] = k.Welcome(
    proto=1, session="s-1", cursor=41, hash_at_cursor="9e…", credit=4, verdict="resume"
)
KIOSK_TICKET = v.KioskTicket(
    ticket=TICKET,
    number="A023",
    state=TicketState.WAITING,
    print_state=PrintState.PRINTED,
    print_cause=None,
    attempt=1,
    ahead=3,
    wait=e.Interval(low=12, high=20),
    item_name="居民身份证换领",
    item_name_en="Renewal of the resident ID card",
    department_name="大庆市公安局",
    department_name_en="Public Security Bureau",
    masked_name="张*三",
    masked_number="230602********1238",
    issued_at=AT,
    materials=("居民户口簿",),
)
