"""Sign-in through allauth, for invited people only."""

from allauth.account.adapter import DefaultAccountAdapter


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """Nobody signs up unasked: an owner adds members, or `manage.py create_user` does."""

    def is_open_for_signup(self, request):
        return False
