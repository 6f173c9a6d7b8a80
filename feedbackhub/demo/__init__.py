"""The demo project's material: invented people asking an invented assistant about real things.

Pure Python and no models, so it can be read, tested and changed without a database. What is
written by hand is the material (questions, good answers, flawed answers with the expert's
rewrite); what is drawn, always with `random.Random(7)`, is who asked what, when, under which
prompt version, and what they said about it.

    content.py     the door: everything `load_demo` calls
    tax_help.py    German income tax, in English, German, French, Arabic and Hebrew
    pharmacy.py    medicines without prescription, and the ones that do not go together
    devtool.py     Git, Python, SQL, containers; answers with code and tables
    prompts.py     the prompt versions of the three assistants, with text and rationale
    voices.py      what reporters and experts say when the case has no words of its own
    writing.py     `Case`, `Flaw`, and the small notation that the material is written in
    shapes.py      people, judgements, decisions, problems: what is handed out beside payloads
    drawing.py     who asks what, when, and which answer they get
    payloads.py    a row as an API payload
    reactions.py   what people do about an answer
    judging.py     what experts say about it, and how a lead settles half of the disputes
    problems.py    the causes that bad answers share

How `load_demo` uses it:

    from feedbackhub.demo import content

    content.people()              the six members: key, name, e-mail, roles, fields
    content.prompt_versions(now)  name, version, text, rationale, deployed_at
    content.interactions(now)     payloads of POST /api/v1/interactions, oldest first
    content.feedback(now)         payloads of POST /api/v1/feedback, oldest first
    content.judgements()          what the experts say, in the order in which they say it
    content.decisions()           how Ben settles some of the disputes; the others stay open
    content.sampled()             judged although nobody complained: to be put into review by hand
    content.disputed()            the interactions on which experts differ
    content.problems()            what the bad answers have in common, with fixes already made

The same `now` gives the same bytes; ids and texts do not depend on `now` at all, only times do.
A judgement's spans are (field, start, end, label): the field is "output" or "documents.<n>", n
counting from 0; offsets count Unicode code points of the text as sent. Texts that carry spans
hold nothing that redaction masks, so the offsets are those of the stored text too.

Facts: German tax law of 2025, leaflets as of 2025, the documentation of the tools named. The good
answers were written to be right, the flawed ones to be wrong in exactly the marked places. It is
demo material, not advice. Addresses are on reserved domains, card and phone numbers are test
numbers, and nobody in here exists.
"""
