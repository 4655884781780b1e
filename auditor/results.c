// SPDX-License-Identifier: Apache-2.0
// The pairs of a result leaf: the unit as the coordinator dealt it, the result as the lab measured
// it, and each trial into the recount.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"

// A pair at hand; the objects live in the audit's scratch arena and buffers.
struct pair {
    const struct rt_statement_pair *names;
    uint32_t lab;
    const struct audit_lab *row;
    struct rt_object_unit unit;
    struct rt_object_result result;
    uint32_t fingerprint;
    char place[RT_CHECK_PLACE_BYTES]; // leaf and object
};

static void set_place(const struct rt_audit *audit, struct pair *pair,
                      const struct rt_digest *digest)
{
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_evidence_object_path(digest, path);
    snprintf(pair->place, sizeof pair->place, "%.60s, %.150s", audit->place, path);
}

#define REFUSE(audit, check, pair, ...)                                                            \
    (rt_checks_fail(&(audit)->checks, check, (pair)->place, __VA_ARGS__), false)

// ---- the unit

// The coordinator's own signature on the unit. Once a unit: results may name it again.
static bool unit_dealt(struct rt_audit *audit, struct pair *pair)
{
    const struct rt_digest_entry *entry = rt_digest_map_find(&audit->units, &pair->names->unit);
    if (!entry)
        return REFUSE(audit, RT_CHECK_UNITS, pair, "no statement of the coordinator deals it");
    struct rt_folder_file *file = &audit->folder.files[entry->value];
    if (file->used)
        return true;
    rt_buf_clear(&audit->second);
    struct rt_statement *statement = &audit->unit_statement;
    struct rt_bytes bytes;
    const struct rt_ahead_file *ready =
        rt_ahead_find(audit->ahead, audit->index, (size_t)entry->value, &bytes);
    bool here = ready || !rt_folder_read(&audit->folder, file->path, &audit->second);
    file->used = true;
    if (!ready)
        bytes = rt_buf_bytes(&audit->second);
    if (!here || rt_statement_parse(bytes, statement, NULL) ||
        statement->has_received || statement->kind != RT_STATEMENT_UNIT ||
        !rt_digest_equal(&statement->unit, &pair->names->unit))
        return REFUSE(audit, RT_CHECK_UNITS, pair, "the statement that deals it is malformed");
    if (!rt_digest_equal(&statement->campaign, &audit->target->digest) ||
        !rt_bytes_equal_str(statement->lab, pair->row->id))
        return REFUSE(audit, RT_CHECK_UNITS, pair, "was dealt to another lab or campaign");
    return audit_signed(audit, statement, file->path, NULL, pair->unit.issued_ms, UINT64_MAX,
                        ready && ready->proved ? &ready->key : NULL);
}

static bool unit_holds(struct rt_audit *audit, struct pair *pair)
{
    const struct rt_object_unit *unit = &pair->unit;
    const char *field = "";
    set_place(audit, pair, &pair->names->unit);
    rt_checks_look(&audit->checks, RT_CHECK_UNITS);
    if (!audit_object(audit, &pair->names->unit, audit->place, &audit->object))
        return false;
    struct rt_bytes copy = rt_arena_bytes(&audit->scratch, rt_buf_bytes(&audit->object));
    if (rt_object_unit_decode(copy, &audit->scratch, &pair->unit, &field))
        return REFUSE(audit, RT_CHECK_UNITS, pair, "not a unit (%s)", field);
    if (!rt_digest_equal(&unit->campaign, &audit->target->digest) ||
        !rt_bytes_equal_str(unit->lab, pair->row->id))
        return REFUSE(audit, RT_CHECK_UNITS, pair, "is for another lab or campaign than %s",
                      pair->row->id);
    if (!rt_digest_equal(&unit->accept, &pair->row->accept))
        return REFUSE(audit, RT_CHECK_UNITS, pair,
                      "does not name lab %s's accept at log index %" PRIu64, pair->row->id,
                      pair->row->accept_index);
    uint64_t total = audit->plans[pair->lab].count;
    for (size_t r = 0; r < unit->runs_count; r++)
        if (unit->runs[r].first >= total || unit->runs[r].count > total - unit->runs[r].first)
            return REFUSE(audit, RT_CHECK_UNITS, pair, "has positions beyond the lab's %" PRIu64,
                          total);
    return unit_dealt(audit, pair);
}

// ---- the fingerprint

static enum rt_status add_fingerprint(struct rt_audit *audit, const struct rt_digest *digest,
                                      const struct rt_object_fingerprint *object,
                                      uint32_t *ret_place)
{
    if (audit->fingerprint_count == audit->fingerprint_room) {
        size_t room = audit->fingerprint_room ? 2 * audit->fingerprint_room : 16;
        struct rt_facts_fingerprint *grown = realloc(audit->fingerprints, room * sizeof *grown);
        if (!grown)
            return RT_NO_MEMORY;
        audit->fingerprints = grown;
        audit->fingerprint_room = room;
    }
    *ret_place = (uint32_t)audit->fingerprint_count;
    audit->fingerprints[audit->fingerprint_count++] =
        (struct rt_facts_fingerprint){*digest, object};
    return rt_digest_map_put(&audit->fingerprint_of, digest, *ret_place);
}

// RT_NOT_FOUND when it does not hold; the finding has been said.
static enum rt_status find_fingerprint(struct rt_audit *audit, struct pair *pair)
{
    const struct rt_digest *digest = &pair->result.fingerprint;
    const struct rt_digest_entry *entry = rt_digest_map_find(&audit->fingerprint_of, digest);
    if (entry) {
        pair->fingerprint = (uint32_t)entry->value;
        return RT_OK;
    }
    if (!audit_object(audit, digest, pair->place, &audit->object))
        return RT_NOT_FOUND;
    struct rt_bytes copy = rt_arena_bytes(&audit->arena, rt_buf_bytes(&audit->object));
    struct rt_object_fingerprint *object = rt_arena_alloc(&audit->arena, sizeof *object);
    if (!copy.data || !object)
        return RT_NO_MEMORY;
    if (rt_object_fingerprint_decode(copy, &audit->arena, object, NULL)) {
        set_place(audit, pair, digest);
        (void)REFUSE(audit, RT_CHECK_RESULTS, pair, "not a fingerprint");
        return RT_NOT_FOUND;
    }
    return add_fingerprint(audit, digest, object, &pair->fingerprint);
}

// ---- the result

// The trial that a position of the unit asks for must be the one the result reports next.
static bool trial_answers(struct rt_audit *audit, struct pair *pair, uint64_t position, size_t next)
{
    const struct rt_campaign *campaign = audit->campaign;
    uint64_t number = 0;
    if (next >= pair->result.trials_count)
        return REFUSE(audit, RT_CHECK_RESULTS, pair, "has %zu trials, fewer than its unit",
                      pair->result.trials_count);
    const struct rt_trial_result *trial = &pair->result.trials[next];
    if (rt_lab_trial(&audit->plans[pair->lab], &audit->orders[pair->lab], position, &number) ||
        number != trial->number)
        return REFUSE(audit, RT_CHECK_RESULTS, pair,
                      "reports trial %" PRIu64 " where its unit asks for trial %" PRIu64,
                      trial->number, number);
    if (trial->outcome >= campaign->label_count)
        return REFUSE(audit, RT_CHECK_RESULTS, pair,
                      "trial %" PRIu64 " has an outcome that the taxonomy does not have", number);
    return true;
}

static bool result_answers(struct rt_audit *audit, struct pair *pair)
{
    const char *field = "";
    set_place(audit, pair, &pair->names->result);
    rt_checks_look(&audit->checks, RT_CHECK_RESULTS);
    if (!audit_object(audit, &pair->names->result, audit->place, &audit->object))
        return false;
    struct rt_bytes copy = rt_arena_bytes(&audit->scratch, rt_buf_bytes(&audit->object));
    if (rt_object_result_decode(copy, &audit->scratch, &pair->result, &field))
        return REFUSE(audit, RT_CHECK_RESULTS, pair, "not a result (%s)", field);
    if (!rt_digest_equal(&pair->result.unit, &pair->names->unit))
        return REFUSE(audit, RT_CHECK_RESULTS, pair, "answers another unit than it is paired with");
    size_t next = 0;
    for (size_t r = 0; r < pair->unit.runs_count; r++)
        for (uint64_t i = 0; i < pair->unit.runs[r].count; i++, next++)
            if (!trial_answers(audit, pair, pair->unit.runs[r].first + i, next))
                return false;
    if (next != pair->result.trials_count)
        return REFUSE(audit, RT_CHECK_RESULTS, pair, "has %zu trials, more than its unit",
                      pair->result.trials_count);
    return true;
}

// ---- counting

static enum rt_status count_trials(struct rt_audit *audit, const struct pair *pair)
{
    size_t next = 0;
    enum rt_status status = RT_OK;
    for (size_t r = 0; r < pair->unit.runs_count; r++) {
        for (uint64_t i = 0; i < pair->unit.runs[r].count && !status; i++, next++) {
            const struct rt_trial_result *trial = &pair->result.trials[next];
            struct rt_trial place;
            status = rt_trial_of(audit->campaign, trial->number, &place);
            if (status)
                break;
            struct rt_arrival arrival = {.status = trial->status,
                                         .index = audit->index,
                                         .received_ms = audit->statement.received_ms,
                                         .accept_until_ms = pair->unit.accept_until_ms};
            struct rt_facts_cell cell = {.prompt = place.prompt,
                                         .configuration = place.configuration,
                                         .lab = pair->lab,
                                         .fingerprint = pair->fingerprint,
                                         .outcome = (uint32_t)trial->outcome,
                                         .severity = (uint32_t)trial->severity,
                                         .status = trial->status,
                                         .count = 1,
                                         .same_as = trial->same_as != 0,
                                         .score_micro = trial->score_micro};
            bool spare = false;
            status = rt_tally_add(&audit->tally, pair->unit.runs[r].first + i, &arrival, &cell,
                                  &spare);
            if (!status && spare)
                status = rt_rating_book_spare(&audit->book, pair->lab, trial->number, audit->index);
        }
    }
    return status;
}

enum rt_status audit_count_pairs(struct rt_audit *audit, uint32_t lab, const struct audit_lab *row)
{
    enum rt_status status = audit_remember_leaf(audit, lab);
    for (size_t i = 0; i < audit->statement.pair_count && !status; i++) {
        struct pair pair = {.names = &audit->statement.pairs[i], .lab = lab, .row = row};
        rt_arena_clear(&audit->scratch);
        bool holds = unit_holds(audit, &pair) && result_answers(audit, &pair);
        if (holds) {
            status = find_fingerprint(audit, &pair);
            holds = status == RT_OK;
            if (status == RT_NOT_FOUND)
                status = RT_OK;
        }
        if (holds)
            status = count_trials(audit, &pair);
        else
            audit->tally.labs[lab].counters.invalid++;
    }
    return status;
}
