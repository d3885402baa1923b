"""What an upgrade does to the tables that every login reads: columns, an index, a pass over all rows."""

from pathlib import Path

from django.db import migrations, models

from registries.access import migrations as present

_LAST = max(path.stem for path in Path(next(iter(present.__path__))).glob("[0-9]*.py"))


class Migration(migrations.Migration):
    dependencies = [("access", _LAST)]
    operations = [
        migrations.AddField("secret", "team_note", models.CharField(max_length=80, default="")),
        migrations.AddField("robotaccount", "cost_centre", models.CharField(max_length=80, null=True)),
        migrations.AddField("accessrule", "ticket", models.CharField(max_length=80, default="", db_default="")),
        migrations.AddIndex("secret", models.Index(fields=["expires_at"], name="secret_ends")),
        migrations.RunSQL("UPDATE access_secret SET name = name || ' (kept)'", migrations.RunSQL.noop),
        migrations.RunSQL("UPDATE access_policyepoch SET number = number + 1", migrations.RunSQL.noop),
    ]
