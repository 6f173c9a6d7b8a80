"""Which of several answers people preferred: experts who compared two of them here, or as the product or an import said
with the interaction.

`metadata.source` holds it as research sets do: `alternatives`, texts beside the answer that was given, and `preferences`,
`{"first", "second", "winner"}` by number: 1 is the answer that was given, 2 the first alternative. No winner is a tie.
"""

from annotation.comparing import judged_preferences


def preferences_of(interaction) -> list[dict]:
    """`[{"chosen", "rejected"}]`; where our experts say the opposite of what came with the answer, they count."""
    judged = judged_preferences(interaction)
    opposite = [{"chosen": each["rejected"], "rejected": each["chosen"]} for each in judged]
    stated = [
        each
        for each in stated_preferences(interaction)
        if each not in judged and each not in opposite
    ]
    return [*stated, *judged]


def stated_preferences(interaction) -> list[dict]:
    """`[{"chosen", "rejected"}]` as stated; ties, blanks, equal texts and whatever makes no sense are left aside."""
    source = interaction.metadata.get("source")
    if not isinstance(source, dict):
        return []
    alternatives, stated = source.get("alternatives"), source.get("preferences")
    if not isinstance(alternatives, list) or not isinstance(stated, list):
        return []
    answers = [interaction.output, *alternatives]
    pairs = [_pair(each, answers) for each in stated]
    return [
        {"chosen": chosen, "rejected": rejected}
        for chosen, rejected in dict.fromkeys(pair for pair in pairs if pair)
    ]


def _pair(stated, answers) -> tuple[str, str] | None:
    if not isinstance(stated, dict):
        return None
    sides = [stated.get("first"), stated.get("second")]
    if not all(type(side) is int and 1 <= side <= len(answers) for side in sides):
        return None
    winner = stated.get("winner")
    if type(winner) is not int or winner not in sides or sides[0] == sides[1]:
        return None
    loser = sides[0] if winner == sides[1] else sides[1]
    chosen, rejected = answers[winner - 1], answers[loser - 1]
    if not (isinstance(chosen, str) and isinstance(rejected, str)):
        return None
    is_pair = chosen.strip() and rejected.strip() and chosen.strip() != rejected.strip()
    return (chosen, rejected) if is_pair else None
