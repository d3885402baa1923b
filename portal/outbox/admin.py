"""Messages and webhooks in the admin."""

from typing import Any

from django import forms

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


@register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["topic", "channel", "destination", "state", "attempts", "created_at", "last_error"]
    list_filter = ["state", "channel", "topic"]
