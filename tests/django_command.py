"""manage.py with the tests' settings and database: `python -m tests.django_command check`."""

import os
import sys

from tests import environment

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "feedbackhub.settings"
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["manage.py", *sys.argv[1:]])
    finally:
        environment._end(environment.FOLDER)
