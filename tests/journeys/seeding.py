"""What a journey begins with. These run inside a house's own process: `house.seed("furnish", …)`."""

from annotation.gold import content_hash, freeze_gold_version
from annotation.models import GoldExample, GoldRevision, LabelSchema, ReviewItem, Settlement
from feedbackhub.accounts.api_keys import create_api_key
from feedbackhub.accounts.members import create_project
from feedbackhub.accounts.models import Project
from feedbackhub.accounts.permissions import Scope
from feedbackhub.capture.models import Interaction
from feedbackhub.outbox import sweeping, tasks
from tests.factories import InteractionFactory, ReviewItemFactory, SettlementFactory
from triage import connections, fixing
from triage.models import Problem


def furnish(slug: str, trackers: dict[str, str]) -> dict:
    """A project with its defaults, a key that may do everything, and a connection to each tracker."""
    project = create_project(slug=slug, name=slug.title())
    _, secret = create_api_key(project=project, name="journey", scopes=Scope.values)
    ways = {
        name: connections.create_connection(
            project=project,
            name=name,
            tracker=name,
            config=settings_of(name, url),
            secrets=SECRETS[name],
        )
        for name, url in trackers.items()
    }
    return {
        "id": project.pk,
        "secret": secret,
        "hooks": {name: connections.webhook_url(way) for name, way in ways.items()},
    }


HOOK_SECRET = "hook-secret"
SECRETS = {
    "jira": {"api_token": "jira-api-token", "webhook_secret": HOOK_SECRET},
    "linear": {"api_key": "lin_api_double", "webhook_secret": HOOK_SECRET},
}


def settings_of(tracker: str, url: str) -> dict[str, str]:
    if tracker == "linear":
        return {"base_url": f"{url}/graphql", "team": "FBH"}
    return {
        "base_url": url,
        "project_key": "FBH",
        "issue_type": "Bug",
        "email": "bot@feedbackhub.test",
    }


def fix(slug: str, summary: str) -> dict:
    """A fix that shipped, of every problem of the project."""
    project = Project.objects.get(slug=slug)
    row = fixing.record_fix(
        project=project,
        summary=summary,
        problems_fixed=list(Problem.objects.for_project(project).unsolved()),
    )
    return {"id": row.pk, "notices": row.notices.count()}


def sweep() -> dict:
    """As `manage.py sweep`."""
    return sweeping.sweep()


def ring_for_sweeps(times: int) -> dict:
    """What so many beats would do at one moment."""
    for _ in range(times):
        tasks.sweep.delay()
    return {}


def gold(slug: str, examples: int) -> dict:
    """A frozen version of so many training examples."""
    project = Project.objects.get(slug=slug)
    schema = LabelSchema.objects.get(project=project)
    interactions = Interaction.objects.bulk_create(
        InteractionFactory.build_batch(examples, project=project)
    )
    queue = project.reviewqueue_set.get()
    items = ReviewItem.objects.bulk_create(
        ReviewItemFactory.build(
            project=project, queue=queue, interaction=interaction, state="settled", overlap=1
        )
        for interaction in interactions
    )
    settlements = Settlement.objects.bulk_create(
        SettlementFactory.build(
            project=project,
            interaction=item.interaction,
            item=item,
            schema=schema,
            chosen_answer=None,
        )
        for item in items
    )
    born = GoldExample.objects.bulk_create(
        GoldExample(project=project, interaction=interaction, split="train")
        for interaction in interactions
    )
    GoldRevision.objects.bulk_create(
        _revision(example, settlement)
        for example, settlement in zip(born, settlements, strict=True)
    )
    return {"version": freeze_gold_version(project=project).number}


def _revision(example, settlement) -> GoldRevision:
    content = {
        "messages": [{"role": "user", "content": f"Question {example.interaction.external_id}?"}],
        "context": [],
        "ideal_answer": f"The better answer to {example.interaction.external_id}.",
        "rejected_answers": [example.interaction.output],
        "labels": {"verdict": "wrong"},
        "assertions": [],
    }
    return GoldRevision(
        project=example.project,
        example=example,
        revision=1,
        settlement=settlement,
        content_hash=content_hash(content),
        **content,
    )
