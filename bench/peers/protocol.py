"""The benchmark's line protocol: a setup in, a name out; then a task in, a result out, until the input ends."""

import json
import os
import sys


def private_output():
    """Keeps what libraries print out of the protocol: they get stderr as their stdout."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return channel


def serve(open_subject):
    channel = private_output()
    run, name = open_subject(json.loads(sys.stdin.readline()))
    print(json.dumps(dict(name=name)), file=channel)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=channel)
