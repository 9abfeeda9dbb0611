"""check_schema.py SCHEMA FILE... checks that each workflow is valid by the schema; with --mistaken, that none is."""
import sys

import jsonschema
import yaml
import json


def loader_of_yaml_1_2():
    """PyYAML reads YAML 1.1, where 1e-3 is a text and yes a boolean."""
    import re

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        key: [(tag, rule) for tag, rule in rules if not tag.endswith((":float", ":bool", ":timestamp", ":int"))]
        for key, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    number = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
    return Loader


def main(arguments):
    mistaken = "--mistaken" in arguments
    schema_path, *paths = [a for a in arguments if a != "--mistaken"]
    with open(schema_path) as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failed = 0
    for path in paths:
        with open(path) as file:
            value = yaml.load(file, Loader=loader_of_yaml_1_2())
        errors = list(validator.iter_errors(value))
        if bool(errors) != mistaken:
            failed += 1
            print(f"{path}: {'is accepted' if mistaken else errors[0].message + ' ' + str([e.message for e in errors[0].context][:4])}")
    print(f"{len(paths)} files, {failed} not as expected")
    return failed > 0 or not paths


sys.exit(main(sys.argv[1:]))
