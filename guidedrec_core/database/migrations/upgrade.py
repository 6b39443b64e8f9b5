"""Bring the tables of a database to the version that this code needs."""

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from guidedrec_core.database.tables import Base
from guidedrec_core.errors import InputError


def scripts() -> ScriptDirectory:
    """Return the migrations that ship with the package."""
    return ScriptDirectory(str(Path(__file__).parent))


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, in the transaction of a connection: all of them or, after an error, none.

    Raises
    ------
    InputError
        A newer guidedrec has changed the tables.
    """
    directory = scripts()
    with EnvironmentContext(
        Config(),
        directory,
        fn=lambda revision, _: directory._upgrade_revs("head", revision),
    ) as environment:
        environment.configure(connection=connection, target_metadata=Base.metadata)
        try:
            environment.run_migrations()
        except CommandError as error:
            raise InputError(
                f"expected a database of this version of guidedrec or an earlier one ({error}); update guidedrec"
            ) from error
