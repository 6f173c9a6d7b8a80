"""News from an app to those on its right: `publish` in the transaction, `consumer` in the listening app."""

from feedbackhub.outbox.delivery import consumer, publish, publish_many

__all__ = ["consumer", "publish", "publish_many"]
