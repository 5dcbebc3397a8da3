"""Holds a CycloneDX document and an in-toto statement against what their makers say they are:
the JSON schema in cyclonedx-python-lib, the protocol buffers in in-toto-attestation."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import Parse, ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

modules, statement = sys.argv[1:]

with open(modules, encoding="utf-8") as file:
    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(file.read())
    assert wrong is None, wrong

# A field that neither message has is refused here.
with open(statement, encoding="utf-8") as file:
    text = file.read()
Statement.copy_from_pb(Parse(text, Message())).validate()
predicate = ParseDict(json.loads(text)["predicate"], Provenance())
assert predicate.build_definition.build_type and predicate.run_details.builder.id
for material in predicate.build_definition.resolved_dependencies:
    ResourceDescriptor.copy_from_pb(material).validate()
