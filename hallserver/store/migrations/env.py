"""Alembic's entry. The connection comes from :mod:`hallserver.store.opening`; there is no alembic.ini."""

from alembic import context

from hallserver.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
