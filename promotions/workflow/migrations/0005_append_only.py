"""Verdicts of gates are part of the record: the database itself refuses to change or remove them."""

from django.db import migrations

from portal.audit.triggers import append_only


class Migration(migrations.Migration):
    dependencies = [("promotions", "0004_gate_choices")]
    operations = append_only("promotions_gateresult")
