#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks Inspect logs (EvalLog version 2, .json and .eval) against the list of fields below, which was read from Inspect's
published schema and from nothing of ours. Knows which fields must be there and of which type, which words an enumeration
has, and what must agree within a log. Usage: inspect_log.py LOG... (exit 1: a fault, one line each)."""
import json
import re
import sys
import zipfile

# Types: s text, i whole number, n number, b truth value, o object, l list, z null; ! must be there.
FIELDS = {
    "log": "version!i status!s eval!o plan!o results:oz stats!o error:oz invalidated!b log_updates:lz config_updates:lz "
           "tags!l metadata!o samples:lz reductions:lz",
    "eval": "eval_id!s run_id!s created!s task!s task_id!s task_version!is task_attribs!o task_args!o task_args_passed!o "
            "dataset!o model!s model_generate_config!o model_args!o config!o packages!o metadata:oz",
    "dataset": "name:sz location:sz samples:iz sample_ids:lz shuffled:bz",
    "plan": "name!s steps!l config!o",
    "step": "solver!s params!o params_passed!o",
    "results": "total_samples!i completed_samples!i scores!l",
    "result": "name!s scorer!s reducer:sz params!o metrics!o",
    "metric": "name!s value!n params!o",
    "stats": "started_at!s completed_at!s model_usage!o role_usage!o connection_limit_history!l",
    "usage": "input_tokens!i output_tokens!i total_tokens!i",
    "sample": "id!is epoch!i input!sl target!sl messages!l output!o scores:oz metadata!o store!o events!l model_usage!o "
              "role_usage!o attachments!o error:oz started_at:sz completed_at:sz total_time:nz working_time:nz",
    "output": "model!s choices!l completion!s usage:oz",
    "choice": "message!o stop_reason!s",
    "score": "value!sinblo answer:sz explanation:sz metadata:oz history!l",
    "error": "message!s traceback!s traceback_ansi!s",
    "system": "role!s content!sl source:sz",
    "user": "role!s content!sl source:sz",
    "assistant": "role!s content!sl source:sz model:sz tool_calls:lz",
    "tool": "role!s content!sl tool_call_id:sz function:sz error:oz",
    "call": "id!s function!s arguments!o type!s parse_error:sz",
    "info": "name!s description!s parameters!o",
    "summary": "id!is epoch!i input!sl target!sl metadata!o scores:oz model_usage!o role_usage!o completed!b error:sz "
               "started_at:sz completed_at:sz total_time:nz working_time:nz message_count:iz",
}
EVENTS = {
    "sample_init": "sample!o state!o", "model": "model!s input!l tools!l tool_choice!s config!o output!o metadata:oz",
    "tool": "type!s id!s function!s arguments!o result!sinb events!l error:oz metadata:oz", "info": "data!o source:sz",
    "score": "score!o intermediate!b scorer:sz target:slz", "span_begin": "id!s name!s type:sz", "span_end": "id!s",
}
STOPS = {"stop", "max_tokens", "model_length", "tool_calls", "content_filter", "unknown"}
STATUSES = {"started", "success", "cancelled", "error"}
CALL_ERRORS = {"parsing", "timeout", "unicode_decode", "permission", "file_not_found", "is_a_directory", "limit", "approval",
               "cancelled", "sandbox_unavailable", "unknown", "output_limit"}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")

faults = []


def fault(place, text):
    faults.append(f"{place}: {text}")


def of_type(value, letter):
    if letter == "z":
        return value is None
    if letter == "b":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    return isinstance(value, {"s": str, "i": int, "n": (int, float), "o": dict, "l": list}[letter])


def check(place, value, fields, whole=True):
    if not isinstance(value, dict):
        fault(place, "not an object")
        return
    known = set()
    for field in fields.split():
        name, must, types = re.fullmatch(r"(\w+)([!:])(\w+)", field).groups()
        known.add(name)
        if name not in value:
            if must == "!":
                fault(place, f"no `{name}`")
        elif not any(of_type(value[name], letter) for letter in types):
            fault(place, f"`{name}` is {value[name]!r:.60}, not one of {types}")
    if whole and set(value) - known:
        fault(place, f"unknown fields: {', '.join(sorted(set(value) - known))}")


def check_message(place, message):
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("system", "user", "assistant", "tool"):
        fault(place, f"role {role!r}")
        return
    check(place, message, FIELDS[role])
    for call in message.get("tool_calls") or []:
        check(place + " call", call, FIELDS["call"])
    if message.get("error") and message["error"].get("type") not in CALL_ERRORS:
        fault(place, "unknown error type")


def check_output(place, output):
    check(place, output, FIELDS["output"])
    for choice in output.get("choices", []):
        check(place + " choice", choice, FIELDS["choice"])
        check_message(place + " choice", choice.get("message", {}))
        if choice.get("stop_reason") not in STOPS:
            fault(place, f"stop_reason {choice.get('stop_reason')!r}")
    if output.get("usage"):
        check(place + " usage", output["usage"], FIELDS["usage"])


def check_event(place, event):
    kind = event.get("event")
    if kind not in EVENTS:
        fault(place, f"event {kind!r}")
        return
    check(place, event, "event!s timestamp!s working_start!n span_id:sz " + EVENTS[kind])
    if not STAMP.match(event.get("timestamp", "")):
        fault(place, "timestamp")
    if kind == "model":
        check_output(place, event["output"])
        for number, message in enumerate(event["input"]):
            check_message(f"{place} input {number}", message)
        for tool in event["tools"]:
            check(place + " tool", tool, FIELDS["info"])
    if kind == "score":
        check(place, event["score"], FIELDS["score"])


def check_sample(place, sample):
    check(place, sample, FIELDS["sample"])
    if "/" in str(sample.get("id")) or sample.get("epoch", 0) < 1:
        fault(place, "id or epoch")
    if isinstance(sample.get("input"), list):
        for number, message in enumerate(sample["input"]):
            check_message(f"{place} input {number}", message)
    for number, message in enumerate(sample.get("messages", [])):
        check_message(f"{place} message {number}", message)
    check_output(place + " output", sample.get("output", {}))
    for name, score in (sample.get("scores") or {}).items():
        check(f"{place} score {name}", score, FIELDS["score"])
    if sample.get("error"):
        check(place + " error", sample["error"], FIELDS["error"])
    for number, event in enumerate(sample.get("events", [])):
        check_event(f"{place} event {number}", event)
    kinds = [event.get("event") for event in sample.get("events", [])]
    if kinds[:2] != ["span_begin", "sample_init"] or kinds[-1:] != ["span_end"]:
        fault(place, "events do not begin with span_begin, sample_init and end with span_end")
    # What the tools answered stands in the messages, call by call.
    asked = [call["id"] for message in sample.get("messages", []) for call in message.get("tool_calls") or []]
    for message in sample.get("messages", []):
        if message.get("role") == "tool" and message.get("tool_call_id") not in asked:
            fault(place, "a tool message answers no call")


def check_header(place, log, samples):
    check(place, log, FIELDS["log"])
    if log.get("version") != 2 or log.get("status") not in STATUSES:
        fault(place, "version or status")
    check(place + " eval", log["eval"], FIELDS["eval"])
    check(place + " dataset", log["eval"]["dataset"], FIELDS["dataset"])
    check(place + " plan", log["plan"], FIELDS["plan"])
    for step in log["plan"]["steps"]:
        check(place + " step", step, FIELDS["step"])
    check(place + " stats", log["stats"], FIELDS["stats"])
    for usage in log["stats"]["model_usage"].values():
        check(place + " usage", usage, FIELDS["usage"])
    if not STAMP.match(log["eval"]["created"]):
        fault(place, "created")
    results = log["results"]
    check(place + " results", results, FIELDS["results"])
    for score in results["scores"]:
        check(place + " result", score, FIELDS["result"])
        for metric in score["metrics"].values():
            check(place + " metric", metric, FIELDS["metric"])
    if results["total_samples"] != len(samples):
        fault(place, f"total_samples {results['total_samples']}, not {len(samples)}")
    ids = list(dict.fromkeys(sample["id"] for sample in samples))
    if log["eval"]["dataset"]["sample_ids"] != ids or log["eval"]["dataset"]["samples"] != len(ids):
        fault(place, "dataset.sample_ids are not those of the samples")
    if len({(sample["id"], sample["epoch"]) for sample in samples}) != len(samples):
        fault(place, "two samples have one id and epoch")


def refuse(word):
    raise ValueError(f"bare {word}")


def load(text):
    return json.loads(text, parse_constant=refuse)


def check_log(path):
    """The samples, after all checks."""
    if path.endswith(".json"):
        with open(path, encoding="utf-8") as file:
            log = load(file.read())
        samples = log["samples"]
        wanted = ["version", "status", "eval", "plan", "results", "stats", "error", "invalidated", "log_updates",
                  "config_updates", "tags", "metadata", "samples", "reductions"]
        if list(log) != wanted:
            fault(path, f"top-level keys in the order {list(log)}")
    else:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or archive.testzip():
                fault(path, "members with one name, or damaged")
            log = load(archive.read("header.json"))
            start = load(archive.read("_journal/start.json"))
            check(path + " start", start, "version!i eval!o plan!o")
            samples = [load(archive.read(name)) for name in names if name.startswith("samples/")]
            for name, sample in zip([n for n in names if n.startswith("samples/")], samples):
                if name != f"samples/{sample['id']}_epoch_{sample['epoch']}.json":
                    fault(path, f"{name} holds {sample['id']} epoch {sample['epoch']}")
            summaries = load(archive.read("summaries.json"))
            for number, summary in enumerate(summaries):
                check(f"{path} summary {number}", summary, FIELDS["summary"])
            if [(s["id"], s["epoch"]) for s in summaries] != [(s["id"], s["epoch"]) for s in samples]:
                fault(path, "summaries.json is not of these samples")
    check_header(path, log, samples)
    for number, sample in enumerate(samples):
        check_sample(f"{path} sample {number + 1}", sample)
    return samples


def main():
    count = 0
    by_base = {}
    for path in sys.argv[1:]:
        samples = check_log(path)
        count += len(samples)
        base = path.rsplit(".", 1)[0]
        if base in by_base and by_base[base] != samples:
            fault(path, "its samples are not those of the other form")
        by_base[base] = samples
    for line in faults[:50]:
        print(line)
    print(f"{len(sys.argv) - 1} logs, {count} samples, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
