"""Alembic's environment: run by :mod:`console.core.migrate`, which hands over the connection."""

from alembic import context

from console.core.models import metadata

LOCK_TIMEOUT = "4s"
"""A migration that cannot get its lock gives up instead of stopping the city behind it."""

connection = context.config.attributes["connection"]
connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
connection.exec_driver_sql("SET statement_timeout = '300s'")
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    compare_type=True,
    version_table="core_migration",
)
with context.begin_transaction():
    context.run_migrations()
