"""Scopes that several modules' calls share."""

from console.core.api import ApiScope, Both
from console.core.permissions import Permission

HALLS_READ = ApiScope(
    "halls.read", Permission.LOOK, Both("查询大厅、队列和开放时间", "Halls, queues and hours")
)
ORGANISATION_READ = ApiScope(
    "organisation.read", Permission.LOOK, Both("查询区划和部门", "Divisions and departments")
)
CATALOGUE_READ = ApiScope(
    "catalogue.read", Permission.LOOK, Both("查询政务服务事项", "Service items")
)
CALENDAR_READ = ApiScope(
    "calendar.read", Permission.LOOK, Both("查询工作日和时限", "Working days and time limits")
)
DEVICES_READ = ApiScope("devices.read", Permission.LOOK, Both("查询设备状态", "States of devices"))
TICKETS_READ = ApiScope(
    "tickets.read", Permission.TICKETS, Both("查询取号数字", "Figures of tickets")
)
RATINGS_READ = ApiScope("ratings.read", Permission.RATINGS, Both("查询评价汇总", "Sums of ratings"))
EVENTS_READ = ApiScope("events.read", Permission.LOOK, Both("读取事件", "Read the feed of events"))
WEBHOOKS = ApiScope(
    "webhooks.manage", Permission.LOOK, Both("管理自己的事件推送", "Manage one's own webhooks")
)
APPOINTMENTS_READ = ApiScope(
    "appointments.read", Permission.APPOINTMENTS, Both("查询号源和预约", "Free places and bookings")
)
APPOINTMENTS_WRITE = ApiScope(
    "appointments.write",
    Permission.APPOINTMENTS_HANDLE,
    Both("替人预约、改期、取消", "Book, change and cancel for people"),
)
