"""A simulated 市政务服务事项管理系统, as ``docs/integrators/item-system.md`` describes it."""

from simulators.item_system.system import Fault, ItemSystem
from simulators.item_system.web import create_item_system_app

__all__ = ["Fault", "ItemSystem", "create_item_system_app"]
