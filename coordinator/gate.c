// SPDX-License-Identifier: Apache-2.0
#include "coordinator/gate.h"

#include <stdlib.h>

#include "coordinator/noted.h"
#include "proto/object_rating.h"
#include "proto/roster.h"

#define ARENA_MOST ((size_t)64 << 20)

struct rt_gate_campaign {
    struct rt_gate_campaign *next;
    struct rt_digest digest;
    int64_t embargo_until_ms;
    bool published;
    size_t content_count;
    struct rt_digest content[]; // the bench, then the scenarios
};

bool rt_gate_allows(enum rt_reader reader, enum rt_matter matter, const struct rt_gate_facts *facts,
                    int64_t now_ms)
{
    if (reader == RT_READER_TRUSTED || matter == RT_MATTER_PROGRESS || matter == RT_MATTER_PLAN)
        return true;
    if (reader == RT_READER_LAB && matter == RT_MATTER_CONTENT)
        return true; // it has to run them
    bool open = facts->state == RT_OFFER_CLOSED &&
                (facts->released || now_ms >= facts->embargo_until_ms);
    return open && (matter != RT_MATTER_CONTENT || facts->published);
}

void rt_gate_init(struct rt_gate *gate)
{
    gate->campaigns = NULL;
    pthread_mutex_init(&gate->mutex, NULL);
}

void rt_gate_release(struct rt_gate *gate)
{
    while (gate->campaigns) {
        struct rt_gate_campaign *next = gate->campaigns->next;
        free(gate->campaigns);
        gate->campaigns = next;
    }
    pthread_mutex_destroy(&gate->mutex);
}

// ---- what a campaign names

static enum rt_status keep(const struct rt_campaign *campaign, struct rt_gate_campaign **ret_kept)
{
    size_t count = campaign->scenario_count + 1;
    struct rt_gate_campaign *kept = malloc(sizeof *kept + count * sizeof kept->content[0]);
    if (!kept)
        return RT_NO_MEMORY;
    kept->digest = campaign->digest;
    kept->embargo_until_ms = campaign->disclosure.embargo_until_ms;
    kept->published = strcmp(campaign->disclosure.class, "public") == 0;
    kept->content_count = count;
    kept->content[0] = campaign->bench_digest;
    for (size_t i = 0; i < campaign->scenario_count; i++)
        kept->content[i + 1] = campaign->scenarios[i].digest;
    *ret_kept = kept;
    return RT_OK;
}

static enum rt_status decode(struct rt_view *view, const struct rt_digest *digest,
                             struct rt_gate_campaign **ret_kept)
{
    struct rt_arena arena;
    struct rt_buf object;
    struct rt_campaign *campaign = NULL;
    rt_arena_init(&arena, ARENA_MOST);
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status = rt_view_object(view, digest, &object);
    if (!status)
        status = rt_campaign_decode(rt_buf_bytes(&object), &arena, &campaign);
    if (!status)
        status = keep(campaign, ret_kept);
    rt_buf_release(&object);
    rt_arena_release(&arena);
    return status;
}

// Entries are never changed or dropped, so a pointer outlives the lock.
static enum rt_status find(struct rt_gate *gate, struct rt_view *view,
                           const struct rt_digest *digest,
                           const struct rt_gate_campaign **ret_campaign)
{
    enum rt_status status = RT_OK;
    pthread_mutex_lock(&gate->mutex);
    struct rt_gate_campaign *found = gate->campaigns;
    while (found && !rt_digest_equal(&found->digest, digest))
        found = found->next;
    if (!found) {
        status = decode(view, digest, &found);
        if (!status) {
            found->next = gate->campaigns;
            gate->campaigns = found;
        }
    }
    pthread_mutex_unlock(&gate->mutex);
    if (!status)
        *ret_campaign = found;
    return status;
}

static enum rt_status read_release(struct rt_view *view, uint32_t number, int64_t now_ms,
                                   bool *ret_released)
{
    struct rt_arena arena;
    struct rt_incident_book book;
    rt_arena_init(&arena, (size_t)512 << 20);
    enum rt_status status = rt_noted_read(view, number, 0, &arena, &book);
    if (!status)
        *ret_released = rt_release_granted(&book, RT_RELEASE_RESULTS, NULL, now_ms);
    rt_arena_release(&arena);
    return status;
}

enum rt_status rt_gate_campaign(struct rt_gate *gate, struct rt_view *view,
                                const struct rt_core_campaign_row *row, enum rt_reader reader,
                                enum rt_matter matter, int64_t now_ms)
{
    const struct rt_gate_campaign *campaign = NULL;
    enum rt_status status = find(gate, view, &row->digest, &campaign);
    if (status)
        return status;
    struct rt_gate_facts facts = {
        .state = row->state,
        .embargo_until_ms = campaign->embargo_until_ms,
        .published = campaign->published,
    };
    // Only an embargo that still lasts can be ended by a release.
    if (facts.embargo_until_ms > now_ms && reader != RT_READER_TRUSTED) {
        status = read_release(view, row->index, now_ms, &facts.released);
        if (status)
            return status;
    }
    return rt_gate_allows(reader, matter, &facts, now_ms) ? RT_OK : RT_NOT_PERMITTED;
}

// ---- an object

struct asking {
    struct rt_gate *gate;
    struct rt_view *view;
    const struct rt_digest *digest; // content: only the campaigns that name it. NULL: all
    enum rt_reader reader;
    enum rt_matter matter;
    int64_t now_ms;
    size_t asked;
};

static bool names(const struct rt_gate_campaign *campaign, const struct rt_digest *digest)
{
    for (size_t i = 0; i < campaign->content_count; i++)
        if (rt_digest_equal(&campaign->content[i], digest))
            return true;
    return false;
}

static enum rt_status ask(void *ctx, const struct rt_core_campaign_row *row)
{
    struct asking *asking = ctx;
    const struct rt_gate_campaign *campaign = NULL;
    enum rt_status status = find(asking->gate, asking->view, &row->digest, &campaign);
    if (status || (asking->digest && !names(campaign, asking->digest)))
        return status;
    asking->asked++;
    return rt_gate_campaign(asking->gate, asking->view, row, asking->reader, asking->matter,
                            asking->now_ms);
}

// All campaigns it may belong to, and at least one.
static enum rt_status ask_all(struct asking *asking)
{
    enum rt_status status = rt_view_campaigns(asking->view, ask, asking);
    return status ? status : asking->asked ? RT_OK : RT_NOT_PERMITTED;
}

static enum rt_status ask_one(struct asking *asking, const struct rt_digest *campaign)
{
    struct rt_core_campaign_row row;
    enum rt_status status = rt_view_find_campaign(asking->view, campaign, &row);
    if (status == RT_NOT_FOUND)
        return RT_NOT_PERMITTED;
    return status ? status
                  : rt_gate_campaign(asking->gate, asking->view, &row, asking->reader,
                                     asking->matter, asking->now_ms);
}

static enum rt_status ask_unit(struct asking *asking, struct rt_bytes object,
                               struct rt_arena *arena)
{
    struct rt_object_unit unit;
    if (rt_object_unit_decode(object, arena, &unit, NULL))
        return RT_NOT_PERMITTED;
    return ask_one(asking, &unit.campaign);
}

// A result names its unit, and the unit its campaign.
static enum rt_status ask_result(struct asking *asking, const struct rt_object_result *result,
                                 struct rt_arena *arena)
{
    struct rt_buf unit;
    rt_buf_init(&unit, RT_UNIT_MOST);
    enum rt_status status = rt_view_object(asking->view, &result->unit, &unit);
    if (status == RT_NOT_FOUND || status == RT_TOO_LARGE)
        status = RT_NOT_PERMITTED;
    if (!status)
        status = ask_unit(asking, rt_buf_bytes(&unit), arena);
    rt_buf_release(&unit);
    return status;
}

static enum rt_status recognise(struct asking *asking, const struct rt_digest *digest,
                                struct rt_bytes object, struct rt_arena *arena)
{
    struct rt_core_campaign_row row;
    struct rt_roster *roster = NULL;
    struct rt_object_unit unit;
    struct rt_object_result result;
    struct rt_object_rating rating;
    struct rt_object_fingerprint fingerprint;
    if (!rt_view_find_campaign(asking->view, digest, &row))
        return rt_gate_campaign(asking->gate, asking->view, &row, asking->reader, RT_MATTER_PLAN,
                                asking->now_ms);
    if (!rt_roster_decode(object, arena, &roster))
        return RT_OK; // a plan, and of every campaign
    asking->matter = RT_MATTER_OUTCOME;
    if (!rt_object_unit_decode(object, arena, &unit, NULL))
        return ask_one(asking, &unit.campaign);
    if (!rt_object_result_decode(object, arena, &result, NULL))
        return ask_result(asking, &result, arena);
    if (!rt_object_rating_decode(object, arena, &rating, NULL))
        return ask_one(asking, &rating.campaign);
    if (!rt_object_fingerprint_decode(object, arena, &fingerprint, NULL))
        return ask_all(asking); // it does not say whose: all of them
    asking->matter = RT_MATTER_CONTENT;
    asking->digest = digest;
    return ask_all(asking);
}

enum rt_status rt_gate_object(struct rt_gate *gate, struct rt_view *view,
                              const struct rt_digest *digest, struct rt_bytes object,
                              enum rt_reader reader, int64_t now_ms)
{
    if (reader == RT_READER_TRUSTED)
        return RT_OK;
    struct asking asking = {.gate = gate, .view = view, .reader = reader, .now_ms = now_ms};
    struct rt_arena arena;
    rt_arena_init(&arena, ARENA_MOST);
    enum rt_status status = recognise(&asking, digest, object, &arena);
    rt_arena_release(&arena);
    return status;
}
