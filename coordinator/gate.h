// SPDX-License-Identifier: Apache-2.0
// Who may see what before a campaign has closed and its embargo is over: the one place that decides
// it, for HTTP, FETCH, report, export and bundle. Labs stay blind to one another and everybody
// else sees progress alone, until the campaign says otherwise; an operator's or auditor's token
// sees all. Reads objects through the caller's view; never writes. Any thread.
#ifndef RT_COORDINATOR_GATE_H
#define RT_COORDINATOR_GATE_H

#include <pthread.h>

#include "coordinator/store/store.h"
#include "proto/campaign.h"

enum rt_reader {
    RT_READER_PUBLIC,  // anyone at all
    RT_READER_LAB,     // a lab of the roster over its own transport key
    RT_READER_TRUSTED, // an operator or an auditor: a token, or the state folder's own files
};

//  X(NAME, what it is)
#define RT_MATTER_TABLE(X)                                                                         \
    X(PROGRESS, "how many trials are planned and final")                                           \
    X(PLAN, "rosters and campaigns: what was registered before anything ran")                      \
    X(CONTENT, "benches and scenarios: what the subjects are shown")                               \
    X(OUTCOME, "units, results, fingerprints, ratings and reports: what came of it")
enum rt_matter {
#define X(name, doc) RT_MATTER_##name,
    RT_MATTER_TABLE(X)
#undef X
};

// What the rule needs to know of a campaign.
struct rt_gate_facts {
    enum rt_offer_state state;
    int64_t embargo_until_ms; // 0: none
    bool published;           // its disclosure class is `public`
    bool released;            // a signed release ends the embargo
};
// The rule itself. A campaign that was cancelled has not closed.
bool rt_gate_allows(enum rt_reader reader, enum rt_matter matter, const struct rt_gate_facts *facts,
                    int64_t now_ms);

// Of campaigns seen so far, what they name: immutable, so that not every request decodes them.
struct rt_gate {
    pthread_mutex_t mutex;
    struct rt_gate_campaign *campaigns;
};
void rt_gate_init(struct rt_gate *gate);
void rt_gate_release(struct rt_gate *gate);

// The rule for one campaign as it stands in the view.
enum rt_status rt_gate_campaign(struct rt_gate *gate, struct rt_view *view,
                                const struct rt_core_campaign_row *row, enum rt_reader reader,
                                enum rt_matter matter, int64_t now_ms) RT_WARN_UNUSED;
// The rule for an object of the store, whose bytes the caller has read under its digest. What
// belongs to several campaigns waits for the last of them; what nobody recognises is for the
// trusted alone. RT_OK, RT_NOT_PERMITTED, or a failure of the store.
enum rt_status rt_gate_object(struct rt_gate *gate, struct rt_view *view,
                              const struct rt_digest *digest, struct rt_bytes object,
                              enum rt_reader reader, int64_t now_ms) RT_WARN_UNUSED;

#endif
