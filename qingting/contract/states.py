"""The closed sets of words that every part of the system shares."""

from enum import StrEnum


class TicketState(StrEnum):
    """Where a ticket (号票) is in its life; exactly one at any time."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    PARKED = "parked"
    """Away for a while with the clerk's leave (暂离); it returns by itself, by a press or by a scan."""
    DONE = "done"
    NO_SHOW = "no_show"
    """Missed (过号); within the rules it may come back once more."""
    CANCELLED = "cancelled"


OPEN_TICKET_STATES = frozenset(
    {TicketState.WAITING, TicketState.CALLED, TicketState.SERVING, TicketState.PARKED}
)
AT_WINDOW_STATES = frozenset({TicketState.CALLED, TicketState.SERVING})


class Origin(StrEnum):
    """How a ticket came about (取号来源)."""

    KIOSK = "kiosk"
    BOOKING = "booking"
    STAFF = "staff"
    LEASED = "leased"
    """By a kiosk that was cut off, from its leased block of numbers."""


class ReturnCause(StrEnum):
    """Why a ticket stands in a line again."""

    PARK_OVER = "park_over"
    VISITOR = "visitor"
    """The visitor said so, at a kiosk or on the phone."""
    STAFF = "staff"
    SECOND_CHANCE = "second_chance"
    WINDOW_CLOSED = "window_closed"
    """The window or clerk it was sent to is not there any more."""


class BookingState(StrEnum):
    """Where a booking (预约) of today is in its life."""

    DUE = "due"
    ARRIVED = "arrived"
    MISSED = "missed"
    CANCELLED = "cancelled"


class StaffPermission(StrEnum):
    """What a clerk may do beyond calling the next visitor."""

    PICK = "pick"
    """Call somebody out of turn, with a reason (点呼)."""
    MAKE_TICKETS = "make_tickets"
    """Make a ticket for somebody at the desk, also without identity for a registered reason."""
    LEND_WINDOWS = "lend_windows"
    """Put a window to other queues for a while (窗口借调)."""


class WaitBasis(StrEnum):
    """What a waiting time rests on (等候时间依据). Nothing at all: nobody can say."""

    SIMULATION = "simulation"
    """The hall simulated forward."""
    WIDE = "wide"
    """The same with a wide margin, because it has been wrong too often of late."""
    AVERAGE = "average"
    """People ahead times the average, with a wide margin, because that has been nearer of late."""


class PrintState(StrEnum):
    """What is known of the paper (打印状态). ``unknown`` is never reprinted by itself."""

    PENDING = "pending"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class PrintOutcome(StrEnum):
    """What a printer driver says of one job."""

    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class PlayOutcome(StrEnum):
    """What became of a sound (播放结果). ``played``: the device took it to its end; one that broke off has failed."""

    PLAYED = "played"
    FAILED = "failed"


class WindowState(StrEnum):
    """State of a service window (窗口)."""

    CLOSED = "closed"
    OPEN = "open"
    PAUSED = "paused"


class RatingLevel(StrEnum):
    """The five levels of 好差评, stored by name.

    Exchange interfaces number 5 as best, GB/T 39046-2020 table A.8 numbers 1 as best: digits exist
    only in the maps of a target, never inside.
    """

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"


BAD_LEVELS = frozenset({RatingLevel.DISSATISFIED, RatingLevel.VERY_DISSATISFIED})
"""差评: a reason (tag) is mandatory."""


class RatingChannel(StrEnum):
    """Where a rating was given (评价渠道), by name; codes differ per target (standards.md A4)."""

    HALL_TABLET = "hall_tablet"
    HALL_TERMINAL = "hall_terminal"
    QR_CODE = "qr_code"
    WEB = "web"
    MOBILE = "mobile"
    PHONE = "phone"
    SMS = "sms"


class NotRatedReason(StrEnum):
    """Why a finished visit has no rating. None of them ever becomes a rating."""

    TIMEOUT = "timeout"
    DECLINED = "declined"


class DeviceKind(StrEnum):
    """What a device is (设备类型)."""

    KIOSK = "kiosk"
    AGENT = "agent"
    PRINTER = "printer"
    ID_READER = "id_reader"
    SCANNER = "scanner"
    CALL_PAD = "call_pad"
    RATING_PAD = "rating_pad"
    BOARD = "board"
    LED = "led"
    """A controller of LED lamps (LED 控制卡), driven by the hall server itself."""
    SPEAKER = "speaker"
    """A loudspeaker (音箱) at the hall server or at an agent's machine: it says the calls of its area."""
    FACE = "face"
    """A certified face terminal (人脸识别终端) beside a kiosk: it recognises, and hands out a credential."""
    CAMERA = "camera"
    """A kiosk's camera (摄像头), which the kiosk's own screen opens for a face check."""


class DeviceState(StrEnum):
    """Life of a device connection: absent → connecting → identifying → ready ⇄ degraded → lost."""

    ABSENT = "absent"
    CONNECTING = "connecting"
    IDENTIFYING = "identifying"
    READY = "ready"
    DEGRADED = "degraded"
    LOST = "lost"


class Condition(StrEnum):
    """Canonical device conditions: the only words for faults outside a device profile."""

    OFFLINE = "offline"
    PAPER_OUT = "paper_out"
    PAPER_LOW = "paper_low"
    COVER_OPEN = "cover_open"
    CUTTER_ERROR = "cutter_error"
    HEAD_HOT = "head_hot"
    JAM = "jam"
    TICKET_NOT_TAKEN = "ticket_not_taken"
    MARK_ERROR = "mark_error"
    UNRECOVERABLE = "unrecoverable"
    COMM_ERROR = "comm_error"
    SAM_FAULT = "sam_fault"
    UNAUTHORISED = "unauthorised"
    BUSY = "busy"
    WRONG_MODEL = "wrong_model"
    """Something answers that is not what the profile describes."""
    MUTED = "muted"
    """It is there and makes no sound."""
    SOUND_TAKEN = "sound_taken"
    """Another program holds the sound device."""
    SOUND_FAULT = "sound_fault"
    """The sound device is there and does not play to the end."""
    BATTERY_LOW = "battery_low"
    ON_BATTERY = "on_battery"
    """It has run on its battery for long: its charger is out."""
    APP_OUTDATED = "app_outdated"
    """It shows a program that is not the hall's and has not renewed it by itself."""
    IN_BACKGROUND = "in_background"
    """Its page has been out of sight for long although its window is open."""
    SLOW_NETWORK = "slow_network"
    """The hall hears it only after long."""
    CAMERA_FAULT = "camera_fault"
    CAMERA_BUSY = "camera_busy"
    """Another program holds the camera."""
    CAMERA_BLOCKED = "camera_blocked"
    """The browser may not open the camera."""
    TOO_DARK = "too_dark"
    """The camera shows too little of whoever stands before it."""
    PLATFORM_LOST = "platform_lost"
    """A face terminal cannot reach the platform that it recognises by."""


class TurnedAway(StrEnum):
    """Why somebody who claimed to be a device was turned away (拒绝接入)."""

    WRONG_KEY = "wrong_key"
    REVOKED_KEY = "revoked_key"
    """The device is known and has no key now: the old pad after it was replaced, or before pairing."""
    COPIED_KEY = "copied_key"
    """The right key from a second place while the first is connected and alive."""
    SPOOFED_ID = "spoofed_id"
    """One device's key under another's name, or an agent that reports for what is not its own."""
    UNKNOWN_DEVICE = "unknown_device"


class AddressClass(StrEnum):
    """Where somebody called from, without saying who: addresses may be personal data."""

    THIS_MACHINE = "this_machine"
    OWN_NETWORK = "own_network"
    """A private or link-local address (RFC 1918, RFC 4193)."""
    ELSEWHERE = "elsewhere"


class App(StrEnum):
    """A program that screens run and that can be renewed from afar."""

    PAD = "pad"
    KIOSK = "kiosk"


class ActOutcome(StrEnum):
    """What became of an act of remote hands (处置结果). ``unknown`` is never repeated by itself."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    EXPIRED = "expired"


class IdentityWay(StrEnum):
    """How a citizen can show at a kiosk who they are (亮明身份)."""

    CARD = "card"
    """A card on the reader (刷身份证)."""
    CODE = "code"
    """The citizen code of the city's platform (市民码) before the scanner."""
    FACE = "face"
    """The face before the terminal beside the kiosk (刷脸), when the citizen chooses it."""


class Role(StrEnum):
    """What a hub session is allowed to be."""

    KIOSK = "kiosk"
    AGENT = "agent"
    CALL_PAD = "call_pad"
    RATING_PAD = "rating_pad"
    BOARD = "board"
    MANAGER = "manager"


class StaffRole(StrEnum):
    """Duties of a member of staff in a hall."""

    CLERK = "clerk"
    MANAGER = "manager"


class CertificateKind(StrEnum):
    """Kind of certificate (证件类型); GA/T 2000.156 codes are in ``CERTIFICATE_CODES``. The last three are 港澳居民来往内地通行证,
    台湾居民来往大陆通行证 and 护照, which no reader in a hall reads: their holders show the code of their booking."""

    RESIDENT_ID = "resident_id"
    RESIDENCE_PERMIT = "residence_permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign_permanent_resident"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    PASSPORT = "passport"


CERTIFICATE_CODES: dict[CertificateKind, str] = {
    CertificateKind.RESIDENT_ID: "111",
    CertificateKind.RESIDENCE_PERMIT: "990",
    CertificateKind.FOREIGN_PERMANENT_RESIDENT: "553",
    CertificateKind.HK_MACAO_PERMIT: "516",
    CertificateKind.TAIWAN_PERMIT: "511",
    CertificateKind.PASSPORT: "414",
}
"""GA/T 2000.156. The residence permit (港澳台居民居住证) has no code in the list at hand: 990 其他."""


class Language(StrEnum):
    """Languages of every screen."""

    ZH = "zh-CN"
    EN = "en"
