import sys

from django.core.management.base import BaseCommand

from feedbackhub.audit.acting import acting
from triage import bounces

LONGEST = 1_000_000


class Command(BaseCommand):
    """For a mail server's alias: `bounces: "|manage.py take_bounce"`."""

    help = "Takes one bounce or complaint from standard input, as the mail server got it."

    def handle(self, **options):
        with acting(action="take_bounce"):
            notice = bounces.take_report(sys.stdin.buffer.read(LONGEST))
        self.stdout.write(str(notice.public_id) if notice else "not about a notice of ours")
