"""Asks services by name, with nothing but what its environment says.

asks.py NAME... [--wait PATH]: prints status and body of each; with --wait once more after that file is there.
"""

import argparse
import json
import os
import time
import urllib.error
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("names", nargs="+")
parser.add_argument("--wait", default="")
arguments = parser.parse_args()


def ask(name: str) -> None:
    request = urllib.request.Request(
        f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
        json.dumps({"model": name, "messages": []}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            print(answer.status, answer.read().decode(), flush=True)
    except urllib.error.HTTPError as error:
        print(error.code, json.load(error)["error"]["code"], flush=True)


for name in arguments.names:
    ask(name)
if arguments.wait:
    print(os.environ["OPENAI_MODEL"], os.environ["PILOTHOUSE_SERVICE_LLM"].rsplit("/", 1)[-1], flush=True)
    while not os.path.exists(arguments.wait):
        time.sleep(0.05)
    ask(arguments.names[0])
