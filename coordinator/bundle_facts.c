// SPDX-License-Identifier: Apache-2.0
#include "coordinator/bundle_facts.h"

#include <stdlib.h>

#include "coordinator/commands/documents.h"
#include "coordinator/noted.h"

#define ARENA_MOST ((size_t)8 << 30)

// What is read in one snapshot.
struct reading {
    struct rt_view *view;
    struct rt_campaign_report *to;
    struct rt_facts_lab *labs;
    struct rt_store_lab *rows;
    struct rt_facts_cell *cells;
    size_t cell_count, cell_room;
    uint32_t *fingerprint_of; // number in the store → place in the facts, plus one
    uint32_t fingerprint_most;
    struct rt_facts_fingerprint *fingerprints;
    size_t fingerprint_count;
    struct rt_facts_rater raters[RT_RATERS_MOST];
    size_t rater_count;
    struct rt_buf leaf;
    struct rt_statement statement;
};

// ---- leaves by time: the log is found by the moments the store keeps, in a few reads

static enum rt_status read_leaf(struct reading *reading, uint64_t index)
{
    rt_buf_clear(&reading->leaf);
    enum rt_status status = rt_view_leaf(reading->view, index, &reading->leaf);
    return status ? status
                  : rt_statement_parse(rt_buf_bytes(&reading->leaf), &reading->statement, NULL);
}

// The first leaf received at at_ms or later.
static enum rt_status first_at(struct reading *reading, int64_t at_ms, uint64_t *ret_index)
{
    uint64_t low = 0, high = reading->to->head.size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        enum rt_status status = read_leaf(reading, middle);
        if (status)
            return status;
        if (reading->statement.received_ms < at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return RT_OK;
}

typedef bool match_fn(const struct reading *reading, const void *what);

// The leaf received at exactly at_ms that matches, left in reading->statement. RT_CORRUPT when the
// log has none, since the store says that it was taken then.
static enum rt_status find_leaf(struct reading *reading, int64_t at_ms, match_fn *match,
                                const void *what, uint64_t *ret_index)
{
    uint64_t index = 0;
    enum rt_status status = first_at(reading, at_ms, &index);
    for (; !status && index < reading->to->head.size; index++) {
        status = read_leaf(reading, index);
        if (status || reading->statement.received_ms != at_ms)
            break;
        if (match(reading, what)) {
            *ret_index = index;
            return RT_OK;
        }
    }
    return status ? status : RT_CORRUPT;
}

static bool is_start(const struct reading *reading, const void *what)
{
    (void)what;
    return reading->statement.kind == RT_STATEMENT_STATE &&
           reading->statement.action == RT_STATEMENT_ACTION_START &&
           rt_digest_equal(&reading->statement.campaign, &reading->to->row.digest);
}

static bool is_end_of(const struct reading *reading, const void *lab)
{
    enum rt_statement_kind kind = reading->statement.kind;
    return (kind == RT_STATEMENT_WITHDRAW || kind == RT_STATEMENT_NO_RESPONSE) &&
           rt_digest_equal(&reading->statement.campaign, &reading->to->row.digest) &&
           rt_bytes_equal_str(reading->statement.lab, lab);
}

// ---- labs

static enum rt_status visit_lab(void *ctx, const struct rt_store_lab *lab)
{
    struct reading *reading = ctx;
    if (lab->row.lab >= reading->to->campaign->lab_count)
        return RT_CORRUPT;
    reading->rows[lab->row.lab] = *lab;
    return RT_OK;
}

static enum rt_status lab_facts(struct reading *reading, uint32_t l)
{
    const struct rt_store_lab *row = &reading->rows[l];
    struct rt_facts_lab *lab = &reading->labs[l];
    static const struct rt_digest none;
    lab->accepted = !rt_digest_equal(&row->row.accept, &none);
    lab->late = lab->accepted && reading->to->facts.started &&
                row->row.accept_index > reading->to->facts.start_index;
    lab->reason = "";
    lab->counters.late = (uint64_t)row->counters.late;
    lab->counters.duplicate = (uint64_t)row->counters.duplicate;
    lab->counters.retried = (uint64_t)row->counters.retried;
    reading->to->refused[l] = row->counters.invalid;
    switch (row->row.state) {
    case RT_LAB_CLOSED:
        lab->state = RT_STUDY_LAB_COMPLETED;
        return RT_OK;
    case RT_LAB_WITHDRAWN:
        lab->state = lab->accepted ? RT_STUDY_LAB_WITHDREW : RT_STUDY_LAB_DECLINED;
        break;
    case RT_LAB_NO_RESPONSE:
        lab->state = RT_STUDY_LAB_NO_RESPONSE;
        break;
    default:
        lab->state = RT_STUDY_LAB_OPEN;
        return RT_OK;
    }
    uint64_t index;
    enum rt_status status = find_leaf(reading, row->row.changed_ms, is_end_of,
                                      reading->to->campaign->labs[l].id, &index);
    if (!status)
        lab->reason =
            rt_arena_strndup(&reading->to->arena, (const char *)reading->statement.reason.data,
                             reading->statement.reason.size);
    return status || lab->reason ? status : RT_NO_MEMORY;
}

static enum rt_status read_labs(struct reading *reading)
{
    struct rt_campaign_report *to = reading->to;
    size_t count = to->campaign->lab_count;
    reading->labs = rt_arena_array(&to->arena, count, sizeof *reading->labs);
    reading->rows = rt_arena_array(&to->arena, count, sizeof *reading->rows);
    to->refused = rt_arena_array(&to->arena, count, sizeof *to->refused);
    if (!reading->labs || !reading->rows || !to->refused)
        return RT_NO_MEMORY;
    enum rt_status status = rt_view_labs(reading->view, to->row.index, visit_lab, reading);
    for (uint32_t l = 0; l < count && !status; l++)
        status = lab_facts(reading, l);
    to->facts.labs = reading->labs;
    return status;
}

// ---- fingerprints and cells

static enum rt_status visit_cell(void *ctx, const struct rt_cell_key *key,
                                 const struct rt_cell_sum *sum)
{
    struct reading *reading = ctx;
    if (sum->count < 0 || sum->same_as < 0)
        return RT_CORRUPT;
    if (!sum->count)
        return RT_OK;
    if (reading->cell_count == reading->cell_room) {
        size_t room = reading->cell_room ? 2 * reading->cell_room : 1024;
        struct rt_facts_cell *grown = realloc(reading->cells, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        reading->cells = grown;
        reading->cell_room = room;
    }
    reading->cells[reading->cell_count++] = (struct rt_facts_cell){
        .prompt = key->prompt,
        .configuration = key->configuration,
        .lab = key->lab,
        .fingerprint = key->fingerprint, // the store's number until `number` has read all
        .outcome = key->outcome,
        .severity = key->severity,
        .status = (enum rt_trial_status)key->status,
        .rater = key->rater,
        .beside = key->beside,
        .beside_label = key->beside_label,
        .count = (uint64_t)sum->count,
        .same_as = (uint64_t)sum->same_as,
        .score_micro = sum->score_micro,
    };
    if (key->fingerprint > reading->fingerprint_most)
        reading->fingerprint_most = key->fingerprint;
    return RT_OK;
}

static enum rt_status visit_rater(void *ctx, const struct rt_core_rater *rater)
{
    struct reading *reading = ctx;
    if (rater->index != reading->rater_count + 1 || rater->index >= RT_RATERS_MOST)
        return RT_CORRUPT;
    struct rt_facts_rater *to = &reading->raters[reading->rater_count++];
    to->kind = (enum rt_rater_kind)rater->kind;
    to->id = rt_arena_strdup(&reading->to->arena, rater->id);
    return to->id ? RT_OK : RT_NO_MEMORY;
}

static enum rt_status visit_fingerprint(void *ctx, const struct rt_store_fingerprint *row)
{
    struct reading *reading = ctx;
    if (row->index > reading->fingerprint_most || !reading->fingerprint_of[row->index])
        return RT_OK;
    uint32_t place = (uint32_t)reading->fingerprint_count++;
    reading->fingerprint_of[row->index] = place + 1;
    reading->fingerprints[place].digest = row->digest;
    return RT_OK;
}

static enum rt_status read_fingerprint(struct reading *reading, struct rt_facts_fingerprint *to)
{
    struct rt_arena *arena = &reading->to->arena;
    struct rt_buf object;
    rt_buf_init(&object, RT_FINGERPRINT_MOST);
    enum rt_status status = rt_view_object(reading->view, &to->digest, &object);
    struct rt_bytes copy = rt_arena_bytes(arena, rt_buf_bytes(&object));
    struct rt_object_fingerprint *decoded = rt_arena_alloc(arena, sizeof *decoded);
    rt_buf_release(&object);
    if (!status && (!copy.data || !decoded))
        status = RT_NO_MEMORY;
    if (!status)
        status = rt_object_fingerprint_decode(copy, arena, decoded, NULL);
    to->object = decoded;
    return status;
}

// Which of the store's fingerprints the cells use, and what they are.
static enum rt_status number(struct reading *reading)
{
    struct rt_arena *arena = &reading->to->arena;
    size_t most = (size_t)reading->fingerprint_most + 1, used = 0;
    reading->fingerprint_of = rt_arena_array(arena, most, sizeof *reading->fingerprint_of);
    if (!reading->fingerprint_of)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < reading->cell_count; i++) {
        used += !reading->fingerprint_of[reading->cells[i].fingerprint];
        reading->fingerprint_of[reading->cells[i].fingerprint] = UINT32_MAX; // wanted
    }
    reading->fingerprints = rt_arena_array(arena, used + 1, sizeof *reading->fingerprints);
    if (!reading->fingerprints)
        return RT_NO_MEMORY;
    enum rt_status status = rt_view_fingerprints(reading->view, visit_fingerprint, reading);
    if (!status && reading->fingerprint_count != used)
        status = RT_CORRUPT;
    for (size_t i = 0; i < used && !status; i++)
        status = read_fingerprint(reading, &reading->fingerprints[i]);
    for (size_t i = 0; i < reading->cell_count && !status; i++)
        reading->cells[i].fingerprint = reading->fingerprint_of[reading->cells[i].fingerprint] - 1;
    return status;
}

// ---- all of it

static enum rt_status read_roster(struct reading *reading)
{
    struct rt_campaign_report *to = reading->to;
    struct rt_buf object;
    rt_buf_init(&object, RT_PAYLOAD_MOST);
    enum rt_status status = rt_view_object(reading->view, &to->campaign->roster_digest, &object);
    struct rt_bytes copy = rt_arena_bytes(&to->arena, rt_buf_bytes(&object));
    rt_buf_release(&object);
    if (!status)
        status = copy.data ? rt_roster_decode(copy, &to->arena, &to->roster) : RT_NO_MEMORY;
    to->facts.roster = to->roster;
    return status;
}

static enum rt_status read_log(struct reading *reading)
{
    struct rt_campaign_report *to = reading->to;
    struct rt_buf origin;
    rt_buf_init(&origin, RT_NOTE_NAME_BYTES);
    enum rt_status status = rt_view_origin(reading->view, &origin);
    to->facts.origin = rt_arena_strdup(&to->arena, rt_buf_str(&origin));
    rt_buf_release(&origin);
    if (!status && !to->facts.origin)
        status = RT_NO_MEMORY;
    to->facts.campaign = to->campaign;
    to->facts.size = to->head.size;
    to->facts.root = to->head.root;
    to->facts.campaign_index = to->row.leaf_index;
    to->facts.registered_ms = to->row.registered_ms;
    to->facts.state = to->row.state;
    to->facts.started = to->row.drawn;
    to->facts.draw = to->row.draw;
    to->facts.started_ms = to->row.started_ms;
    if (!status && to->row.drawn)
        status = find_leaf(reading, to->row.started_ms, is_start, NULL, &to->facts.start_index);
    return status;
}

static enum rt_status read_facts(struct reading *reading, struct rt_error *err)
{
    struct rt_campaign_report *to = reading->to;
    const char *what = "documents";
    enum rt_status status = read_roster(reading);
    if (!status) {
        what = "log";
        status = read_log(reading);
    }
    if (!status) {
        what = "labs";
        status = read_labs(reading);
    }
    if (!status) {
        what = "cells";
        status = rt_view_cells(reading->view, to->row.index, visit_cell, reading);
    }
    if (!status) {
        what = "raters";
        status = rt_view_raters(reading->view, to->row.index, visit_rater, reading);
    }
    if (!status) {
        what = "incidents";
        status = rt_noted_read(reading->view, to->row.index,
                               to->campaign->disclosure.remediation_window_ms, &to->arena,
                               &to->noted);
        to->facts.noted = &to->noted;
    }
    if (!status) {
        what = "fingerprints";
        status = number(reading);
    }
    to->facts.cells = reading->cells;
    to->facts.cell_count = reading->cell_count;
    to->facts.raters = reading->raters;
    to->facts.rater_count = reading->rater_count;
    to->facts.fingerprints = reading->fingerprints;
    to->facts.fingerprint_count = reading->fingerprint_count;
    return status ? rt_error_set(err, status, "campaign %s: reading its %s: %s", to->campaign->id,
                                 what, rt_status_text(status))
                  : RT_OK;
}

enum rt_status rt_campaign_report_make(struct rt_store *store, const char *name,
                                       struct rt_campaign_report *ret_report, struct rt_error *err)
{
    *ret_report = (struct rt_campaign_report){.campaign = NULL};
    rt_arena_init(&ret_report->arena, ARENA_MOST);
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return rt_error_set(err, RT_NO_MEMORY, "reading campaign %s", name);
    reading->to = ret_report;
    rt_buf_init(&reading->leaf, RT_STATEMENT_MOST);
    enum rt_status status = rt_view_begin(store, &reading->view, err);
    if (!status) {
        rt_view_head(reading->view, &ret_report->head);
        status = rt_documents_campaign(reading->view, name, &ret_report->arena,
                                       &ret_report->campaign, &ret_report->row, err);
    }
    if (!status)
        status = read_facts(reading, err);
    rt_view_end(reading->view);
    rt_buf_release(&reading->leaf);
    if (!status) {
        status = rt_facts_study(&ret_report->facts, &ret_report->arena, &ret_report->study);
        if (!status)
            status = rt_report_make(&ret_report->arena, &ret_report->study, &ret_report->report);
        if (status)
            rt_error_set(err, status, "campaign %s: computing its report: %s",
                         ret_report->campaign->id, rt_status_text(status));
    }
    free(reading->cells);
    ret_report->facts.cells = NULL; // they are in the study now
    ret_report->facts.cell_count = 0;
    ret_report->facts.raters = NULL;
    ret_report->facts.rater_count = 0;
    free(reading);
    return status;
}

void rt_campaign_report_release(struct rt_campaign_report *report)
{
    rt_arena_release(&report->arena);
}
