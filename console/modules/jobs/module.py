"""Jobs (后台任务): what takes longer than a page may."""

from console.core.module import ModuleContext, ModuleSpec
from console.core.permissions import Permission
from console.core.pruning import pruning
from console.modules.jobs.api import JOBS
from console.modules.jobs.service import JobService
from console.modules.jobs.views import routes
from console.modules.jobs.worker import working
from qingting.kernel.web import MenuItem

SLOTS = 2
"""Jobs that one worker process runs at a time: a long one does not hold up all others."""
_LOCK = 0x716A6F62


def setup(context: ModuleContext) -> None:
    service = JobService(context.clock, context.audit)
    context.provide(JOBS, service)
    context.routes(routes(service))
    context.menu(90, MenuItem("/jobs", "menu.jobs", "clock"), Permission.LOOK)
    for slot in range(SLOTS):
        run = working(context.db, context.signals, context.clock, service)
        context.job(f"jobs.{slot + 1}", run)
    context.job("jobs.pruning", pruning(context.db, "jobs", _LOCK, [service.pruning()]))


MODULE = ModuleSpec(
    name="jobs", package="console.modules.jobs", requires=(), table_prefix="job_", setup=setup
)
