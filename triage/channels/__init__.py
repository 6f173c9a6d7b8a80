"""The ways to reach a reporter: one file per way, all listed here."""

from triage.channels import email

CHANNELS = {"email": email}
