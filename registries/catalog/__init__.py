"""What is where: which repositories, tags and manifests does every registry hold, and how did they move?"""
