"""Signed-in people: where they start, who they are, and the settings of members and keys."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from feedbackhub.accounts import api_keys, members
from feedbackhub.accounts.access import project_page
from feedbackhub.accounts.context import SETTINGS_PLACES
from feedbackhub.accounts.forms import AddApiKeyForm, AddMemberForm, ChangeRolesForm, ProfileForm
from feedbackhub.accounts.models import ApiKey, Membership, Project
from feedbackhub.accounts.permissions import PERMISSIONS, Role
from feedbackhub.audit import trail
from feedbackhub.paging import BadCursor, paginate

LAST_PROJECT = "last_project"


@login_required
def home(request):
    """To the project one was last in, or the list of one's projects."""
    projects = list(Project.objects.for_user(request.user).order_by("name"))
    last = request.session.get(LAST_PROJECT)
    for project in projects:
        if len(projects) == 1 or project.slug == last:
            return redirect("project_home", project.slug)
    return render(request, "accounts/projects.html", {"my_projects": projects})


@login_required
@require_POST
def choose_theme(request):
    """Auto, light or dark; a cookie, so that no page flashes."""
    theme = request.POST.get("theme")
    if theme not in ("auto", "light", "dark"):
        return HttpResponseBadRequest()
    response = redirect(request.META.get("HTTP_REFERER") if _is_ours(request) else "home")
    response.set_cookie(
        "theme", theme, max_age=365 * 24 * 3600, samesite="Lax", secure=request.is_secure()
    )
    return response


def _is_ours(request) -> bool:
    from django.utils.http import url_has_allowed_host_and_scheme

    return url_has_allowed_host_and_scheme(
        request.META.get("HTTP_REFERER"), {request.get_host()}, require_https=request.is_secure()
    )


@login_required
def profile(request):
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})


@project_page("see_members", "change_rules")
def settings(request):
    """The first page of the settings that this member may see."""
    for name, _label, _icon, permission in SETTINGS_PLACES:
        if request.membership.may(permission):
            return redirect(name, request.project.slug)
    raise AssertionError("the door let somebody in who may see nothing")


# --- members --------------------------------------------------------------------------------------


@project_page("see_members", post="change_members")
def settings_members(request):
    form = AddMemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        membership, _is_new = members.add_member(project=request.project, **form.cleaned_data)
        messages.success(request, _("%(name)s is a member.") % {"name": membership.user})
        return redirect("settings_members", request.project.slug)
    rows = Membership.objects.filter(project=request.project).select_related("user")
    page = _page(request, rows, order=("id",))
    return render(
        request,
        "accounts/settings_members.html",
        {
            "page": page,
            "form": form,
            "roles": Role,
            "table": [
                (permission.replace("_", " "), [role in roles for role in Role.values])
                for permission, roles in PERMISSIONS.items()
            ],
        },
        status=400 if form.errors else 200,
    )


@project_page("change_members")
def member(request, public_id):
    """Change one member's roles."""
    membership = get_object_or_404(
        Membership.objects.select_related("user"),
        project=request.project,
        user__public_id=public_id,
    )
    form = ChangeRolesForm(request.POST or None, initial={"roles": membership.roles})
    if request.method == "POST" and form.is_valid():
        try:
            members.change_roles(membership=membership, roles=form.cleaned_data["roles"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("settings_members", request.project.slug)
    return render(
        request,
        "accounts/member.html",
        {"member": membership, "form": form},
        status=400 if form.errors else 200,
    )


@project_page("change_members")
@require_POST
def remove_member(request, public_id):
    membership = get_object_or_404(Membership, project=request.project, user__public_id=public_id)
    try:
        members.remove_member(membership=membership)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("%(name)s left the project.") % {"name": membership.user})
    return redirect("settings_members", request.project.slug)


# --- keys -----------------------------------------------------------------------------------------


@project_page("see_api_keys", post="change_api_keys")
def settings_keys(request):
    form = AddApiKeyForm(request.POST or None, initial={"scopes": ["capture"]})
    secret = None
    if request.method == "POST" and form.is_valid():
        _key, secret = api_keys.create_api_key(
            project=request.project, by=request.user, **form.cleaned_data
        )
        form = AddApiKeyForm(initial={"scopes": ["capture"]})
    page = _page(request, ApiKey.objects.filter(project=request.project), order=("-id",))
    return render(
        request,
        "accounts/settings_keys.html",
        {"page": page, "form": form, "secret": secret},
        status=400 if form.errors else 200,
    )


@project_page("change_api_keys")
@require_POST
def revoke_key(request, public_id):
    key = get_object_or_404(ApiKey, project=request.project, public_id=public_id)
    api_keys.revoke_api_key(key=key)
    messages.success(request, _("The key %(name)s is revoked.") % {"name": key.name})
    return redirect("settings_keys", request.project.slug)


# --- the audit trail ------------------------------------------------------------------------------


@project_page("read_audit")
def settings_audit(request):
    before = request.GET.get("before", "")
    rows = trail.of_project(request.project, before=before, limit=50)
    return render(request, "accounts/settings_audit.html", {"rows": rows})


def _page(request, queryset, *, order):
    try:
        return paginate(queryset, order=order, cursor=request.GET.get("cursor"))
    except BadCursor:
        return paginate(queryset, order=order)
