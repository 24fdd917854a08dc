"""What a HubSpot connection is set up with."""

from __future__ import annotations

from plugins.fields import Field, Type

PROPERTY = "[a-z][a-z0-9_]{0,99}"

FIELDS = (
    Field(
        "token",
        "Service key",
        secret=True,
        help="Development, Keys, Service keys. The quickest way; leave it empty to sign in with an app of your own, "
        "which is what HubSpot needs to tell us of changes at once.",
    ),
    Field("client_id", "Client ID of your app", help="Only to sign in with an app."),
    Field(
        "client_secret", "Client secret of your app", secret=True, help="Also what HubSpot signs its calls to us with."
    ),
    Field(
        "key_property",
        "Property for our key",
        default="usher_key",
        pattern=PROPERTY,
        help="A text property with unique values on notes, meetings, companies and deals. Made when it is missing and "
        "the connected account may do so.",
    ),
    Field("csm_property", "Company property that names the CSM", pattern=PROPERTY, help="One of type HubSpot user."),
    Field("source_property", "Contact property for our source", pattern=PROPERTY),
    Field("opted_out_property", "Contact property for opting out", pattern=PROPERTY, help="A checkbox."),
    Field("pipeline", "Pipeline of new deals", default="default"),
    Field("deal_stage", "Stage of new deals", default="appointmentscheduled"),
    Field("base_url", "Address of the API", Type.URL, default="https://api.hubapi.com"),
    Field("authorize_url", "Address of the sign-in", Type.URL, default="https://app.hubspot.com/oauth/authorize"),
)
