"""The record refuses change and removal in the database itself."""

from django.db import migrations

from portal.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("approvals", "0002_initial")]
    operations = append_only("approvals_decision")
