"""The client: standard library only, so that a pipeline installs nothing else. `Client` calls the API; `feedbackhub gate`
holds a candidate against gold from the command line.
"""

from feedbackhub.sdk.client import Client, Refused, Unreachable

__all__ = ["Client", "Refused", "Unreachable"]
