"""An agent as ``qingting agent`` runs it, with settings from JSON: ``python -m benchmarks.idle_agent FILE``."""

import asyncio
import sys
from pathlib import Path

import msgspec

from hallserver.agent.agent import run_agent
from hallserver.agent.settings import AgentSettings
from qingting.kernel.logging import configure_logging

if __name__ == "__main__":
    configure_logging("warning")
    asyncio.run(run_agent(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=AgentSettings)))
