"""Holds a CycloneDX document and an in-toto statement against what their makers say they are:
the JSON schema in cyclonedx-python-lib, the protocol buffers in in-toto-attestation."""

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import Parse, ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message


def hold(modules, statement):
    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(modules)
    assert wrong is None, wrong

    # A field that neither message has is refused here.
    Statement.copy_from_pb(Parse(statement, Message())).validate()
    predicate = ParseDict(json.loads(statement)["predicate"], Provenance())
    assert predicate.build_definition.build_type and predicate.run_details.builder.id
    for material in predicate.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(material).validate()


modules, statement = (Path(path).read_text(encoding="utf-8") for path in sys.argv[1:])
hold(modules, statement)

# The programs do look: what is wrong is found by each of them.
for right, wrong in [
    ('"library"', '"book"'),
    ('"buildType"', '"buildKind"'),
    ('"subject"', '"subjects"'),
]:
    try:
        hold(modules.replace(right, wrong), statement.replace(right, wrong))
    except Exception as refusal:
        print(f"{wrong}: {type(refusal).__name__}")
