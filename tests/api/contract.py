# SPDX-License-Identifier: Apache-2.0
"""
Holds answers against api/openapi.yaml, as the daemon serves it: finds the operation of a request, demands that its
status is documented, and checks the body against the schema (the part of JSON Schema that the contract uses).
"""
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class ContractError(AssertionError):
    pass


class Contract:
    def __init__(self, document):
        self.document = document
        self.called = set()
        self.operations = []
        for path, item in document["paths"].items():
            # {name} of an image may have slashes, no other parameter has
            pattern = re.sub(r"\{name\}", "(.+)", path).replace("/{path}", "(/.*)?")
            pattern = re.sub(r"\{\w+\}", "([^/]+)", pattern)
            for method, operation in item.items():
                if method in ("get", "head", "put", "post", "patch", "delete", "options"):
                    self.operations.append((method.upper(), re.compile(pattern + "$"), path, operation))

    def operation_ids(self):
        return {operation["operationId"] for _, _, _, operation in self.operations}

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].lstrip("#/").split("/"):
                target = target[part]
            node = target
        return node

    def check(self, method, path, status, headers, body, value):
        """Raises ContractError when the answer is not one that the contract knows."""
        for wanted, pattern, template, operation in sorted(self.operations, key=lambda o: "{" in o[2]):
            if wanted == method and pattern.match(path.split("?")[0]):
                break
        else:
            return  # no operation: only the error's form is known, which the caller checks
        where = f"{method} {template} {status}"
        response = operation["responses"].get(str(status)) or operation["responses"].get("default")
        if response is None:
            raise ContractError(f"{where} is not in the contract: {body[:300]!r}")
        self.called.add(operation["operationId"])
        content = self.resolve(response).get("content")
        if not content:
            if body:
                raise ContractError(f"{where}: no body is promised, but {body[:100]!r} came")
            return
        media = headers.get("content-type", "").split(";")[0]
        if "*/*" in content:
            return
        if media not in content:
            raise ContractError(f"{where}: type {media!r} is not one of {list(content)}")
        if media.endswith("json"):
            self.validate(content[media]["schema"], value, where)

    def validate(self, schema, value, where):
        schema = self.resolve(schema)
        if "anyOf" in schema:
            self.validate_any(schema["anyOf"], value, where)
        kinds = schema.get("type")
        if kinds and not any(self.is_type(value, k) for k in ([kinds] if isinstance(kinds, str) else kinds)):
            raise ContractError(f"{where}: {value!r} is no {kinds}")
        if "enum" in schema and value not in schema["enum"]:
            raise ContractError(f"{where}: {value!r} is not one of {schema['enum']}")
        if "const" in schema and value != schema["const"]:
            raise ContractError(f"{where}: {value!r} is not {schema['const']!r}")
        if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
            raise ContractError(f"{where}: {value!r} does not match {schema['pattern']}")
        if isinstance(value, dict):
            self.validate_object(schema, value, where)
        if isinstance(value, list) and "items" in schema:
            for i, item in enumerate(value):
                self.validate(schema["items"], item, f"{where}/{i}")

    def validate_any(self, schemas, value, where):
        for schema in schemas:
            try:
                self.validate(schema, value, where)
                return
            except ContractError:
                pass
        raise ContractError(f"{where}: {value!r} is none of the kinds")

    def validate_object(self, schema, value, where):
        for name in schema.get("required", []):
            if name not in value:
                raise ContractError(f"{where}: {name} is missing")
        more = schema.get("additionalProperties")
        for name, item in value.items():
            if name in schema.get("properties", {}):
                self.validate(schema["properties"][name], item, f"{where}/{name}")
            elif isinstance(more, dict):
                self.validate(more, item, f"{where}/{name}")
            elif "properties" in schema:
                raise ContractError(f"{where}: {name} is not in the contract")

    @staticmethod
    def is_type(value, kind):
        if kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if kind == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, TYPES[kind])
