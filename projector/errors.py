"""The error tree. Every message is one sentence for a person and says what to do next.

ProjectorError
├── ConfigurationError      a setting is missing, malformed or contradicts another one
├── DatabaseUnavailable     no connection to PostgreSQL
├── SchemaMismatch          the schema is too old or too new for this code
├── AppendRefused           the log took nothing now; the sender should try again later
├── ImportRefused           a file to import is in a form that is not taken
├── Fenced                  this replica lost its lease on a projection
├── LogMismatch             a checkpoint is of another log, as after restoring a backup
├── RebuildRefused          another rebuild of the projection is under way
├── SideProcessFailed       a process of a rebuild ended before its work was done
├── SwapFailed              a rebuild's rows could not take the place of the live ones
├── (embedded/)             what can go wrong with the embedded server
└── (rest/failures)         what can go wrong when Zoom's REST API is asked
"""


class ProjectorError(Exception):
    """Something that a person can do something about.

    `exit_code` is what the command line exits with.
    """

    exit_code = 1


class ConfigurationError(ProjectorError):
    """A setting is missing, malformed or contradicts another one."""

    exit_code = 2


class DatabaseUnavailable(ProjectorError):
    """PostgreSQL does not answer, or refuses the connection.

    `word` says why, in one of the words of `projector.database_reasons`.
    """

    exit_code = 3

    def __init__(self, sentence: str, *, word: str = "other") -> None:
        super().__init__(sentence)
        self.word = word


class SchemaMismatch(ProjectorError):
    """The schema lacks what this code needs, or is of a release that no longer serves this code."""

    exit_code = 4


class AppendRefused(ProjectorError):
    """The append did not commit in time: nothing is acknowledged, and the sender should try again."""


class ImportRefused(ProjectorError):
    """A file to import is in a form that is not taken."""


class Fenced(ProjectorError):
    """Another replica has the lease now: nothing of the batch was written."""


class RebuildRefused(ProjectorError):
    """Another rebuild of the same projection is under way."""


class LogMismatch(ProjectorError):
    """The event at a checkpoint is not the one that was folded there: this is another log."""


class SideProcessFailed(ProjectorError):
    """A process of a rebuild ended before its work was done."""


class SwapFailed(ProjectorError):
    """The rebuilt rows could not replace the old ones, which stay and are kept up to date."""
