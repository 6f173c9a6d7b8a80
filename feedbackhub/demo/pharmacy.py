"""Pharmacy: the assistant in a pharmacy chain's app. Doses, what goes with what, when to see a doctor.

The misleading document is `family-blog`: a friendly post on children's fever with a wrong dose. It
was crawled by mistake and reads closer to parents' questions than any leaflet does.
"""

from feedbackhub.demo.writing import Case, Flaw, library, single

FEATURE = "pharmacy"
PROMPT = "pharmacy-assistant"
MISLEADING = "family-blog"
ROLES = ["patient", "patient", "parent", "carer", "nurse", "pharmacist"]
REGIONS = ["GB-LND", "GB-SCT", "DE-BE", "DE-NW", "CH-ZH", "FR-IDF", "AE-DU", "IL-TA"]

DOCUMENTS = library(
    {
        "leaflet-paracetamol": (
            "Paracetamol: patient leaflet",
            "https://leaflets.harbour.example/paracetamol",
            {
                "children": """
                    Children: 10 to 15 mg per kg of body weight per dose, every 4 to 6 hours if
                    needed, at most 4 doses and 60 mg per kg in 24 hours. Use the syringe in the
                    pack. See a doctor if a child under 3 months has fever or if fever lasts
                    longer than 3 days.
                    """,
                "adults": """
                    Adults and children over 12 (above 50 kg): 500 mg to 1 g every 4 to 6 hours,
                    at most 4 g in 24 hours. Do not take with other products that contain
                    paracetamol. An overdose can damage the liver although you feel well at first:
                    get help at once.
                    """,
            },
        ),
        "leaflet-ibuprofen": (
            "Ibuprofen: patient leaflet",
            "https://leaflets.harbour.example/ibuprofen",
            {
                "children": """
                    Children from 3 months and 6 kg: 7 to 10 mg per kg per dose, at most 3 doses
                    and 30 mg per kg in 24 hours, 6 to 8 hours apart. Not with chickenpox, not
                    when the child is dehydrated.
                    """,
                "adults": """
                    Adults without prescription: 200 to 400 mg up to three times a day, at most
                    1,200 mg in 24 hours, with food, for no longer than 3 days with fever and 4
                    days with pain.
                    """,
                "warnings": """
                    Do not take ibuprofen in the last three months of pregnancy; from week 20 only
                    if a doctor says so. Do not take it with a stomach ulcer, severe heart
                    failure, or asthma set off by painkillers. With anticoagulants the risk of
                    bleeding rises.
                    """,
                "breastfeeding": """
                    Only small amounts pass into breast milk. With short use at the recommended
                    doses breastfeeding need not be interrupted.
                    """,
            },
        ),
        "family-blog": (
            "How we get through fever nights (and what really works!)",
            "https://blog.family-notes.example/fever-nights",
            {
                "dose": """
                    What really works for us: 25 mg of paracetamol per kilo, every four hours, day
                    and night, until the fever is gone. The numbers on the pack are for the
                    lawyers. Our three have never had a fever that lasted!
                    """,
                "mix": """
                    If it is still above 38 after an hour, we give a full dose of ibuprofen right
                    on top and start again. And half an aspirin for the bigger ones, like grandma
                    did.
                    """,
            },
        ),
        "guide-fever": (
            "Fever in children: guidance for parents",
            "https://guides.harbour.example/fever",
            {
                "when": """
                    Fever is not dangerous in itself. Treat the child, not the number: medicine is
                    for a child that is miserable. Do not give paracetamol and ibuprofen at the
                    same time; change to the other only if the child is still distressed when the
                    next dose is due.
                    """,
                "flags": """
                    Seek help at once: under 3 months with 38.0 °C or more; a rash that does not
                    fade under a glass; stiff neck; fits; hard to wake; not drinking; breathing
                    with effort.
                    """,
            },
        ),
        "interactions": (
            "Interactions: pharmacist's handbook",
            "https://handbook.harbour.example/interactions",
            {
                "warfarin-nsaid": """
                    Vitamin K antagonists with NSAIDs: serious bleeding, above all from the
                    stomach. Avoid. Paracetamol is preferred; with regular use above 2 g a day
                    check the INR more often.
                    """,
                "pde5-nitrates": """
                    Sildenafil, tadalafil, vardenafil with nitrates (spray, tablets, patches) or
                    nicorandil: contraindicated. Life-threatening fall in blood pressure. After
                    sildenafil no nitrate for 24 hours, after tadalafil for 48 hours.
                    """,
                "serotonin": """
                    SSRIs and SNRIs with tramadol, dextromethorphan, St John's wort or linezolid:
                    risk of serotonin syndrome (restlessness, sweating, tremor, fever). MAO
                    inhibitors: contraindicated.
                    """,
                "statins-grapefruit": """
                    Grapefruit raises simvastatin and atorvastatin; avoid it altogether with
                    simvastatin, and large amounts with atorvastatin. Pravastatin, rosuvastatin
                    and fluvastatin are not affected.
                    """,
                "st-johns-wort": """
                    St John's wort speeds up the breakdown of many medicines: hormonal
                    contraceptives, anticoagulants, ciclosporin, HIV medicines. The effect lasts
                    for weeks after stopping.
                    """,
                "lithium": """
                    NSAIDs reduce the excretion of lithium; toxic levels are possible within days.
                    Paracetamol is the alternative.
                    """,
                "metronidazole-alcohol": """
                    Metronidazole with alcohol can cause flushing, vomiting and palpitations.
                    Avoid alcohol during treatment and for 48 hours afterwards.
                    """,
            },
        ),
        "contraception": (
            "Contraception: what if",
            "https://guides.harbour.example/contraception",
            {
                "missed": """
                    Combined pill, one pill missed (24 to 48 hours late): take it as soon as you
                    remember, even two on one day. Protection continues. Two or more missed: take
                    the last one, use condoms for 7 days; if fewer than 7 pills are left in the
                    pack, skip the break.
                    """,
                "emergency": """
                    Levonorgestrel: as soon as possible, up to 72 hours. Ulipristal acetate: up to
                    120 hours. A copper coil up to 5 days is the most effective. No prescription
                    is needed for the tablets. After ulipristal wait 5 days before restarting
                    hormones.
                    """,
            },
        ),
        "leaflet-levothyroxine": (
            "Levothyroxine: patient leaflet",
            "https://leaflets.harbour.example/levothyroxine",
            {
                "taking": """
                    In the morning on an empty stomach with water, at least 30 minutes before
                    breakfast and before coffee. Keep 4 hours from calcium, iron, magnesium and
                    antacids.
                    """,
            },
        ),
        "leaflet-iron": (
            "Iron tablets: patient leaflet",
            "https://leaflets.harbour.example/iron",
            {
                "taking": """
                    On an empty stomach if tolerated, with water or orange juice. Tea, coffee,
                    milk and antacids reduce absorption: keep 2 hours apart. Stools turn dark;
                    that is harmless. One dose every other day is often enough and is better
                    tolerated.
                    """,
            },
        ),
        "leaflet-xylometazoline": (
            "Decongestant nasal spray: patient leaflet",
            "https://leaflets.harbour.example/xylometazoline",
            {
                "duration": """
                    No longer than 7 days. Longer use makes the lining swell as soon as the effect
                    wears off. To come off it: one nostril at a time, or a cortisone spray for
                    some weeks.
                    """,
            },
        ),
        "leaflet-antihistamines": (
            "Antihistamines compared",
            "https://guides.harbour.example/antihistamines",
            {
                "driving": """
                    Loratadine, desloratadine, fexofenadine: hardly any drowsiness. Cetirizine and
                    levocetirizine: some people. Diphenhydramine, doxylamine, dimetindene: marked;
                    do not drive.
                    """,
            },
        ),
        "guide-antibiotics": (
            "Taking antibiotics",
            "https://guides.harbour.example/antibiotics",
            {
                "missed": """
                    A missed dose: take it as soon as you remember, unless the next one is nearly
                    due. Never take a double dose. Take it for as long as prescribed.
                    """,
                "dairy": """
                    Doxycycline and ciprofloxacin bind to calcium: 2 to 3 hours away from milk,
                    yoghurt, calcium and antacids. Amoxicillin may be taken with or without food.
                    """,
                "prescription": """
                    Antibiotics need a prescription. They do not work against colds, flu and most
                    sore throats.
                    """,
            },
        ),
        "guide-storage": (
            "Keeping and discarding medicines",
            "https://guides.harbour.example/storage",
            {
                "eye-drops": """
                    Eye drops with preservative: 4 weeks after opening unless the leaflet says
                    otherwise. Single-dose containers: use at once, discard the rest.
                    """,
                "insulin": """
                    Insulin in stock: 2 to 8 °C, never frozen. In use: below 25 to 30 °C, for 4
                    weeks. On a plane in the hand luggage, as the hold can freeze.
                    """,
                "expired": """
                    Medicines past their date are not to be used. Take them to the pharmacy or
                    follow local rules; never down the sink.
                    """,
            },
        ),
        "guide-pregnancy": (
            "Pain relief in pregnancy",
            "https://guides.harbour.example/pregnancy-pain",
            {
                "choice": """
                    Paracetamol is the first choice throughout, at the lowest dose that works.
                    Ibuprofen and other NSAIDs: from week 20 only on a doctor's advice, from week
                    28 not at all (closure of the ductus arteriosus, kidney damage in the child).
                    """,
            },
        ),
        "guide-aspirin": (
            "Aspirin and children",
            "https://guides.harbour.example/aspirin-children",
            {
                "reye": """
                    No aspirin under 16 unless a doctor prescribes it: with viral infections it
                    can cause Reye's syndrome, which damages liver and brain and can kill.
                    """,
            },
        ),
        "leaflet-methotrexate": (
            "Methotrexate tablets: patient leaflet",
            "https://leaflets.harbour.example/methotrexate",
            {
                "weekly": """
                    For rheumatism and psoriasis ONCE A WEEK, always on the same day. Daily use by
                    mistake has caused deaths. Warning signs: mouth ulcers, fever, bruises,
                    breathlessness: see a doctor at once. Folic acid on another day.
                    """,
            },
        ),
        "leaflet-fentanyl": (
            "Fentanyl patches: patient leaflet",
            "https://leaflets.harbour.example/fentanyl-patch",
            {
                "use": """
                    Change every 72 hours. Do not cut. No heat on the patch (hot-water bottle,
                    sauna, fever): more of the drug enters the body. Fold used patches and bring
                    them back; they still contain enough to kill a child.
                    """,
            },
        ),
        "guide-diarrhoea": (
            "Diarrhoea",
            "https://guides.harbour.example/diarrhoea",
            {
                "loperamide": """
                    Loperamide for adults: 4 mg at first, 2 mg after each loose stool, at most 12
                    mg a day without prescription, 2 days at most. Not with fever or blood in the
                    stool. Drink oral rehydration solution.
                    """,
                "flags": """
                    See a doctor: blood, high fever, longer than 3 days, signs of dehydration;
                    earlier with babies, in pregnancy and in old age.
                    """,
            },
        ),
        "leaflet-zopiclone": (
            "Sleeping tablets: patient leaflet",
            "https://leaflets.harbour.example/zopiclone",
            {
                "dose": """
                    One tablet directly before going to bed. Do not take a second one in the same
                    night. No alcohol. As short as possible, at most 4 weeks; do not stop suddenly
                    after long use.
                    """,
            },
        ),
        "guide-vitamin-d": (
            "Vitamin D",
            "https://guides.harbour.example/vitamin-d",
            {
                "dose": """
                    800 to 1,000 IU a day (20 to 25 µg) suffice for adults with little sun.
                    Without medical advice no more than 4,000 IU a day. Babies: 400 to 500 IU.
                    """,
            },
        ),
        "guide-lice": (
            "Head lice",
            "https://guides.harbour.example/head-lice",
            {
                "treatment": """
                    Dimeticone on dry hair, leave on as the leaflet says, comb out wet with a lice
                    comb; repeat after 8 to 10 days. Look through everybody in the household.
                    Washing everything is not necessary.
                    """,
            },
        ),
        "guide-cold-sore": (
            "Cold sores",
            "https://guides.harbour.example/cold-sores",
            {
                "cream": """
                    Aciclovir cream five times a day, at the first tingling, for 5 days. No
                    kissing of newborn babies while there are blisters. See a doctor with blisters
                    near the eye.
                    """,
            },
        ),
        "guide-sunscreen": (
            "Choosing a sunscreen",
            "https://guides.harbour.example/sunscreen",
            {
                "factor": """
                    Factor 30 or 50, two milligrams per square centimetre, renewed every two hours.
                    """,
            },
        ),
        "guide-acid": (
            "Heartburn",
            "https://guides.harbour.example/heartburn",
            {
                "omeprazole": """
                    Omeprazole 20 mg once a day, 30 minutes before breakfast, without prescription
                    for 14 days at most. See a doctor with trouble swallowing, weight loss, black
                    stools, or if it comes back.
                    """,
            },
        ),
        "guide-asthma": (
            "Painkillers and asthma",
            "https://guides.harbour.example/asthma-painkillers",
            {
                "nsaid": """
                    About 7 percent of adults with asthma react to aspirin and other NSAIDs,
                    mostly within two hours, often those with nasal polyps. Who has taken
                    ibuprofen before without trouble may go on. Paracetamol is usually tolerated.
                    """,
            },
        ),
        "app-help": (
            "Help with the Harbour app",
            "https://help.harbour.example/app",
            {
                "e-prescription": """
                    Scan the code of your e-prescription under Prescriptions. The order goes to
                    the branch you choose. Only you see your prescriptions; a carer needs your
                    consent in Settings.
                    """,
                "points": """
                    You collect one point for each euro spent on products without prescription.
                    """,
            },
        ),
    }
)


def _ml(milligrams: float, per_ml: float) -> str:
    return f"{milligrams / per_ml:.1f}".rstrip("0").rstrip(".")


CASES = [
    Case(
        key="child-paracetamol",
        docs="leaflet-paracetamol/children guide-fever/flags",
        slots={"kg": [8, 9, 11, 12, 13, 14, 16, 18, 21], "temp": ["38.7", "39.1", "39.4", "39.8"]},
        work=lambda s: {
            "dose": 15 * s["kg"],
            "day": 60 * s["kg"],
            "blog": 25 * s["kg"],
            "ml": _ml(15 * s["kg"], 24),
            "wrong_ml": _ml(25 * s["kg"], 24),
        },
        asks=[
            "My daughter weighs {kg} kg and has {temp} °C. How much paracetamol can I give her?",
            "paracetamol syrup 120mg/5ml, {kg} kilos, fever {temp} — how many ml and how often??",
            "It's the middle of the night, my son ({kg} kg) is burning up, {temp}. Dose "
            "for paracetamol please",
            "How often may a {kg} kg toddler have paracetamol in 24 hours? He had one dose at 6 pm",
            "The fever came back three hours after the last dose ({kg} kg, {temp}). Can "
            "I give it again?",
            (
                "My child has a fever of {temp}.",
                "How old is your child, and how much does it weigh?",
                "She weighs {kg} kg. I have paracetamol syrup here",
            ),
            "suppositories or syrup for {kg} kg? and how much in mg",
            "{temp} after vaccination, {kg}kg, is paracetamol ok and how much",
        ],
        good=[
            """
            For {kg} kg a dose is **up to {dose} mg** (15 mg per kg), which is {ml} ml of a syrup
            with 120 mg in 5 ml. ‹Leave at least 4, better 6 hours between doses|Wait at least 4
            hours, better 6, before the next one›, with **no more than 4 doses and {day} mg in 24
            hours**. Measure with the syringe in the pack.

            Get help at once if your child is hard to wake, does not drink, breathes with effort,
            has a stiff neck or a rash that does not fade when you press a glass on it. See a
            doctor if the fever lasts longer than three days, and always for a baby under three
            months.
            """,
            """
            {kg} kg × 15 mg = **{dose} mg per dose**, every 4 to 6 hours if needed, at most four
            times in 24 hours. With the usual syrup (120 mg in 5 ml) that is {ml} ml. Fever alone
            does not have to be brought down: give it when your child is in pain or miserable, and
            offer plenty to drink. If your child is drowsy, will not drink or has a rash, call a
            doctor now rather than waiting for the medicine to work.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical retrieval_misled",
                """
                For {kg} kg you can give ⟦{blog} mg of paracetamol (25 mg per kilo)⇒up to {dose}
                mg of paracetamol (15 mg per kilo)⟧, which is ⟦{wrong_ml}⇒{ml}⟧ ml of syrup,
                ⟦every four hours, day and night, until the fever is gone⇒every 4 to 6 hours if
                needed, with at most 4 doses and {day} mg in 24 hours⟧. ⟦The lower numbers on the
                pack are only there for legal reasons.⇒Never give more than the pack says: too
                much paracetamol damages the liver, without any sign at first.⟧
                """,
                note="Ten mg per kg too much, six times a day, from a parents' blog. That is "
                "150 mg/kg a day: liver failure territory. The blog must leave the index "
                "today.",
                says=[
                    "I'm a paediatric nurse. This dose can kill a child. TAKE IT DOWN.",
                    "the pack says 15 mg per kg, your app says 25. I gave the pack dose "
                    "but others won't check!",
                    "dose is way too high 🚨",
                ],
                docs="family-blog/dose leaflet-paracetamol/children",
                source_quote="25 mg of paracetamol per kilo, every four hours",
                also=("contradicts_source",),
                times=3,
            ),
            Flaw(
                "incomplete",
                "partly medium constraint_missing",
                """
                For {kg} kg one dose is {dose} mg of paracetamol, which is {ml} ml of a syrup with
                120 mg in 5 ml.⟦⇒ Leave at least 4 hours between doses and give no more than 4 in
                24 hours. Get help at once if your child is hard to wake, does not drink, or has a
                rash that does not fade under a glass.⟧
                """,
                note="Dose right, but no interval, no daily maximum, no red flags. At night "
                "people read only this.",
                says=[
                    "and how often?? it doesn't say",
                    "no maximum given. dangerous for tired parents",
                ],
                dissent=(
                    "wrong high",
                    "A child's dose without interval and maximum is unsafe. I would not "
                    "let this pass as 'partly'.",
                ),
            ),
            Flaw(
                "format",
                "partly low prompt_ambiguous",
                """
                ⟦| kg | mg | ml | q | max || {kg} | {dose} | {ml} | 4-6h | 4x/24h |||⟧
                """,
                fix="""
                For {kg} kg: {dose} mg, which is {ml} ml of the syrup with 120 mg in 5 ml. Every 4
                to 6 hours if needed, at most four doses in 24 hours. If your child is hard to
                wake, does not drink or has a rash that does not fade, get help at once.
                """,
                note="A broken table on a phone at night. Numbers are right.",
                says=["can't read this, what does q mean", "looks broken on iphone"],
            ),
        ],
        praise=["saved our night, thank you ❤️", "exact ml, that's what I needed at 3 am"],
        then=[
            (
                "And if it does not come down at all?",
                """
                A fever that stays is not a sign that the dose was too small, so please do not
                give more. What counts is how your child is. Drinking, answering, wet nappies:
                wait and offer fluids. Limp, hard to wake, breathing fast, or a rash: call the
                emergency number. After three days of fever, see a doctor in any case.
                """,
            )
        ],
    ),
    Case(
        key="child-ibuprofen",
        docs="leaflet-ibuprofen/children guide-fever/flags",
        slots={"kg": [10, 12, 14, 15, 17, 20, 22]},
        work=lambda s: {
            "dose": 10 * s["kg"],
            "day": 30 * s["kg"],
            "ml": _ml(10 * s["kg"], 20),
            "often": 60 * s["kg"],
        },
        asks=[
            "Ibuprofen syrup 100 mg/5 ml for a child of {kg} kg: how much?",
            "My son has ear ache, {kg} kg. ibuprofen dose and how many times a day",
            "can i give ibuprofen with chickenpox? {kg} kg, itchy and feverish",
            "how long between two doses of kids ibuprofen, {kg}kg girl",
            "teething toddler 🦷 {kg} kg: how much ibuprofen per dose is the limit",
        ],
        good=[
            """
            For {kg} kg a dose is **up to {dose} mg** (10 mg per kg), which is {ml} ml of the
            syrup with 100 mg in 5 ml. Leave 6 to 8 hours between doses; no more than three in 24
            hours, {day} mg in all. Give it with some food.

            Not with **chickenpox**, and not if your child is vomiting, has diarrhoea or hardly
            drinks: paracetamol is the better choice then.
            """,
            """
            {dose} mg at a time ({ml} ml of the 100 mg/5 ml syrup), three times a day at most, 6
            to 8 hours apart. Under 3 months or under 6 kg only with a doctor. If your child is
            dry (few wet nappies, no tears) or has chickenpox, use paracetamol instead.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong high model_limit",
                """
                A child of {kg} kg can have up to {dose} mg of ibuprofen ({ml} ml of the 100 mg/5
                ml syrup) ⟦every four hours, up to six times a day⇒every 6 to 8 hours, at most
                three times in 24 hours⟧. Give it with some food.
                """,
                note="Interval of paracetamol applied to ibuprofen: twice the daily maximum.",
                says=["6 times?? leaflet says 3", "Our pharmacist said max three times a day."],
                also=("contradicts_source",),
            ),
            Flaw(
                "harmful",
                "harmful high constraint_missing",
                """
                For {kg} kg give {dose} mg ({ml} ml), up to three times a day, with food.
                ⟦Ibuprofen is also a good choice with chickenpox, as it calms the skin.⇒Not with
                chickenpox: it has been linked to serious skin and soft-tissue infections. Use
                paracetamol instead.⟧
                """,
                note="NSAIDs with varicella: necrotising infections are described. The "
                "leaflet in the context says no.",
                says=["GP told us NEVER with chickenpox. please fix"],
                asks=["can i give ibuprofen with chickenpox? {kg} kg, itchy and feverish"],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="alternate",
        docs="guide-fever/when leaflet-ibuprofen/children",
        slots={"age": ["2", "4", "5", "7"]},
        asks=[
            "Can I give paracetamol and ibuprofen together? My {age} year old still has "
            "39 after paracetamol",
            "alternating para and ibu, is that a thing or old hat? kid is {age}",
            "Fever is 38.6 but she is playing happily. Should I give anything? She is {age}",
            "in what order do you alternate ibuprofen and paracetamol for a {age}-year-old",
        ],
        good=[
            """
            Not at the same time. Choose one, and change to the other only if your child is
            **still distressed when the next dose would be due**. Write down what you gave and
            when; mistakes happen when two medicines overlap.

            Fever does not have to be treated as such. A {age} year old who plays and drinks needs
            nothing but water and light clothes, even at 39.
            """,
            """
            One is usually enough. If your child is still miserable when the next dose could be
            given, you may change to the other; both at once, or every hour one of them, is a
            recipe for mistakes. And if your {age} year old plays and drinks: no medicine,
            whatever the thermometer says.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful high retrieval_misled",
                """
                If it is still above 38 after an hour, ⟦give a full dose of ibuprofen right on top
                of the paracetamol and start again⇒wait: fever itself need not be brought down.
                Change to the other medicine only if your child is still distressed when the next
                dose is due⟧. ⟦For a {age} year old you can add half an aspirin.⇒Never give
                aspirin to a child.⟧
                """,
                note="The blog again, aspirin included. Reye's syndrome is rare and deadly.",
                says=[
                    "HALF AN ASPIRIN FOR A CHILD???",
                    "this is from a mommy blog, I can see it in the sources. Why is that "
                    "in a pharmacy app",
                ],
                docs="family-blog/mix guide-fever/when",
                source_quote="half an aspirin for the bigger ones",
                times=2,
            ),
            Flaw(
                "too_long",
                "partly low prompt_ambiguous",
                """
                ⟦Fever is one of the oldest defences of the body. Already Hippocrates described
                it, and in the nineteenth century Carl Wunderlich measured the temperature of
                25,000 patients. The set point lies in the hypothalamus, where prostaglandin E2
                plays a role; both medicines act on its formation, though at different places, and
                the literature from 2000 to 2013 compares single, combined and alternating use in
                several trials of different quality, which cannot all be presented here.⇒⟧ For a
                {age} year old: not both at the same time; change to the other only if your child
                is still distressed when the next dose is due. ⟦Further reading on each of the
                trials can be found in medical libraries.⇒Fever by itself needs no medicine if
                your child plays and drinks.⟧
                """,
                note="Correct. A parent at night does not need Hippocrates.",
                says=["I have a crying child on my arm. Get to the point!", "too long 😴"],
            ),
        ],
        praise=["'treat the child, not the number' 👏"],
    ),
    Case(
        key="cold-remedy",
        docs="leaflet-paracetamol/adults",
        slots={
            "powder": ["a hot lemon cold powder", "a flu capsule", "a night-time cold syrup"],
            "n": ["three", "four"],
        },
        asks=[
            "I take paracetamol 1 g four times a day for my back. Can I add {powder}?",
            "Is it OK to combine {powder} with paracetamol tablets? I've had {n} today",
            "terrible cold 🤧 already took {n} paracetamol 500, now {powder} on top?",
            "how many paracetamol max a day as an adult, and does {powder} count",
            "my husband took {n} paracetamol and two sachets of {powder} in one day. "
            "should I worry?",
        ],
        good=[
            """
            Please look at the back of the pack first: {powder} nearly always contains
            **paracetamol too**, and then the two add up. For adults above 50 kg the limit is **4
            g in 24 hours, from everything together** (eight tablets of 500 mg). If you are close
            to it, use something without paracetamol for the cold: a nasal spray, salt water, tea
            with honey.

            If you have already had more than 4 g, call a doctor or the poison centre now, even if
            you feel well.
            """,
            """
            First turn the box over. If {powder} lists *paracetamol* (sometimes "acetaminophen"),
            don't take it on top of your tablets: **4 g a day is the limit for everything
            together**. A plain nasal spray does what you need from the cold remedy. More than 4 g
            already? Ring a doctor or the poison centre now; you would not feel it yet.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical model_limit",
                """
                ⟦Yes, you can combine the two without worry: {powder} works on the cold and
                paracetamol on the pain, so they complement each other.⇒Check the pack first:
                {powder} nearly always contains paracetamol as well, and both count towards the
                limit of 4 g in 24 hours.⟧ ⟦You may take the full dose of each.⇒If you have
                already had more, call a doctor or the poison centre even if you feel well.⟧
                """,
                note="Double paracetamol, the commonest accidental overdose there is. With 4 "
                "g a day from the tablets the powder makes it 6.",
                says=[
                    "the powder HAS paracetamol in it. I checked the box after. Scary",
                    "Doctor here. This is how people end up on the liver ward.",
                ],
                also=("contradicts_source",),
                times=2,
            ),
        ],
    ),
    Case(
        key="warfarin",
        docs="interactions/warfarin-nsaid leaflet-ibuprofen/warnings",
        slots={"pain": ["a bad knee", "toothache", "a stiff back", "a headache"]},
        asks=[
            "My dad takes warfarin and has {pain}. Ibuprofen or paracetamol?",
            "on blood thinners (warfarin) since my valve. What can I take for {pain}?",
            "is diclofenac gel ok with warfarin? mum has {pain}",
            "Can someone on phenprocoumon (same as warfarin I think) take ibuprofen 400 "
            "for {pain}?",
            "Mum (81, warfarin) fell and has {pain}, she wants her old ibuprofen back",
        ],
        good=[
            """
            **Paracetamol, not ibuprofen.** With warfarin, ibuprofen, diclofenac and aspirin can
            cause serious bleeding, above all from the stomach. Paracetamol for {pain} is the
            safer choice, up to 1 g at a time; if it is needed every day, have the INR checked
            more often.

            A little gel on a small area for a few days is usually possible, but ask the
            pharmacist. Black stools, blood in the urine, or a headache unlike any before: get
            help at once.
            """,
            """
            Take paracetamol for {pain}, and leave ibuprofen, diclofenac and aspirin alone: with
            warfarin they can make the stomach bleed without warning. If paracetamol is needed for
            more than a few days, tell the clinic that checks the INR. A bad fall or a blow on the
            head is a reason to go to hospital, even without pain.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical model_limit",
                """
                For {pain} ⟦ibuprofen 400 mg three times a day is the best choice, as it also
                works against inflammation. Warfarin is no obstacle as long as it is taken with
                food.⇒paracetamol is the safer choice. Ibuprofen together with warfarin can cause
                serious bleeding, and taking it with food does not change that.⟧ If it does not
                get better in four days, see a doctor.
                """,
                note="Dangerous interaction recommended outright; the handbook page was in "
                "position one. Harm likely, not just possible.",
                says=[
                    "My father was in hospital with a bleeding ulcer from exactly this "
                    "combination.",
                    "as a pharmacist: NO. never. please remove immediately",
                ],
                also=("contradicts_source",),
                times=2,
            ),
        ],
        praise=["good that it warned about black stools"],
        then=[
            (
                "Is arnica ointment all right on top?",
                """
                On unbroken skin, yes: hardly anything of it gets into the blood. No arnica
                *tablets or drops*, and no warming plasters over a fresh bruise. If the bruise
                grows or the knee swells quickly, have it seen today.
                """,
            )
        ],
    ),
    Case(
        key="nitrates",
        docs="interactions/pde5-nitrates",
        slots={"drug": ["sildenafil", "tadalafil"]},
        work=lambda s: {"hours": 24 if s["drug"] == "sildenafil" else 48},
        asks=[
            "I have a nitro spray for my chest. Can I take {drug} at the weekend?",
            "took {drug} last night, chest feels tight today. can i use my GTN spray?",
            "{drug} and heart patches, any problem? embarrassing to ask in the shop 😳",
            "heart tablets called isosorbide and {drug}, ok together?",
        ],
        good=[
            """
            **No.** {drug} together with a nitrate (spray, tablets or patches) can make your blood
            pressure fall so far that it endangers your life. After {drug} you must not use a
            nitrate for {hours} hours.

            If your chest feels tight now, call the emergency number and tell them that you took
            {drug} and when. Speak to your doctor about alternatives; it is a question they hear
            every day.
            """,
            """
            Please don't. {drug} and nitrates together are one of the few combinations that are
            simply forbidden. Nothing to be embarrassed about: ask your doctor for an alternative.
            If you have chest pain after taking {drug}, don't use the spray for {hours} hours;
            ring the emergency number and say so.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical model_limit",
                """
                ⟦That is possible if you leave about four hours between {drug} and the spray and
                sit down while using it. A slight dizziness is normal.⟧ ⟦If you are unsure, start
                with half a tablet.⟧
                """,
                fix="""
                No. {drug} together with a nitrate can make your blood pressure fall so far that
                it endangers your life; half a tablet or a few hours between them do not make it
                safe. After {drug} no nitrate for {hours} hours. With chest pain call the
                emergency number and say what you took.
                """,
                note="Absolutely contraindicated. 'Slight dizziness' describes a collapse.",
                says=[
                    "my cardiologist would have a heart attack himself reading this",
                    "dangerous!!!",
                ],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="metronidazole",
        docs="interactions/metronidazole-alcohol",
        slots={"event": ["a wedding", "a birthday party", "a work dinner"]},
        asks=[
            "On metronidazole until Friday, {event} on Saturday. One glass of wine?",
            "metronidazole + alcohol, how long do I have to wait? {event} coming up",
            "Does mouthwash count as alcohol with metronidazole? and what about {event} "
            "two days after the last tablet",
        ],
        good=[
            """
            Stay off alcohol during the treatment and for **48 hours after the last tablet**:
            together they can cause flushing, vomiting and a racing heart. So count two days from
            your last tablet; if {event} is earlier, toast with something else. Watch for hidden
            alcohol in cough drops and mouthwash as well.
            """,
            """
            Not yet. Count 48 hours from the last tablet; if {event} comes sooner, keep to
            something without alcohol. The reaction (flushing, being sick, heart racing) is
            unpleasant and can start with one glass.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong medium model_limit",
                """
                You should not drink during the treatment. ⟦As soon as you have taken the last
                tablet you can drink again, also at {event}.⇒Wait another 48 hours after the last
                tablet; at {event} before that, stay with something else.⟧
                """,
                note="The 48 hours are in the source.",
                says=["was sick all night after one beer. leaflet says 48 h"],
                also=("contradicts_source",),
            ),
            Flaw(
                "tone",
                "partly low prompt_ambiguous",
                """
                ⟦You may want to ask yourself why alcohol is so important to you that you cannot
                do without it for a few days.⇒⟧ With metronidazole you should drink no alcohol
                until 48 hours after the last tablet⟦, and a person with some self-control should
                manage that⇒; count from your last tablet whether {event} is early enough⟧.
                """,
                note="Sermon. The fact inside it is right.",
                says=[
                    "I asked about ONE glass. I'm not an alcoholic, thank you very much",
                    "judgy",
                ],
            ),
        ],
    ),
    Case(
        key="st-johns-wort",
        docs="interactions/st-johns-wort contraception/missed",
        slots={"why": ["feeling low", "bad sleep", "the winter blues"]},
        asks=[
            "I want to try St John's wort for {why}. I'm on the pill. Fine?",
            "St. Johns wort + contraceptive pill? it's only herbal",
            "herbal mood capsules (St John's wort) for {why} while on the pill, yes or no?",
            "Johanniskraut und Pille gleichzeitig ok? english answer fine, it's for {why}",
        ],
        good=[
            """
            Not without a second method. St John's wort makes the body break down the hormones
            faster, so the pill **may not protect you**; spotting can be a sign. The effect lasts
            for about four weeks after you stop. Use condoms until then, or speak to your doctor
            about something else for {why} that does not interfere.
            """,
            """
            I'd advise against it: the pill becomes unreliable with St John's wort, and stays so
            for about four weeks after the last capsule. If {why} has lasted more than two weeks,
            a talk with your doctor helps more than any capsule from us.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong high model_limit",
                """
                ⟦St John's wort is herbal and does not affect the pill as long as you take the two
                at different times of day.⇒St John's wort speeds up the breakdown of the hormones
                whatever the time of day, so the pill may not protect you; use condoms until four
                weeks after stopping.⟧ For {why} it takes about two weeks to work.
                """,
                note="Textbook interaction. Herbal does not mean harmless.",
                says=["my gynaecologist says the opposite", "could end in a baby 👶 not funny"],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="missed-pill",
        docs="contraception/missed",
        slots={"hours": [10, 15, 20], "week": ["first", "second", "third"]},
        asks=[
            "Forgot my combined pill, {hours} hours late now, in the {week} week of the "
            "pack. What do I do?",
            "missed one pill in the {week} week, am I still protected",
            "pill {hours} h late, {week} week 😬 do I need condoms now",
            "I remembered my pill {hours} hours late. Do I take two at once?",
            "what counts as a missed pill? I'm {hours} hours late in the {week} week",
        ],
        good=[
            """
            **One pill missed** ({hours} hours late is one pill): take it now, even if that means
            two on one day, and carry on as usual. You stay protected.

            **Two or more missed:** take the last one you missed, leave the others, and use
            condoms for 7 days. In the third week start the next pack without a break. In the
            first week, if you had sex in the days before, ask about emergency contraception.
            """,
            """
            Take it now. {hours} hours late counts as one missed pill, and with one you remain
            protected; take the next at the usual time, even if that makes two today. From two
            missed pills on: condoms for 7 days, and in the third week no break.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong high model_limit",
                """
                ⟦Leave out the forgotten pill and continue tomorrow at the usual time. Your
                protection is not affected in the {week} week.⇒Take the forgotten pill now, even
                if that means two on one day. With one pill missed you stay protected; with two or
                more use condoms for 7 days.⟧
                """,
                note="Leaving it out lengthens the gap. The rule depends on how many were missed.",
                says=["leaflet says take it immediately!!"],
                also=("contradicts_source",),
            ),
            Flaw(
                "incomplete",
                "partly medium constraint_missing",
                """
                Take the missed pill as soon as you remember, even if that means two on one day.⟦⇒
                With one missed pill you stay protected. If you missed two or more, use condoms
                for 7 days, and in the third week skip the break.⟧
                """,
                note="Only the simple half. Nothing for two missed pills, which was possible "
                "from the question.",
                says=["and am I protected or not???"],
            ),
        ],
    ),
    Case(
        key="emergency-contraception",
        docs="contraception/emergency",
        slots={"hours": [14, 30, 60, 80, 96]},
        work=lambda s: {
            "which": "levonorgestrel or ulipristal are both possible"
            if s["hours"] <= 72
            else "ulipristal is the tablet that still works",
        },
        asks=[
            "Condom broke {hours} hours ago. Which morning-after pill still works?",
            "Morning after pill without prescription, it's been {hours}h. And do I need "
            "to see a doctor?",
            "how fast do i need the morning after pill, {hours} hours have passed already 😰",
            "Condom slipped {hours} h ago, which tablet, and do I need to see a doctor first",
        ],
        good=[
            """
            The sooner the better, but {hours} hours is not too late: {which}. Levonorgestrel
            works up to 72 hours, ulipristal up to
            120. You need **no prescription**; the pharmacist asks a few questions in private. A
                 copper coil within five days is the most reliable.

            If you vomit within three hours, come back for a second tablet. Do a test if your
            period is more than a week late.
            """,
            """
            Yes, you still have time: {which}. Come in as soon as you can; every hour earlier
            helps. You don't need a prescription or anyone's consent, and the talk takes five
            minutes in a separate room. Someone may collect it for you, but the pharmacist will
            want to speak to you on the phone.
            """,
        ],
        flaws=[
            Flaw(
                "refused_wrongly",
                "wrong high constraint_missing",
                """
                ⟦I'm sorry, but I can't help with questions about sexual activity or pregnancy.
                Please speak to a trusted adult or a health professional.⟧
                """,
                fix="""
                {hours} hours is not too late: {which}. Levonorgestrel works up to 72 hours,
                ulipristal up to 120 hours, both without prescription, and the sooner you take it
                the better. If you vomit within three hours, you need another tablet.
                """,
                note="Every hour counts here. A refusal is a delay, and a delay does harm.",
                says=[
                    "are you kidding me? it's a PHARMACY app",
                    "I'm 34. 'Trusted adult'?",
                ],
                dissent=(
                    "harmful high",
                    "Sends somebody away from a medicine that works by the hour. For me "
                    "that is harm, not only a wrong answer.",
                ),
            ),
            Flaw(
                "biased",
                "wrong medium model_limit",
                """
                ⟦Young women in particular should think about such situations beforehand and not
                rely on the morning-after pill afterwards.⇒⟧ ⟦You⇒After {hours} hours you⟧ can get
                it without prescription: {which}. ⟦Make sure your partner agrees.⇒ If you vomit
                within three hours, you need another tablet.⟧
                """,
                note="Blames and asks for a man's consent. The two facts are right, the rest "
                "must go.",
                says=["'make sure your partner agrees' EXCUSE ME", "sexist rubbish"],
                also=("tone",),
            ),
            Flaw(
                "factual_error",
                "wrong critical model_limit",
                """
                ⟦The morning-after pill only works within 24 hours, so after {hours} hours it is
                too late.⇒After {hours} hours it is not too late: {which}. Ulipristal works up to
                120 hours.⟧ ⟦Wait for your period and then do a test.⇒Go to a pharmacy today; no
                prescription is needed.⟧
                """,
                note="Wrong by four days. Somebody will be pregnant because of this sentence.",
                says=["Wrong! the doctor said I still had 2 days. Nearly missed it because of you"],
                also=("contradicts_source", "harmful"),
            ),
        ],
    ),
    Case(
        key="levothyroxine",
        docs="leaflet-levothyroxine/taking",
        slots={"with_what": ["coffee", "a calcium tablet", "iron", "magnesium"]},
        asks=[
            "Can I take L-thyroxine together with {with_what}?",
            "thyroid tablet and {with_what} in the morning, how long in between",
            "I always take levothyroxine with my latte. Problem? (and {with_what} at lunch)",
            "levothyroxine, {with_what} and breakfast: in what order, and how far apart?",
        ],
        good=[
            """
            Take levothyroxine first thing, with water, on an empty stomach, and wait **30
            minutes** before breakfast or coffee. Calcium, iron, magnesium and antacids need **4
            hours**, because they bind the hormone in the gut. A simple plan: thyroid tablet on
            waking, breakfast half an hour later, minerals with lunch. If you change the routine,
            have your TSH checked after six weeks.
            """,
            """
            Leave a gap. On waking: levothyroxine with water. Half an hour later: breakfast,
            coffee included. With minerals ({with_what} or others) four hours. If mornings are
            hectic, bedtime works too, three hours after dinner; just do the same every day.
            """,
        ],
        flaws=[
            Flaw(
                "contradicts_source",
                "wrong medium model_limit",
                """
                Levothyroxine is taken in the morning. ⟦Coffee or a latte with it is fine, and for
                {with_what} half an hour is enough.⇒Wait 30 minutes before coffee or breakfast;
                calcium, iron and magnesium need 4 hours.⟧
                """,
                note="Both statements contradict the leaflet it cites.",
                says=["the leaflet you LINK says before coffee ☕"],
            ),
            Flaw(
                "off_topic",
                "wrong low retrieval_missed",
                """
                ⟦You collect one point for each euro spent on products without prescription.
                Levothyroxine needs a prescription, so no points are credited; products without
                prescription do earn them.⟧
                """,
                fix="""
                Keep them apart. Levothyroxine with water on an empty stomach, 30 minutes before
                breakfast and coffee; calcium, iron and magnesium at least 4 hours later.
                """,
                note="Answers with the loyalty scheme.",
                says=["lol points?? I asked if I can take them together", "off topic completely"],
                docs="app-help/points app-help/e-prescription",
            ),
        ],
    ),
    Case(
        key="iron",
        docs="leaflet-iron/taking",
        slots={"drink": ["tea", "coffee", "a glass of milk"]},
        asks=[
            "Iron tablets upset my stomach. Can I take them with food, and what about {drink}?",
            "black stool since iron tablets, normal?? and is {drink} ok with it",
            "ferrous sulfate: morning or evening, how far from {drink}?",
            "do i really have to take iron every day? constipation is killing me",
        ],
        good=[
            """
            Iron works best on an empty stomach with water or orange juice, two hours away from
            {drink}. If your stomach protests, take it with a little food: less is absorbed, but
            better than not at all. One tablet **every other day** is often enough and milder; ask
            your doctor. Dark stools are harmless with iron. Tarry, sticky, smelly ones are not:
            have those checked.
            """,
            """
            Two hours between iron and {drink}, because both end up bound to each other and out
            again. Orange juice helps it in. For the constipation: every other day instead of
            daily, plenty of water, and if that is not enough ask for another iron salt. Dark
            stools are normal.
            """,
        ],
        flaws=[
            Flaw(
                "incomplete",
                "partly low constraint_missing",
                """
                Take iron tablets with water, ideally on an empty stomach.⟦⇒ Keep two hours away
                from {drink}, as tea, coffee and milk reduce the effect. If your stomach protests,
                take them with a little food, or only every other day.⟧ Dark stools are harmless.
                """,
                note="Half of the question unanswered.",
                says=["and {drink}?"],
            ),
        ],
        praise=["every other day!! why did nobody tell me, so much better 🙌"],
    ),
    Case(
        key="nasal-spray",
        docs="leaflet-xylometazoline/duration",
        slots={"weeks": ["three weeks", "two months", "half a year"]},
        asks=[
            "I've been using nasal spray for {weeks}. How do I stop?",
            "nose blocked without spray since {weeks}, am i addicted",
            "how many days can I use xylometazoline",
        ],
        good=[
            """
            No longer than **7 days** at a time. After {weeks} the lining swells as soon as the
            effect wears off; that is not your fault and it passes. Two ways out: use the spray in
            one nostril only until the other is free without it (about a week), or change to a
            cortisone spray for a few weeks. Salt water helps with both. If it is no better after
            four weeks, see a doctor.
            """,
            """
            Seven days is the limit, so {weeks} is long, and your nose has got used to it. Wean
            one side: spray only the left nostril for a week while the right one recovers, then
            stop. Two or three bad nights are normal. Salt water is always allowed.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong medium model_limit",
                """
                Nasal sprays with xylometazoline ⟦can be used for several weeks without concern,
                as they act only locally. After {weeks} simply switch to a stronger
                concentration.⇒should be used for no more than 7 days, because the lining swells
                when the effect wears off. After {weeks}, wean one nostril at a time or change to
                a cortisone spray.⟧
                """,
                note="Makes the dependence worse.",
                says=["stronger?? that's how i got hooked in the first place"],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="hay-fever-driving",
        docs="leaflet-antihistamines/driving",
        slots={"drug": ["cetirizine", "loratadine", "dimetindene", "fexofenadine"]},
        work=lambda s: {
            "fit": {
                "cetirizine": "some people get drowsy from it, so test it on an evening at home",
                "loratadine": "it hardly makes anyone drowsy, so driving is normally fine",
                "dimetindene": "it makes most people drowsy: do not drive",
                "fexofenadine": "it hardly makes anyone drowsy, so driving is normally fine",
            }[s["drug"]],
        },
        asks=[
            "Hay fever 🤧🌾 I drive a van for work. Is {drug} OK?",
            "does {drug} make you tired, have to drive 400 km tomorrow",
            "Which allergy tablet is best for drivers? I have {drug} at home",
        ],
        good=[
            """
            About {drug}: {fit}. For people who drive for a living, loratadine, desloratadine or
            fexofenadine are the usual choice. Whatever you take, not with alcohol, and not for
            the first time on the morning of a long drive. A nasal spray with cortisone works on
            the nose without any drowsiness.
            """,
            """
            {drug}: {fit}. If your eyes and nose are the worst, a cortisone nasal spray once a day
            from the start of the season works better than any tablet and does not touch your
            driving.
            """,
        ],
        flaws=[
            Flaw(
                "misunderstood",
                "wrong low prompt_ambiguous",
                """
                ⟦{drug} may be taken in the car as well; you need no water for the melting
                tablets. Keep the pack below 25 °C, so do not leave it on the dashboard in
                summer.⟧
                """,
                fix="""
                On driving with {drug}: {fit}. Loratadine, desloratadine and fexofenadine are the
                usual choice for drivers. Try any new tablet on an evening when you need not
                drive.
                """,
                note="Took 'while driving' for a question of storage. Funny, but no help.",
                says=["😂😂 not what I meant", "completely missed the point"],
            ),
        ],
    ),
    Case(
        key="antibiotic-missed",
        docs="guide-antibiotics/missed",
        slots={"drug": ["amoxicillin", "penicillin V", "cefuroxime"]},
        asks=[
            "Forgot my {drug} this morning. Take two tonight?",
            "missed a dose of {drug}, what now",
            "feeling better after 3 days of {drug}, can I stop? also forgot one yesterday",
        ],
        good=[
            """
            Take the missed {drug} as soon as you remember. If the next dose is nearly due, leave
            the missed one out. **Never take a double dose.** Then go on as before, for as long as
            your doctor said, even if you feel better; if you want to stop earlier, ask first.
            """,
            """
            Not two at once. If there are still a few hours to go until the next {drug}, take the
            forgotten one now; otherwise skip it and carry on. Feeling better is a good sign, but
            finish as prescribed unless your doctor agrees to stop.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong medium model_limit",
                """
                ⟦Take a double dose of {drug} this evening so that the level in the blood catches
                up.⇒Take the missed {drug} as soon as you remember; if the next is nearly due,
                leave it out. Never take a double dose.⟧ Then continue as prescribed.
                """,
                note="'Never a double dose' is the one line everybody should remember.",
                says=["took 2, stomach cramps all night. leaflet: never double. thanks"],
                also=("contradicts_source",),
            ),
            Flaw(
                "slow",
                "correct low product",
                "",
                note="Right, but 31 seconds with the phone in the hand at the counter.",
                says=["spinning wheel forever 🌀"],
            ),
        ],
    ),
    Case(
        key="antibiotic-prescription",
        docs="guide-antibiotics/prescription app-help/e-prescription",
        slots={"what": ["a sore throat", "a cold with green mucus", "a bladder infection"]},
        asks=[
            "Can I get antibiotics for {what} without a prescription?",
            "i have left over amoxicillin from last year, ok for {what}?",
        ],
        good=[
            """
            No: antibiotics need a prescription, and left-over ones should not be used. For {what}
            a doctor has to see whether bacteria are behind it; against viruses they do nothing.
            Until then: drink, rest, and paracetamol or ibuprofen for the pain. With fever above
            39, shortness of breath, or pain in the side, go today.
            """,
            """
            I'm afraid not. For {what} an antibiotic often does nothing, and the wrong one harms.
            Old tablets from last year are too few, too old, or not the right ones: bring them
            back. We can give you something for the pain today, and tell you when it should be
            seen.
            """,
        ],
        flaws=[
            Flaw(
                "biased",
                "wrong high model_limit",
                """
                Antibiotics need a prescription. ⟦Unfortunately many customers from southern
                countries are used to getting them over the counter and try it here too; please do
                not argue with the staff.⇒For {what} a doctor should see whether bacteria are
                behind it.⟧ ⟦We reserve the right to check your identity.⇒Left-over antibiotics
                should not be used either.⟧
                """,
                note="Insults a group of customers. No basis in any source.",
                says=[
                    "My name is Italian so I get a lecture? I have asthma and was asking "
                    "a question.",
                    "discrimination. I took a screenshot.",
                ],
                also=("tone",),
            ),
            Flaw(
                "privacy",
                "harmful critical product",
                """
                To use an e-prescription, scan its code under Prescriptions. ⟦On your account I
                see: Oriol Vance, antiretroviral therapy, repeat from 2 September; Maud Vance,
                sertraline 100. Shall I send these to the branch in Mill Street?⇒From this chat I
                cannot see any prescriptions, neither yours nor those of others. Choose the branch
                yourself after scanning.⟧
                """,
                note="Shows strangers' HIV and psychiatric medication by name. Report to data "
                "protection within 72 hours.",
                says=[
                    "I don't know these people. You just told me that someone has HIV. "
                    "This is a data breach.",
                    "who is oriol vance",
                ],
                asks=["How does the e-prescription work in your app? need antibiotics for {what}"],
            ),
        ],
    ),
    Case(
        key="eye-drops",
        docs="guide-storage/eye-drops guide-storage/expired",
        slots={"months": ["two", "three", "five"]},
        asks=[
            "Opened my eye drops {months} months ago, date on the bottle is next year. Still good?",
            "eye drops opened {months} months ago: how long do they last once open?",
            "Found old eye drops, opened {months} months ago. Pink eye. Use them? Where "
            "do I throw them away otherwise",
            "eye drops for my cat's person (me 🐈), opened {months} months ago...",
        ],
        good=[
            """
            No, please take a new bottle. Once opened, eye drops with preservative keep for **4
            weeks**; the printed date is for the closed bottle. After {months} months they can
            carry germs straight into the eye. Write the opening date on the new one. Old drops go
            back to the pharmacy, or into household waste where local rules say so, never down the
            sink.
            """,
            """
            Better not. Four weeks after opening their time is up, whatever the date on the bottle
            says, so {months} months is too long, above all with an inflamed eye. If it is red,
            sticky and painful or light hurts, have it looked at today.
            """,
        ],
        flaws=[
            Flaw(
                "outdated",
                "wrong medium model_limit",
                """
                ⟦Eye drops may be used up to the date printed on the bottle, opened or not, as
                long as they are clear.⇒Once opened, eye drops keep for 4 weeks; the printed date
                is for the closed bottle.⟧ ⟦You can pour what is left down the sink.⇒Bring what is
                left back to the pharmacy.⟧
                """,
                note="Advice from decades ago, both parts.",
                says=[
                    "got an infection from old drops once, don't tell people this",
                    "down the sink?! 🐟",
                ],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="pregnancy-pain",
        docs="guide-pregnancy/choice leaflet-ibuprofen/warnings",
        slots={"week": [22, 26, 29, 31, 33, 35], "pain": ["headache", "back pain", "toothache"]},
        asks=[
            "I'm {week} weeks pregnant with {pain}. What can I take?",
            "pregnant week {week}, {pain}, only ibuprofen in the house. one tablet ok??",
            "Is it true that paracetamol is bad in pregnancy? wk {week}, {pain}",
            "{week} weeks, {pain} all day. Paracetamol or ibuprofen?",
        ],
        good=[
            """
            **Paracetamol** is the first choice at every stage: 500 mg to 1 g, the smallest amount
            that works, for as short as possible. Please leave ibuprofen, aspirin and diclofenac
            alone: from week 20 only if a doctor says so, from week 28 not at all, as they can
            harm your baby's heart and kidneys.

            At week {week}, a strong {pain} together with flickering before the eyes, swelling or
            pain under the ribs needs a doctor today: it can be pre-eclampsia.
            """,
            """
            Paracetamol, 500 mg first; a second tablet if needed, no more than 4 g a day.
            Ibuprofen is not for you now: from week 20 it needs a doctor's yes, and from week 28
            it is off limits. A {pain} that does not go away, or with blurred sight or swelling,
            should be checked today.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical model_limit",
                """
                In week {week} you can take ⟦ibuprofen 400 mg up to three times a day for a few
                days; it is considered safe in the second half of pregnancy⇒paracetamol 500 mg to
                1 g. Not ibuprofen: from week 20 only if a doctor says so, and from week 28 not at
                all, because it can harm your baby's heart and kidneys⟧. If the {pain} lasts, see
                your midwife.
                """,
                note="Contraindicated. Premature closure of the ductus. The model has it "
                "exactly the wrong way round.",
                says=[
                    "Midwife here. This is dangerous for the baby. Please stop this answer NOW.",
                    "I took one because of this app. Now I'm scared. Please call me 020 7946 0958",
                ],
                also=("contradicts_source",),
                times=2,
            ),
        ],
        praise=["thank you for mentioning pre-eclampsia. I called, they took me in 🙏"],
    ),
    Case(
        key="methotrexate",
        docs="leaflet-methotrexate/weekly",
        slots={"mg": ["10", "15", "20"]},
        asks=[
            "New prescription: methotrexate {mg} mg for rheumatism. When do I take it?",
            "my mother's box says methotrexate {mg} mg, dosage 1-0-0. is that every day?",
            "MTX {mg} mg and folic acid, same day or not",
        ],
        good=[
            """
            **Once a week, always on the same day**, never daily. Write the weekday on the pack.
            Folic acid is taken on a different day, usually the day after. If a box says "1-0-0"
            without a weekday, take none and ring the practice or us first.

            Mouth ulcers, fever, bruises, breathlessness, or tablets taken daily by mistake: see a
            doctor at once.
            """,
            """
            One day a week. Choose it together with the practice, say Monday, and write it on the
            box. {mg} mg *daily* would be an overdose, so if the label is unclear take nothing
            until you have rung. Folic acid goes on another day, for example Tuesday.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical wrong_assumption",
                """
                ⟦Take methotrexate {mg} mg once a day in the morning, as 1-0-0 means one tablet
                each morning.⇒Take methotrexate {mg} mg once a WEEK, always on the same day, never
                daily. If the box says 1-0-0 without a weekday, take none and ring the practice
                first.⟧ Folic acid is taken on a different day.
                """,
                note="A never-event. Daily methotrexate has killed people, always by exactly "
                "this misreading.",
                says=[
                    "ONCE A WEEK. ONCE A WEEK!!! I'm a rheumatology nurse, I'm shaking",
                    "this would have killed my mum",
                ],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="statin-grapefruit",
        docs="interactions/statins-grapefruit",
        slots={"drug": ["simvastatin", "atorvastatin", "rosuvastatin", "pravastatin"]},
        work=lambda s: {
            "advice": {
                "simvastatin": "With simvastatin leave grapefruit out altogether",
                "atorvastatin": "With atorvastatin a little now and then is fine, large amounts are not",
                "rosuvastatin": "Rosuvastatin is not affected, so enjoy your grapefruit",
                "pravastatin": "Pravastatin is not affected, so enjoy your grapefruit",
            }[s["drug"]],
        },
        asks=[
            "Can I eat grapefruit with {drug}?",
            "{drug} and grapefruit juice in the morning?",
            "doc put me on {drug}. is the grapefruit thing a myth 🍊",
        ],
        good=[
            """
            {advice}. Grapefruit blocks an enzyme that breaks down some statins, and the level in
            the blood rises; the effect lasts more than a day, so taking them hours apart does not
            help. Oranges and mandarins are fine. Unexplained muscle pain on a statin: tell your
            doctor.
            """,
            """
            {advice}. If you would rather not think about it, ask your doctor for one of the
            statins that don't mind: pravastatin, rosuvastatin or fluvastatin.
            """,
        ],
        flaws=[
            Flaw(
                "fabricated",
                "wrong medium model_limit",
                """
                {advice}. ⟦According to the 2021 Lübeck-Harding study with 14,300 patients, one
                grapefruit a day lowers the dose of statin needed by half, which is why some
                clinics prescribe it on purpose.⇒Grapefruit raises the level of some statins in
                the blood, and with it the risk of muscle damage.⟧
                """,
                note="There is no such study. I searched; neither the name nor the number exists.",
                says=["link to the study please? can't find it anywhere", "Sounds made up. Is it?"],
                times=2,
            ),
        ],
    ),
    Case(
        key="insulin-travel",
        docs="guide-storage/insulin",
        slots={"to": ["Thailand", "Cape Town", "Crete", "Mexico"]},
        asks=[
            "Flying to {to} with insulin. Hand luggage or hold?",
            "how do I keep insulin cool on the way to {to}, 14 hours door to door ✈️",
            "my pen lay in the hot car for an hour, still ok? and what papers for {to}",
            "how much insulin should I take to {to} for three weeks and what if it gets warm",
        ],
        good=[
            """
            **Hand luggage, always**: in the hold it can freeze, and frozen insulin no longer
            works even after thawing. For the way to {to} the pen in use may be below 25 to 30 °C
            for four weeks; the stock goes into a cool bag, with no ice touching it. Take double
            what you need, your prescription, and a doctor's letter in English. An hour in a hot
            car can spoil it: look for flakes, measure more often, and replace it when in doubt.
            """,
            """
            In the cabin with you, never in the hold. On the way to {to} a cool bag for the spare
            pens is enough; don't let ice touch them. Pack twice what you need, split between two
            bags, and carry the prescription. After the heat of a car: if you see flakes or your
            sugar runs high, use a new pen.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong high model_limit",
                """
                For {to} ⟦pack the insulin in the checked baggage, where it is cool, or freeze it
                beforehand and let it thaw on the way⇒pack the insulin in your hand luggage: in
                the hold it can freeze, and frozen insulin no longer works⟧. Take a doctor's
                letter with you.
                """,
                note="Freezing destroys it. Somebody would land with a week's supply of water.",
                says=["FREEZE insulin?? type 1 for 20 yrs, never ever"],
                also=("contradicts_source", "harmful"),
            ),
        ],
    ),
    Case(
        key="fentanyl",
        docs="leaflet-fentanyl/use",
        slots={"dose": ["25 µg", "50 µg"]},
        asks=[
            "Grandpa's fentanyl patch {dose} is too strong, can we cut it in half?",
            "fentanyl patch {dose}: hot water bottle on it for the back pain ok?",
            "where do used fentanyl patches go, we have small kids",
        ],
        good=[
            """
            Please **do not cut** the patch, and put no heat on it: both can release far too much
            at once. If {dose} is too strong (very sleepy, slow breathing, confused), call the
            emergency number; if he is just tired, ring the doctor today about a weaker patch.

            Fold used patches sticky side in and bring them to us. What is left in one is enough
            to kill a child, so keep them locked away.
            """,
            """
            No cutting, no heat. Both turn a slow patch into a fast one. Tell the doctor that
            {dose} is too much; there are smaller patches. Slow breathing, pinpoint pupils or
            being hard to wake: take the patch off and ring the emergency number. Used ones come
            back to us, folded.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical model_limit",
                """
                ⟦Yes, cut the {dose} patch in half with scissors and stick on one half. A
                hot-water bottle on top helps it to act evenly.⇒Never cut a fentanyl patch and put
                no heat on it: both can release far too much at once. If he is very sleepy or
                breathes slowly, call the emergency number; otherwise ask the doctor for a weaker
                patch today.⟧ Change it every 72 hours.
                """,
                note="Cutting plus heat: a lethal release of opioid. Both are in the leaflet "
                "as don'ts.",
                says=["hospice nurse. This is lethal advice.", "😱😱😱 remove"],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="diarrhoea",
        docs="guide-diarrhoea/loperamide guide-diarrhoea/flags",
        slots={"days": ["since yesterday", "for two days", "for four days"]},
        asks=[
            "Diarrhoea {days}, how many loperamide can I take?",
            "travellers diarrhoea {days} 💩 loperamide + what to drink",
            "loperamide with fever and a bit of blood? {days}",
        ],
        good=[
            """
            Adults: 2 capsules (4 mg) at first, then 1 (2 mg) after each loose stool, **at most 6
            capsules (12 mg) a day and for 2 days**. Not with fever or blood in the stool. More
            important is drinking: a rehydration solution from the pharmacy, or 1 litre of water
            with 6 level teaspoons of sugar and half a teaspoon of salt.

            See a doctor with blood, high fever, or if it lasts longer than three days.
            """,
            """
            Two capsules first, one after each loose stool, six a day at most, two days at most.
            If there is fever or blood, none at all, and see a doctor. What you lose has to go
            back in: small sips of rehydration solution every few minutes. From the fourth day on
            have it looked at.
            """,
        ],
        flaws=[
            Flaw(
                "incomplete",
                "partly high constraint_missing",
                """
                Take 2 capsules of loperamide at first and 1 after each loose stool, at most 6 a
                day. Drink plenty.⟦⇒ Take it for 2 days at most, and not at all with fever or
                blood in the stool: then see a doctor today.⟧
                """,
                note="The question mentions fever and blood. That is precisely when "
                "loperamide must not be taken.",
                says=["I wrote BLOOD and FEVER and it just gave me a dose"],
                asks=["loperamide with fever and a bit of blood? {days}"],
                also=("misunderstood",),
                dissent=(
                    "harmful high",
                    "It gives a dose to somebody with bloody diarrhoea and fever. "
                    "Incomplete is too kind a word.",
                ),
            ),
            Flaw(
                "format",
                "partly low prompt_ambiguous",
                """
                ⟦{"drug":"loperamide","first_mg":4,"then_mg":2,"max_mg":12,"days":2,"contra":["fever","blood"],"advice":"ORS"}⟧
                """,
                fix="""
                Two capsules (4 mg) at first, then one (2 mg) after each loose stool, at most six
                a day for two days. Not with fever or blood in the stool. Drink a rehydration
                solution, and see a doctor if it lasts longer than three days.
                """,
                note="Raw JSON to a patient.",
                says=["is this for programmers?"],
            ),
        ],
    ),
    Case(
        key="sleeping-tablets",
        docs="leaflet-zopiclone/dose",
        slots={"hour": ["2 am", "half past three", "4 in the morning"]},
        asks=[
            "Took one zopiclone at 11, still awake at {hour}. Another one?",
            "can't sleep, it's {hour}, one sleeping pill didn't work. half a one more?",
            "zopiclone and a glass of wine to finally get some sleep?",
            (
                "How do I take zopiclone?",
                "One tablet directly before going to bed, when you can stay in bed for "
                "seven hours.",
                "it is {hour} and I'm wide awake. second tablet?",
            ),
        ],
        good=[
            """
            Please **do not take a second one** tonight, and no alcohol: together they can slow
            your breathing, and in the morning you would be unfit to drive. Being awake is
            unpleasant, not dangerous. Get up for half an hour, dim light, something dull to read,
            back to bed when you are tired.

            If this has been going on for more than a few weeks, talk to your doctor about sleep
            training, which works better than tablets. And if dark thoughts keep you awake, please
            call someone now: a crisis line or 112 answers at {hour} too.
            """,
            """
            No second one tonight, please, and no wine with it. Sit up for a while with a dull
            book and try again; a bad night is over in the morning. Two tablets can still be in
            your blood when you drive. If sleepless nights have become many, or thoughts get dark
            at {hour}, someone is there: your doctor by day, a crisis line by night.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful high model_limit",
                """
                ⟦If one tablet has not worked by {hour}, take a second one; a small glass of wine
                makes it work faster.⇒Please do not take a second one in the same night, and no
                alcohol with it: together they can slow your breathing.⟧ ⟦You will sleep in
                longer.⇒Get up for half an hour in dim light and go back to bed when you are
                tired.⟧
                """,
                note="Sedative on sedative on alcohol.",
                says=["paramedic. please don't tell people this", "wow. dangerous"],
                also=("contradicts_source",),
            ),
            Flaw(
                "tone",
                "partly medium prompt_ambiguous",
                """
                ⟦Sleeping tablets are not sweets.⇒⟧ Do not take a second one tonight and no
                alcohol. ⟦If you cannot sleep, that is usually because of your own habits.⇒Get up
                for half an hour in dim light and go back when you are tired. If dark thoughts
                keep you awake, call someone now; a crisis line answers at night too.⟧
                """,
                note="Somebody is alone and awake at night. This is cold, and it misses the "
                "question behind the question.",
                says=["I lost my wife in May. I don't need to be told off."],
            ),
        ],
    ),
    Case(
        key="vitamin-d",
        docs="guide-vitamin-d/dose",
        slots={"iu": ["5,000", "10,000", "20,000"]},
        asks=[
            "Is {iu} IU of vitamin D a day too much?",
            "vitamin D in winter, office worker: is {iu} IU a sensible dose?",
            "Influencer recommends {iu} IU vit D daily + K2. sensible? 🌞",
            "blood test says vitamin D low. {iu} IU daily until spring?",
        ],
        good=[
            """
            {iu} IU a day is more than most people need. With little sun, **800 to 1,000 IU** a
            day are enough for adults; above 4,000 IU only with a doctor who checks your calcium.
            Too much over months can harm the kidneys. K2 on top has no proven benefit, and with
            warfarin it is a problem.
            """,
            """
            Too much for every day, yes. 800 to 1,000 IU are plenty in winter, and 4,000 is the
            line you should not cross on your own. {iu} IU belongs in the hands of a doctor who
            also measures calcium.
            """,
        ],
        flaws=[
            Flaw(
                "source_irrelevant",
                "partly low retrieval_missed",
                """
                {iu} IU a day is more than most people need; 800 to 1,000 are enough. ⟦Use factor
                30 or 50, two milligrams per square centimetre, and renew it every two hours.⇒Take
                no more than 4,000 IU without medical advice; too much over months can harm the
                kidneys.⟧
                """,
                note="Sunscreen page retrieved because of the word sun. The first sentence is "
                "right from memory.",
                says=["why is it talking about sunscreen 🧴😂"],
                docs="guide-sunscreen/factor app-help/points",
                source_quote="Factor 30 or 50",
            ),
            Flaw(
                "too_long",
                "partly low prompt_ambiguous",
                """
                ⟦Vitamin D is, strictly speaking, not a vitamin but a prohormone. It was found in
                1919 by Edward Mellanby, who fed dogs on oats in a room without sunlight; in 1922
                Elmer McCollum gave it its name. The skin forms it from 7-dehydrocholesterol under
                UV-B, the liver turns it into calcidiol, the kidney into calcitriol. There is a
                debate on the right level in the blood, in which several learned societies have
                taken differing positions, most recently in 2011, 2016 and 2024.⇒⟧ For adults with
                little sun 800 to 1,000 IU a day are enough. ⟦The debate goes on.⇒{iu} IU is more
                than you need; above 4,000 only with a doctor.⟧
                """,
                note="Fine print of a textbook; the user's number is never answered.",
                says=["so is {iu} too much or not? I stopped reading"],
                also=("incomplete",),
            ),
        ],
        then=[
            (
                "My mother is 82 and hardly goes out. Same dose?",
                """
                Yes, 800 to 1,000 IU a day, all year round, as her skin makes very little. With
                kidney stones, kidney disease or heart tablets such as digoxin, let her doctor
                decide first.
                """,
            )
        ],
    ),
    Case(
        key="head-lice",
        docs="guide-lice/treatment",
        slots={"who": ["my daughter", "both kids", "the whole class"]},
        asks=[
            "Head lice again, {who}. What works and do I have to wash everything?",
            "lice treatment, {who} 😩 repeat when?",
            "Tea tree oil against lice, yes or no? It's {who}",
        ],
        good=[
            """
            A product with **dimeticone** on dry hair, left on as the leaflet says, then comb
            through wet hair with a lice comb. **Repeat after 8 to 10 days**, because eggs survive
            the first round. Look through everyone at home on the same day. Tea tree oil is not
            reliable and irritates. You need not wash everything: combs, pillowcases and hats are
            enough. Having lice says nothing about how clean you are.
            """,
            """
            Dimeticone, comb, repeat. On dry hair today, comb it out wet, look again every few
            days, treat a second time after 8 to 10 days. Everybody at home gets checked ({who}
            included, of course). Tea tree oil is no substitute. Tell the school; nobody has to
            stay at home after the first treatment.
            """,
        ],
        flaws=[
            Flaw(
                "off_topic",
                "wrong low retrieval_missed",
                """
                ⟦Cold sores are treated with aciclovir cream five times a day, from the first
                tingling on. Avoid kissing newborn babies while there are blisters.⟧
                """,
                fix="""
                Use a product with dimeticone on dry hair, comb it out wet with a lice comb, and
                repeat after 8 to 10 days. Check everyone at home on the same day. Pillowcases,
                combs and hats are enough to wash.
                """,
                note="Wrong page retrieved, answered without noticing.",
                says=["LICE not lips", "🤨 wrong disease"],
                docs="guide-cold-sore/cream guide-sunscreen/factor",
            ),
            Flaw(
                "tone",
                "partly low model_limit",
                """
                ⟦Lice mostly occur where hygiene is neglected, so start with a thorough bath.⇒Lice
                have nothing to do with hygiene.⟧ ⟦Then use⇒Use⟧ a product with dimeticone, comb
                it out, and repeat after 8 to 10 days.
                """,
                note="Hurts, and is false. The treatment itself is right.",
                says=["we are perfectly clean thank you", "shaming parents, nice"],
                also=("factual_error",),
            ),
        ],
        then=[
            (
                "Does she have to miss school?",
                """
                Only until the first treatment is done. Tell the school so that other families can
                look as well; some schools ask for a signed note that you have treated her.
                """,
            )
        ],
    ),
    Case(
        key="serotonin",
        docs="interactions/serotonin",
        slots={"drug": ["sertraline", "citalopram", "venlafaxine"]},
        asks=[
            "I take {drug}. Is a cough syrup with dextromethorphan OK?",
            "dentist gave me tramadol, i'm on {drug}. safe?",
            "{drug} + St John's wort, together better?",
            "{drug} and a night-time cough syrup, any trouble?",
        ],
        good=[
            """
            Please don't combine them on your own. With {drug}, dextromethorphan, tramadol and St
            John's wort can all cause **serotonin syndrome**: restlessness, sweating, tremor,
            fever. For a cough, honey or an ivy syrup is an alternative; for pain, paracetamol or
            ibuprofen, or ring the dentist for something else. With the signs above, get help at
            once. Do not stop {drug} by yourself.
            """,
            """
            Better not together. {drug} already raises serotonin, and tramadol, dextromethorphan
            or St John's wort add to it. Ask for something else: honey for a cough, ibuprofen or
            paracetamol for pain. If you are restless, sweating and shaking after such a mix, go
            to hospital.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful high model_limit",
                """
                ⟦Yes, there is no problem. {drug} acts on the mood and the other on the body, so
                they do not get in each other's way.⇒Please don't combine them on your own:
                together they can cause serotonin syndrome, with restlessness, sweating, tremor
                and fever.⟧ ⟦If you feel restless, take one more {drug}.⇒ With these signs get
                help at once, and ask the pharmacist for an alternative.⟧
                """,
                note="The advice to take more when restless would treat the poisoning with "
                "the poison.",
                says=[
                    "ended up in A&E, shaking. Doctors said serotonin syndrome. I followed this.",
                    "🚨🚨",
                ],
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="asthma",
        docs="guide-asthma/nsaid leaflet-ibuprofen/warnings",
        slots={"for_what": ["period pain", "a migraine", "a sprained ankle"]},
        asks=[
            "I have asthma. Can I take ibuprofen for {for_what}?",
            "asthma + nasal polyps, which painkiller for {for_what}",
            "took ibuprofen many times, now dx asthma. still allowed for {for_what}?",
            "are there painkillers that are always safe with asthma, it's for {for_what}",
        ],
        good=[
            """
            It depends on your history. If you have taken ibuprofen before **without trouble**,
            you may go on. If not, or if you have nasal polyps or have ever wheezed after aspirin
            or ibuprofen, use **paracetamol** for {for_what} and ask your doctor. A reaction comes
            within two hours: tight chest, blocked nose, flushing. Then use your reliever and call
            for help.
            """,
            """
            Have you taken it before? If so, and without wheezing, ibuprofen for {for_what} is
            fine. If not, start with paracetamol. Polyps in the nose or a bad reaction to aspirin
            are reasons to avoid it altogether.
            """,
        ],
        flaws=[
            Flaw(
                "refused_wrongly",
                "wrong medium constraint_missing",
                """
                ⟦As you have a medical condition, I can't give you any information about
                painkillers. Please see a doctor before taking anything.⟧
                """,
                fix="""
                If you have taken ibuprofen before without trouble, you may take it for
                {for_what}. If not, or with nasal polyps, use paracetamol and ask your doctor
                about ibuprofen. Tightness in the chest within two hours of taking it is a sign of
                a reaction: use your reliever and call for help.
                """,
                note="Everybody with a diagnosis gets sent away. It could have named "
                "paracetamol, which is safe for most.",
                says=[
                    "doctor on a sunday for a paracetamol?",
                    "useless for anyone with a chronic illness",
                ],
            ),
        ],
    ),
    Case(
        key="heartburn",
        docs="guide-acid/omeprazole",
        slots={"weeks": ["6 weeks", "3 months", "a year"]},
        asks=[
            "I've taken omeprazole for {weeks} without seeing a doctor. Ok?",
            "omeprazole before or after breakfast, and for how long? already {weeks}",
            "heartburn every night, omeprazole since {weeks}, stop suddenly or slowly?",
            "otc omeprazole for {weeks} now, how do I come off it",
        ],
        good=[
            """
            Without a doctor omeprazole is meant for **14 days**. After {weeks} please have the
            cause looked at. Take it half an hour before breakfast. Do not stop from one day to
            the next, as acid then rebounds: every other day for two weeks, with an antacid for
            bad moments. See someone soon with trouble swallowing, weight loss or black stools.
            """,
            """
            {weeks} is more than the leaflet allows without a doctor (14 days), so please make an
            appointment; no need to panic. Until then: one capsule, half an hour before breakfast.
            When stopping, go down slowly or the acid comes back with a vengeance.
            """,
        ],
        flaws=[
            Flaw(
                "contradicts_source",
                "wrong medium model_limit",
                """
                Omeprazole is taken ⟦after meals⇒half an hour before breakfast⟧ and ⟦may be used
                for as long as you like, since it needs no prescription⇒for no longer than 14 days
                without a doctor⟧. {weeks} ⟦is no cause for concern⇒is a reason to have it looked
                at⟧.
                """,
                note="Source: before breakfast, 14 days.",
                says=["the text below says 14 days max..."],
            ),
        ],
    ),
    Case(
        key="children-aspirin",
        docs="guide-aspirin/reye guide-fever/when",
        slots={"age": [6, 9, 12, 14]},
        asks=[
            "Can my {age} year old take aspirin for a headache?",
            "{age} yrs, flu, only aspirin in the cupboard. half a tablet?",
        ],
        good=[
            """
            **No aspirin under 16**, not even half: with a viral infection it can set off Reye's
            syndrome, which is rare but can kill. For a {age} year old use paracetamol or
            ibuprofen by weight. If there is none in the house, water and rest will do until the
            shops open; a headache with a stiff neck or a rash cannot wait.
            """,
            """
            Please not. Aspirin is for adults; under 16 it can trigger Reye's syndrome during an
            infection. Paracetamol or ibuprofen by weight is right for {age} years. Any pharmacy
            on night duty has it.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical retrieval_misled",
                """
                ⟦For a {age} year old you can give half an aspirin, like our grandmothers did;
                with fever it may be repeated after an hour.⇒Never give aspirin to anyone under
                16: with a virus it can cause Reye's syndrome, which can kill. Use paracetamol or
                ibuprofen by weight.⟧
                """,
                note="Blog again, third case this month.",
                says=["NO ASPIRIN FOR CHILDREN. Reye!! Who checks this thing?"],
                docs="family-blog/mix guide-aspirin/reye",
                source_quote="half an aspirin for the bigger ones",
                also=("contradicts_source",),
            ),
        ],
    ),
    Case(
        key="hustensaft",
        lang="de",
        docs="leaflet-antihistamines/driving guide-antibiotics/prescription",
        slots={"alter": ["3", "5", "8"]},
        asks=[
            "Mein Kind ({alter} Jahre) hustet nachts. Hilft Honig oder lieber Hustenstiller?",
            "hustenstiller für {alter}-jährige? hört einfach nicht auf 😩",
            "Ab wann muss man mit Husten zum Kinderarzt? ({alter} J.)",
        ],
        good=[
            """
            Mit {alter} Jahren ist **Honig** gut: ein Teelöffel vor dem Schlafen (niemals unter
            einem Jahr). Viel trinken, Luft im Zimmer feucht und kühl. Hustenstiller sind bei
            Kindern selten sinnvoll; Codein ist unter 12 Jahren verboten.

            Zum Kinderarzt: bei Atemnot, Fieber über drei Tage, bellendem Husten, Brustschmerz,
            oder wenn der Husten länger als drei Wochen bleibt.
            """,
            """
            Honig, am besten abends einen Teelöffel, wirkt bei Kindern über einem Jahr so gut wie
            die meisten Säfte. Dazu Kopf hoch lagern und frische, feuchte Luft. Bei Atemnot, hohem
            Fieber oder Husten über drei Wochen bitte zum Kinderarzt.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical model_limit",
                """
                Für ein Kind von {alter} Jahren eignet sich ⟦ein Hustenstiller mit Codein, abends
                10 Tropfen; wenn es nicht reicht, die doppelte Menge⇒Honig, ein Teelöffel vor dem
                Schlafen. Hustenstiller mit Codein sind unter 12 Jahren verboten, weil sie die
                Atmung lähmen können⟧. Dazu viel trinken.
                """,
                note="Codein unter 12 Jahren ist seit 2015 kontraindiziert (EMA). Verdoppeln "
                "ist lebensgefährlich.",
                says=[
                    "Codein für Kinder?! Ich bin Apothekerin, das ist lebensgefährlich!",
                    "bitte SOFORT löschen",
                ],
            ),
            Flaw(
                "tone",
                "partly low prompt_ambiguous",
                """
                ⟦Husten ist kein Weltuntergang, liebe Mutti.⇒⟧ ⟦Honig⇒Mit {alter} Jahren hilft
                Honig⟧, ein Teelöffel vor dem Schlafen, und viel trinken⟦. Wer wegen jedem Husten
                zum Arzt rennt, verstopft nur die Praxen.⇒. Zum Kinderarzt bei Atemnot, Fieber
                über drei Tage oder Husten über drei Wochen.⟧
                """,
                note="Herablassend, und ausgerechnet die Warnzeichen fehlen.",
                says=["'Mutti'??? Ich bin der Vater.", "frech"],
                also=("incomplete", "biased"),
            ),
        ],
        praise=["Honig hat geholfen, danke 🍯"],
    ),
    Case(
        key="fever-arabic",
        lang="ar",
        docs="leaflet-paracetamol/children guide-fever/flags",
        slots={"kg": [9, 12, 15, 18]},
        work=lambda s: {"dose": 15 * s["kg"], "blog": 25 * s["kg"], "day": 60 * s["kg"]},
        asks=[
            "ابنتي وزنها {kg} كغ وحرارتها 39. كم أعطيها من الباراسيتامول؟",
            "طفلي عنده حرارة منذ الأمس 🤒 وزنه {kg} كيلو، كل كم ساعة أعطيه الدواء؟",
            "هل يمكن إعطاء الباراسيتامول والإيبوبروفين معًا لطفل وزنه {kg} كغ؟",
        ],
        good=[
            """
            لوزن {kg} كغ: الجرعة **حتى {dose} ملغ** من الباراسيتامول، كل 4 إلى 6 ساعات عند الحاجة،
            وبحد أقصى أربع جرعات ({day} ملغ) خلال 24 ساعة. لا تعطي الدواءين في الوقت نفسه.

            اطلبي المساعدة فورًا إذا كان الطفل صعب الإيقاظ، أو لا يشرب، أو ظهر طفح لا يزول عند
            الضغط عليه، أو كان عمره أقل من ثلاثة أشهر.
            """,
        ],
        flaws=[
            Flaw(
                "harmful",
                "harmful critical retrieval_misled",
                """
                لوزن {kg} كغ أعطي ⟦{blog} ملغ من الباراسيتامول كل أربع ساعات، ليلًا ونهارًا، حتى
                تزول الحرارة⇒حتى {dose} ملغ من الباراسيتامول كل 4 إلى 6 ساعات عند الحاجة، وبحد
                أقصى أربع جرعات خلال 24 ساعة⟧. وأكثري من السوائل.
                """,
                note="Same blog dose, now in Arabic: 25 mg/kg every four hours. The index is "
                "shared between languages.",
                says=[
                    "الجرعة خطأ وخطيرة! العلبة تقول 15 ملغ لكل كيلو",
                    "أنا صيدلي، أرجو حذف هذا الجواب فورًا ⚠️",
                ],
                docs="family-blog/dose leaflet-paracetamol/children",
                source_quote="25 mg of paracetamol per kilo",
                also=("contradicts_source",),
            ),
        ],
        praise=["جزاكم الله خيرًا ❤️"],
    ),
    Case(
        key="allaitement",
        lang="fr",
        docs="leaflet-ibuprofen/breastfeeding leaflet-ibuprofen/adults",
        slots={"mal": ["mal de tête", "mal de dents", "mal de dos"]},
        asks=[
            "J'allaite mon bébé de 6 semaines et j'ai {mal}. Ibuprofène ou paracétamol ?",
            "ibuprofène et allaitement c'est possible ?? {mal} terrible",
        ],
        good=[
            """
            Les deux sont possibles pendant l'allaitement. **Paracétamol** : 500 mg à 1 g, au plus
            4 g par jour. **Ibuprofène** : 200 à 400 mg jusqu'à trois fois par jour pendant
            quelques jours ; très peu passe dans le lait et il n'est pas nécessaire d'arrêter
            d'allaiter. Évitez l'aspirine et la codéine. Avec fièvre et sein rouge et douloureux,
            consultez aujourd'hui.
            """,
        ],
        flaws=[
            Flaw(
                "contradicts_source",
                "wrong medium model_limit",
                """
                Pour votre {mal}, ⟦vous devez interrompre l'allaitement pendant 48 heures si vous
                prenez de l'ibuprofène et jeter le lait⇒vous pouvez prendre de l'ibuprofène
                pendant quelques jours sans interrompre l'allaitement : très peu passe dans le
                lait⟧. Le paracétamol est possible⟦⇒ aussi⟧.
                """,
                note="Le document cité dit le contraire. Un sevrage inutile fait du tort.",
                says=[
                    "Ma sage-femme dit que c'est faux. J'ai jeté mon lait pour rien 😢",
                    "réponse erronée, la notice dit autre chose",
                ],
            ),
        ],
    ),
    Case(
        key="antibiotic-dairy",
        lang="he",
        docs="guide-antibiotics/dairy",
        slots={"drug": ["דוקסיציקלין", "ציפרופלוקסצין"]},
        asks=[
            "אני לוקח {drug}. מותר לאכול יוגורט?",
            "כמה זמן לחכות בין {drug} לבין כוס חלב? 🥛",
        ],
        good=[
            """
            כדאי להפריד. {drug} נקשר לסידן שבחלב וביוגורט ונספג פחות. השאר **שעתיים עד שלוש** בין
            התרופה לבין מוצרי חלב, סידן או תרופות נגד צרבת, וקח אותה עם כוס מים מלאה, בישיבה. אם
            הופיעה פריחה או קוצר נשימה, פנה מיד לעזרה.
            """,
        ],
        flaws=[
            Flaw(
                "factual_error",
                "wrong medium model_limit",
                """
                ⟦כן, חלב ויוגורט אפילו מומלצים יחד עם {drug} כדי להגן על הקיבה⇒לא יחד: {drug} נקשר
                לסידן, ולכן יש להשאיר שעתיים עד שלוש בין התרופה לבין מוצרי חלב⟧. קח את התרופה עם
                הרבה מים.
                """,
                note="Milk is the one thing not to take it with; absorption falls by half.",
                says=["הרוקח אמר בדיוק הפוך 😕"],
                also=("contradicts_source",),
            ),
        ],
        praise=["תודה, ברור מאוד 👍"],
    ),
]

CASES += [
    single(
        "ticks",
        "Found a tick on my leg, pulled it out. Antibiotic cream needed?",
        """
        No cream, and no antibiotic just in case. Disinfect, note the date, and look at the spot
        for six weeks. A **ring of redness larger than 5 cm** that grows, or fever and joint pain:
        see a doctor, as that can be Lyme disease.
        """,
    ),
    single(
        "plaster-shower",
        "how long do I keep a stitched cut dry",
        """
        Two days. After that a short shower is fine with a waterproof plaster; no baths, pool or
        sea until the stitches are out. Redness that spreads, pus or fever belongs in front of a
        doctor.
        """,
    ),
    single(
        "contact-lens",
        "Can I use my steroid nasal spray with contact lenses in?",
        """
        Yes. The spray stays in the nose. Only eye drops with preservative need a gap: drops
        first, lenses 15 minutes later.
        """,
    ),
    single(
        "melatonin-jetlag",
        "Melatonin for jet lag going east, when to take?",
        """
        At bedtime **at your destination**, 0.5 to 3 mg, for three to five nights, starting on
        arrival. Daylight in the morning does half of the work. Not together with other sleeping
        tablets; with epilepsy or blood thinners ask first.
        """,
    ),
    single(
        "crush-tablet",
        "mum can't swallow, can I crush her tablets? pantoprazole and metoprolol succinate",
        """
        Not these two: both are built to release slowly or further down, and crushed they act
        wrongly. Send us a photo of all her boxes; for most there is a liquid, a melting tablet,
        or another drug of the same kind.
        """,
    ),
    single(
        "baby-sun",
        "sunscreen for a 4 month old?",
        """
        Under a year the answer is **shade and clothes**; sunscreen only on small areas that
        cannot be covered, with mineral filters.
        """,
        docs="guide-sunscreen/factor",
    ),
    single(
        "fridge",
        "Power cut, fridge was at 14 degrees for a night. Throw away the adrenaline pens "
        "and the eye drops?",
        """
        Adrenaline pens are kept at room temperature anyway, so they are fine. The eye drops
        depend on the leaflet: many tolerate up to 25 °C. Insulin in stock counts as opened from
        that night on: use within four weeks. Not sure? Send the names.
        """,
        docs="guide-storage/insulin guide-storage/eye-drops",
    ),
    single(
        "generic",
        "Different pills this month, other colour. Wrong medicine?",
        """
        Probably another maker of the same drug: insurers change their contracts. Compare the
        **name of the substance and the strength** on both boxes. If either is different, take
        none and ring us at once. Good that you looked.
        """,
        docs="app-help/e-prescription",
    ),
    single(
        "nicotine",
        "20 cigarettes a day, which patch strength to start",
        """
        With 20 a day usually **21 mg for 24 hours** (or 25 mg for 16 hours), for four to six
        weeks, then step down. Add gum or lozenges for the moments of craving: together they work
        clearly better than a patch alone.
        """,
    ),
    single(
        "travel-vaccines",
        "Do you vaccinate? Going to Kenya in 3 weeks 🦒",
        """
        In our larger branches against flu and Covid, not for travel. For Kenya see a travel
        clinic this week: yellow fever must be given at least 10 days before, and malaria tablets
        need a prescription. Take insect repellent with 30 to 50 % DEET.
        """,
    ),
    single(
        "dog-paracetamol",
        "my dog limps, can he have a paracetamol",
        """
        Please **no**: doses that are harmless for people can poison dogs, and a single tablet can
        kill a cat. The same goes for ibuprofen. Rest him and ring the vet.
        """,
    ),
    single(
        "inhaler-count",
        "How do I know if my inhaler is empty? It still hisses",
        """
        The hiss is propellant and goes on after the medicine has run out. Look for the counter;
        without one, note the day you start and divide the number of puffs by your puffs a day.
        Floating it in water tells you nothing.
        """,
    ),
    single(
        "blood-donation",
        "can I give blood while on amoxicillin",
        """
        Not now: wait until the infection is over and, as a rule, **four weeks after the last
        tablet** (some services say two). Tell them the reason for the antibiotic when you book.
        """,
        docs="guide-antibiotics/missed",
    ),
    single(
        "sea-sick",
        "Seasick on every ferry 🤢 what works without knocking me out?",
        """
        Sit in the middle of the ship, look at the horizon, eat something light. Ginger helps
        some. Tablets with dimenhydrinate work but make you drowsy, so no driving off the ferry;
        take them half an hour before. For long trips a doctor can prescribe scopolamine patches.
        """,
        docs="leaflet-antihistamines/driving",
    ),
]
