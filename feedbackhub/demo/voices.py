"""What people say when the case at hand has no words of its own: reporters, and experts who agree."""

COMPLAINTS = {
    "factual_error": [
        "That is not correct.",
        "wrong",
        "Checked it twice, this is just wrong.",
        "nope ❌",
    ],
    "fabricated": [
        "I can't find this anywhere. Did you make it up?",
        "sounds invented",
        "source??",
    ],
    "outdated": ["This was true some years ago.", "outdated", "old rules, please update your data"],
    "contradicts_source": [
        "The text it links says the opposite.",
        "Read your own sources!",
        "not what the document says",
    ],
    "source_irrelevant": ["What has this source got to do with it?", "wrong document I think"],
    "incomplete": [
        "Half an answer.",
        "and the rest?",
        "It leaves out what I would have needed most.",
        "ok but what does that mean for me",
    ],
    "misunderstood": [
        "That was not my question.",
        "please read again what I asked 🙏",
        "missed the point",
    ],
    "off_topic": ["Completely beside the point.", "??? off topic", "this is about something else"],
    "format": [
        "unreadable on my phone 📱",
        "formatting is broken",
        "Please format this for humans.",
    ],
    "too_long": ["Too long.", "tl;dr", "I gave up half way through."],
    "tone": ["I don't like how this talks to me.", "rude", "Very condescending."],
    "refused_wrongly": [
        "Why can't it answer that? It's a normal question.",
        "refuses everything useful",
        "not helpful at all",
    ],
    "biased": ["This is prejudice, not an answer.", "offensive"],
    "harmful": ["This is dangerous, please take it down.", "harmful advice ⚠️", "DANGEROUS"],
    "privacy": ["Whose data is this?!", "I should not be able to see this."],
    "slow": ["very slow today", "30+ seconds 🐌"],
}

COMPLAINTS_IN = {
    "de": ["Stimmt so nicht.", "Leider falsch 👎", "Hilft mir nicht weiter."],
    "fr": ["Ce n'est pas exact.", "Pas utile du tout 😕"],
    "ar": ["الجواب غير صحيح.", "لم أستفد من هذا الجواب 👎"],
    "he": ["התשובה לא נכונה.", "לא עזר לי 👎"],
}

PRAISE = [
    "Thank you!",
    "exactly what I needed 👍",
    "clear and short, great",
    "finally an answer I understand",
    "perfect",
    "👏",
    "Helped a lot, thanks.",
    "works",
    "ok thx",
    "Better than the phone hotline.",
    "very helpful, I will recommend it to a friend 😊",
    "Solved my problem in one minute.",
    "Good. Could be a bit shorter.",
    "Somebody who knows about this said the same.",
]

PRAISE_IN = {
    "de": ["Danke, genau das wollte ich wissen!", "Top 👍"],
    "fr": ["Merci, très clair !", "Parfait 👌"],
    "ar": ["شكرًا، واضح ومفيد 👍"],
    "he": ["תודה, בדיוק מה שחיפשתי 👍"],
}

# People who are unhappy with an answer that is right.
UNHAPPY = [
    "Not the answer I was hoping for.",
    "too complicated for me",
    "I wanted a yes or no.",
    "My brother-in-law says otherwise.",
    "Are you sure? I read something else in a forum.",
    "hmm",
    "didn't help, I want to speak to a person",
    "why so many conditions",
]

FOLLOW_UPS = [
    "ok and where exactly do I find that?",
    "Can you give me an example?",
    "and what if I've already done it the other way?",
    "shorter please",
    "so is that a yes?",
    "what does the second point mean",
    "are you sure? 🤔",
]

FOLLOW_UPS_IN = {
    "de": ["Und wo genau trage ich das ein?"],
    "fr": ["Et concrètement, je fais comment ?"],
    "ar": ["هل يمكنك إعطائي مثالًا؟"],
    "he": ["אפשר דוגמה?"],
}

# Said along with a complaint: what redaction has to find. Test numbers and reserved addresses only.
CONTACTS = [
    "Please call me back: +49 30 23125 0{n:02}.",
    "You can reach me at {name}@example.org",
    "btw my card 4111 1111 1111 1111 was charged twice for this",
    "IBAN DE89 3704 0044 0532 0130 00 if you want to pay me back 😉",
    "my number is 020 7946 09{n:02}",
    "write to {name}@example.net, not to my work address",
    "card 5555 5555 5555 4444, refund please",
    "phone +1 202 555 01{n:02}, evenings",
]

ASIDES = [
    "(I'm {name}@example.org in case you need to look me up.)",
    "My number is +49 30 23125 0{n:02} if it's easier by phone.",
    "I pay with 4242 4242 4242 4242, if that matters.",
    "Can you send the answer to {name}@example.net too?",
]

FIRST_NAMES = [
    "lena",
    "jonas",
    "amira",
    "tobias",
    "yael",
    "karim",
    "sophie",
    "mateus",
    "ingrid",
    "paolo",
    "noor",
    "felix",
    "chloe",
    "dmitri",
    "hana",
    "ruben",
    "salma",
    "erik",
    "tamar",
    "luca",
    "aisha",
    "moritz",
    "camille",
    "idris",
    "greta",
    "omer",
    "leila",
    "anton",
    "zoe",
    "bashir",
]
LAST_NAMES = [
    "hartwig",
    "okafor",
    "lindqvist",
    "baptista",
    "kessler",
    "navon",
    "haddad",
    "fournier",
    "brandt",
    "mansour",
    "peretz",
    "vogel",
    "ricci",
    "sommer",
    "dubois",
    "rahman",
    "weiss",
    "moreau",
    "alvarez",
    "jansen",
]

# A second expert who sees it the same way.
AGREES = {
    "factual_error": ["Wrong. I checked it.", "Same finding."],
    "fabricated": ["Could not find it either.", "Does not exist."],
    "outdated": ["Out of date. Agreed.", "Right once, not now."],
    "contradicts_source": ["Its own source says otherwise.", "Did not read the passage it cites."],
    "source_irrelevant": ["Wrong passage retrieved."],
    "incomplete": ["Yes, the condition is missing.", "Would have sent it with one more sentence."],
    "misunderstood": ["Answers something else."],
    "off_topic": ["Not our topic."],
    "format": ["Unreadable as it stands."],
    "too_long": ["Cut everything before the last sentence."],
    "tone": ["Agreed, we do not talk like this."],
    "refused_wrongly": ["No reason to refuse."],
    "biased": ["Agreed. Not acceptable."],
    "harmful": ["Agreed. Has to be stopped today.", "Same. I would ring the team."],
    "privacy": ["Agreed. Tell data protection.", "Incident."],
    "slow": ["Right, but slow."],
}

# An expert on an answer that is right.
FINE = [
    "Could go out as it is.",
    "Correct, and nicely put.",
    "Correct. I would only say it in fewer words.",
    "Checked it line by line, all fine.",
    "Good: names the limit and the exception.",
]

# The same, where somebody complained.
FINE_ALTHOUGH = [
    "Right. The user simply did not like it.",
    "Correct. The complaint is about the rule, not about the answer.",
    "Nothing wrong with it. Perhaps put the yes or no first.",
]
