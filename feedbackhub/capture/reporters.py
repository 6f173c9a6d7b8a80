"""Who complained. Their newest word on how to reach them, and whether they may be told, counts."""

from django.db import connection

from feedbackhub.ids import make_public_id

# One statement for a batch. What was not said keeps its old value; an erased reporter comes back only by a word of their
# own that is newer than the erasure.
_UPSERT = """
INSERT INTO capture_reporter AS r (project_id, public_id, ref_hash, email, callback_url, locale, has_consent,
    consent_at, created_at)
SELECT %(project)s, n.public_id, n.ref_hash, n.email, n.callback_url, n.locale, coalesce(n.has_consent, false),
    CASE WHEN n.has_consent IS NULL THEN NULL ELSE n.said_at END, %(now)s
FROM unnest(%(public_ids)s::uuid[], %(ref_hashes)s::text[], %(emails)s::text[], %(callbacks)s::text[],
    %(locales)s::text[], %(consents)s::boolean[], %(times)s::timestamptz[])
    AS n (public_id, ref_hash, email, callback_url, locale, has_consent, said_at)
ORDER BY n.ref_hash
ON CONFLICT (project_id, ref_hash) DO UPDATE SET
    email = coalesce(nullif(excluded.email, ''), r.email),
    callback_url = coalesce(nullif(excluded.callback_url, ''), r.callback_url),
    locale = coalesce(nullif(excluded.locale, ''), r.locale),
    has_consent = CASE WHEN excluded.consent_at >= coalesce(r.consent_at, '-infinity')
        THEN excluded.has_consent ELSE r.has_consent END,
    consent_at = greatest(r.consent_at, excluded.consent_at),
    erased_at = NULL
WHERE r.erased_at IS NULL OR excluded.consent_at > r.erased_at
RETURNING ref_hash, id
"""


def ids_of(project, payloads, *, now) -> dict[str, int]:
    """{ref_hash: id} of the reporters that the payloads name, made or brought up to date."""
    newest = {}
    for payload in payloads:
        reporter = payload.reporter
        if reporter is None or not reporter.ref_hash:
            continue
        said_at = payload.occurred_at or now
        known = newest.get(reporter.ref_hash)
        if known is None or said_at >= known[1]:
            newest[reporter.ref_hash] = (reporter, said_at)
    if not newest:
        return {}
    people = [(ref_hash, *each) for ref_hash, each in sorted(newest.items())]
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            {
                "project": project.pk,
                "now": now,
                "public_ids": [make_public_id() for _ in people],
                "ref_hashes": [ref_hash for ref_hash, _, _ in people],
                "emails": [reporter.email for _, reporter, _ in people],
                "callbacks": [reporter.callback_url for _, reporter, _ in people],
                "locales": [reporter.locale for _, reporter, _ in people],
                "consents": [reporter.has_consent for _, reporter, _ in people],
                "times": [said_at for _, _, said_at in people],
            },
        )
        found = dict(cursor.fetchall())
        missing = [ref_hash for ref_hash, _, _ in people if ref_hash not in found]
        if missing:  # erased, and nothing newer was said: the row stays as it is
            cursor.execute(
                "SELECT ref_hash, id FROM capture_reporter WHERE project_id = %s AND ref_hash = ANY(%s)",
                [project.pk, missing],
            )
            found |= dict(cursor.fetchall())
    return found
