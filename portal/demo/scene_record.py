"""Was everything recorded, and is the record whole?"""

import re

from portal.demo.errors import DemoError
from portal.demo.stage import Stage
from portal.demo.steps import Said


def verify_record(stage: Stage) -> Said:
    """Seals what has been committed and checks every link."""
    told = stage.portal.manage("verify_audit", "--seal").or_fail("manage.py verify_audit").text
    found = re.search(r"(\d+) events? sealed", told)
    if found is None or int(found[1]) == 0:
        raise DemoError(f"verify_audit found nothing sealed: {told}")
    return Said(f"{found[1]} audit events are sealed and the record is whole", {"events": int(found[1])})
