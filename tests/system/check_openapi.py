#!/usr/bin/python3
"""Holds recorded exchanges against docs/openapi.yaml.

    check_openapi.py [--all-exercised [--but "GET /path"]...] OPENAPI.yaml EXCHANGES.jsonl...

A server with `--record-exchanges FILE` appends one JSON object a line: {"method","path","status","content_type","body"}.
Every response must be one that its operation describes, in status, content type and shape; whatever is no operation must be refused
with a problem. Exit 1 with what does not agree, or, with --all-exercised, when an operation never gave a 2xx answer.
"""
import argparse
import collections
import json
import re
import sys

import yaml
from jsonschema import Draft202012Validator, RefResolver

SHOWN_MAX = 20
TEMPORARY = 503
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class Operation:
    def __init__(self, method, template, description, document):
        self.name = f"{method.upper()} {template}"
        self.responses = description["responses"]
        self.document = document

    def response(self, status):
        """The description of this status; `default` stands for refusals, not for successes and not for a broken server."""
        found = self.responses.get(str(status))
        if found is None and status >= 400 and (status < 500 or status == TEMPORARY):
            found = self.responses.get("default")
        return self.document.resolved(found)


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.safe_load(file)
        self.resolver = RefResolver("", self.root)
        self.validators = {}
        self.templates = []
        for template, item in self.root["paths"].items():
            operations = {m.upper(): Operation(m, template, item[m], self) for m in METHODS if m in item}
            pattern = re.sub(r"\{[^}]*\}", "[^/]+", template)
            self.templates.append((template.count("{"), re.compile(pattern + "$"), operations))
        self.templates.sort(key=lambda entry: entry[0])  # what is written out goes before what stands for anything
        for name, schema in self.root["components"]["schemas"].items():
            Draft202012Validator.check_schema(schema)
        self.problem = self.resolved({"$ref": "#/components/responses/Problem"})

    def resolved(self, node):
        while node is not None and "$ref" in node:
            _, node = self.resolver.resolve(node["$ref"])
        return node

    def operations(self):
        return [operation for _, _, operations in self.templates for operation in operations.values()]

    def find(self, method, path):
        """The operation, or None for what is none."""
        for _, pattern, operations in self.templates:
            if pattern.match(path):
                return operations.get("GET" if method == "HEAD" else method)
        return None

    def validator(self, schema):
        key = id(schema)
        if key not in self.validators:
            self.validators[key] = Draft202012Validator(schema, resolver=self.resolver)
        return self.validators[key]


def complaints(document, operation, exchange):
    """What does not agree, in words; nothing for a response that is as described."""
    status = exchange["status"]
    if operation is None and status < 400:
        yield "is no operation and was not refused"
        return
    response = document.problem if operation is None else operation.response(status)
    if response is None:
        yield f"status {status} is not described"
        return
    content_type = exchange["content_type"].split(";")[0].strip()
    described = response.get("content", {}).get(content_type)
    if described is None:
        yield f"content type {content_type} is not described for status {status}"
        return
    if not content_type.endswith("json") or exchange["method"] == "HEAD":
        return
    try:
        body = json.loads(exchange["body"])
    except ValueError as error:
        yield f"the body is not JSON: {error}"
        return
    for error in document.validator(described["schema"]).iter_errors(body):
        where = "/".join(str(part) for part in error.absolute_path)
        yield f"body/{where}: {error.message[:300]}"
    if content_type == "application/problem+json" and body.get("status") != status:
        yield f"the problem says status {body.get('status')}, the response {status}"


def read_exchanges(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path}:{number}", json.loads(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--all-exercised", action="store_true", help="every operation must have given a 2xx answer")
    parser.add_argument("--but", action="append", default=[], metavar="OPERATION", help="... except this one")
    parser.add_argument("openapi")
    parser.add_argument("exchanges", nargs="+")
    arguments = parser.parse_args()

    document = Document(arguments.openapi)
    checked = collections.Counter()
    succeeded = set()
    wrong = []
    for where, exchange in read_exchanges(arguments.exchanges):
        operation = document.find(exchange["method"], exchange["path"].split("?")[0])
        name = "no operation" if operation is None else operation.name
        checked[name] += 1
        if operation is not None and 200 <= exchange["status"] < 300:
            succeeded.add(name)
        for complaint in complaints(document, operation, exchange):
            wrong.append(f"{where}: {exchange['method']} {exchange['path']} -> {exchange['status']}: {complaint}")

    never = sorted(operation.name for operation in document.operations() if operation.name not in succeeded | set(arguments.but))
    for line in wrong[:SHOWN_MAX]:
        print(line)
    if len(wrong) > SHOWN_MAX:
        print(f"... and {len(wrong) - SHOWN_MAX} more")
    for name in never:
        print(f"never answered 2xx: {name}")
    operations = len([name for name in checked if name != "no operation"])
    print(f"{sum(checked.values())} responses of {operations} operations checked against {arguments.openapi}: "
          f"{len(wrong)} do not agree, {len(never)} operations never answered 2xx")
    return 1 if wrong or not checked or (arguments.all_exercised and never) else 0


if __name__ == "__main__":
    sys.exit(main())
