"""The two statements of capture: a batch in, with all that belongs to it, in one round trip.

The rows travel as one JSON text. What an interaction brings along (documents, news) is written by the same statement, and
only for the rows that were new: ON CONFLICT leaves the others alone.
"""

INSERT_INTERACTIONS = """
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r (
        public_id uuid, external_id text, body_hash bytea, session_id text, user_hash text, user_role text,
        user_region text, environment text, feature text, model text, model_version text, model_parameters jsonb,
        prompt_version_id bigint, retrieval_index text, retrieval_version text, messages jsonb, tools jsonb, output text,
        input_tokens integer, output_tokens integer, latency_ms double precision, is_fallback boolean,
        confidence double precision, tags text[], metadata jsonb, trace_url text, redaction_counts jsonb,
        occurred_at timestamptz, documents json)
), new AS (
    INSERT INTO capture_interaction (project_id, public_id, external_id, body_hash, session_id, user_hash, user_role,
        user_region, environment, feature, model, model_version, model_parameters, prompt_version_id, retrieval_index,
        retrieval_version, messages, tools, output, input_tokens, output_tokens, latency_ms, is_fallback, confidence, tags,
        metadata, trace_url, redaction_counts, occurred_at, received_at, is_sampled)
    SELECT %(project)s, public_id, external_id, body_hash, session_id, user_hash, user_role,
        user_region, environment, feature, model, model_version, model_parameters, prompt_version_id, retrieval_index,
        retrieval_version, messages, tools, output, input_tokens, output_tokens, latency_ms, is_fallback, confidence, tags,
        metadata, trace_url, redaction_counts, occurred_at, %(now)s, false
    FROM given
    ON CONFLICT (project_id, external_id) DO NOTHING
    RETURNING id, public_id
), documents AS (
    INSERT INTO capture_retrieveddocument (project_id, interaction_id, position, document_id, chunk_id, title, url, text,
        score)
    SELECT %(project)s, new.id, d.position, d.document_id, d.chunk_id, d.title, d.url, d.text, d.score
    FROM new JOIN given USING (public_id), json_to_recordset(given.documents) AS d (position smallint,
        document_id text, chunk_id text, title text, url text, text text, score double precision)
), news AS (
    INSERT INTO outbox_outboxevent (project_id, kind, about, created_at, due_at, attempts, failure)
    SELECT %(project)s, 'interaction_captured', jsonb_build_object('interaction_id', id), %(now)s, %(now)s, 0, ''
    FROM new
)
SELECT public_id FROM new
"""

# A reporter's newest word on how to reach them, and whether they may be told, counts; what was not said keeps its old
# value. An erased reporter comes back only by a word of their own that is newer than the erasure. Feedback on an erased
# interaction is not written: it would bring its person back.
INSERT_FEEDBACK = """
WITH given AS MATERIALIZED (
    SELECT r.*, i.id AS interaction_id, p.*
    FROM json_to_recordset(%(rows)s::json) AS r (
        public_id uuid, external_id text, body_hash bytea, interaction_external_id text, kind text, category text,
        severity text, score double precision, raw_score jsonb, comment text, edited_output text, reporter json,
        source text, metadata jsonb, redaction_counts jsonb, occurred_at timestamptz)
    LEFT JOIN capture_interaction i
        ON i.project_id = %(project)s AND i.external_id = r.interaction_external_id
    LEFT JOIN LATERAL (
        SELECT (reporter->>'public_id')::uuid AS reporter_public_id, reporter->>'ref_hash' AS ref_hash,
            reporter->>'email' AS email, reporter->>'callback_url' AS callback_url, reporter->>'locale' AS locale,
            (reporter->>'has_consent')::boolean AS has_consent
    ) p ON true
    WHERE i.erased_at IS NULL AND NOT EXISTS (
        SELECT FROM capture_feedbackevent f WHERE f.project_id = %(project)s AND f.external_id = r.external_id)
), people AS (
    INSERT INTO capture_reporter AS r (project_id, public_id, ref_hash, email, callback_url, locale, has_consent,
        consent_at, created_at)
    SELECT DISTINCT ON (ref_hash) %(project)s, reporter_public_id, ref_hash, email, callback_url, locale,
        coalesce(has_consent, false), CASE WHEN has_consent IS NULL THEN NULL ELSE occurred_at END, %(now)s
    FROM given WHERE ref_hash IS NOT NULL ORDER BY ref_hash, occurred_at DESC
    ON CONFLICT (project_id, ref_hash) DO UPDATE SET
        email = coalesce(nullif(excluded.email, ''), r.email),
        callback_url = coalesce(nullif(excluded.callback_url, ''), r.callback_url),
        locale = coalesce(nullif(excluded.locale, ''), r.locale),
        has_consent = CASE WHEN excluded.consent_at >= coalesce(r.consent_at, '-infinity')
            THEN excluded.has_consent ELSE r.has_consent END,
        consent_at = greatest(r.consent_at, excluded.consent_at),
        erased_at = NULL
    WHERE r.erased_at IS NULL OR excluded.consent_at > r.erased_at
    RETURNING r.id, r.ref_hash
), new AS (
    INSERT INTO capture_feedbackevent (project_id, public_id, external_id, body_hash, interaction_id,
        interaction_external_id, kind, category, severity, score, raw_score, comment, edited_output, reporter_id, source,
        metadata, redaction_counts, occurred_at, received_at)
    SELECT %(project)s, g.public_id, g.external_id, g.body_hash, g.interaction_id, g.interaction_external_id, g.kind,
        g.category, g.severity, g.score, g.raw_score, g.comment, g.edited_output, coalesce(people.id, old.id), g.source,
        g.metadata, g.redaction_counts, g.occurred_at, %(now)s
    FROM given g LEFT JOIN people USING (ref_hash)
        LEFT JOIN capture_reporter old ON old.project_id = %(project)s AND old.ref_hash = g.ref_hash
    ON CONFLICT (project_id, external_id) DO NOTHING
    RETURNING id, public_id
), news AS (
    INSERT INTO outbox_outboxevent (project_id, kind, about, created_at, due_at, attempts, failure)
    SELECT %(project)s, 'feedback_captured', jsonb_build_object('feedback_id', id), %(now)s, %(now)s, 0, ''
    FROM new
)
SELECT public_id FROM new
"""
