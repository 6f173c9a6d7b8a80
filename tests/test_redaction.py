"""What is masked before anything is stored, what survives, and how offsets follow."""

import gzip
import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedbackhub.redaction import KINDS, VERSION, Edit, numbers, redact, redact_json


def masked(text, **options):
    return redact(text, **options).text


# --- What is masked, kind by kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to ana@example.com.", "Write to [EMAIL]."),
        ("<mailto:ana.b+tax@mail.example.co.uk>", "<mailto:[EMAIL]>"),
        ("_ana@example.com_ or 'o'hara@example.ie'", "_[EMAIL]_ or '[EMAIL]'"),
        ("jörg.müller@bücher.de", "[EMAIL]"),
        ("пишите на иван@почта.рф сейчас", "пишите на [EMAIL] сейчас"),
        ("/search?email=ana%40example.com&page=2", "/search?email=[EMAIL]&page=2"),
        ("pay rahul.upi@oksbi today", "pay [EMAIL] today"),
    ],
)
def test_email_is_masked_and_its_sentence_stays(text, expected):
    assert masked(text) == expected


def test_password_noted_beside_an_email_is_masked():
    assert masked("Login: ana@example.com / W!nter2024.") == "Login: [EMAIL] / [PASSWORD]."
    assert masked("ana@example.com:TaxPass987") == "[EMAIL]:[PASSWORD]"
    assert masked("ana@example.com / ben@example.com") == "[EMAIL] / [EMAIL]"
    assert masked("ana@example.com / Monday") == "[EMAIL] / Monday"


@pytest.mark.parametrize(
    "number",
    [
        "+14155550100",
        "+1 (415) 555-0100",
        "+1-408-555-1234",
        "+49 30 901820",
        "0049 151 12345678",
        "(415) 555-0100",
        "415-555-0100",
        "415.555.0100",
        "1-800-555-0199",
        "020 7946 0958",
        "07911 123456",
        "07911123456",
        "06 12 34 56 78",
        "0151 12345678",
        "089/1234567",
    ],
)
def test_phone_number_is_masked_in_the_forms_people_write(number):
    assert masked(f"Call {number}, please.") == "Call [PHONE], please."


def test_phone_number_ends_where_the_number_ends():
    assert masked("+1-408-555-1234 2024 was the year") == "[PHONE] 2024 was the year"


def test_phone_label_makes_bare_digits_a_phone_number():
    assert masked("phone 5551234567") == "phone [PHONE]"
    assert masked("call me at 5551234567") == "call me at [PHONE]"
    assert masked("see 5551234567") == "see 5551234567"


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "3782 822463 10005"],
)
def test_card_is_masked_when_its_checksum_holds(number):
    assert masked(f"Paid with {number}.") == "Paid with [CARD]."


def test_card_with_wrong_checksum_survives_without_a_label():
    assert masked("Paid with 4111 1111 1111 1112.") == "Paid with 4111 1111 1111 1112."
    assert masked("Credit card 4111 1111 1111 1112.") == "Credit card [CARD]."
    assert masked("credit card ending in 4821") == "credit card ending in [CARD]"
    assert masked("card 4532********7890") == "card [CARD]"


def test_iban_is_masked_when_length_and_checksum_hold():
    assert masked("to DE89 3704 0044 0532 0130 00 TODAY") == "to [IBAN] TODAY"
    assert masked("GB29NWBK60161331926819") == "[IBAN]"
    assert masked("GB29NWBK60161331926818") == "GB29NWBK60161331926818"
    assert masked("IBAN: gb29nwbk60161331926818") == "IBAN: [IBAN]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 203.0.113.7:8080", "from [IP]:8080"),
        ("ssh pi@192.168.1.77", "ssh pi@[IP]"),
        ("client 192.168.1.77", "client [IP]"),
        ("IP address 10.0.0.5", "IP address [IP]"),
        ("[2001:db8::ff00:42:8329]", "[[IP]]"),
        ("fe80::1ff:fe23:4567:890a", "[IP]"),
    ],
)
def test_ip_address_is_masked(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "078-05-1120",  # United States
        "AB 12 34 56 C",  # United Kingdom
        "943 476 5919",  # National Health Service
        "54362315-K",  # Spain
        "X2482300W",
        "RCCMNL83S18D969H",  # Italy
        "131052-308T",  # Finland
        "811228-9874",  # Sweden
        "85.07.30-033.28",  # Belgium
        "756.9217.0769.85",  # Switzerland
        "255081416802538",  # France
        "2 55 08 14 168 025 38",
        "6433435F",  # Ireland
        "710319/2745",  # Czechia
        "529.982.247-25",  # Brazil
        "20-05536168-2",  # Argentina
        "2345 6789 0124",  # India
        "ACUPA7085R",
        "11010519491231002X",  # China
        "971013-9019902",  # Korea
        "BOXW310820HNERXN09",  # Mexico
        "17291716060",  # Türkiye
    ],
)
def test_national_id_is_masked_by_form_and_checksum(number):
    assert masked(f"It is {number}, I think.") == "It is [NATIONAL_ID], I think."


@pytest.mark.parametrize(
    "token",
    [
        "sk-proj-" + "aB3dE6" * 6,
        "sk_live_" + "aB3dE6" * 4,
        "fh_sk_" + "aB3dE6" * 4,
        "ghp_" + "aB3dE6" * 6,
        "github_pat_" + "aB3dE6" * 6,
        "glpat-" + "aB3dE6" * 4,
        "AKIA" + "QRST1234" * 2,
        "AIza" + "aB3dE6" * 6,
        "xoxb-" + "123456789012-" + "aB3dE6" * 4,
        "lin_api_" + "aB3dE6" * 6,
        "npm_" + "aB3dE6" * 6,
        "hf_" + "aB3dE6" * 5,
    ],
)
def test_api_key_is_masked_by_its_vendors_prefix(token):
    assert masked(f"export KEY={token} # mine") == "export KEY=[API_KEY] # mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api key: 9f8e7d6c5b4a3210ffee", "api key: [API_KEY]"),
        ("X-Api-Key: 9f8e7d6c5b4a3210ffee", "X-Api-Key: [API_KEY]"),
        ("Authorization: Bearer 9f8e7d6c5b4a3210ffee", "Authorization: Bearer [API_KEY]"),
        ('client_secret = "9f8e7d6c5b4a3210"', 'client_secret = "[API_KEY]"'),
        ("AWS_SECRET_ACCESS_KEY=wJalr7XUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[API_KEY]"),
    ],
)
def test_api_key_is_masked_after_its_label(text, expected):
    assert masked(text) == expected


def test_jwt_is_masked_even_with_its_signature_cut_off():
    head, body, signature = "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0In0", "abc-DEF_123"
    assert masked(f"token {head}.{body}.{signature}!") == "token [JWT]!"
    assert masked(f"token {head}.{body}") == "token [JWT]"


def test_private_key_is_masked_from_begin_to_end():
    lines = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"] * 3)
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"
    assert masked(f"Here:\n{block}\nThanks.") == "Here:\n[PRIVATE_KEY]\nThanks."


def test_private_key_cut_off_is_masked_without_the_prose_behind_it():
    lines = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"] * 3)
    text = f"-----BEGIN PRIVATE KEY-----\n{lines}\nand then it stopped"
    assert masked(text) == "[PRIVATE_KEY]\nand then it stopped"


def test_url_password_is_masked_and_its_host_stays():
    assert (
        masked("postgres://app:S3c@ret@db.internal/x") == "postgres://app:[PASSWORD]@db.internal/x"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password: hunter2", "password: [PASSWORD]"),
        ("The password is hunter2.", "The password is [PASSWORD]."),
        ("with password Qr7!dke#39.", "with password [PASSWORD]."),
        ("password 'AtomicBomb9', and", "password '[PASSWORD]', and"),
        ("Password: swordfish\nUser: ana", "Password: [PASSWORD]\nUser: ana"),
        ("my password is swordfish", "my password is [PASSWORD]"),
        ('password="correct horse battery"', 'password="[PASSWORD]"'),
        ('{"password": "hunter2", "user": ""}', '{"password": "[PASSWORD]", "user": ""}'),
        (r"{\"password\": \"hunter2\"}", r"{\"password\": \"[PASSWORD]\"}"),
        ("dbPassword=abc123def&user=ana", "dbPassword=[PASSWORD]&user=ana"),
        ("Passwort: Geheim123", "Passwort: [PASSWORD]"),
        ("mot de passe : Secret!99", "mot de passe : [PASSWORD]"),
        ("the PIN is 4821", "the PIN is [PASSWORD]"),
        ("verification code: 482913", "verification code: [PASSWORD]"),
    ],
)
def test_password_is_masked_after_its_label(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("passport no. C01X00T47", "passport no. [NATIONAL_ID]"),
        ("SSN 078051120", "SSN [NATIONAL_ID]"),
        ("SSN XXX-XX-2409", "SSN [NATIONAL_ID]"),
        ("driver’s licence K932-778-3840", "driver’s licence [NATIONAL_ID]"),
        ("Tax ID 94-2841935 in", "Tax ID [NATIONAL_ID] in"),
        ("Steuer-ID 12 345 678 901", "Steuer-ID [NATIONAL_ID]"),
        ("BSN 111222333", "BSN [NATIONAL_ID]"),
        ("National Insurance number QQ 12 34 56 C", "National Insurance number [NATIONAL_ID]"),
        ("account number: 12345678", "account number: [BANK_ACCOUNT]"),
        ("account ending in 4821", "account ending in [BANK_ACCOUNT]"),
        ("account details (ACC: HDFC45678901)", "account details (ACC: [BANK_ACCOUNT])"),
        ("routing number 021000021.", "routing number [BANK_ACCOUNT]."),
        ("Patient ID AHC-0933289 and", "Patient ID [PERSONAL_ID] and"),
        ("insurance policy #88291-LK", "insurance policy #[PERSONAL_ID]"),
        ("employee ID 127854, driver", "employee ID [PERSONAL_ID], driver"),
        ("date of birth: 12/03/1985", "date of birth: [BIRTH_DATE]"),
        ("DOB March 12, 1985.", "DOB [BIRTH_DATE]."),
    ],
)
def test_identifier_is_masked_after_its_label(text, expected):
    assert masked(text) == expected


# --- What survives


@pytest.mark.parametrize(
    "text",
    [
        # money, years, doses
        "In 2023, 2024 and 2025 the limit was $23,000; before, EUR 1.234.567,89 or 1 234 567.",
        "The fiscal year 2023-24 ended on 2024-03-31 at 10:30:45, i.e. 31.03.2024 or 31/03/2024.",
        "The patient took 500 mg twice; do not exceed 4,000 mg in 24 hours, nor 140/90.",
        "Account balance 100,000 EUR; open an account with 10,000; see your 401(k) account.",
        "§ 3 Nr. 26 EStG, BFH 12.05.2021 VI R 45/19, 26 CFR 1.1031(k)-1, Form 1040-ES, RFC 7231",
        "NDC 0777-3105-02 and 50090-0481-00, PZN 01234567, CAS 50-78-2, A4, B12, H1N1, COVID-19",
        "0.001147888, 0.002190482 and 0.17291716060 of 3.14159265358979 and 0.1234567890123",
        "51 Franklin Street, Boston, MA 02110-1301",
        # numbers of things
        "Order 112-1234567-1234567, order number 10023456789, invoice 2024-000123, ticket #48211",
        "ISBN 978-3-16-148410-0, tracking 1Z999AA10123456784, SKU X-415-555-0100, US0378331005",
        "order_id=1234567890123, timestamp 1700000000000, snowflake 1234567890123456789",
        "+1000000 downloads, 1-2-3-4-5-6-7-8-9, 7 of 10",
        # code
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8, a1b2c3d",
        "550e8400-e29b-41d4-a716-446655440000 at 2024-01-15T10:30:00.123Z",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "version 1.2.3.4, v2.14.0, section 4.2.1.7, Chrome/120.0.6099.109, pkg==10.20.30.40",
        "127.0.0.1:8000, 0.0.0.0, 255.255.255.0, 10.0.0.0/8, 8.8.8.8 and ::1, 2001:db8::",
        "std::vector<int>, a::b, dead::beef, 10:30:45",
        "git@github.com:org/repo.git, icon@2x.png, react@18.2.0, @types/node, @app.task",
        "sk-folding-cube-container, task-management-system-2024",
        # talk about secrets
        "Your password is incorrect. The password must be at least 8 characters. Forgot password?",
        "Reset your password: click here. A password is required; the passcode was denied.",
        "password: string\npassword: str = Field(...)\npassword = getpass()",
        'password=os.environ["DB_PASSWORD"] or password: ${DB_PASSWORD} or password=<yours>',
        '{"password": "", "type": "password", "password_hint": "8-16 characters"}',
        'change_password", name="dispatch"',
        'api_key="YOUR_API_KEY", api_key = os.getenv("OPENAI_API_KEY"), token: {{ token }}',
        "token count: 128000, max_tokens=4096, access token expires in 3600 seconds",
        "const token = await getToken(); the secret lies in settings.py",
        "the PIN code is validated on pin 13; passport to success; licence to kill 007",
        "api_key: your-api-key-v2-here",
        "spin: 1234, discard 4111 1111 1111 1112",
        "The licence of 12.05.2021, passport 2029-12-31, tax no. 2023-2024, account 1.000.000",
        "She was born on 12 March 1985.",
    ],
)
def test_ordinary_text_survives(text):
    assert redact(text) == (text, {}, [])


# --- Scripts, emoji and disguises


def test_emoji_and_right_to_left_text_around_a_mask_stay_whole():
    assert masked("👩‍👩‍👧 ana@example.com 🇩🇪") == "👩‍👩‍👧 [EMAIL] 🇩🇪"
    assert masked("‏اكتب إلى ana@example.com‏ اليوم") == "‏اكتب إلى [EMAIL]‏ اليوم"
    assert masked("请联系ana@example.com谢谢") == "请联系[EMAIL]谢谢"


def test_digits_of_any_script_are_digits():
    assert masked("+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧") == "[PHONE]"
    assert masked("４１１１ １１１１ １１１１ １１１１") == "[CARD]"
    assert masked("٢٠٢٤") == "٢٠٢٤"


def test_invisible_characters_hide_nothing_and_offsets_stay_right():
    text = "to a\u200bna@exam\u200dple.com, \u2067415\u2011555\u20110100\u2069!"
    redacted = redact(text)
    assert redacted.text == "to [EMAIL], \u2067[PHONE]\u2069!"
    assert [text[edit.start : edit.end] for edit in redacted.edits] == [
        "a\u200bna@exam\u200dple.com",
        "415\u2011555\u20110100",
    ]


def test_letters_that_grow_in_lower_case_shift_no_mask():
    assert masked("İİİ password: hunter2") == "İİİ password: [PASSWORD]"


def test_full_width_at_sign_is_an_at_sign():
    assert masked("ana＠example.com") == "[EMAIL]"


# --- Counts, edits, offsets


def test_redacted_counts_by_kind_and_lists_edits_of_the_original():
    redacted = redact("👋 ana@example.com, ben@example.com, 078-05-1120")
    assert redacted.counts == {"EMAIL": 2, "NATIONAL_ID": 1}
    assert redacted.edits == [
        Edit(2, 17, "[EMAIL]"),
        Edit(19, 34, "[EMAIL]"),
        Edit(36, 47, "[NATIONAL_ID]"),
    ]


def test_remap_moves_offsets_and_takes_the_masks_edge_inside():
    redacted = redact("ask ana@example.com now")
    assert redacted.text == "ask [EMAIL] now"
    assert [redacted.remap(offset) for offset in (0, 4, 19, 20, 23)] == [0, 4, 11, 12, 15]
    assert redacted.remap(9) == 4
    assert redacted.remap(9, end=True) == 11


def test_masks_already_there_stay_and_are_not_counted():
    text = "[EMAIL] and [PHONE], password: [PASSWORD]"
    assert redact(text) == (text, {}, [])


def test_what_one_mask_frees_is_masked_too():
    assert masked("078-05-1120 0171 2345678") == "[NATIONAL_ID] [PHONE]"


def test_enabled_kinds_are_the_only_ones_masked():
    text = "ana@example.com, 078-05-1120, password: hunter2"
    assert masked(text, enabled=frozenset({"EMAIL"})) == "[EMAIL], 078-05-1120, password: hunter2"
    assert masked(text, enabled=frozenset()) == text
    assert masked(text, enabled=KINDS) == masked(text)


def test_version_is_named_for_manifests():
    assert isinstance(VERSION, str) and VERSION


# --- JSON


def test_redact_json_masks_strings_at_any_depth_and_keys():
    value = {"to": ["ana@example.com", {"ana@example.com": "hi"}], "n": 3, "none": None, "is": True}
    assert redact_json(value) == (
        {"to": ["[EMAIL]", {"[EMAIL]": "hi"}], "n": 3, "none": None, "is": True},
        {"EMAIL": 2},
    )


def test_redact_json_takes_a_key_for_its_values_label():
    value = {"dbPassword": "correct horse", "passport_no": "C01X00T47", "userSsn": 78051120}
    assert redact_json(value) == (
        {"dbPassword": "[PASSWORD]", "passport_no": "[NATIONAL_ID]", "userSsn": "[NATIONAL_ID]"},
        {"PASSWORD": 1, "NATIONAL_ID": 2},
    )


def test_redact_json_masks_enabled_kinds_only():
    value = {"password": "hunter2", "to": "ana@example.com"}
    redacted = redact_json(value, enabled=frozenset({"EMAIL"}))
    assert redacted == ({"password": "hunter2", "to": "[EMAIL]"}, {"EMAIL": 1})


def test_redact_json_masks_numbers_only_when_they_are_secret():
    value = {"paid_by": 4111111111111111, "at": 1700000000000, "tokens": 128000, "shipping": 123456}
    assert redact_json(value) == (value | {"paid_by": "[CARD]"}, {"CARD": 1})


def test_redact_json_keeps_values_of_keys_that_become_the_same_mask():
    redacted, counts = redact_json({"ana@example.com": 1, "ben@example.com": 2})
    assert redacted == {"[EMAIL]": 1, "[EMAIL] (2)": 2}
    assert counts == {"EMAIL": 2}


def test_redact_json_leaves_what_it_was_given():
    value = {"a": ["ana@example.com"]}
    redact_json(value)
    assert value == {"a": ["ana@example.com"]}


# --- Promises for any text


SECRETS = [
    *("ana@example.com", "+14155550100", "415-555-0100", "0171 2345678", "4111 1111 1111 1111"),
    *("DE89 3704 0044 0532 0130 00", "078-05-1120", "12345678Z", "AB123456C", "99999999999"),
    *("203.0.113.7", "fe80::1", "hunter2", "W!nter2024", "sk-aB3dE6aB3dE6aB3dE6", "eyJ"),
    *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "[EMAIL]", "[PASSWORD]"),
]
GLUE = [
    *("password", " is ", ": ", "=", "account number ", "passport no. ", "ending in ", "card "),
    *("://", "@", "%40", "/", "-", ".", "+", "(", ")", "[", "]", '"', "\\", "'", " ", "\n", "**"),
    *("1", "0", "x", "X", "\0", "\u200b", "٣", "４", "é", "İ", "你", "👩‍💻", "\ud800"),
]
texts = st.one_of(
    st.text(st.characters(), max_size=200),
    st.text("0123456789 -+./()@:aAxX*", max_size=80),
    st.lists(st.sampled_from(SECRETS + GLUE), max_size=16).map("".join),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
thoroughly = settings(max_examples=300, deadline=None)


LONG_KEY = "sk-" + "aB3dE6" * 20


@thoroughly
@example(f"passport no. 2024-01-15x {LONG_KEY} 12345678")  # a mask is shorter than the key:
@example(f"client {LONG_KEY} 1.2.3.4")  # nothing behind it may come into reach
@example("+12012000000" * 7)  # each is freed by the one before
@given(texts)
def test_redacting_twice_changes_and_counts_nothing(text):
    once = redact(text).text
    assert redact(once) == (once, {}, [])


@thoroughly
@example('password=")))"')
@given(texts)
def test_edits_lie_in_order_and_text_outside_them_is_untouched(text):
    redacted = redact(text)
    pieces, seen = [], 0
    for edit in redacted.edits:
        assert seen <= edit.start < edit.end <= len(text)
        pieces += text[seen : edit.start], edit.replacement
        seen = edit.end
    assert redacted.text == "".join([*pieces, text[seen:]])
    assert sum(redacted.counts.values()) == len(redacted.edits)


@thoroughly
@given(texts, st.booleans())
def test_remap_is_monotone_and_stays_in_range(text, end):
    redacted = redact(text)
    places = [redacted.remap(offset, end=end) for offset in range(len(text) + 1)]
    assert places == sorted(places)
    assert places[0] == 0 and places[-1] == len(redacted.text)


@thoroughly
@given(texts)
def test_remap_keeps_spans_outside_masks_on_the_same_words(text):
    redacted = redact(text)
    hidden = {at for edit in redacted.edits for at in range(edit.start, edit.end)}
    for at, character in enumerate(text):
        if at not in hidden:
            assert redacted.text[redacted.remap(at)] == character


@thoroughly
@given(values)
def test_redact_json_twice_changes_and_counts_nothing(value):
    once, _ = redact_json(value)
    assert redact_json(once) == (once, {})


@pytest.mark.parametrize(
    "piece",
    [
        *("1", "a", "-", "a@", "a@a.a.", "A1 ", "1 2 ", "192.168.1.1@", "+14155550100 ", "a:", "٤"),
        *("0171 2345678", "12345678901;", "GB29 NWBK ", "1\u200b", "**123 ", "[EMAIL]", "://a:b"),
        *("password ", 'pass="', "token=a1.", "account number for a b c 12345 ", "ending XX1"),
        *("sk-", "eyJ", "eyJaaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----\n"),
    ],
)
def test_no_text_takes_more_than_linear_time(piece):
    # Linear takes half a second at most; quadratic would take hours. benchmarks/redaction.py measures.
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 10


def test_long_lists_of_candidates_are_masked_by_form_alone(monkeypatch):
    ids, phones = "12345678901, 12345678902", "+9991234567; +9991234568"
    assert masked(ids) == ids and masked(phones) == phones
    monkeypatch.setattr(numbers, "_MOST_CHECKSUMS", 1)
    monkeypatch.setattr(numbers, "_MOST_PHONES", 1)
    assert masked(ids) == "12345678901, [NATIONAL_ID]"
    assert masked(phones) == "+9991234567; [PHONE]"


@pytest.mark.shared
def test_recall_on_synthetic_personal_data_does_not_fall(shared):
    names = {"PERSON", "ORG", "ORGANIZATION", "SYSTEM", "TITLE", "EVENT"}
    marked = found = 0
    with gzip.open(shared / "data" / "pii_nano.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            edits = redact(row["text"]).edits
            for mark in row["entities"]:
                if mark["type"] not in names:
                    marked += 1
                    found += any(e.start < mark["end"] and mark["start"] < e.end for e in edits)
    assert marked == 190
    assert found >= 186
