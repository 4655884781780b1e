# SPDX-License-Identifier: Apache-2.0
"""What the worker's tests share: a one-lab consortium with a small campaign, and its way to the end."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "e2e"))

from consortium import Consortium, Failed, Lab, wait_for  # noqa: E402,F401

CAMPAIGN = "trial"


def registered(consortium, **how):
    """Register the campaign; its row in status."""
    path = consortium.write_campaign(CAMPAIGN, **how)
    consortium.coordinator("campaign", "register", path)
    return consortium.campaign(CAMPAIGN)


def state(consortium, lab):
    return consortium.lab_status(CAMPAIGN, lab)["state"]


def started(consortium, *labs):
    for lab in labs:
        wait_for("%s to accept" % lab, lambda lab=lab: state(consortium, lab) == "accepted")
    consortium.coordinator("campaign", "start", CAMPAIGN, "--reason", "test")


def done(consortium, lab):
    row = consortium.lab_status(CAMPAIGN, lab)
    return row["final"] == row["planned"] and row


def lab_status(lab):
    return json.loads(lab.worker("status", "--json"))


def own_row(lab):
    return lab_status(lab)["campaigns"][0]


def closed(consortium, *labs):
    consortium.coordinator("campaign", "close", CAMPAIGN, "--reason", "test")
    for lab in labs:
        wait_for("%s to close" % lab, lambda lab=lab: state(consortium, lab) == "closed")


def check(what, condition):
    if not condition:
        raise Failed("it does not hold that " + what)
    print("ok: " + what, flush=True)
