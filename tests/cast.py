"""The cast: Ana reviews, Ben leads, Dana is the engineer, Olu owns the project; Eve belongs to another one."""

import pytest


@pytest.fixture
def project(db):
    from tests.factories import ProjectFactory

    return ProjectFactory(name="Tax help", slug="tax-help")


@pytest.fixture
def other_project(db):
    from tests.factories import ProjectFactory

    return ProjectFactory(name="Somebody else's", slug="elsewhere")


def _member(project, name, *roles):
    from tests.factories import MembershipFactory, UserFactory

    user = UserFactory(name=name, email=f"{name.lower()}@example.com")
    MembershipFactory(project=project, user=user, roles=list(roles))
    return user


@pytest.fixture
def ana(project):
    return _member(project, "Ana", "expert")


@pytest.fixture
def ben(project):
    return _member(project, "Ben", "lead")


@pytest.fixture
def dana(project):
    return _member(project, "Dana", "engineer")


@pytest.fixture
def olu(project):
    return _member(project, "Olu", "owner")


@pytest.fixture
def eve(other_project):
    return _member(other_project, "Eve", "owner")


@pytest.fixture
def as_user(client):
    """`as_user(ana).get(…)`: the test client, signed in."""

    def sign_in(user):
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def api(project):
    """`api("capture", "read")`: a client that sends an API key of the project with these scopes."""
    from django.test import Client

    from feedbackhub.accounts.api_keys import create_api_key

    def make(*scopes, project=project):
        _, secret = create_api_key(project=project, name="test", scopes=scopes)
        return Client(headers={"authorization": f"Bearer {secret}"})

    return make
