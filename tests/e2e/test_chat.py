#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The chat executor against serve-subject gives the outcomes of the builtin one, trial by trial; what it
sends is the protocol's standard fields alone; and editing one reply on the way changes that trial."""
import os
import re
import sys
import unittest

from consortium import SOURCE, Consortium, Lab
from endpoint import Proxy, Subject
from evidence import Bundle, leaf_hash

sys.path.insert(0, os.path.join(SOURCE, "tests", "independent"))
import arithmetic  # noqa: E402

STANDARD = {"model", "messages", "tools", "tool_choice", "n", "temperature", "top_p", "seed", "max_tokens",
            "max_completion_tokens", "stream", "stop", "parallel_tool_calls"}
CHAT = "  synthetic-8b: {executor: chat, endpoint: \"%s\", model: synthetic, concurrency: 8}\n"


class Chat(unittest.TestCase):
    def test_same_outcomes_as_builtin(self):
        with Consortium(labs=["uni-a", "uni-b", "uni-c"]) as c:
            path = c.write_campaign(replicates=3, at_zero=1, seeds="shared", phrasings="[p1, p3, p5]", scenarios=4,
                                    temperatures="0.0, 1.0")
            subject = Subject(c, os.path.join(c.folder, "bench-trial"))
            victims = {}

            def edit(request, reply):
                """Put a refusal in the subject's mouth at the first turn of one trial."""
                if request.get("seed") in victims and request["messages"][-1]["role"] == "user":
                    victims[request["seed"]] += 1
                    reply["choices"][0].update(message={"role": "assistant", "content": "I would rather not."},
                                               finish_reason="stop")
                    return reply
                return None

            plain, edited = Proxy(subject.port), Proxy(subject.port, edit)
            c.processes += [plain, edited]
            c.labs["uni-b"].subjects = CHAT % plain.url
            c.labs["uni-c"].subjects = CHAT % edited.url
            for lab in c.labs.values():
                lab.write()
                lab.start()
            c.register(path)
            c.wait_accepted("trial", *c.labs)

            # What run order and seeds come from, computed from the log by the second implementation.
            c.act("start", "trial")
            c.wait("trial", "done", 90)
            c.act("close", "trial")
            c.wait("trial", "closed", 30)
            c.coordinator("bundle", "trial", "--out", os.path.join(c.folder, "bundle"))
            bundle = Bundle(os.path.join(c.folder, "bundle"))
            campaign = bundle.campaign()
            counted = bundle.recount(campaign)
            planned = campaign.planned("uni-a")
            self.assertEqual({n for lab, n in counted if lab == "uni-a"}, planned)

            different = [n for n in planned if counted["uni-a", n][:3] != counted["uni-b", n][:3]]
            self.assertEqual(different, [])
            self.assertGreater(len({counted["uni-a", n][1] for n in planned}), 2, "outcomes that tell anything apart")
            self.assertEqual(victims, {})
            self.assertEqual([n for n in planned if counted["uni-a", n][:3] != counted["uni-c", n][:3]], [])

            # The seeds that were sent are those of the draw in the log.
            draw = self.draw(bundle, campaign)
            seeds = {arithmetic.seed_of(draw, n) for n in planned}
            sent = {request["seed"] for _, _, _, request in plain.exchanges
                    if request and request["temperature"] > 0}
            self.assertLessEqual({arithmetic.seed_of(draw, n) for n in planned if campaign.trial(n)[2][2]}, sent)
            canaries = sent - seeds
            self.assertLessEqual(len(canaries), 8, "seeds that are no trial's: the canaries' alone")
            self.only_standard_fields(plain.exchanges, campaign, planned)

            # A second campaign of the same design, in which one trial's first reply is edited on the way.
            path = c.write_campaign(name="edited", replicates=3, at_zero=1, seeds="shared", phrasings="[p1, p3, p5]",
                                    scenarios=4, temperatures="1.0")
            c.register(path)
            c.wait_accepted("edited", *c.labs)
            self.edit_one(c, victims)

    def edit_one(self, c, victims):
        c.coordinator("bundle", "edited", "--out", os.path.join(c.folder, "before"))
        bundle = Bundle(os.path.join(c.folder, "before"))
        campaign = bundle.campaign()
        draw = self.draw(bundle, campaign)
        number = sorted(campaign.planned("uni-a"))[7]
        victims[arithmetic.seed_of(draw, number)] = 0
        c.act("start", "edited")
        c.wait("edited", "done", 60)
        c.coordinator("bundle", "edited", "--out", os.path.join(c.folder, "after"))
        bundle = Bundle(os.path.join(c.folder, "after"))
        counted = bundle.recount(campaign)
        self.assertEqual(list(victims.values()), [1])
        for n in campaign.planned("uni-a"):
            self.assertEqual(counted["uni-a", n][:3], counted["uni-b", n][:3])
            if n == number:
                self.assertEqual(counted["uni-c", n][1], "refused")
                self.assertNotEqual(counted["uni-a", n][:3], counted["uni-c", n][:3])
            else:
                self.assertEqual(counted["uni-a", n][:3], counted["uni-c", n][:3])

    def draw(self, bundle, campaign):
        """campaign leaf hash and accepts' leaf hashes before the start, in log order."""
        first, accepts = None, []
        for statement in bundle.statements():
            if statement.fields.get("campaign") != "sha256:" + campaign.digest.hex():
                continue
            if statement.kind == "campaign":
                first = leaf_hash(statement.text)
            elif statement.kind == "accept":
                accepts.append(leaf_hash(statement.text))
            elif statement.kind == "state" and statement.fields["action"] == "start":
                break
        return arithmetic.draw_of(first, accepts)

    def only_standard_fields(self, exchanges, campaign, planned):
        posts = [(path, headers, request) for method, path, headers, request in exchanges if method == "POST"]
        self.assertGreater(len(posts), len(planned))
        for path, headers, request in posts:
            self.assertEqual(path, "/v1/chat/completions")
            self.assertLessEqual(set(request), STANDARD)
            for field in ("n", "temperature", "top_p", "seed"):
                self.assertIn(field, request)
            self.assertEqual(request["n"], 1)
            self.assertLessEqual({name.lower() for name in headers},
                                 {"host", "content-type", "content-length", "accept", "user-agent", "accept-encoding",
                                  "connection"})
            # Nothing of the study: not the campaign, the lab, the consortium, nor a digest of theirs.
            told = re.sub(r'"seed": ?\d+', "", str(request) + str(headers))
            for secret in ("uni-b", "ring-test", campaign.id + "-", campaign.digest.hex()[:16], "ringtrial-canary"):
                self.assertNotIn(secret, told)
            self.assertLess(max(len(word) for word in re.findall(r"\b[0-9a-f]{16,}\b", told) or [""]), 16)


if __name__ == "__main__":
    unittest.main()
