"""A process of the house that does what it is told, line by line: starting a new one for each word takes seconds.

{"what": "furnish", "about": {"slug": "clinic"}}  →  what that function of `seeding` answers, as JSON
"""

import json
import sys

import django


def main() -> None:
    django.setup()
    from django.db import connections

    from tests.journeys import seeding

    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": getattr(seeding, asked["what"])(**asked["about"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        connections.close_all()  # the database may be killed before the next word
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
