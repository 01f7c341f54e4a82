"""The sentence in which an API says why, in the shapes that APIs publish."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.reasons import MAX_CHARACTERS, reason_given
from httpstep.core.outcome.fallback import status_error
from tests.fakes import answer

PUBLISHED: dict[str, tuple[Any, str]] = {
    "Jira": ({"errorMessages": ["Issue does not exist"], "errors": {}}, "Issue does not exist"),
    "Jira, fields": ({"errorMessages": [], "errors": {"summary": "You must specify a summary"}}, "summary: You must specify a summary"),
    "Apigee": ({"fault": {"faultstring": "Invalid ApiKey", "detail": {"errorcode": "oauth.v2"}}}, "Invalid ApiKey"),
    ".NET": ({"Message": "Authorization has been denied."}, "Authorization has been denied."),
    ".NET, RFC 9457": ({"title": "One or more validation errors occurred.", "errors": {"Name": ["The Name field is required."]}}, "Name: The Name field is required."),
    "WeChat": ({"errcode": 40013, "errmsg": "invalid appid"}, "invalid appid"),
    "AWS Lambda": ({"errorMessage": "Task timed out", "errorType": "X"}, "Task timed out"),
    "AWS": ({"__type": "com.x#ValidationException", "Message": "No such table"}, "No such table"),
    "Django REST, fields": ({"email": ["Enter a valid email address."]}, "email: Enter a valid email address."),
    "Django REST, whole": ({"non_field_errors": ["Unable to log in."]}, "Unable to log in."),
    "Django REST": ({"detail": "Not found."}, "Not found."),
    "FastAPI": ({"detail": [{"loc": ["body", "email"], "msg": "field required", "type": "missing"}]}, "email: field required"),
    "Rails": ({"errors": {"name": ["can't be blank", "is too short"]}}, "name: can't be blank; name: is too short"),
    "Rails, status": ({"status": 404, "error": "Not Found"}, "Not Found"),
    "Laravel": ({"message": "The given data was invalid.", "errors": {"email": ["It is taken."]}}, "The given data was invalid. email: It is taken."),
    "currencylayer": ({"success": False, "error": {"code": 101, "type": "missing_access_key", "info": "You have no Access Key."}}, "You have no Access Key."),
    "Zendesk": ({"error": "RecordInvalid", "description": "Record validation errors", "details": {"email": [{"description": "Email is invalid"}]}}, "Record validation errors; email: Email is invalid"),
    "Zoho": ({"data": [{"code": "INVALID_DATA", "message": "invalid data", "status": "error"}]}, "invalid data"),
    "Errors, capital": ({"Errors": [{"Message": "Bad date"}]}, "Bad date"),
    "OData 4": ({"error": {"code": "", "message": "No such entity"}}, "No such entity"),
    "OData 2": ({"odata.error": {"code": "", "message": {"lang": "en", "value": "No such entity"}}}, "No such entity"),
    "RFC 9457": ({"type": "about:blank", "title": "Out of credit", "detail": "Your balance is 30."}, "Your balance is 30."),
    "RFC 9457, title": ({"type": "about:blank", "title": "Out of credit", "status": 403}, "Out of credit"),
    "JSON:API": ({"errors": [{"source": {"pointer": "/data/title"}, "title": "Invalid", "detail": "is too short"}]}, "/data/title: is too short"),
    "GraphQL": ({"data": None, "errors": [{"message": "Cannot query field x", "locations": [{"line": 1}]}]}, "Cannot query field x"),
    "Google": ({"error": {"code": 403, "message": "Denied", "errors": [{"message": "Denied", "reason": "forbidden"}]}}, "Denied"),
    "Stripe": ({"error": {"type": "card_error", "message": "Your card was declined.", "param": "source"}}, "Your card was declined."),
    "Slack": ({"ok": False, "error": "not_authed"}, "not_authed"),
    "Telegram": ({"ok": False, "error_code": 401, "description": "Unauthorized"}, "Unauthorized"),
    "Salesforce": ([{"message": "Session expired", "errorCode": "INVALID_SESSION_ID"}], "Session expired"),
    "NestJS": ({"statusCode": 400, "message": ["name must be a text", "age must be a number"], "error": "Bad Request"}, "name must be a text; age must be a number"),
    "Foursquare": ({"meta": {"code": 400, "errorDetail": "Bad v param"}, "response": {}}, "Bad v param"),
    "Elasticsearch": ({"error": {"root_cause": [{"type": "x", "reason": "no such index"}], "reason": "no such index"}, "status": 404}, "no such index"),
    "WordPress": ({"code": "e", "message": "<strong>Error</strong>: no user. <a href='x'>Lost &amp; found?</a>"}, "Error: no user. Lost & found?"),
    "OMDb": ({"Response": "False", "Error": "Incorrect IMDb ID."}, "Incorrect IMDb ID."),
    "only a code": ({"error": {"code": 101, "type": "missing_access_key"}}, "type: missing_access_key"),
    "a text": ("Forbidden", "Forbidden"),
    "a list of texts": ({"success": False, "errors": ["No", "Nope", "Never", "Again"]}, "No; Nope; Never"),
    "nothing known": ({"a": {"b": "c"}}, ""),
    "a page in a member": ({"message": "<!DOCTYPE html><html><body>Sign in</body></html>"}, ""),
    "NetSuite": ({"title": "Bad Request", "status": 400, "o:errorDetails": [{"detail": "Invalid field", "o:errorCode": "X"}]}, "Invalid field"),
    "Infobip": ({"requestError": {"serviceException": {"messageId": "UNAUTHORIZED", "text": "Invalid login details"}}}, "Invalid login details"),
    "Vonage": ({"message-count": "1", "messages": [{"status": "4", "error-text": "Bad Credentials"}]}, "Bad Credentials"),
    "marshmallow": ({"messages": {"json": {"name": ["Missing data."]}}}, "json: name: Missing data."),
    "ServiceStack": ({"responseStatus": {"errorCode": "X", "message": "No such order"}}, "No such order"),
    "err alone": ({"err": {"msg": "jwt expired"}}, "jwt expired"),
    "a result's": ({"retcode": 1, "retmsg": "no such order"}, "no such order"),
    "in Portuguese": ({"codigo": 7, "mensagem": "CPF inválido"}, "CPF inválido"),
    "Shopify, fields that are called as sentences are": ({"errors": {"title": ["can't be blank"]}}, "title: can't be blank"),
    "Shopify, GraphQL": ({"data": {"productCreate": {"product": None, "userErrors": [{"field": ["title"], "message": "Title can't be blank"}]}}}, "title: Title can't be blank"),
    "HAL": ({"_embedded": {"errors": [{"message": "FirstName required.", "path": "/firstName"}]}}, "/firstName: FirstName required."),
    "zod": ({"success": False, "error": {"issues": [{"code": "invalid_type", "path": ["name"], "message": "Required"}], "name": "ZodError"}}, "name: Required"),
    "SOAP as JSON": ({"Envelope": {"Body": {"Fault": {"faultstring": "Bad order"}}}}, "Bad order"),
    "a code alone": ({"code": "NOT_FOUND", "status": 404}, "NOT_FOUND"),
    "UPS": ({"response": {"errors": [{"code": "TW0001", "message": "Tracking Information Not Found"}]}}, "Tracking Information Not Found"),
    "PayPal": ({"name": "UNPROCESSABLE_ENTITY", "details": [{"field": "/amount", "issue": "X", "description": "Currency is not supported."}], "message": "It could not be done.", "debug_id": "f"}, "It could not be done. /amount: Currency is not supported."),
    "Typeform": ({"code": "VALIDATION_ERROR", "description": "Validation error", "details": [{"field": "/fields/0", "description": "is required"}]}, "Validation error; /fields/0: is required"),
    "express-validator": ({"errors": [{"value": "", "msg": "Invalid value", "param": "email", "location": "body"}]}, "email: Invalid value"),
    "Tencent": ({"Response": {"Error": {"Code": "AuthFailure", "Message": "signature wrong"}, "RequestId": "x"}}, "signature wrong"),
    "JSend": ({"status": "fail", "data": {"title": "A title is required"}}, "A title is required"),
    "CouchDB": ({"error": "not_found", "reason": "missing"}, "not_found"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "said"), PUBLISHED.values(), ids=PUBLISHED)
def test_the_reason_is_found_in_published_shapes(body: Any, said: str) -> None:
    assert reason_given(answer(422, body)) == said


@pytest.mark.parametrize(
    ("text", "content_type", "said"),
    [
        ("Forbidden", "text/plain", "Forbidden"),
        ("Bad key,\nsorry", "text/html", "Bad key, sorry"),
        ("<e:Envelope><e:Body><e:Fault><faultcode>c</faultcode><faultstring>No such customer</faultstring></e:Fault></e:Body></e:Envelope>", "text/xml", "No such customer"),
        ("<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang='en'>Bad thing</s:Text></s:Reason></s:Fault>", "application/soap+xml", "Bad thing"),
        ("<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>", "application/xml", "The key does not exist."),
        ("<Error><Message><![CDATA[Not <there>]]></Message></Error>", "application/xml", "Not"),
        ("<rsp stat='fail'><err code='1' msg='Photo not found' /></rsp>", "text/xml", "Photo not found"),
        ("error=invalid_grant&error_description=Token+expired", "application/x-www-form-urlencoded", "Token expired"),
        ("<!doctype html><html><head><title>Oops</title></head></html>", "text/html", ""),
        ("<p>Oops</p>", "text/html", ""),
        ("", "text/plain", ""),
        ("\x00\x01\x02", "application/octet-stream", ""),
    ],
)  # fmt: skip
def test_the_reason_is_found_in_xml_forms_and_plain_text_and_never_in_html(
    text: str, content_type: str, said: str
) -> None:
    assert reason_given(answer(500, text=text, Content_Type=content_type)) == said


def test_the_challenge_of_a_token_says_why_where_the_body_does_not() -> None:
    challenge = 'Bearer realm="x", error="invalid_token", error_description="The token expired"'
    assert reason_given(answer(401, text="", WWW_Authenticate=challenge)) == "The token expired"
    assert reason_given(answer(401, {"message": "Log in"}, WWW_Authenticate=challenge)) == "Log in"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["message", "error", "errors", "detail", "data", "loc", "x", ""]), inner, max_size=4),
)  # fmt: skip


@given(json_values)
def test_whatever_comes_is_one_short_line(document: Any) -> None:
    said = reason_given(answer(400, document))
    assert len(said) <= MAX_CHARACTERS
    assert said == " ".join(said.split())


@given(st.integers(0, 330))
def test_a_secret_in_it_is_masked_wherever_it_stands(before: int) -> None:
    secrets = frozenset({"hunter2-hunter2"})
    document = {"message": "x" * before + "hunter2-hunter2" + "y" * 40}
    assert "hunter2" not in reason_given(answer(400, document), secrets)
    assert "hunter2" not in reason_given(answer(400, text=json.dumps(document)[12:]), secrets)


@pytest.mark.parametrize(
    ("status", "headers", "message", "advice"),
    [
        (302, {}, "The API answered 302 Found: a redirect that does not say where to (no Location).", "fault of the server"),
        (301, {"Location": "https://b.example/"}, "a redirect that was not followed.", "Location"),
        (304, {}, "The API answered 304 Not Modified: nothing has changed since an earlier answer.", "If-None-Match"),
        (999, {}, "The API answered 999: this is no status of HTTP", "for an API"),
        (401, {"WWW_Authenticate": 'Digest realm="x", nonce="a, Basic b"'}, "it asks for Digest authentication", "Basic"),
        (401, {"WWW_Authenticate": "Negotiate"}, "it asks for Negotiate authentication", "token"),
        (401, {"WWW_Authenticate": "NTLM"}, "it asks for NTLM authentication", "token"),
        (401, {"WWW_Authenticate": 'Digest realm="x", Basic realm="y"'}, "The API answered 401 Unauthorized.", "Authentication"),
        (401, {}, "The API answered 401 Unauthorized.", "Authentication"),
    ],
)  # fmt: skip
def test_a_status_that_says_little_gets_a_sentence(
    status: int, headers: dict[str, str], message: str, advice: str
) -> None:
    error = status_error(answer(status, text="", **headers))
    assert message in error.message
    assert advice in error.advice


def test_a_challenge_is_named_beside_the_apis_own_words() -> None:
    error = status_error(answer(401, {"message": "Log in"}, WWW_Authenticate="Negotiate"))
    assert error.message == "The API answered 401 Unauthorized: Log in"
    assert "Negotiate" in error.advice
