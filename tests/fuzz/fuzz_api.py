"""Fuzzes the open API by its own document: no 5xx, nothing that the document does not say.

``python tests/fuzz/fuzz_api.py [examples] [seed] [operationId…]`` starts a console of its own and asks more than the
suite does.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CheckFunction
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
NEGATIVE: list[CheckFunction] = [*CHECKS, negative_data_rejection, unsupported_method]
TOKEN = "/oauth/token"
PATIENCE_S = 120.0
"""A machine that is busy with more than this is no fault of the API."""
HERE = Path(__file__).resolve().parents[1]


def fuzz(
    url: str,
    fresh: Callable[[], str],
    document: Mapping[str, Any],
    *,
    examples: int,
    start: int = 1,
    only: Collection[str] = (),
) -> list[str]:
    """Asks every call (or ``only`` those) with what fits its description and with what does not; gives what was wrong.

    ``fresh`` gives a token for each call in turn: one ends after a quarter of an hour, and from then on every answer
    would be 401."""
    schema = schemathesis.openapi.from_dict(dict(document))
    faults = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if only and operation.definition.raw.get("operationId") not in only:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            faults += _asked(operation, mode, url, fresh(), examples, start)
    return faults


def _asked(
    operation: Any, mode: GenerationMode, url: str, token: str, examples: int, start: int
) -> Iterator[str]:
    checks = CHECKS if mode is GenerationMode.POSITIVE else NEGATIVE
    headers = {} if operation.path == TOKEN else {"Authorization": f"Bearer {token}"}

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(base_url=f"{url}/api/v1", headers=headers, timeout=PATIENCE_S)
        case.validate_response(response, checks=checks)

    try:
        ask()
    except Unsatisfiable:
        return  # A call without parameters or body has nothing that could be wrong.
    except BaseException as error:
        yield f"{operation.method.upper()} {operation.path} {mode.value}: {error}"


async def _main(examples: int, start: int, only: Collection[str]) -> int:
    sys.path[:0] = [str(HERE), str(HERE / "integration" / "console")]
    from api_client import access, integrator, token_of
    from console_browser import console

    from console.app.modules import MIGRATIONS
    from console.core.migrate import create_database, migrate
    from console.core.postgres import EmbeddedPostgres

    folder = Path(tempfile.mkdtemp(prefix="qt-fuzz-"))
    server = EmbeddedPostgres(folder / "pg", settings={"fsync": "off"})
    await asyncio.to_thread(server.start)
    try:
        url = server.url("city")
        await create_database(url)
        await migrate(url, MIGRATIONS)
        async with console(url) as ready:
            scopes = sorted({one.scope.name for one in ready.city.context.calls})
            given = access(*scopes, per_minute=60_000, per_day=50_000_000)
            secret = await integrator(ready, "fuzzer", given)
            loop = asyncio.get_running_loop()
            async with aiohttp.ClientSession(ready.url) as http:

                async def token() -> str:
                    return str((await token_of(http, "fuzzer", secret)).body["access_token"])

                async with http.get("/api/v1/openapi.json") as answer:
                    document = await answer.json()
                faults = await asyncio.to_thread(
                    fuzz,
                    ready.url,
                    lambda: asyncio.run_coroutine_threadsafe(token(), loop).result(),
                    document,
                    examples=examples,
                    start=start,
                    only=only,
                )
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(folder)
    print("\n\n".join(faults) or f"no fault, {examples} examples for each call and mode")
    return bool(faults)


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:3]]
    examples, start = numbers + [200, 1][len(numbers) :]
    sys.exit(asyncio.run(_main(examples, start, sys.argv[3:])))
