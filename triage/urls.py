from django.urls import path

from triage import (
    effect_views,
    fix_views,
    grouping_views,
    privacy_views,
    problem_views,
    rule_views,
    telling_views,
    ticket_views,
    tracker_views,
)

_connection = "settings/trackers/<uuid:public_id>/"

urlpatterns = [
    path("problems/", problem_views.problems_page, name="problems"),
    path("problems/new/", grouping_views.open_problem, name="open_problem"),
    path("problems/left-alone/", grouping_views.left_alone, name="left_alone"),
    path("problems/left-alone/<uuid:interaction>/", grouping_views.put_case, name="put_case"),
    path("problems/regrouping/", grouping_views.regrouping_page, name="regrouping"),
    path("problems/regrouping/ask/", grouping_views.ask_regrouping, name="ask_regrouping"),
    path(
        "problems/regrouping/<uuid:public_id>/",
        grouping_views.decide_regrouping,
        name="decide_regrouping",
    ),
    path("problems/changes/<uuid:public_id>/undo/", grouping_views.undo_change, name="undo_change"),
    path("problems/<int:number>/cases/", grouping_views.move_cases, name="move_cases"),
    path("problems/<int:number>/pin/<uuid:interaction>/", grouping_views.pin_case, name="pin_case"),
    path("problems/<int:number>/brief/", problem_views.problem_brief, name="problem_brief"),
    path("problems/<int:number>/", problem_views.problem_page, name="problem"),
    path("problems/<int:number>/move/", problem_views.move_problem, name="move_problem"),
    path("problems/<int:number>/rename/", problem_views.rename_problem, name="rename_problem"),
    path(
        "problems/<int:number>/describe/", problem_views.describe_problem, name="describe_problem"
    ),
    path("problems/<int:number>/merge/", problem_views.merge_problem, name="merge_problem"),
    path(
        "problems/<int:number>/leave/<uuid:interaction>/",
        problem_views.leave_problem,
        name="leave_problem",
    ),
    path(
        "problems/<int:number>/file/<uuid:connection>/",
        problem_views.file_ticket,
        name="file_ticket",
    ),
    path(
        "problems/<int:number>/adopt/<uuid:connection>/",
        ticket_views.adopt_ticket,
        name="adopt_ticket",
    ),
    path(
        "tickets/<uuid:public_id>/comments/", ticket_views.ticket_comments, name="ticket_comments"
    ),
    path("tickets/<uuid:public_id>/look/", ticket_views.look_at_ticket, name="look_at_ticket"),
    path(
        "problems/<int:number>/reopen-tickets/",
        problem_views.reopen_tickets,
        name="reopen_tickets",
    ),
    path("problems/<int:number>/retry-notes/", problem_views.retry_notes, name="retry_notes"),
    path(
        "escalations/<uuid:public_id>/retry/",
        problem_views.retry_escalation,
        name="retry_escalation",
    ),
    path("effect/", effect_views.my_effect, name="my_effect"),
    path("fixes/", fix_views.fixes, name="fixes"),
    path("fixes/record/", fix_views.record_fix, name="record_fix"),
    path("fixes/preview/", fix_views.preview_mail, name="preview_mail"),
    path("fixes/<uuid:public_id>/", fix_views.fix_page, name="fix"),
    path("fixes/<uuid:public_id>/confirm/", fix_views.confirm_fix, name="confirm_fix"),
    path("fixes/<uuid:public_id>/decline/", fix_views.decline_fix, name="decline_fix"),
    path("fixes/<uuid:public_id>/verify/", fix_views.verify_fix, name="verify_fix"),
    path("fixes/<uuid:public_id>/ship/", fix_views.ship_fix, name="ship_fix"),
    path("fixes/<uuid:public_id>/revert/", fix_views.revert_fix, name="revert_fix"),
    path("fixes/<uuid:public_id>/hold/", fix_views.hold_notices, name="hold_notices"),
    path("fixes/<uuid:public_id>/release/", fix_views.release_notices, name="release_notices"),
    path("fixes/<uuid:public_id>/test/", fix_views.send_test, name="send_test_notice"),
    path("outbox/", fix_views.outbox, name="outbox"),
    path("outbox/<uuid:public_id>/hold/", fix_views.hold_notice, name="hold_notice"),
    path("outbox/<uuid:public_id>/send/", fix_views.send_notice, name="send_notice"),
    path("outbox/<uuid:public_id>/sent/", fix_views.mark_notice_sent, name="mark_notice_sent"),
    path("settings/trackers/", tracker_views.settings_trackers, name="settings_trackers"),
    path(
        "settings/trackers/new/<slug:tracker>/",
        tracker_views.add_connection,
        name="add_connection",
    ),
    path(_connection, tracker_views.connection_page, name="connection"),
    path(f"{_connection}statuses/", ticket_views.connection_statuses, name="connection_statuses"),
    path(
        f"{_connection}deliveries/<int:delivery>/retry/",
        ticket_views.retry_delivery,
        name="retry_delivery",
    ),
    path(f"{_connection}pause/", tracker_views.pause_connection, name="pause_connection"),
    path(f"{_connection}resume/", tracker_views.resume_connection, name="resume_connection"),
    path(f"{_connection}switch/", tracker_views.switch_connection, name="switch_connection"),
    path(f"{_connection}delete/", tracker_views.delete_connection, name="delete_connection"),
    path("settings/reporters/", telling_views.settings_reporters, name="settings_reporters"),
    path(
        "settings/reporters/secret/",
        telling_views.rotate_webhook_secret,
        name="rotate_webhook_secret",
    ),
    path("settings/reporters/words/", telling_views.notice_template, name="add_notice_template"),
    path(
        "settings/reporters/words/<slug:language>/",
        telling_views.notice_template,
        name="notice_template",
    ),
    path(
        "settings/reporters/words/<slug:language>/delete/",
        telling_views.delete_template,
        name="delete_notice_template",
    ),
    path("settings/problems/", rule_views.settings_problems, name="settings_problems"),
    path("settings/privacy/", privacy_views.settings_privacy, name="settings_privacy"),
    path("settings/privacy/erase/", privacy_views.erase, name="erase_person"),
]
