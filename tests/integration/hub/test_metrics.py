"""``/metrics`` of a hall: the present figures, for this machine or the token, and never a person."""

import json
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from fixtures_manager import Site
from prometheus_client.parser import text_string_to_metric_families

from console.app.metrics import city_figures
from console.halls.api import HallStatus, LinkState
from console.modules.alarms.api import OpenAlarms
from console.modules.devices.api import ConditionSince, DeviceInfo
from qingting.contract import commands as c
from qingting.contract.conditions import Severity
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, HallId, Millis, StaffId, WindowId
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.kernel.web.metrics import check_asker

DOCS = Path(__file__).parents[3] / "docs" / "operators"


async def figures(site: Site) -> dict[tuple[str, ...], float]:
    status, text = await site.get("/metrics")
    assert status == 200
    return {
        (sample.name, *(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_are_those_of_the_moment(site: Site) -> None:
    before = await figures(site)
    await site.issue()
    await site.do(c.OpenWindow(window=WindowId("w1"), staff=StaffId("s-01")))
    printer = c.ReportDevice(
        device=DeviceId("k1-printer"),
        kind=DeviceKind.PRINTER,
        state=DeviceState.DEGRADED,
        conditions=(Condition.PAPER_OUT,),
    )
    await site.do(printer)
    after = await figures(site)
    assert after["qingting_tickets", "waiting"] == before["qingting_tickets", "waiting"] + 1
    waiting = sum(n for key, n in after.items() if key[0] == "qingting_queue_waiting")
    assert waiting == after["qingting_tickets", "waiting"]
    assert after["qingting_windows", "open"] == 1
    assert after["qingting_device_condition", "paper_out", "k1-printer", "printer"] == 1
    assert after["qingting_devices", "printer", "degraded"] == 1
    assert after["qingting_hall_writable",] == 1
    assert after["qingting_backup_bad_since_seconds",] == 0
    assert after["qingting_log_events_total",] == site.desk.state.seq
    assert after["process_resident_memory_bytes",] > 1_000_000


@pytest.mark.parametrize(
    ("address", "token", "given", "allowed"),
    [
        ("127.0.0.1", "", "", True),
        ("::1", "", "", True),
        ("10.1.2.3", "", "", False),
        ("10.1.2.3", "", "Bearer ", False),
        ("nonsense", "", "", False),
        ("10.1.2.3", "secret", "Bearer secret", True),
        ("10.1.2.3", "secret", "Bearer secreT", False),
        ("127.0.0.1", "secret", "", False),
        ("127.0.0.1", "secret", "Bearer 密", False),
    ],
)
def test_strangers_get_no_figures(address: str, token: str, given: str, allowed: bool) -> None:
    request = make_mocked_request("GET", "/metrics", headers={"Authorization": given})
    request = request.clone(remote=address)
    if allowed:
        check_asker(request, token)
        return
    with pytest.raises(Refusal) as refusal:
        check_asker(request, token)
    assert refusal.value.code == "metrics.forbidden"


def test_who_asks_through_a_proxy_is_not_this_machine() -> None:
    request = make_mocked_request("GET", "/metrics", headers={"X-Forwarded-For": "10.9.9.9"})
    with pytest.raises(Refusal):
        check_asker(request.clone(remote="127.0.0.1"), "", frozenset({"127.0.0.1"}))


def asked_for() -> list[str]:
    """The queries of the example dashboard and the expressions of the example alert rules."""
    dashboard = json.loads((DOCS / "monitoring" / "grafana-dashboard.json").read_text("utf-8"))
    alerts = (DOCS / "monitoring" / "alerts.yml").read_text("utf-8")
    queries = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    return queries + re.findall(r"^\s+expr: (.*)$", alerts, flags=re.MULTILINE)


QUERIES, PAGE = asked_for(), (DOCS / "monitoring.md").read_text("utf-8")


def of_the_city() -> dict[str, set[str]]:
    """Figures of the city by name, with their labels."""
    status = HallStatus(
        id=HallId("h"), name="", name_en="", division="", department="", address="", phone="",
        state=LinkState.ONLINE, since=0, seen_at=0, event_at=0, received_at=0, seq=1, head=1,
        oldest_unacked=0, clock_offset_ms=0, build="", refused="", config_version=1, parked=0,
        fork=None,
    )  # fmt: skip
    device = DeviceInfo(
        hall=HallId("h"), hall_name="", hall_name_en="", id="d", kind=DeviceKind.PRINTER, name="",
        name_en="", parent="", parent_name="", parent_name_en="", window="",
        state=DeviceState.DEGRADED, detail="", since=0, seen=0, fresh=True,
        conditions=(ConditionSince(condition=Condition.PAPER_OUT, since=0),),
    )  # fmt: skip
    each = dict.fromkeys(Severity, 1)
    alarms = OpenAlarms(by_severity=each, new_by_severity=each, maintained=0, behind=0)
    told = city_figures([status], [device], alarms, {("mail", "failed"): 1}, Millis(1))
    return {sample.name: set(sample.labels) for metric in told for sample in metric.samples}


async def test_dashboard_and_alerts_ask_for_figures_and_labels_that_the_servers_tell(
    site: Site,
) -> None:
    _, text = await site.get("/metrics")
    told = of_the_city()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            told[sample.name] = told.get(sample.name, set()) | set(sample.labels)
    assert len(QUERIES) > 20
    for query in QUERIES:
        names = re.findall(r"\b(?:qingting|process)_\w+", query)
        assert names, query
        labels = {one for name in names for one in told[name]}
        used = set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)\s*\"", query))
        for group in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", query):
            used |= {one.strip() for one in group.split(",")}
        assert used <= labels, query
        assert all(name in PAGE or name.startswith("process_") for name in names), query
    own = {name for name in told if name.startswith("qingting_") and name not in PAGE}
    assert own == set(), "every figure is on the page of figures"
