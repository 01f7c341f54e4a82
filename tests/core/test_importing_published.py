"""Large OpenAPI documents as they are published: each operation is a step that the step reader takes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.importing import anything
from httpstep.core.importing.steps import storable

FOLDER = Path(__file__).parent / "published"
DOCUMENTS = sorted(FOLDER.glob("*.json.gz"))


def text_of(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


def methods_in(document: dict[str, Any]) -> int:
    methods = {"get", "post", "put", "patch", "delete", "head", "options"}
    return sum(len(methods & item.keys()) for item in document["paths"].values())


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_every_operation_is_a_step_that_the_reader_takes(file: Path) -> None:
    text = text_of(file)
    start = process_time()
    source = anything.read(text)
    assert source.fault == "" and len(source.operations) == methods_in(json.loads(text)) > 100
    for operation in source.operations:
        spec, notes = storable(source.read(operation), operation)
        document = stepdocument.dump(spec)
        assert stepdocument.dump(stepdocument.parse(jsontext.loads(jsontext.dumps_text(document)))) == document
        assert not any("cannot be kept" in note for note in notes), (operation.label, notes)
    assert process_time() - start < 60


def test_a_document_as_yaml_gives_the_same_steps() -> None:
    text = text_of(FOLDER / "docker.com-engine.json.gz")
    written = yaml.dump(json.loads(text), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=True)
    one, two = anything.read(text), anything.read(written)
    assert {operation.id for operation in one.operations} == {operation.id for operation in two.operations}
    for operation in one.operations:
        same = two.find(operation.id)
        assert same is not None and one.read(operation).spec.url == two.read(same).spec.url


def test_the_files_are_named_with_their_licence() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert DOCUMENTS and all(f"`{file.name}`" in told and file.stat().st_size < 300_000 for file in DOCUMENTS)
