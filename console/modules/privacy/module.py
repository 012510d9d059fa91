"""Care for personal data: keys, the audit's pages, unmasking, exports, requests of those whom data is about."""

from datetime import timedelta, timezone

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.modules.identity.api import IDENTITY
from console.modules.jobs.api import JOBS, JobKind
from console.modules.privacy.api import PRIVACY
from console.modules.privacy.audit_keeping import AuditKeeping, VerifyAudit
from console.modules.privacy.keys import Keys
from console.modules.privacy.views_audit import AuditViews
from qingting.kernel.web import MenuItem


def setup(context: ModuleContext) -> None:
    context.provide(PRIVACY, Keys(context.clock))
    _audit(context)


def _audit(context: ModuleContext) -> None:
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
    zone = timezone(timedelta(minutes=context.utc_offset_minutes))
    views = AuditViews(context.audit, context.get(IDENTITY), jobs, verifying, zone)
    context.routes(views.routes())
    context.menu(80, MenuItem("/audit", "menu.audit", "log"), Permission.AUDIT_READ)


MODULE = ModuleSpec(
    name="privacy",
    package="console.modules.privacy",
    requires=("identity", "jobs"),
    table_prefix="priv_",
    setup=setup,
)
