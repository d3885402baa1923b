"""The record refuses change and removal in the database itself."""

from django.db import migrations

from portal.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = append_only("audit_auditevent", "audit_auditseal", "audit_auditcheckpoint")
