// SPDX-License-Identifier: Apache-2.0
// ADMIN → REPLY: what the running coordinator knows, as JSON with a stable schema. Requests are
// {"command": "status"} and nothing else yet; `watch` and `explain` are views of the same answer.
// Writer thread, between steps.
#include <jansson.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "coordinator/hub/withdrawn.h"
#include "coordinator/hub/writer.h"

static const char *const lab_state_words[] = {"invited", "accepted", "closed", "withdrawn",
                                              "no-response"};

// What a lab is held by; of one that has left, with the reason it gave.
static const char *held_by(const struct rt_writer *writer, const struct rt_digest *campaign,
                           const struct rt_core_lab_view *lab, char *out, size_t capacity)
{
    char reason[RT_WITHDRAWN_REASON_BYTES];
    struct rt_view *view = NULL;
    if (lab->row.state != RT_LAB_WITHDRAWN || !lab->held ||
        rt_view_begin(writer->context.store, &view, NULL))
        return lab->held;
    rt_withdrawn_reason(view, campaign, lab->name, lab->row.changed_ms, reason);
    rt_view_end(view);
    snprintf(out, capacity, "%s%s%s", lab->held, *reason ? ": " : "", reason);
    return out;
}

static json_t *lab_json(const struct rt_core_lab_view *view, const char *held)
{
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?}", "lab", view->name, "state",
        lab_state_words[view->row.state], "planned", (json_int_t)view->total, "final",
        (json_int_t)view->final, "tentative", (json_int_t)view->tentative, "exhausted",
        (json_int_t)view->exhausted, "outstanding", (json_int_t)view->outstanding, "running",
        (json_int_t)view->running, "units", (json_int_t)view->units, "instances",
        (json_int_t)view->instances, "credit", (json_int_t)view->credit, "held", held);
}

static json_t *campaign_json(const struct rt_writer *writer, uint32_t index)
{
    struct rt_core_campaign_row row;
    const struct rt_campaign *campaign;
    if (rt_core_campaign_view(writer->core, index, &row, &campaign))
        return NULL;
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&row.digest, digest);
    json_t *labs = json_array();
    for (uint32_t lab = 0; lab < campaign->lab_count; lab++) {
        struct rt_core_lab_view view;
        char text[RT_WITHDRAWN_REASON_BYTES + 64];
        if (rt_core_lab_view(writer->core, index, lab, &view) ||
            json_array_append_new(
                labs,
                lab_json(&view, held_by(writer, &row.digest, &view, text, sizeof text)))) {
            json_decref(labs);
            return NULL;
        }
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "campaign", campaign->id, "title",
                     campaign->title, "digest", digest, "state", rt_offer_state_words[row.state],
                     "seq", (json_int_t)row.seq, "started_ms", (json_int_t)row.started_ms,
                     "close_deadline_ms", (json_int_t)row.close_deadline_ms, "labs", labs);
}

static json_t *counters_json(struct rt_hub_counters *counters)
{
    json_t *json = json_object();
#define X(name, doc)                                                                               \
    json_object_set_new(json, #name, json_integer((json_int_t)atomic_load(&counters->name)));
    RT_HUB_COUNTER_TABLE(X)
#undef X
    return json;
}

static json_t *status_json(struct rt_writer *writer)
{
    struct rt_store_head head;
    rt_store_head(writer->context.store, &head);
    char root[RT_DIGEST_TEXT_BYTES], roster[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&head.root, root);
    const struct rt_roster *in_force = rt_rosters_current(writer->context.rosters);
    rt_digest_format(&in_force->digest, roster);
    json_t *campaigns = json_array();
    for (uint32_t i = 0; i < rt_core_campaign_count(writer->core); i++) {
        json_t *campaign = campaign_json(writer, i);
        if (!campaign || json_array_append_new(campaigns, campaign)) {
            json_decref(campaigns);
            return NULL;
        }
    }
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:{s:s, s:I, s:s}, s:{s:I, s:s, s:I}, s:o, s:o, s:b}", "schema",
        "ringtrial-status/1", "version", RT_VERSION, "epoch", (json_int_t)writer->epoch,
        "uptime_ms", (json_int_t)(rt_time_mono_ms() - writer->started_mono_ms), "log", "origin",
        writer->origin, "size", (json_int_t)head.size, "root", root, "roster", "version",
        (json_int_t)in_force->version, "digest", roster, "labs", (json_int_t)in_force->lab_count,
        "counters", counters_json(writer->context.counters), "campaigns", campaigns, "disk_full",
        rt_time_mono_ms() < writer->full_until_mono_ms);
}

// A second old at most: a turn never waits longer than half of that.
void rt_writer_pin(struct rt_writer *writer)
{
    int64_t now = rt_time_mono_ms();
    if (!writer->board || (writer->pinned_mono_ms && now - writer->pinned_mono_ms < 500))
        return;
    writer->pinned_mono_ms = now;
    struct rt_buf text;
    rt_buf_init(&text, RT_BODY_MOST);
    json_t *json = status_json(writer);
    if (json && !rt_json_write(json, &text))
        rt_board_pin_status(writer->board, rt_buf_bytes(&text), now);
    json_decref(json);
    rt_buf_release(&text);
}

static enum rt_status refusal(struct rt_buf *out, enum rt_status status, const char *text)
{
    rt_buf_clear(out);
    rt_buf_printf(out, "{\"error\":\"%s\"}", text);
    return status;
}

enum rt_status rt_writer_admin(struct rt_writer *writer, struct rt_bytes request,
                               struct rt_buf *out)
{
    json_t *json = NULL;
    if (rt_json_parse(request, &json, NULL))
        return refusal(out, RT_MALFORMED, "the request is not JSON");
    const char *command = json_string_value(json_object_get(json, "command"));
    bool known = command && strcmp(command, "status") == 0;
    json_decref(json);
    if (!known)
        return refusal(out, RT_UNSUPPORTED, "unknown request");
    json_t *answer = status_json(writer);
    enum rt_status status = answer ? rt_json_write(answer, out) : RT_NO_MEMORY;
    json_decref(answer);
    return status ? refusal(out, status, "the answer does not fit") : RT_OK;
}
