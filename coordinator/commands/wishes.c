// SPDX-License-Identifier: Apache-2.0
#include "coordinator/commands/wishes.h"

#include <stdio.h>
#include <string.h>

#include "proto/scenario.h"

struct wishes {
    struct rt_client *client;
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_roster *roster;
    const struct rt_scenario **scenarios;
};

static enum rt_status fetch(struct wishes *wishes, const struct rt_digest *digest,
                            struct rt_bytes *ret_bytes, struct rt_error *err)
{
    struct rt_buf out;
    rt_buf_init(&out, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status = rt_client_fetch(wishes->client, digest, &out, err);
    *ret_bytes = status ? rt_bytes(NULL, 0) : rt_arena_bytes(&wishes->arena, rt_buf_bytes(&out));
    rt_buf_release(&out);
    return status;
}

static enum rt_status read_documents(struct wishes *wishes, const char *campaign,
                                     struct rt_error *err)
{
    struct rt_digest digest;
    struct rt_bytes bytes;
    enum rt_status status = rt_digest_parse(rt_bytes_str(campaign), &digest);
    if (!status)
        status = fetch(wishes, &digest, &bytes, err);
    if (!status)
        status = rt_campaign_decode(bytes, &wishes->arena, &wishes->campaign);
    size_t count = status ? 0 : wishes->campaign->scenario_count;
    wishes->scenarios = rt_arena_array(&wishes->arena, count + 1, sizeof *wishes->scenarios);
    if (!status && !wishes->scenarios)
        status = RT_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_scenario *scenario = NULL;
        status = fetch(wishes, &wishes->campaign->scenarios[i].digest, &bytes, err);
        if (!status)
            status = rt_scenario_decode(bytes, &wishes->arena, &scenario);
        wishes->scenarios[i] = scenario;
    }
    if (status)
        return rt_error_set(err, status, "the documents of campaign %s: %s", campaign,
                            rt_status_text(status));
    return rt_client_roster(wishes->client, &wishes->arena, &wishes->roster, err);
}

static bool serves(const struct wishes *wishes, const char *lab, const char *subject)
{
    uint32_t index = rt_roster_lab_index(wishes->roster, lab);
    const struct rt_roster_lab *own = index == RT_NONE ? NULL : wishes->roster->labs[index];
    for (size_t i = 0; own && i < own->serve_count; i++)
        if (!strcmp(own->serves[i], subject))
            return true;
    return false;
}

static void list_wishes(const struct wishes *wishes, const char *lab, json_t *list)
{
    char text[400];
    uint32_t context = 0;
    for (size_t s = 0; s < wishes->campaign->scenario_count; s++) {
        const struct rt_scenario *scenario = wishes->scenarios[s];
        if (scenario->limits.min_context > context)
            context = scenario->limits.min_context;
        for (size_t r = 0; r < scenario->role_count; r++) {
            if (scenario->roles[r].reply_count || serves(wishes, lab, scenario->roles[r].id))
                continue;
            snprintf(text, sizeof text, "in scenario %s a model plays the role %s: unless its "
                     "subjects are builtin, the lab needs a subject of that name", scenario->id,
                     scenario->roles[r].id);
            json_array_append_new(list, json_string(text));
        }
    }
    if (context) {
        snprintf(text, sizeof text, "its scenarios ask for a context of %u tokens: a lab whose "
                 "subject has less does not accept", context);
        json_array_append_new(list, json_string(text));
    }
    json_array_append_new(list, json_string("`ringtrial-worker policy test` at the lab says what "
                                            "it holds against the campaign"));
}

enum rt_status rt_wishes(struct rt_client *client, const char *campaign, const char *lab,
                         json_t **ret_list, struct rt_error *err)
{
    struct wishes wishes = {.client = client};
    rt_arena_init(&wishes.arena, (size_t)256 << 20);
    enum rt_status status = read_documents(&wishes, campaign, err);
    if (!status) {
        *ret_list = json_array();
        list_wishes(&wishes, lab, *ret_list);
    }
    rt_arena_release(&wishes.arena);
    return status;
}
