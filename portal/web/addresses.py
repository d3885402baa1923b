"""Which address has which thing? Repositories and tags read like the references they are: ``/r/prod/payments/api:1.4/``."""

from django.urls import reverse

from registries.catalog.models import Repository


class RepositoryConverter:
    """A repository name; slashes belong to it, ``:`` and ``@`` never do."""

    regex = r"[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]|[A-Za-z0-9]"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class RegistryConverter(RepositoryConverter):
    regex = r"[a-z0-9][a-z0-9._-]*"


class TagConverter(RepositoryConverter):
    regex = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"


class DigestConverter(RepositoryConverter):
    regex = r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,}"


def repository_url(repository: Repository) -> str:
    return reverse("web:repository", args=[repository.registry.name, repository.name])


def tag_url(repository: Repository, tag: str) -> str:
    return reverse("web:tag", args=[repository.registry.name, repository.name, tag])
