"""Types for the site folder: conditions over further names, and texts in several languages."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from server.expressions.condition import Condition, field_schema
from server.expressions.grammar import ExpressionError
from server.expressions.template import Template


class Names:
    """`Annotated[Expression, Names("value")]`: a condition that may also read `value`."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return field_schema(Condition, self.names)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return Condition.__get_pydantic_json_schema__(schema, handler)


@dataclass(frozen=True)
class LocaleText:
    """One text for all languages, or one for each: `"Hello"` or `{en: Hello, de: Hallo}`."""

    texts: dict[str, Template]  # "" is the text for all languages

    @classmethod
    def parse(cls, value: str | Mapping[str, str]) -> LocaleText:
        """Raises pydantic's ValidationError, with the language at fault as its place."""
        return _read(value)

    def in_locale(self, locale: str, fallback: str = "en") -> Template:
        """The text for `locale` ("de-AT" takes "de"), else for `fallback`, else the first one written."""
        for wanted in (locale, locale.split("-")[0], fallback, fallback.split("-")[0], ""):
            if wanted in self.texts:
                return self.texts[wanted]
        return next(iter(self.texts.values()))

    def plain(self) -> dict[str, str] | str:
        """As it was written: the wire's and the folder's shape."""
        if set(self.texts) == {""}:
            return self.texts[""].text
        return {locale: template.text for locale, template in self.texts.items()}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read, serialization=core_schema.plain_serializer_function_ser_schema(LocaleText.plain)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        one = {"type": "string"}
        several = {"type": "object", "additionalProperties": one}
        return {"anyOf": [one, several], "description": "Text, or one per language"}


def _read(value: Any) -> LocaleText:
    if isinstance(value, LocaleText):
        return value
    if isinstance(value, str):
        return LocaleText({"": Template.parse(value)})
    if not isinstance(value, Mapping) or not value:
        raise ExpressionError("allowed text, or one text per language such as {en: Hello, de: Hallo}")
    texts: dict[str, Template] = {}
    wrong: list[InitErrorDetails] = []
    for locale, text in value.items():
        try:
            texts[_locale(locale)] = Template.parse(_text(text))
        except ExpressionError as error:
            fault = PydanticCustomError("value_error", "{reason}", {"reason": str(error)})
            wrong.append(InitErrorDetails(type=fault, loc=(str(locale),), input=text))
    if wrong:
        raise ValidationError.from_exception_data("LocaleText", wrong)
    return LocaleText(texts)


def _locale(value: Any) -> str:
    if not isinstance(value, str) or not 2 <= len(value.split("-")[0]) <= 3 or not value.replace("-", "").isalnum():
        raise ExpressionError('allowed a language such as "en" or "de-AT"')
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ExpressionError("allowed text; put it in quotes")
    return value
