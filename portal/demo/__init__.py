"""How does the main job look from end to end, on real registries and through the faces everybody uses?

Played by ``python -m portal.demo``. Apart from the story's own steps nothing in here knows Django: the demo is a
user of the portal, over HTTP and by its commands, and the tests start their registries with the same machinery.
"""
