"""Addresses that carry their own permission: signed, and soon over."""

from django.urls import path

from annotation import export_downloads

urlpatterns = [path("<str:token>", export_downloads.linked, name="export_linked")]
