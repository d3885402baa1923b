"""Messages and webhooks in the admin."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin_site import ModelAdmin, ReadOnlyAdmin, register
from portal.outbox.models import Message, WebhookEndpoint


class WebhookForm(forms.ModelForm[WebhookEndpoint]):
    """The secret can be set and never read back."""

    new_secret = forms.CharField(
        required=False, widget=forms.PasswordInput, help_text="Leave empty to keep the present secret."
    )

    class Meta:
        model = WebhookEndpoint
        fields = ["name", "url", "topics", "is_enabled"]

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["new_secret"]:
            self.instance.secret = self.cleaned_data["new_secret"]
        return super().save(commit)


@register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    form = WebhookForm
    list_display = ["name", "url", "is_enabled"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        # Never shown, and a secret whose key is gone must not keep anybody from setting another.
        rows: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return rows.defer("secret")


@register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["topic", "channel", "destination", "state", "attempts", "created_at", "last_error"]
    list_filter = ["state", "channel", "topic"]
