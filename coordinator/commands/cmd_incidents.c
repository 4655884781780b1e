// SPDX-License-Identifier: Apache-2.0
// `incident list` and `incident export`: what the log has of a campaign's incidents, for the
// consortium, and without anything that names a lab, for others.
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/documents.h"
#include "coordinator/commands/state.h"
#include "coordinator/noted.h"

struct settings {
    const char *state;
};

struct shown {
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_core_campaign_row row;
    struct rt_incident_book book;
};

static enum rt_status load(const struct settings *settings, const char *name, struct shown *shown,
                           struct rt_error *err)
{
    struct rt_state state;
    struct rt_store *store = NULL;
    struct rt_view *view = NULL;
    rt_arena_init(&shown->arena, (size_t)1 << 30);
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_store_open(state.store, RT_STORE_READ, NULL, &store, err);
    if (status)
        return status;
    status = rt_view_begin(store, &view, err);
    if (!status)
        status = rt_documents_campaign(view, name, &shown->arena, &shown->campaign, &shown->row,
                                       err);
    if (!status) {
        status = rt_noted_read(view, shown->row.index,
                               shown->campaign->disclosure.remediation_window_ms, &shown->arena,
                               &shown->book);
        if (status)
            rt_error_set(err, status, "the incidents of %s: %s", name, rt_status_text(status));
    }
    rt_view_end(view);
    rt_store_close(store);
    return status;
}

// Times as text; null for what has not happened.
static json_t *stamp(int64_t at_ms)
{
    char text[RT_STAMP_BYTES];
    if (at_ms <= 0 || at_ms > RT_TIME_MOST_MS)
        return json_null();
    rt_stamp_format(at_ms, text);
    return json_string(text);
}

static json_t *text(struct rt_bytes bytes)
{
    return json_stringn(bytes.size ? (const char *)bytes.data : "", bytes.size);
}

static json_t *days(int64_t from_ms, int64_t to_ms)
{
    return from_ms && to_ms ? json_real((double)(to_ms - from_ms) / 86400000.0) : json_null();
}

// What may leave the consortium: no id, no lab, no trial, no text, and of times the spans alone.
static json_t *anonymous(const struct rt_incident *incident)
{
    const struct rt_object_incident *opened = &incident->entries[0]->record;
    return json_pack("{s:o, s:o, s:I, s:b, s:b, s:b, s:o, s:o}", "category",
                     text(opened->category), "outcome", text(opened->outcome), "severity",
                     (json_int_t)incident->severity, "remediated", incident->remediated_ms != 0,
                     "vendor_replied", incident->replied_ms != 0, "disputed",
                     incident->disputed_ms != 0, "triage_days",
                     days(incident->opened_ms, incident->triaged_ms), "remediation_days",
                     days(incident->opened_ms, incident->remediated_ms));
}

static json_t *evidence_of(const struct rt_object_incident *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->evidence_count; i++) {
        char digest[RT_DIGEST_TEXT_BYTES];
        rt_digest_format(&record->evidence[i], digest);
        if (json_array_append_new(list, json_string(digest)))
            break;
    }
    return list;
}

static json_t *whole(const struct shown *shown, const struct rt_incident *incident)
{
    const struct rt_object_incident *opened = &incident->entries[0]->record;
    json_t *steps = json_array();
    for (size_t i = 0; i < incident->entry_count; i++) {
        const struct rt_incident_entry *entry = incident->entries[i];
        json_t *step = json_pack(
            "{s:s, s:I, s:o, s:o, s:I, s:o, s:s, s:o, s:o}", "step",
            rt_incident_step_words[entry->step], "index", (json_int_t)entry->index, "received",
            stamp(entry->received_ms), "at", stamp(entry->record.at_ms), "severity",
            (json_int_t)entry->severity, "vendor", text(entry->record.vendor), "reason",
            entry->reason, "text", text(entry->record.text), "evidence",
            evidence_of(&entry->record));
        if (json_array_append_new(steps, step))
            break;
    }
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "incident",
                     incident->id, "severity", (json_int_t)incident->severity, "subject",
                     text(opened->subject), "scenario", text(opened->scenario), "category",
                     text(opened->category), "outcome", text(opened->outcome), "lab",
                     text(opened->lab), "opened", stamp(incident->opened_ms), "triaged",
                     stamp(incident->triaged_ms), "remediated", stamp(incident->remediated_ms),
                     "embargo_until", stamp(rt_incident_embargo_ms(&shown->book, incident)),
                     "steps", steps);
}

static enum rt_status print_json(json_t *json, struct rt_error *err)
{
    struct rt_buf out;
    rt_buf_init(&out, (size_t)1 << 30);
    enum rt_status status = json ? rt_json_write(json, &out) : RT_NO_MEMORY;
    json_decref(json);
    rt_buf_add_u8(&out, '\n');
    if (!status)
        status = rt_buf_ok(&out);
    if (status)
        rt_error_set(err, status, "printing the incidents");
    else if (fwrite(out.data, 1, out.size, stdout) != out.size || fflush(stdout))
        status = rt_error_set(err, RT_IO, "cannot write to standard output");
    rt_buf_release(&out);
    return status;
}

static void print_table(const struct shown *shown)
{
    const struct rt_incident_book *book = &shown->book;
    if (!book->incident_count)
        puts("no incidents in the log");
    for (size_t i = 0; i < book->incident_count; i++) {
        const struct rt_incident *incident = book->incidents[i];
        const struct rt_incident_entry *last = incident->entries[incident->entry_count - 1];
        char opened[RT_STAMP_BYTES] = "", embargo[RT_STAMP_BYTES] = "never";
        int64_t embargo_ms = rt_incident_embargo_ms(book, incident);
        rt_stamp_format(incident->opened_ms, opened);
        if (embargo_ms <= RT_TIME_MOST_MS)
            rt_stamp_format(embargo_ms, embargo);
        printf("%-24s severity %d  %-15s  opened %s  embargo until %s%s\n", incident->id,
               (int)incident->severity, rt_incident_step_words[last->step], opened, embargo,
               incident->disputed_ms ? "  disputed" : "");
    }
}

static enum rt_status run_list(const void *settings, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    struct shown shown = {.campaign = NULL};
    enum rt_status status = load(settings, operands->items[0], &shown, err);
    if (!status && rt_globals.json) {
        json_t *rows = json_array();
        for (size_t i = 0; i < shown.book.incident_count; i++)
            if (json_array_append_new(rows, whole(&shown, shown.book.incidents[i])))
                break;
        status = print_json(json_pack("{s:s, s:o}", "campaign", shown.campaign->id, "incidents",
                                      rows),
                            err);
    } else if (!status) {
        print_table(&shown);
    }
    rt_arena_release(&shown.arena);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Sorted by what they say, so that not even their order tells when each was found.
static enum rt_status run_export(const void *settings, const struct rt_text_list *operands,
                                 struct rt_error *err)
{
    struct shown shown = {.campaign = NULL};
    enum rt_status status = load(settings, operands->items[0], &shown, err);
    size_t count = shown.book.incident_count, made = 0;
    char **rows = NULL;
    if (!status && !(rows = rt_arena_array(&shown.arena, count + 1, sizeof *rows)))
        status = rt_error_set(err, RT_NO_MEMORY, "exporting incidents");
    json_t *list = json_array();
    for (size_t i = 0; i < count && !status; i++) {
        json_t *row = anonymous(shown.book.incidents[i]);
        rows[i] = row ? json_dumps(row, JSON_SORT_KEYS) : NULL;
        json_decref(row);
        if (rows[i])
            made++;
        else
            status = rt_error_set(err, RT_NO_MEMORY, "exporting incidents");
    }
    if (made)
        qsort(rows, made, sizeof *rows, by_text);
    for (size_t i = 0; i < made; i++) {
        if (json_array_append_new(list, json_loads(rows[i], 0, NULL)) && !status)
            status = rt_error_set(err, RT_NO_MEMORY, "exporting incidents");
        free(rows[i]);
    }
    if (!status)
        status = print_json(
            json_pack("{s:s, s:O}", "schema", "ringtrial-incidents/1", "incidents", list), err);
    json_decref(list);
    rt_arena_release(&shown.arena);
    return status;
}

static const struct rt_option options[] = {RT_STATE_OPTION(struct settings), {0}};

const struct rt_command rt_command_incident_list = {
    .name = "incident list",
    .summary = "A campaign's incidents, as the log has them.",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run_list,
    .example = "ringtrial-coordinator incident list shutdown-2026q4 --json",
};

const struct rt_command rt_command_incident_export = {
    .name = "incident export",
    .summary = "Failures to share with other consortia: no lab, no transcript, no text.",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run_export,
    .example = "ringtrial-coordinator incident export shutdown-2026q4 > failures.json",
    .about = "Prints JSON: of each incident the scenario's class, the outcome, the severity, "
             "whether it was remedied, answered and disputed, and how many days triage and remedy "
             "took. No ids, no dates, sorted by content.",
};
