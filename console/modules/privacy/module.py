"""Care for personal data: keys, the audit's pages, unmasking, exports, requests of those whom data is about."""

from console.core.module import ModuleContext, ModuleSpec
from console.modules.privacy.api import PRIVACY
from console.modules.privacy.keys import Keys


def setup(context: ModuleContext) -> None:
    context.provide(PRIVACY, Keys(context.clock))


MODULE = ModuleSpec(
    name="privacy",
    package="console.modules.privacy",
    requires=(),
    table_prefix="priv_",
    setup=setup,
)
