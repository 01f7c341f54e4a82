"""The rows of the mapping with what each gives, and what is to be said of them."""

from __future__ import annotations

from msgspec import Struct

from httpstep.core.jsontext import Json
from httpstep.core.outcome.fallback import SUCCESS
from httpstep.core.step import stepkey
from httpstep.storage import overview
from httpstep.storage.tables import Log
from httpstep.web import stepform
from httpstep.web.access import may
from httpstep.web.editor import documents, marking
from httpstep.web.editor.editor import Editor
from httpstep.web.stepform import RuleRow


class RuleLine(Struct, frozen=True):
    """A row of the mapping with what it gives. place: in the step document; state: "ok", "default", "missing", "off", or
    "" where that is not known. listed: a list is on the way, so what is taken of it can be chosen."""

    row: RuleRow
    place: str
    sample: Json
    state: str
    why: str
    listed: bool
    name_fault: str
    source_fault: str
    more_fault: str

    @property
    def attribute(self) -> str:
        return str(self.row.attribute)

    @property
    def source(self) -> str:
        return self.row.source

    @property
    def value(self) -> Json:
        return self.sample

    @property
    def is_open(self) -> bool:
        """Whether its details are shown from the start: they hold something."""
        row = self.row
        return bool(self.more_fault or row.take != "one" or row.convert != "none" or row.default)


class InFront(Struct, frozen=True):
    """Rows whose attribute begins with the step's key, because its own name has another source. wholes: those names;
    bares: what would stand there else; source: who gives that, in words."""

    key: str
    wholes: list[str]
    bares: list[str]
    source: str


class Mapping(Struct, frozen=True):
    """missing: attributes of the rows for which the last successful answer had nothing. suggestions: objects of the
    answer that look like dictionaries. in_front: None where no row has the step's key in front of its name."""

    lines: list[RuleLine]
    missing: list[str]
    suggestions: list[marking.Suggestion]
    in_front: InFront | None


class Notes(Struct, frozen=True):
    """Of the last test's answer: the attributes it does not give, and whether its structure differs and is not accepted."""

    missing: list[str]
    is_undecided: bool


def lines_of(editor: Editor) -> list[RuleLine]:
    """The rows of the mapping, in the order of the form."""
    results, fault = editor.results(), editor.form.fault

    def line(row: RuleRow, place: str) -> RuleLine:
        found = results.get(row.id)
        sample = found.value if found else None
        listed = row.in_list or isinstance(sample, list) or row.take != "one"
        return RuleLine(
            row, place, sample, found.state if found else "", found.why if found else "", listed,
            fault(f"{place}.attribute"),
            next(filter(None, (fault(f"{place}.{member}") for member in ("path", "jsonpath", "call"))), ""),
            next(filter(None, (fault(f"{place}.{member}") for member in ("convert", "take", "default"))), ""),
        )  # fmt: skip

    return [line(row, f"mapping[{index}]") for index, row in enumerate(editor.form.rules)]


def mapping_of(editor: Editor, lines: list[RuleLine]) -> Mapping:
    known, sources = editor.mapped_document, editor.sources
    last = next((log for log in sources.logs if log.outcome == SUCCESS and log.detail and _is_good(editor, log)), None)
    rules = [rule for rule in map(stepform.rule_of, editor.form.rules) if rule is not None]
    return Mapping(
        lines,
        overview.missing_of(last.detail, rules) if last is not None else [],
        marking.suggestions(editor.form, known.value) if known is not None and may("editor") else [],
        in_front_of(editor),
    )


def keys_of(editor: Editor) -> list[str]:
    """The step's key, and the one that its name gives: of a step that was never saved there is no other."""
    return list(dict.fromkeys(filter(None, (editor.form.key, stepkey.key_from_name(editor.form.name)))))


def in_front_of(editor: Editor) -> InFront | None:
    names = [row.attribute for row in editor.form.rules if row.on]
    for key in keys_of(editor):
        began = [name for name in names if name.startswith(f"{key}_")]
        known = editor.sources.names.attributes if began else frozenset()
        if wholes := [name for name in began if _bare(name, key) in known]:
            bares = [_bare(name, key) for name in wholes]
            return InFront(key, wholes, bares, _source_of(bares, editor.sources.names))
    return None


def _bare(name: str, key: str) -> str:
    return name.removeprefix(f"{key}_")


def _source_of(taken: list[str], names: overview.Names) -> str:
    """ "your bot", "the step “Order status”", or both kinds together."""
    givers = [f"the step “{step}”" for step, given in names.from_steps.items() if set(taken) & set(given)]
    of_steps = givers[:1] if len(givers) < 2 else ["other steps"]
    return " or ".join([*(["your bot"] if set(taken) & set(names.bot) else []), *of_steps])


def _is_good(editor: Editor, log: Log) -> bool:
    """Whether a success of then is one by what the form says now."""
    return not editor.form.success_when or not editor.says_no(documents.of_log(editor.log(log.id)))


def notes_of(editor: Editor, lines: list[RuleLine]) -> Notes:
    of_a_test = editor.fresh is not None or (editor.document is not None and editor.document.log_id is not None)
    missing = [line.row.attribute for line in lines if line.row.on and line.state in ("missing", "default")]
    tested = editor.log(editor.form.tested_log)
    undecided = bool(tested and tested.structure_changed and editor.drift and not editor.drift.accepted)
    good = tested is None or (tested.outcome == SUCCESS and _is_good(editor, tested))
    return Notes(missing if of_a_test and good else [], undecided)
