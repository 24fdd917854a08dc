"""What an owner can set for Salesforce."""

from __future__ import annotations

from plugins.crm.salesforce.session import BROWSER, CLIENT, JWT
from plugins.fields import Field, Type

_API_NAME = r"[A-Za-z]\w*"

FIELDS = (
    Field(
        "sign_in", "How to sign in", choices=(BROWSER, JWT, CLIENT), default=BROWSER,
        choice_titles=("In the browser", "With a certificate (JWT)", "With client credentials"),
        help="In the browser a person agrees. Client credentials need the sign-in address of your My Domain.",
    ),
    Field(
        "login_url", "Sign-in address", Type.URL, default="https://login.salesforce.com",
        help="Sandboxes: https://test.salesforce.com. Or your My Domain: https://acme.my.salesforce.com.",
    ),
    Field("client_id", "Consumer key", required=True, help="Of the external client app."),
    Field(
        "client_secret", "Consumer secret", secret=True,
        help="Needed for client credentials; in the browser where the app demands one.",
    ),
    Field("username", "User name", rare=True, help="With a certificate: the user we work as."),
    Field(
        "private_key", "Private key", secret=True, rare=True,
        help="With a certificate: the PEM of its RSA key, or that in base64.",
    ),
    Field("audience", "Audience", rare=True, help="With a certificate, where it is not the usual one."),
    Field(
        "person_id_field", "External id field of people", pattern=_API_NAME,
        help="Usher_Id__c: text, External ID, unique, on Lead and on Contact. It keeps a person one record.",
    ),
    Field(
        "company_id_field", "External id field of companies", pattern=_API_NAME,
        help="Usher_Domain__c: text, External ID, unique, on Account. It holds the domain.",
    ),
    Field(
        "activity_id_field", "External id field of activities", pattern=_API_NAME,
        help="Usher_Id__c: text, External ID, on Activity. Without it no activities and meetings are written.",
    ),
    Field(
        "new_lead_owner", "Who gets new leads without an owner", rare=True,
        help="E-mail of a user, or name of a queue. Empty: whom Salesforce's assignment rules say.",
    ),
    Field("assign_new_leads", "Let assignment rules see new leads", Type.BOOLEAN, default=True),
    Field(
        "save_warned_duplicates", "Save although a duplicate rule warns", Type.BOOLEAN, default=True,
        help="Rules that block still block.",
    ),
    Field(
        "meeting_subjects", "Subjects of meetings by status", Type.LIST,
        default=("cancelled=Cancelled: {title}", "no_show=No-show: {title}"),
        help="Of booked, rescheduled, cancelled, held and no_show; others have the title alone.",
    ),
    Field(
        "meeting_status_field", "Field for the status of meetings", pattern=_API_NAME, rare=True,
        help="A field on Activity.",
    ),
    Field(
        "meeting_status_values", "Values of that field", Type.LIST,
        default=("booked=Booked", "rescheduled=Rescheduled", "cancelled=Cancelled", "held=Held", "no_show=No-show"),
    ),
    Field("task_status", "Status of tasks that are done", default="Completed"),
    Field(
        "opt_out_field", "Field for “never write to me”", pattern=_API_NAME, default="HasOptedOutOfEmail",
        help="On Lead and Contact; our user has to see it. `none`: it is neither read nor written.",
    ),
    Field(
        "country_codes", "Countries are codes", Type.BOOLEAN, default=False,
        help="Where state and country picklists are on: writes DE into CountryCode, not into Country.",
    ),
    Field(
        "customer_field",
        "Field of accounts that tells customers",
        pattern=_API_NAME,
        default="Type",
        help="A picklist or a checkbox. `none`: Salesforce does not know.",
    ),
    Field(
        "customer_values", "Its values that mean so", Type.LIST,
        default=("Customer", "Customer - Direct", "Customer - Channel"),
    ),
    Field("target_field", "Checkbox of target accounts", pattern=_API_NAME, rare=True),
    Field(
        "csm_field", "Field for the customer success manager", pattern=_API_NAME, rare=True, help="A lookup to User."
    ),
    Field(
        "changed_fields", "Further fields that are followed", Type.LIST, rare=True,
        help="Lead.Region__c, Contact.Region__c, Account.Tier__c: told when they change there.",
    ),
    Field(
        "convert_path", "Path of your Apex service that converts leads", pattern=r"[\w/-]+", rare=True,
        help="Such as usher/convert. Empty: leads are not converted. Salesforce has no such call of its own.",
    ),
    Field("api_version", "Version of the API", default="62.0", pattern=r"[6-9]\d\.0"),
)  # fmt: skip
