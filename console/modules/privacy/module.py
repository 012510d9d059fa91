"""Care for personal data: keys, the audit's pages, unmasking, exports, requests of those whom data is about."""

from datetime import timedelta, timezone
from functools import partial

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.pruning import pruning
from console.halls.api import HALLS
from console.modules.calendar.api import CALENDAR
from console.modules.identity.api import IDENTITY
from console.modules.jobs.api import JOBS, JobKind, list_route
from console.modules.privacy.alarms import PrivacyAlarms
from console.modules.privacy.api import PRIVACY, ExportKind
from console.modules.privacy.audit_keeping import AuditKeeping, VerifyAudit
from console.modules.privacy.audit_list import whole_list
from console.modules.privacy.erasures import Erasures
from console.modules.privacy.exports import Exports
from console.modules.privacy.halls_told import WAITING_BOX, HallsTold
from console.modules.privacy.kept import kept, prunes
from console.modules.privacy.keys import Keys, ReSeal
from console.modules.privacy.marks import watermark
from console.modules.privacy.requests import BOXES, Requests
from console.modules.privacy.service import PrivacyService
from console.modules.privacy.unmasking import Unmasking
from console.modules.privacy.views_alarms import AlarmViews
from console.modules.privacy.views_audit import AuditViews
from console.modules.privacy.views_keeping import KeepingViews
from console.modules.privacy.views_personal import ExportViews, PersonalViews
from console.modules.privacy.views_policy import PolicyViews
from console.modules.privacy.views_requests import RequestViews
from qingting.kernel.web import MenuItem

_PRUNE_LOCK = 0x71707276


def setup(context: ModuleContext) -> None:
    alarms = _alarms(context)
    service = _service(context, alarms)
    zone = timezone(timedelta(minutes=context.utc_offset_minutes))
    context.provide(PRIVACY, service)
    context.holds(service.requests)
    context.keeps_boxes(*BOXES, WAITING_BOX)
    context.kept.extend(kept(context.retention))
    context.job(
        "privacy.pruning", pruning(context.db, "privacy", _PRUNE_LOCK, prunes(context.clock))
    )
    service.declare_export(
        ExportKind(
            name="requests",
            permission=Permission.REQUESTS,
            count=service.requests.count_to_take_out,
            make=service.requests.to_take_out,
        )
    )
    _audit(context, alarms, zone)
    _keeping(context, service.keys)
    context.routes(PersonalViews(service.unmasking, context.clock).routes())
    context.routes(ExportViews(service.exports, zone).routes())
    context.routes(RequestViews(service.requests, context.clock, zone).routes())
    context.menu(68, MenuItem("/requests", "menu.requests", "people"), Permission.REQUESTS)
    context.menu(82, MenuItem("/exports", "menu.exports", "print"), Permission.EXPORTS_APPROVE)
    context.menu(83, MenuItem("/exports", "menu.exports_own", "print"), Permission.PERSONAL)


def _service(context: ModuleContext, alarms: PrivacyAlarms) -> PrivacyService:
    clock, audit, offset = context.clock, context.audit, context.utc_offset_minutes
    halls = HallsTold(context.db, clock, context.get(HALLS), context.sealer, context.hall_sealer)
    calendar, personal = context.get(CALENDAR), context.personal
    context.job("privacy in halls", lambda: halls.run(context.signals))
    erasures = Erasures(context.db, clock, audit, personal, halls)
    context.job("erasures", lambda: erasures.run(context.signals))
    return PrivacyService(
        Keys(context.db, clock, audit, context.sealer, context.boxes),
        Unmasking(context.db, clock, audit, personal, alarms, offset),
        Exports(clock, audit),
        Requests(clock, audit, context.sealer, calendar, personal, halls, erasures, offset),
        halls,
        erasures,
        alarms,
    )


def _alarms(context: ModuleContext) -> PrivacyAlarms:
    channels, offset = context.channels, context.utc_offset_minutes
    alarms = PrivacyAlarms(context.db, context.clock, context.audit, channels, offset)
    context.job("privacy alarms", lambda: alarms.run(context.signals))
    context.routes(AlarmViews(alarms, context.get(IDENTITY)).routes())
    return alarms


def _audit(context: ModuleContext, alarms: PrivacyAlarms, zone: timezone) -> None:
    keeping = AuditKeeping(context.db, context.clock, context.sealer, context.audit_heads)
    verifying = JobKind(
        name="audit.verify",
        argument=VerifyAudit,
        permission=Permission.AUDIT_READ,
        run=keeping.job,
        resumable=True,
    )
    jobs = context.get(JOBS)
    jobs.declare(verifying)
    if context.audit_heads is not None:
        context.job("audit heads", keeping.noting())
    views = AuditViews(context.audit, context.get(IDENTITY), jobs, verifying, alarms, zone)
    whole, mark = (
        whole_list(context.get(IDENTITY), context.texts, zone),
        partial(watermark, zone=zone),
    )
    context.routes(
        [*views.routes(), list_route(context, jobs, "/audit/export.{kind}", whole, mark)]
    )
    context.menu(80, MenuItem("/audit", "menu.audit", "log"), Permission.AUDIT_READ)


def _keeping(context: ModuleContext, keys: Keys) -> None:
    sealing = JobKind(
        name="keys.seal",
        argument=ReSeal,
        permission=Permission.KEYS,
        run=keys.job,
        resumable=True,
    )
    jobs = context.get(JOBS)
    jobs.declare(sealing)
    views = KeepingViews(keys, context.sealer, context.kept, jobs, sealing)
    context.routes(views.routes())
    context.routes(PolicyViews(context.clock, context.audit, context.get(IDENTITY)).routes())
    context.menu(84, MenuItem("/keeping", "menu.keeping", "key"), Permission.KEYS)


MODULE = ModuleSpec(
    name="privacy",
    package="console.modules.privacy",
    requires=("calendar", "halls", "identity", "jobs"),
    table_prefix="priv_",
    setup=setup,
)
