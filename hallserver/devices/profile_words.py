"""Profiles in words: one model explained, and the page of all supported models."""

from collections.abc import Iterator

from hallserver.devices.profile_camera import CameraProfile
from hallserver.devices.profile_types import (
    BitRow,
    Confirm,
    FaceProfile,
    IdReaderProfile,
    LedProfile,
    PrinterProfile,
    ScannerProfile,
    SpeakerProfile,
)
from hallserver.devices.profiles import AnyProfile, DrivenProfile, ProfileLibrary
from qingting.contract.conditions import condition_texts
from qingting.contract.states import Condition, DeviceKind

HEAD = """\
Written by `make generate` from [`firmware_profiles`](../../firmware_profiles). *Assumed* means that nobody has seen
the device answer so. `qingting profile explain ID` tells everything of one model with its sources;
[how to add one](../developers/add-a-printer.md).
"""
KIND_WORDS = {
    DeviceKind.PRINTER: "Ticket printers",
    DeviceKind.ID_READER: "ID card readers",
    DeviceKind.SCANNER: "Code scanners",
    DeviceKind.FACE: "Face terminals",
    DeviceKind.LED: "LED controllers",
    DeviceKind.SPEAKER: "Loudspeakers",
    DeviceKind.CAMERA: "Cameras",
}
CAMERA_TELLS = (
    Condition.OFFLINE,
    Condition.CAMERA_BUSY,
    Condition.CAMERA_BLOCKED,
    Condition.CAMERA_FAULT,
    Condition.TOO_DARK,
)
"""What the screen of a kiosk tells of every camera."""
EVIDENCE_WORDS = {
    "vendor-doc": "from the maker's documents",
    "sdk-derived": "from the maker's software",
    "field-tested": "tested on the device",
    "simulated": "assumed, not verified",
}
PROOF_WORDS = {
    Confirm.PROCESS_ID: "by process id",
    Confirm.GS_R: "by an in-order answer",
    Confirm.POLL: "not at all: a healthy status afterwards is all there is",
}


def explained(library: ProfileLibrary, profile_id: str) -> str:
    """Several lines on one model; raises ``ProfileError`` when it does not exist or is wrong."""
    return "\n".join(_lines(library.load(profile_id)))


def _lines(profile: AnyProfile) -> Iterator[str]:
    yield f"{profile.vendor} {profile.model}   ({profile.id}, revision {profile.revision})"
    if profile.inherits:
        yield f"  stands on    {profile.inherits}"
    yield f"  evidence     {profile.evidence}: {EVIDENCE_WORDS[profile.evidence]}"
    for one in profile.sources:
        yield f"  source       {one}"
    if not isinstance(profile, CameraProfile):
        yield from _line(profile)
    yield from _of_kind(profile)


def _of_kind(profile: AnyProfile) -> Iterator[str]:
    match profile:
        case PrinterProfile():
            yield from _printer(profile)
        case IdReaderProfile():
            yield f"  records      {', '.join(profile.reader.records)}"
            for code, meaning in profile.replies.items():
                yield f"  reply {code}     {meaning}"
        case ScannerProfile():
            ends = ", ".join(one.hex(" ").upper() for one in profile.scanner.terminators)
            yield f"  code ends    with {ends}, or after {profile.scanner.idle_gap_ms} ms of silence"
        case LedProfile():
            yield from _led(profile)
        case FaceProfile():
            yield from _face(profile)
        case SpeakerProfile():
            yield from _speaker(profile)
        case CameraProfile():
            yield from _camera(profile)


def _line(profile: DrivenProfile) -> Iterator[str]:
    line = profile.transport
    yield f"  line         {' or '.join(line.carriers)}; {line.serial.baud} baud; TCP port {line.tcp.port}"
    lost_s = line.fails_to_down * (line.poll_ms + line.request_timeout_ms) / 1000
    yield f"  lost after   {line.fails_to_down} looks without answer, about {lost_s:.1f} s"
    identify = (
        None if isinstance(profile, LedProfile | FaceProfile | SpeakerProfile) else profile.identify
    )
    if identify is not None:
        yield f"  calls itself {identify.expect}"


def _camera(profile: CameraProfile) -> Iterator[str]:
    picture, guidance = profile.camera, profile.guidance
    yield f"  picture      {picture.width} × {picture.height}{', mirrored' if picture.mirror else ''}"
    yield f"  same person  up to a distance of {profile.compare.match:g}; another beyond {profile.compare.differ:g}"
    yield f"  asks for     {' or '.join(guidance.challenges) or 'nothing'}; {guidance.look_s:g} s at most"


def _printer(profile: PrinterProfile) -> Iterator[str]:
    can = profile.capabilities
    yield f"  paper        {can.width_dots} dots, {can.columns} columns, {can.dpi} dpi"
    if can.text == "drawn":
        yield "  text         drawn: every line is sent as a picture"
    yield f"  QR code      {'drawn by the printer' if can.qr == 'gs_k' else 'sent as a picture'}"
    yield f"  presenter    {_presenter(profile)}"
    yield f"  paper low    {'known' if can.near_end_sensor else 'not known: no sensor'}"
    yield f"  job proven   {PROOF_WORDS[can.confirm]}"
    for query in profile.status.query:
        for row in query.bits:
            yield f"  {_asked(query.send, row):24} {_condition(row)}"
    if profile.status.push is not None:
        for row in profile.status.push.bits:
            yield f"  {f'push byte {row.byte} {_bits(row)}':24} {_condition(row)}"


def _presenter(profile: PrinterProfile) -> str:
    if not profile.capabilities.presenter:
        return "no"
    left = profile.presenter
    return f"yes, cleared after {left.after_s:g} s" if left is not None else "yes, never cleared"


def _led(profile: LedProfile) -> Iterator[str]:
    led = profile.led
    yield f"  lines        {led.lines}, each of at most {led.max_bytes} bytes in {led.charset}"
    again = f"sent again every {led.refresh_s:g} s"
    yield f"  presence     {'answered' if led.answers else f'not known: it never answers; {again}'}"
    for code, condition in led.errors.items():
        text = condition_texts()[condition]
        yield f"  error {code}     {condition}  {text.zh}  {text.en}"


def _face(profile: FaceProfile) -> Iterator[str]:
    yield f"  looks        when told to, for at most {profile.face.look_s:g} s"
    yield f"  recognised   a line that begins with {profile.face.credential!r}"
    for word, meaning in profile.words.items():
        yield f"  says {word:9}{meaning}"
    for word, condition in profile.faults.items():
        text = condition_texts()[condition]
        yield f"  says {word:9}{condition}  {text.zh}  {text.en}"


def _speaker(profile: SpeakerProfile) -> Iterator[str]:
    speaker = profile.speaker
    yield f"  plays        {' '.join(speaker.play)}"
    yield f"  stuck after  {speaker.slack_s:g} s more than the sound lasts"
    for one in speaker.complaints:
        text = condition_texts()[one.means]
        yield f"  says {one.says:9}{one.means}  {text.zh}  {text.en}"


def _asked(send: bytes, row: BitRow) -> str:
    place = f" byte {row.byte}" if row.byte else ""
    return f"{send.hex(' ').upper()}{place} {_bits(row)}"


def _bits(row: BitRow) -> str:
    rule = "all of " if row.all else "any of " if row.any else "not all of " if row.not_all else ""
    return f"{rule}{row.mask:02X}"


def _condition(row: BitRow) -> str:
    text = condition_texts()[row.means]
    return f"{row.means}  {text.zh}  {text.en}"


def models_page(library: ProfileLibrary) -> str:
    """The page of supported models in Markdown."""
    parts = [
        "# Supported models\n",
        HEAD,
    ]
    for kind, title in KIND_WORDS.items():
        parts.append(f"## {title}\n")
        parts.append("| model | profile | conditions it can tell | evidence |\n|---|---|---|---|")
        parts += [_row(library.load(one)) for one in library.ids(kind)]
        parts.append("")
    return "\n".join(parts)


def _row(profile: AnyProfile) -> str:
    told = sorted(_told(profile))
    texts = condition_texts()
    silent = isinstance(profile, LedProfile) and not profile.led.answers
    bare = "nothing: it never answers" if silent else "presence"
    words = ", ".join(texts[one].en.lower() for one in texts if one in told) or bare
    evidence = EVIDENCE_WORDS[profile.evidence]
    return f"| {profile.vendor} {profile.model} | `{profile.id}` | {words} | {evidence} |"


def _told(profile: AnyProfile) -> set[str]:
    if isinstance(profile, LedProfile):
        return set(profile.led.errors.values())
    if isinstance(profile, FaceProfile):
        return set(profile.faults.values())
    if isinstance(profile, SpeakerProfile):
        muted = {Condition.MUTED} if profile.speaker.muted is not None else set()
        told = {one.means for one in profile.speaker.complaints}
        return {*told, *muted, Condition.SOUND_FAULT}
    if isinstance(profile, CameraProfile):
        return set(CAMERA_TELLS)
    if not isinstance(profile, PrinterProfile):
        return set()
    rows = [row for query in profile.status.query for row in query.bits]
    rows += profile.status.push.bits if profile.status.push is not None else ()
    return {row.means for row in rows}
