// SPDX-License-Identifier: Apache-2.0
// Progress as others may see it: the same JSON that ADMIN answers, without what says more of a lab
// than how far it is.
#include "common/base/json.h"
#include "coordinator/http/answer.h"

// A hold is a finding about a lab, errors are a hint at one, and the rest is the operator's.
static const char *const operators_own[] = {"held",      "tentative", "exhausted", "instances",
                                            "credit",    "running",   "outstanding"};

static void trim_lab(json_t *lab)
{
    for (size_t i = 0; i < sizeof operators_own / sizeof *operators_own; i++)
        json_object_del(lab, operators_own[i]);
}

static void trim(json_t *status)
{
    size_t c, l;
    json_t *campaign, *lab;
    json_object_del(status, "counters");
    json_object_del(status, "disk_full");
    json_array_foreach(json_object_get(status, "campaigns"), c, campaign)
        json_array_foreach(json_object_get(campaign, "labs"), l, lab)
            trim_lab(lab);
}

// The entry of that id; where several campaigns bear it, the newest.
static json_t *pick(json_t *status, const char *id)
{
    size_t c;
    json_t *campaign, *found = NULL;
    json_array_foreach(json_object_get(status, "campaigns"), c, campaign) {
        const char *own = json_string_value(json_object_get(campaign, "campaign"));
        if (own && strcmp(own, id) == 0)
            found = campaign;
    }
    return found;
}

enum rt_status rt_http_status(struct rt_bytes status_json, enum rt_reader reader,
                              const char *campaign, struct rt_buf *out)
{
    json_t *status_of = NULL;
    enum rt_status status = rt_json_parse(status_json, &status_of, NULL);
    struct rt_gate_facts facts = {.state = RT_OFFER_REGISTERED};
    if (status)
        return status;
    if (!rt_gate_allows(reader, RT_MATTER_OUTCOME, &facts, 0))
        trim(status_of);
    json_t *said = campaign ? pick(status_of, campaign) : status_of;
    status = said ? rt_json_write_pretty(said, out) : RT_NOT_FOUND;
    json_decref(status_of);
    return status;
}
