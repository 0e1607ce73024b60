"""What docs/runtime.md tells its readers to write, for the tests that write it."""

import os
import re

from support import case

PAGE = case.REPOSITORY / "docs" / "runtime.md"
INSTALLED = "/usr/bin/berth-runtime"
RUNTIME = case.PROGRAMS / "berth-runtime"


def block(heading, language):
    """The first block of this language below the heading, with the program that is tested."""
    section = re.search(rf"^### {heading}\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    found = section and re.search(rf"^```{language}\n(.*?)^```", section[1], re.DOTALL | re.MULTILINE)
    if not found:
        raise LookupError(f"{PAGE} has no {language} below {heading}")
    return found[1].replace(INSTALLED, str(RUNTIME))


def words(heading, **replaced):
    """The command below the heading as words; IMAGE and NAME are replaced by what they are here."""
    return [replaced.get(word, word) for word in block(heading, "sh").split()]


def path_with(name):
    """A $PATH on which the program that is tested has this name, for an engine that knows its runtime by that alone."""
    programs = case.WORK / f"as-{name}"
    programs.mkdir()
    (programs / name).symlink_to(RUNTIME)
    return f"{programs}:{os.environ['PATH']}"
