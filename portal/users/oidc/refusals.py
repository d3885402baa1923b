"""Why may somebody not come in? Every no that a provider or its token can lead to, with what would make it a yes."""

from dataclasses import dataclass
from typing import Final

from allauth.socialaccount.providers.oauth2.client import OAuth2Error


@dataclass(frozen=True, slots=True)
class Refusal:
    """``{provider}`` in the texts stands for its title. ``is_recorded``: a person was known for sure, so the audit has it."""

    status: int
    title: str
    help: str
    is_recorded: bool = False


_SAME_AGAIN: Final = "Nothing is wrong with your account. Try again in a minute; if it stays so, tell a platform admin what you read here."
REFUSALS: Final = {
    "unreachable": Refusal(503, "{provider} did not answer as it should", _SAME_AGAIN),
    "untrusted": Refusal(
        502,
        "What {provider} answered cannot be trusted",
        "You are not signed in, and no account was made or changed. Tell a platform admin what you read here; the provider or "
        "what this portal knows of it has to be put right.",
    ),
    "turned_back": Refusal(
        403,
        "{provider} did not let you through",
        "You turned back there, or may not use this portal as far as {provider} is concerned. Whoever runs {provider} can tell you.",
    ),
    "provider_refused": Refusal(401, "{provider} did not finish the sign-in", _SAME_AGAIN),
    "not_started": Refusal(
        400,
        "This sign-in cannot be finished",
        "It was started more than ten minutes ago, in another browser, or was finished already. Start again from the login page.",
    ),
    "not_in_group": Refusal(
        403,
        "{provider} knows you, but you are not among those who may come in",
        "Whoever runs {provider} can put you into the group. After that, sign in again.",
        is_recorded=True,
    ),
    "switched_off": Refusal(
        403, "Your account is switched off", "A platform admin can switch it on again.", is_recorded=True
    ),
    "address_taken": Refusal(
        409,
        "Your mail address belongs to another account here",
        "If that account is yours, sign in to it with its password, open Other sign-ins and connect {provider} there. If you cannot, "
        "or if it is not yours, ask a platform admin. Nothing was joined, because an address alone proves nothing.",
        is_recorded=True,
    ),
    "address_missing": Refusal(
        403,
        "{provider} did not tell your mail address",
        "Accounts here need one. Whoever runs {provider} can have it told to this portal (the scope and claim email).",
        is_recorded=True,
    ),
    "second_identity": Refusal(
        409,
        "This account is connected with somebody else at {provider} already",
        "One account here is one person there. Remove the other connection first under Other sign-ins, or ask a platform admin.",
        is_recorded=True,
    ),
    "collision": Refusal(
        409, "Somebody came in at the very same moment", "Try again; nothing was made or changed."
    ),
}  # fmt: skip


class SignInError(OAuth2Error):  # type: ignore[misc]
    """Somebody may not come in: one of REFUSALS, and a sentence of what happened this time."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence

    @property
    def refusal(self) -> Refusal:
        return REFUSALS[self.code]
