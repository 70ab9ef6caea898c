"""Reads pairs of answers from a JSON file and prints, as JSON, which of them math-verify takes for the same."""

import json
import logging
import sys

from math_verify import parse, verify

logging.disable(logging.CRITICAL)


def same(gold, said):
    try:
        one, other = (parse(f"${text}$", parsing_timeout=None) for text in (gold, said))
        return bool(verify(one, other, timeout_seconds=None))
    except Exception:  # what it cannot take is not the same to it
        return False


with open(sys.argv[1], encoding="utf8") as file:
    print(json.dumps([same(*pair) for pair in json.load(file)]))
