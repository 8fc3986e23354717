"""The demo's second agency: what it has, and what of it the market's case has too."""

from casewright.demo.operation import build_operation
from casewright.demo.second_agency import second_agency
from casewright.model.selectors import normal_form


def test_what_is_common_is_written_otherwise_in_its_records() -> None:
    operation = build_operation()
    other = second_agency(operation)
    forms = {(kind, normal_form(kind, text)) for kind, text in other.has}
    assert len(other.common) == 12
    assert set(other.common) < forms
    emails = {a.email for a in operation.accounts}
    assert not emails & {text for _, text in other.has}
    assert {form for kind, form in other.common if kind == "email"} < emails
