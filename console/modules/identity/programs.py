"""What a browser calls itself, short enough for a person to recognise the own one."""

_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("DingTalk/", "DingTalk"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("QQBrowser/", "QQBrowser"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""By the mark in a User-Agent; whoever is built upon another one stands before it."""
_SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def program_name(agent: str) -> str:
    """``Edge · Windows``; what is not known stays as it is."""
    found = [
        next((name for mark, name in table if mark in agent), "") for table in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or agent
