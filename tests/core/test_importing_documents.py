"""Postman collections and OpenAPI documents: what is taken, what is named, and what no document may do."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.document import stepdocument
from httpstep.core.importing import anything
from httpstep.core.importing.imported import Imported
from httpstep.core.importing.steps import storable
from httpstep.core.request.requestcheck import check_request
from httpstep.web.contract.openapi import contract

PETSTORE = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
servers: [{url: "https://{region}.shop.example/v1/", variables: {region: {default: eu}}}]
security: [{key: []}]
paths:
  /pets/{petId}:
    parameters: [{$ref: '#/components/parameters/PetId'}]
    get:
      operationId: getPet
      summary: Find a pet
      parameters:
        - {name: "filter[kind]", in: query, required: true, schema: {type: string, enum: [owner, none]}}
        - {name: page, in: query, schema: {type: integer}}
        - {name: X-Channel, in: header, required: true, example: no, schema: {type: string}}
    put:
      operationId: putPet
      security: [{bearer: []}]
      requestBody:
        content:
          application/xml: {}
          application/json: {schema: {$ref: '#/components/schemas/Pet'}}
    patch:
      security: [{basic: []}]
      requestBody: {content: {application/x-www-form-urlencoded: {schema: {properties: {name: {example: Rex & Co}}}}}}
    post:
      security: [{machine: [read, write]}]
      requestBody: {content: {multipart/form-data: {schema: {properties: {note: {type: string}, photo: {type: string, format: binary}}}}}}
  /elsewhere:
    get: {parameters: [{$ref: 'other.yaml#/P'}], security: [], responses: {}}
    trace: {}
components:
  parameters:
    PetId: {name: petId, in: path, required: true, schema: {type: integer, example: 42}}
  schemas:
    Pet:
      type: object
      required: [name, owner, weight]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, example: "Rex"}
        weight: {type: number, example: 1.10}
        born: {type: string, format: date}
        owner: {allOf: [{$ref: '#/components/schemas/Owner'}, {properties: {vip: {type: boolean}}}]}
    Owner: {type: object, properties: {email: {type: string, format: email}, pets: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Api-Key}
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    machine: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://eu.shop.example/token", scopes: {}}}}
"""


def read(text: str, wanted: str) -> Imported:
    source = anything.read(text)
    found = source.find(wanted)
    assert source.fault == "" and found is not None, source.fault
    return source.read(found)


def test_an_openapi_document_is_a_list_to_choose_from() -> None:
    source = anything.read(PETSTORE)
    assert [one.label for one in source.operations] == [
        "GET /pets/{petId} · Find a pet", "PUT /pets/{petId}", "PATCH /pets/{petId}", "POST /pets/{petId}", "GET /elsewhere",
    ]  # fmt: skip
    assert source.find("getPet") == source.find("GET /pets/{petId}") == source.operations[0]


def test_an_operation_is_its_request_with_samples() -> None:
    found = read(PETSTORE, "getPet")
    assert found.name == "Find a pet"
    assert found.spec.url == "https://eu.shop.example/v1/pets/{{petId}}?filter[kind]={{filter_kind}}"
    assert [(pair.name, pair.value) for pair in found.spec.headers] == [("X-Channel", "{{X-Channel}}")]
    assert found.samples == {"petId": 42, "filter_kind": "owner", "X-Channel": "no"}, "no is a text in YAML 1.2"
    assert found.spec.auth.type == "api_key" and found.spec.auth["value"] == "{{secret.SHOP_KEY}}"
    assert "page" in str(found.ignored[0])


def test_a_body_is_made_from_its_schema_without_going_round_in_circles() -> None:
    found = read(PETSTORE, "putPet")
    assert json.loads(found.spec.body.text) == {
        "name": "Rex", "weight": 1.10, "owner": {"email": "ada@shop.example", "pets": [], "vip": True},
    }  # fmt: skip
    assert '"weight": 1.10' in found.spec.body.text, "numbers keep their digits"
    assert found.spec.auth["token"] == "{{secret.SHOP_TOKEN}}"
    said = " ".join(map(str, found.ignored))
    assert "application/xml" in said and "born" in said


def test_forms_and_other_kinds_of_authentication() -> None:
    form = read(PETSTORE, "PATCH /pets/{petId}")
    assert [(pair.name, pair.value) for pair in form.spec.body.fields] == [("name", "Rex & Co")]
    assert form.spec.auth.type == "basic"
    upload = read(PETSTORE, "POST /pets/{petId}")
    assert (upload.spec.body.mode, [pair.name for pair in upload.spec.body.fields]) == ("multipart", ["note"])
    assert "photo (the part is a file: files cannot be sent yet)" in map(str, upload.ignored)
    assert (upload.spec.auth.type, upload.spec.auth["scope"]) == ("oauth2_client_credentials", "read write")
    open_ = read(PETSTORE, "GET /elsewhere")
    assert open_.spec.auth.type == "none" and "other.yaml#/P" in " ".join(map(str, open_.ignored))


SWAGGER = {
    "swagger": "2.0", "host": "shop.example", "basePath": "/v2", "schemes": ["http", "https"], "consumes": ["application/json"],
    "securityDefinitions": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}, "security": [{"key": []}],
    "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string", "default": "Rex"}}}},
    "paths": {
        "/pets/{id}": {"post": {"parameters": [
            {"in": "path", "name": "id", "required": True, "type": "integer"},
            {"in": "body", "name": "pet", "schema": {"$ref": "#/definitions/Pet"}},
        ]}},
        "/form": {"post": {"consumes": ["application/x-www-form-urlencoded"], "parameters": [
            {"in": "formData", "name": "a", "type": "string", "required": True}, {"in": "formData", "name": "f", "type": "file", "required": True},
        ]}},
    },
}  # fmt: skip


def test_swagger_2_with_what_it_has_in_common() -> None:
    found = read(json.dumps(SWAGGER), "POST /pets/{id}")
    assert found.spec.url == "https://shop.example/v2/pets/{{id}}" and json.loads(found.spec.body.text) == {
        "name": "Rex"
    }
    assert (found.spec.auth["name"], found.spec.auth["in"]) == ("api_key", "query")
    form = read(json.dumps(SWAGGER), "POST /form")
    assert [pair.name for pair in form.spec.body.fields] == ["a"] and "f (the part is a file" in " ".join(
        map(str, form.ignored)
    )


def test_a_document_that_does_not_say_its_host_asks_for_it() -> None:
    found = read('{"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}', "GET /a")
    assert found.spec.url == "https://YOUR_HOST/a" and [one.placeholder for one in found.questions] == ["YOUR_HOST"]


def test_all_of_a_plain_type_is_of_that_type() -> None:
    schema = """
openapi: 3.0.0
servers: [{url: "https://a.example"}]
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema:
              properties:
                arn: {allOf: [{$ref: '#/components/schemas/Arn'}, {description: Which one}]}
                kind: {allOf: [{$ref: '#/components/schemas/Kind'}, {description: Of what kind}]}
                node: {$ref: '#/components/schemas/Node'}
components:
  schemas:
    Arn: {type: string, maxLength: 40}
    Kind: {type: string, enum: [one, two]}
    Node: {properties: {name: {type: string}, parent: {$ref: '#/components/schemas/Node'}}}
"""
    text = read(schema, "POST /a").spec.body.text
    assert json.loads(text) == {"arn": "text", "kind": "one", "node": {"name": "text"}}, "null fits none of them"


def test_what_stands_behind_a_hash_is_never_sent_and_the_query_stands_before_it() -> None:
    document = """
openapi: 3.0.0
servers: [{url: "https://a.example"}]
paths:
  /#Action=List: {get: {parameters: [{name: Action, in: query, required: true, schema: {type: string, enum: [List]}}]}}
  /b?mode=full: {get: {parameters: [{name: c, in: query, required: true}]}}
  /d?mode=full: {get: {}}
"""
    found = read(document, "GET /#Action=List")
    assert found.spec.url == "https://a.example/?Action={{Action}}" and found.samples == {"Action": "List"}
    assert "#Action=List (what follows a “#” is never sent)" in [str(one) for one in found.ignored]
    assert read(document, "GET /b?mode=full").spec.url == "https://a.example/b?mode=full&c={{c}}"
    assert read(document, "GET /d?mode=full").spec.url == "https://a.example/d?mode=full"


def test_a_body_of_any_type_is_json_and_a_file_is_named() -> None:
    document = """
openapi: 3.0.0
servers: [{url: "https://a.example/v1"}]
paths:
  /any: {post: {requestBody: {content: {'*/*': {schema: {properties: {a: {type: string}}}}}}}}
  /file: {post: {requestBody: {content: {application/octet-stream: {schema: {type: string, format: binary}}}}}}
  /text: {post: {requestBody: {content: {text/plain: {schema: {type: string}}}}}}
"""
    assert read(document, "POST /any").spec.body.mode == "json"
    found = read(document, "POST /file")
    assert found.spec.body.mode == "none"
    assert [str(one) for one in found.ignored] == [
        "body of type application/octet-stream (the body is a file: files cannot be sent yet)"
    ]
    assert (read(document, "POST /text").spec.body.mode, read(document, "POST /text").spec.body.text) == ("raw", "text")


def test_the_address_of_a_token_may_be_written_from_the_server_on() -> None:
    document = """
openapi: 3.0.0
servers: [{url: "https://a.example/v1"}]
security: [{o: []}]
paths: {/a: {get: {}}}
components: {securitySchemes: {o: {type: oauth2, flows: {clientCredentials: {tokenUrl: /token, scopes: {}}}}}}
"""
    assert read(document, "GET /a").spec.auth["token_url"] == "https://a.example/token"


def test_a_name_is_one_line_without_the_tags_of_a_page() -> None:
    document = {
        "openapi": "3.0.0",
        "paths": {
            "/a": {
                "get": {"description": "<p>Lists the <b>orders</b> of\n<id>. At most 100.</p>"},
                "put": {"summary": "A\x01" + "b" * 98 + " cd"},
            }
        },
    }
    source = anything.read(json.dumps(document))
    names = [storable(source.read(one), one)[0].name for one in source.operations]
    assert names == ["Lists the orders of <id>", "A " + "b" * 97 + "b"]


def test_a_document_in_the_order_of_the_alphabet_is_one_too() -> None:
    components = "".join(f"    S{number}:\n      type: string\n" for number in range(2000))
    source = anything.read(f"components:\n  schemas:\n{components}openapi: 3.0.0\npaths:\n  /a:\n    get: {{}}\n")
    assert [one.label for one in source.operations] == ["GET /a"]


def test_what_a_step_cannot_hold_is_a_sentence() -> None:
    document = """
openapi: 3.0.0
servers: [{url: "https://a.example"}]
security: [{k: []}]
paths: {/a: {get: {}}}
components: {securitySchemes: {k: {type: apiKey, in: header, name: 'My Key'}}}
"""
    source = anything.read(document)
    _, notes = storable(source.read(source.operations[0]), source.operations[0])
    assert any(note.startswith("It cannot be kept like this. A header's name has letters") for note in notes)


def test_every_operation_of_our_own_contract_is_a_step() -> None:
    source = anything.read(json.dumps(contract("https://httpstep.example")))
    assert len(source.operations) > 5
    for one in source.operations:
        spec, _ = storable(source.read(one), one)
        assert stepdocument.parse(stepdocument.dump(spec), draft=True) == spec
        assert check_request(spec.request) == []


# ---------------------------------------------------------------- Postman

COLLECTION: dict[str, Any] = {
    "info": {"name": "Shop", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
    "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{shop-token}}", "type": "string"}]},
    "variable": [{"key": "baseUrl", "value": "https://{{region}}.shop.example"}, {"key": "region", "value": "eu"}],
    "event": [{"listen": "prerequest", "script": {"exec": ["pm.x()"]}}],
    "item": [
        {"name": "Orders", "item": [
            {"name": "Find one", "event": [{"listen": "test"}], "request": {
                "method": "GET", "header": [{"key": "X-On", "value": "1"}, {"key": "X-Off", "value": "1", "disabled": True}, {"key": "Authorization", "value": ""}],
                "url": {"raw": "{{baseUrl}}/orders/:id?a={{my var}}", "host": ["{{baseUrl}}"], "path": ["orders", ":id"],
                        "query": [{"key": "a", "value": "{{my var}}"}, {"key": "off", "value": "1", "disabled": True}],
                        "variable": [{"key": "id", "value": "42"}]}}},
            {"name": "Make one", "request": {"method": "POST", "url": "{{baseUrl}}/orders", "auth": {"type": "apikey", "apikey": [{"key": "key", "value": "X-Api-Key"}, {"key": "value", "value": "real-key-1"}]},
                "body": {"mode": "raw", "raw": "{\n \"qty\": {{qty}}\n}", "options": {"raw": {"language": "json"}}}}},
        ]},
        {"name": "Form", "request": {"method": "POST", "url": "https://a.example/f", "auth": {"type": "noauth"}, "body": {"mode": "urlencoded", "urlencoded": [{"key": "a b", "value": "c&d"}, {"key": "x", "value": "1", "disabled": True}]}}},
        {"name": "Parts", "request": {"method": "POST", "url": "https://a.example/p", "auth": {"type": "hawk"}, "body": {"mode": "formdata", "formdata": [{"key": "t", "value": "1", "type": "text"}, {"key": "f", "type": "file", "src": "x.png"}]}}},
        {"name": "Query", "request": {"method": "POST", "url": "https://a.example/g", "auth": {"type": "basic", "basic": {"username": "u", "password": "YOUR_PASSWORD"}}, "body": {"mode": "graphql", "graphql": {"query": "{ shop { name } }", "variables": "{\"n\": 1}"}}}},
        {"name": "Plain", "request": "https://a.example/plain"},
    ],
}  # fmt: skip


def collection(name: str) -> Imported:
    source = anything.read(json.dumps(COLLECTION))
    [found] = [one for one in source.operations if one.summary.endswith(name)]
    return source.read(found)


def test_a_collection_is_a_list_with_its_folders() -> None:
    source = anything.read(json.dumps(COLLECTION))
    assert {one.summary for one in source.operations} == {
        "Orders / Find one",
        "Orders / Make one",
        "Form",
        "Parts",
        "Query",
        "Plain",
    }
    assert source.left_out == ("The scripts of the collection are not run.",)


def test_a_list_shows_paths_and_not_the_host_that_all_share() -> None:
    addresses = ["{{baseUrl}}/orders/:id", "https://a.example/v1/x?y=1", "https://a.example", "{{baseUrl}}"]
    items = [{"name": "It", "request": one} for one in addresses]
    source = anything.read(json.dumps({"info": {}, "item": items}))
    assert [one.short for one in source.operations] == [
        "GET /orders/:id · It", "GET /v1/x?y=1 · It", "GET https://a.example · It", "GET {{baseUrl}} · It",
    ]  # fmt: skip
    assert source.find("GET https://a.example/v1/x?y=1 · It") == source.operations[1]


def test_variables_that_the_collection_gives_are_filled_in_and_others_are_attributes() -> None:
    found = collection("Find one")
    assert found.spec.url == "https://eu.shop.example/orders/{{id}}?a={{my_var}}" and found.samples == {"id": "42"}
    assert found.spec.auth["token"] == "{{shop-token}}" and [pair.name for pair in found.spec.headers] == ["X-On"]
    said = " ".join(map(str, found.ignored))
    assert all(word in said for word in ("X-Off", "off", "scripts", "Authorization"))


def test_an_address_in_parts_has_its_port_and_asks_for_a_host_it_does_not_say() -> None:
    items = [
        {"request": {"url": {"protocol": "https", "host": ["a", "example"], "port": "8443", "path": ["b"]}}},
        {"request": {"url": {"path": ["b"]}}},
    ]
    source = anything.read(json.dumps({"info": {}, "item": items}))
    one, two = (source.read(operation) for operation in source.operations)
    assert one.spec.url == "https://a.example:8443/b"
    assert [question.placeholder for question in two.questions] == ["YOUR_HOST"]


def test_bodies_and_authentication_of_a_collection() -> None:
    made = collection("Make one")
    assert (made.spec.body.mode, made.spec.body.text) == ("json", '{\n "qty": {{qty}}\n}')
    assert made.spec.auth.type == "api_key" and [one.value for one in made.credentials] == ["real-key-1"]
    form = collection("Form").spec
    assert [(pair.name, pair.value) for pair in form.body.fields] == [("a b", "c&d")] and form.auth.type == "none"
    parts = collection("Parts")
    assert (parts.spec.body.mode, [pair.name for pair in parts.spec.body.fields]) == ("multipart", ["t"])
    assert "hawk" in " ".join(map(str, parts.ignored)) and "f (the part is a file" in " ".join(map(str, parts.ignored))
    query = collection("Query")
    assert (query.spec.body.mode, query.spec.body.text) == ("graphql", "{ shop { name } }")
    assert query.spec.body.variables == '{"n": 1}' and query.spec.headers == ()
    assert query.credentials == () and [one.placeholder for one in query.questions] == ["YOUR_PASSWORD"]
    assert collection("Plain").spec.url == "https://a.example/plain"


@pytest.mark.parametrize(
    ("query", "variables", "mode", "text"),
    [
        ("{ a }", '{"id": {{order id}}}', "graphql", "{ a }"),
        ("{ a }", "", "graphql", "{ a }"),
        ("{ a(id: {{id}}) }", '{"n": 1}', "json", '"variables"'),
        ("{ a }", "{n: 1}", "json", '"query": "{ a }"'),
    ],
)
def test_graphql_that_a_step_cannot_hold_as_such_is_json(query: str, variables: str, mode: str, text: str) -> None:
    body = {"mode": "graphql", "graphql": {"query": query, "variables": variables}}
    item = {"request": {"method": "POST", "url": "https://a.example/g", "body": body}}
    [operation] = (source := anything.read(json.dumps({"info": {}, "item": [item]}))).operations
    found = source.read(operation)
    assert found.spec.body.mode == mode and text in found.spec.body.text and check_request(found.spec) == []
    assert found.spec.method == "POST" and ("no JSON" in " ".join(map(str, found.ignored))) == ("{n" in variables)


def of_collection(request: Any, **more: Any) -> Imported:
    """The request of a collection that has nothing else; `more` stands in its item."""
    source = anything.read(json.dumps({"info": {}, "item": [{"name": "It", "request": request, **more}]}))
    return source.read(source.operations[0])


def left_out(found: Imported) -> str:
    return " | ".join(map(str, (*found.ignored, *found.notes)))


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ({"protocol": "https", "host": "a.example", "path": "/x/y"}, "https://a.example/x/y"),
        ({"host": ["a", "example"], "path": ["x"], "query": [{"key": "q", "value": "fish & chips"}, {"key": "flag", "value": None}]},
         "http://a.example/x?q=fish %26 chips&flag"),
        ({"raw": "https://a.example/x?a=1&b=2&c=3", "query": [{"key": "a", "value": "1"}, {"key": "b", "value": "2", "disabled": True}]},
         "https://a.example/x?a=1&c=3"),
        ({"raw": "https://a.example/x#top?a=1", "query": [{"key": "a", "value": "1"}]}, "https://a.example/x?a=1#top?a=1"),
        ({"raw": "https://a.example/:order-id/:id", "variable": [{"key": "order-id", "value": "7"}, {"id": "id", "value": "{{myId}}"}]},
         "https://a.example/{{order-id}}/{{myId}}"),
    ],
)  # fmt: skip
def test_the_address_is_the_one_that_postman_sends(url: Any, sent: str) -> None:
    assert of_collection({"url": url}).spec.url == sent


def test_a_body_that_is_not_sent_is_named() -> None:
    body = {"mode": "urlencoded", "urlencoded": [{"key": "name", "value": "Ada"}]}
    off = of_collection({"url": "https://a.example", "method": "POST", "body": {**body, "disabled": True}})
    assert off.spec.body.mode == "none" and "body name (switched off in the collection)" in left_out(off)
    get = of_collection({"url": "https://a.example", "body": body})
    assert (get.spec.url, get.spec.body.mode) == ("https://a.example", "none")
    assert "body name (Postman sends none with GET)" in left_out(get)
    kept = of_collection(
        {"url": "https://a.example", "body": body}, protocolProfileBehavior={"disableBodyPruning": True}
    )
    assert [pair.name for pair in kept.spec.body.fields] == ["name"]


@pytest.mark.parametrize(
    ("body", "mode", "text"),
    [
        ({"mode": "raw", "raw": "a=b&c"}, ("raw", "text/plain"), "a=b&c"),
        ({"mode": "raw", "raw": "<a/>", "options": {"raw": {"language": "xml"}}}, ("raw", "application/xml"), "<a/>"),
        ({"mode": "graphql", "graphql": {"query": "query A { a }", "operationName": "A", "variables": "{}"}}, ("json", "text/plain"), '"operationName": "A"'),
    ],
)  # fmt: skip
def test_a_body_is_of_the_type_that_postman_sends(body: Any, mode: tuple[str, str], text: str) -> None:
    found = of_collection({"url": "https://a.example", "method": "POST", "body": body}).spec.body
    assert (found.mode, found.content_type) == mode and text in found.text


def test_the_body_of_an_older_collection_is_taken_too() -> None:
    data = {"mode": "raw", "content": '{"a": 1}'}
    assert of_collection({"url": "https://a.example", "method": "POST", "data": data}).spec.body.text == '{"a": 1}'


def test_authentication_takes_the_place_of_a_header_and_null_is_that_of_the_folder() -> None:
    key = {"type": "apikey", "apikey": [{"key": "key", "value": "token"}, {"key": "value", "value": "real-key-1"}]}
    found = of_collection({"url": "https://a.example", "auth": key, "header": [{"key": "Token", "value": "old"}]})
    assert found.spec.headers == () and "Token (the authentication takes its place)" in left_out(found)
    empty = of_collection({"url": "https://a.example", "auth": {"type": "bearer"}, "header": "Authorization: Custom 1"})
    assert (empty.spec.auth.type, empty.spec.headers[0].value) == ("none", "Custom 1"), "Postman sends no empty one"
    folder = {"auth": key, "item": [{"request": {"url": "https://a.example", "auth": None}}]}
    source = anything.read(json.dumps({"info": {}, "item": [folder]}))
    assert source.read(source.operations[0]).spec.auth["value"] == "real-key-1"


@pytest.mark.parametrize(
    ("given", "sent", "said"),
    [
        ({"grant_type": "client_credentials", "accessTokenUrl": "https://a.example/t", "client_authentication": "body", "audience": "shop"},
         "oauth2_client_credentials body audience=shop", ""),
        ({"grant_type": "authorization_code", "accessToken": "real-1"}, "bearer real-1", "OAuth 2 (authorization_code)"),
        ({"accessToken": "real-1", "headerPrefix": "Token"}, "Authorization: Token real-1", ""),
        ({"accessToken": "real-1", "addTokenTo": "queryParams"}, "access_token in query", ""),
    ],
)  # fmt: skip
def test_oauth_2_is_sent_as_the_collection_says(given: dict[str, str], sent: str, said: str) -> None:
    rows = [{"key": key, "value": value} for key, value in given.items()]
    found = of_collection({"url": "https://a.example", "auth": {"type": "oauth2", "oauth2": rows}})
    auth, headers = found.spec.auth, [f"{pair.name}: {pair.value}" for pair in found.spec.headers]
    parameters = "".join(f"{name}={value}" for name, value in auth.parameters)
    shown = {
        "oauth2_client_credentials": f"{auth.type} {auth['client_auth']} {parameters}",
        "bearer": f"bearer {auth['token']}",
        "api_key": f"{auth['name']} in {auth['in']}",
        "none": " ".join(headers),
    }[auth.type]
    assert shown == sent and said in left_out(found)


def test_what_a_step_has_no_place_for_is_named() -> None:
    found = of_collection(
        {"url": "https://a.example/{{$guid}}", "method": "POST", "proxy": {"host": "p"}, "certificate": {"name": "c"},
         "body": {"mode": "formdata", "formdata": [{"key": "csv", "value": "1", "contentType": "text/csv"}]}},
        protocolProfileBehavior={"strictSSL": False}, event=[{"listen": "test", "script": {"exec": [""]}}],
    )  # fmt: skip
    said = left_out(found)
    assert all(part in said for part in ("proxy", "certificate", "csv: text/csv", "strictSSL: false", "attribute guid"))
    assert "scripts" not in said, "Postman writes empty ones too"
    source = anything.read(json.dumps({"info": {}, "item": [{"name": "Gone"}, {"request": "https://a.example"}]}))
    assert source.left_out == ("Without a request, and not listed: Gone.",)


def test_variables_are_numbers_too_and_those_of_a_folder_come_first() -> None:
    folder = {"variable": [{"key": "port", "value": 9090}], "item": [{"request": "{{base}}:{{port}}/x"}]}
    given = [{"id": "base", "value": "https://a.example"}, {"key": "port", "value": 8080}]
    source = anything.read(json.dumps({"collection": {"info": {}, "item": [folder], "variable": given}}))
    assert source.read(source.operations[0]).spec.url == "https://a.example:9090/x"


def test_variables_of_many_folders_are_read_in_linear_time() -> None:
    folder = {"variable": [{"key": "a", "value": "1"}], "item": [{"request": "https://a.example/{{k7}}/{{a}}"}]}
    given = [{"key": f"k{number}", "value": "1"} for number in range(60_000)]
    began = process_time()
    source = anything.read(json.dumps({"info": {}, "variable": given, "item": [folder] * 24_000}))
    assert process_time() - began < 20 and len(source.operations) == 2_000
    assert source.read(source.operations[0]).spec.url == "https://a.example/1/1"


def test_variables_that_would_fill_the_memory_stay_attributes() -> None:
    body = {"mode": "raw", "raw": "{{big}}" * 100_000}
    document = {"info": {}, "variable": [{"key": "big", "value": "x" * 1_000_000}],
                "item": [{"request": {"url": "https://a.example", "method": "POST", "body": body}}]}  # fmt: skip
    source = anything.read(json.dumps(document))
    assert source.read(source.operations[0]).spec.body.text == body["raw"]


# ---------------------------------------------------------------- hostile, broken, huge

LAUGHS = "openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + step)}: &{chr(98 + step)} [{','.join(['*' + chr(97 + step)] * 10)}]\n" for step in range(9)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "values, at line 7"),
        ("openapi: 3.0.0\npaths:\n  /a: &a\n    get: *a", "an alias that contains itself, at line 4"),
        ("openapi: 3.0.0\nx: " + "[" * 200_000, "at line 2"),
        ("openapi: 3.0.0\nx: " + "[" * 101 + "]" * 101, "more than 100 levels"),
        ("openapi: 3.0.0\nx: !!python/object/apply:os.system ['x']", "at line 2, column 4"),
        ("openapi: 3.0.0\npaths:\n  /a: [\n  b: c", "at line 5"),
        ("openapi: 3.0.0\nx: \0", "no YAML"),
        ("openapi: 3.0.0\nx: &a 1\ny: [" + "*a," * 1001 + "]", "more than 1000 aliases"),
        ('{"openapi": "3.0.0", "paths": {', "This document is no JSON"),
        ('{"openapi": "3.0.0", "paths": ' + "[" * 100_000, "This document is no JSON"),
        ('{"openapi": "3.0.0", "paths": {}}', "There is no operation"),
        ('{"openapi": "3.0.0", "paths": {"/a": {"get": null, "x-y": 3}}}', "There is no operation"),
        ('{"info": {}, "item": [{"item": []}]}', "There is no request in this Postman collection"),
        ('{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"item": {}}}', "This is no Postman"),
        ("openapi: " + "x" * (5 * 1024 * 1024), "larger than 5 MB"),
    ],
)  # fmt: skip
def test_a_document_that_is_not_taken_is_a_sentence_with_the_place(text: str, words: str) -> None:
    start = process_time()
    source = anything.read(text)
    assert words in source.fault and source.fault.endswith(".") and source.operations == ()
    assert process_time() - start < 10


def circles(count: int) -> dict[str, Any]:
    return {
        f"S{number}": {"allOf": [{"$ref": f"#/components/schemas/S{(number + 1) % count}"}] * 5}
        for number in range(count)
    }


@pytest.mark.parametrize(
    "schemas",
    [
        {"S0": {"$ref": "#/components/schemas/S0"}},
        {"S0": {"$ref": "#/components/schemas/S1"}, "S1": {"$ref": "#/components/schemas/S0"}},
        {"S0": {"properties": {"a": {"$ref": "#/components/schemas/S0"}}}},
        {"S0": {"oneOf": [{"$ref": "#/components/schemas/S0"}]}},
        {"S0": {"items": {"$ref": "#"}}},
        circles(2),
        circles(300),
        {"S0": {"properties": {f"p{one}": {"properties": {f"q{two}": {"$ref": "#/components/schemas/S1"} for two in range(50)}} for one in range(50)}}, "S1": {"properties": {f"r{three}": {"type": "array", "items": {"properties": {f"s{four}": {} for four in range(50)}}} for three in range(50)}}},
    ],
)  # fmt: skip
def test_schemas_that_lead_in_circles_or_grow_end_soon(schemas: dict[str, Any]) -> None:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/a": {"post": {"requestBody": body}}},
        "components": {"schemas": schemas},
    }
    start = process_time()
    found = read(json.dumps(document), "POST /a")
    assert process_time() - start < 3 and len(found.spec.body.text) < 200_000


def test_two_thousand_operations_are_listed_and_the_rest_is_told() -> None:
    schema = {"properties": {f"p{number}": {"type": "string"} for number in range(20)}}
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}, "summary": "Does it"}
    document = {
        "openapi": "3.0.0",
        "servers": [{"url": "https://a.example"}],
        "paths": {f"/r{number}/{{id}}": {"post": operation} for number in range(2100)},
    }
    start = process_time()
    source = anything.read(json.dumps(document))
    assert len(source.operations) == 2000 and source.left_out == ("Only the first 2000 of 2100 operations are listed.",)
    for one in source.operations:
        storable(source.read(one), one)
    assert process_time() - start < 30


def test_a_yaml_document_of_two_thousand_operations_is_read_in_bounded_time() -> None:
    paths = {
        f"/r{number}": {"get": {"operationId": f"op{number}", "responses": {"200": {"description": "ok"}}}}
        for number in range(2000)
    }
    start = process_time()
    assert len(anything.read(yaml.safe_dump({"openapi": "3.0.0", "paths": paths})).operations) == 2000
    assert process_time() - start < 30


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["$ref", "get", "parameters", "name", "in", "schema", "content", "url", "servers", "item", "request", "auth", "type", "allOf", "properties", "required", "security", "body", "mode", "raw", "header", "key", "value", "application/json", "variables", "query"]
    ), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(values, values, values)
def test_no_document_makes_it_fail(one: Any, two: Any, three: Any) -> None:
    documents = [
        {"openapi": one, "paths": {"/a{b}": {"get": two, "post": three, "parameters": one}}, "servers": two, "components": three, "security": one},
        {"openapi": "3.0.0", "paths": {"/a": {"post": {"parameters": [one, two], "requestBody": three, "security": two, "servers": one}}}, "components": {"securitySchemes": {"type": one, "in": two}}},
        {"swagger": "2.0", "paths": {"/a": {"post": {"parameters": [one, {"in": "body", "schema": two}], "consumes": three}}}, "host": one, "schemes": two, "basePath": three},
        {"info": one, "item": [{"request": two, "auth": three, "name": one}, {"item": three}, two], "auth": one, "variable": two},
        {"info": {}, "item": [{"request": {"url": one, "header": two, "body": three, "auth": {"type": "basic", "basic": one}, "method": two}}]},
        {"info": {}, "item": [{"request": {"url": {"raw": one, "host": two, "variable": three}, "body": {"mode": "urlencoded", "urlencoded": one}}}]},
    ]  # fmt: skip
    for document in documents:
        source = anything.read(json.dumps(document))
        for operation in source.operations:
            storable(source.read(operation), operation)
