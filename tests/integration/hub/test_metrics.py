"""``/metrics`` of a hall: the present figures, for this machine or the token, and never a person."""

import json
import re
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from fixtures_manager import Site
from prometheus_client.parser import text_string_to_metric_families

from qingting.contract import commands as c
from qingting.contract.errors import Refusal
from qingting.contract.ids import DeviceId, StaffId, WindowId
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


def test_dashboard_and_alerts_ask_for_figures_that_the_page_of_figures_names() -> None:
    page = (DOCS / "monitoring.md").read_text("utf-8")
    dashboard = json.loads((DOCS / "monitoring" / "grafana-dashboard.json").read_text("utf-8"))
    asked = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    asked.append((DOCS / "monitoring" / "alerts.yml").read_text("utf-8"))
    names = {name for text in asked for name in re.findall(r"qingting_\w+", text)}
    assert len(names) > 8
    assert [name for name in sorted(names) if name not in page] == []
