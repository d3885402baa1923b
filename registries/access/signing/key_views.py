"""The public halves of the keys that sign for a registry, for its operator to fetch."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from registries.access.signing.keys import bundle_pem, jwks, newest_certificate
from registries.topology.models import Registry


@require_safe
def bundle(request: HttpRequest, name: str) -> HttpResponse:
    """Certificates, for ``rootcertbundle`` of Distribution 2.8."""
    return _certificates(name, bundle_pem(_registry(name)))


@require_safe
def newest(request: HttpRequest, name: str) -> HttpResponse:
    """The one certificate for servers that trust one key at a time: zot."""
    return _certificates(name, newest_certificate(_registry(name)))


@require_safe
def key_set(request: HttpRequest, name: str) -> HttpResponse:
    """The same as a JWKS, for ``jwks`` of Distribution 3."""
    found = jwks(_registry(name))
    if not found["keys"]:
        raise Http404(f"{name} has no signing key yet. Run manage.py registry_config {name}.")
    return JsonResponse(found, headers={"Cache-Control": "no-cache"})


def _certificates(name: str, text: str) -> HttpResponse:
    if not text:
        # An empty file would keep the server from starting, with a worse sentence than this.
        raise Http404(f"{name} has no signing key yet. Run manage.py registry_config {name}.")
    return HttpResponse(text, content_type="application/x-pem-file", headers={"Cache-Control": "no-cache"})


def _registry(name: str) -> Registry:
    registry = Registry.objects.filter(name=name).first()
    if registry is None:
        raise Http404(f"There is no registry named {name}.")
    return registry
