// SPDX-License-Identifier: Apache-2.0
#include "interop/collect.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/statement.h"

#define ARENA_MOST  ((size_t)4 << 30)
#define OBJECT_MOST (((size_t)16 << 20) + 64)

// A result object that has a trial that counts.
struct result_row {
    struct rt_digest unit, result;
    uint64_t leaf;
    int64_t received_ms;
};

struct trial_row {
    uint64_t number;
    struct rt_count count;
    uint32_t lab;
    uint32_t result; // index of result_row
    uint32_t place;  // in the result's list
};

struct rt_collector {
    struct rt_interop_source source;
    struct rt_arena arena, scratch;
    struct rt_buf leaf, object;
    struct rt_statement statement;
    struct rt_collected *to;
    // The log so far.
    bool found;
    struct rt_digest digest, leaf_hash;
    struct rt_digest *accepts;
    size_t accept_count;
    bool drawn;
    struct rt_lab_plan *plans;
    struct rt_lab_order *orders;
    uint32_t **slots; // by lab and position: 1 + index of trial_row
    struct trial_row *trials;
    size_t trial_count, trial_room;
    struct result_row *results;
    size_t result_count, result_room;
    // The result that was read last.
    struct rt_arena last_arena;
    struct rt_object_result last;
    uint32_t last_index; // 1 + index, 0 none
};

static enum rt_status grow(void **list, size_t *room, size_t count, size_t each)
{
    if (count < *room)
        return RT_OK;
    size_t more = *room ? 2 * *room : 256;
    void *grown = realloc(*list, more * each);
    if (!grown)
        return RT_NO_MEMORY;
    *list = grown;
    *room = more;
    return RT_OK;
}

// An object in the collector's buffer, checked against its name.
static enum rt_status read_object(struct rt_collector *c, const struct rt_digest *digest)
{
    struct rt_digest actual;
    rt_buf_clear(&c->object);
    enum rt_status status = c->source.object(c->source.ctx, digest, &c->object);
    if (status)
        return status;
    rt_sha256(rt_buf_bytes(&c->object), &actual);
    return rt_digest_equal(&actual, digest) ? RT_OK : RT_CORRUPT;
}

enum rt_status rt_collected_object(struct rt_collected *collected, const struct rt_digest *digest,
                                   struct rt_buf *out)
{
    struct rt_collector *c = collected->inside;
    enum rt_status status = read_object(c, digest);
    if (!status) {
        rt_buf_add_bytes(out, rt_buf_bytes(&c->object));
        status = rt_buf_ok(out);
    }
    return status;
}

static struct rt_bytes keep(struct rt_arena *arena, const struct rt_buf *buf)
{
    return rt_arena_bytes(arena, rt_buf_bytes(buf));
}

// ---- documents

static enum rt_status adopt(struct rt_collector *c)
{
    struct rt_campaign *campaign = NULL;
    struct rt_bytes object = keep(&c->arena, &c->object);
    enum rt_status status =
        object.data ? rt_campaign_decode(object, &c->arena, &campaign) : RT_NO_MEMORY;
    if (status)
        return status;
    size_t labs = campaign->lab_count;
    c->to->campaign = campaign;
    c->to->scenarios = rt_arena_array(&c->arena, campaign->scenario_count, sizeof(void *));
    c->accepts = rt_arena_array(&c->arena, labs, sizeof *c->accepts);
    c->plans = rt_arena_array(&c->arena, labs, sizeof *c->plans);
    c->orders = rt_arena_array(&c->arena, labs, sizeof *c->orders);
    c->slots = rt_arena_array(&c->arena, labs, sizeof *c->slots);
    if (!c->to->scenarios || !c->accepts || !c->plans || !c->orders || !c->slots)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < campaign->scenario_count; i++) {
        struct rt_scenario *scenario = NULL;
        status = read_object(c, &campaign->scenarios[i].digest);
        if (status == RT_NOT_FOUND)
            continue; // a redacted bundle: exported without tools
        struct rt_bytes bytes = keep(&c->arena, &c->object);
        if (!status)
            status = bytes.data ? rt_scenario_decode(bytes, &c->arena, &scenario) : RT_NO_MEMORY;
        if (status)
            return status;
        c->to->scenarios[i] = scenario;
    }
    return RT_OK;
}

static bool is_wanted(const struct rt_collector *c, const char *name)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(&c->statement.campaign, digest);
    return !name || rt_bytes_equal_str(c->statement.name, name) ||
           (strlen(name) > strlen("sha256:") && strncmp(digest, name, strlen(name)) == 0);
}

static enum rt_status take_campaign(struct rt_collector *c, const char *name)
{
    if (c->found || !is_wanted(c, name))
        return RT_OK;
    enum rt_status status = read_object(c, &c->statement.campaign);
    if (status == RT_NOT_FOUND && !name)
        return RT_OK; // another campaign of the same log: the bundle is not about it
    if (status)
        return status;
    c->found = true;
    c->digest = c->statement.campaign;
    rt_leaf_hash(rt_buf_bytes(&c->leaf), &c->leaf_hash);
    return adopt(c);
}

static enum rt_status start(struct rt_collector *c)
{
    const struct rt_campaign *campaign = c->to->campaign;
    rt_trial_draw(&c->leaf_hash, c->accepts, c->accept_count, &c->to->draw);
    c->to->started_ms = c->statement.received_ms;
    c->drawn = true;
    for (uint32_t l = 0; l < campaign->lab_count; l++) {
        rt_lab_plan_init(&c->plans[l], campaign, l, &c->to->draw);
        c->to->planned += c->plans[l].count;
        if (c->to->planned > RT_COLLECT_TRIALS_MOST)
            return RT_TOO_LARGE;
        c->slots[l] = calloc(c->plans[l].count + 1, sizeof **c->slots);
        if (!c->slots[l])
            return RT_NO_MEMORY;
    }
    return RT_OK;
}

// ---- results

static enum rt_status count_one(struct rt_collector *c, uint32_t lab, uint64_t position,
                                const struct rt_trial_result *trial, const struct result_row *row,
                                int64_t accept_until_ms, uint32_t place)
{
    uint32_t *slot = &c->slots[lab][position];
    struct rt_arrival arrival = {trial->status, row->leaf, row->received_ms, accept_until_ms};
    struct rt_count count = {0};
    if (*slot)
        count = c->trials[*slot - 1].count;
    enum rt_count_effect effect = rt_count_step(&count, &arrival);
    if (effect != RT_COUNT_FIRST && effect != RT_COUNT_REPLACES)
        return RT_OK;
    if (!*slot) {
        if (grow((void **)&c->trials, &c->trial_room, c->trial_count, sizeof *c->trials))
            return RT_NO_MEMORY;
        *slot = (uint32_t)++c->trial_count;
    }
    c->trials[*slot - 1] =
        (struct trial_row){trial->number, count, lab, (uint32_t)c->result_count, place};
    return RT_OK;
}

static enum rt_status read_pair(struct rt_collector *c, const struct rt_statement_pair *pair,
                                struct rt_object_unit *unit, struct rt_object_result *result)
{
    enum rt_status status = read_object(c, &pair->unit);
    struct rt_bytes bytes = keep(&c->scratch, &c->object);
    if (!status)
        status = rt_object_unit_decode(bytes, &c->scratch, unit, NULL);
    if (!status)
        status = read_object(c, &pair->result);
    bytes = keep(&c->scratch, &c->object);
    if (!status)
        status = rt_object_result_decode(bytes, &c->scratch, result, NULL);
    if (!status && (!rt_digest_equal(&unit->campaign, &c->digest) ||
                    !rt_bytes_equal(unit->lab, c->statement.lab) ||
                    !rt_digest_equal(&result->unit, &pair->unit)))
        status = RT_CONFLICT;
    return status;
}

static enum rt_status take_pair(struct rt_collector *c, uint32_t lab, uint64_t index,
                                const struct rt_statement_pair *pair)
{
    struct rt_object_unit unit;
    struct rt_object_result result;
    struct result_row row = {pair->unit, pair->result, index, c->statement.received_ms};
    uint32_t next = 0;
    rt_arena_clear(&c->scratch);
    enum rt_status status = read_pair(c, pair, &unit, &result);
    if (!status)
        status = grow((void **)&c->results, &c->result_room, c->result_count, sizeof *c->results);
    for (size_t r = 0; r < unit.runs_count && !status; r++) {
        for (uint64_t i = 0; i < unit.runs[r].count && !status; i++, next++) {
            uint64_t position = unit.runs[r].first + i, number;
            if (next >= result.trials_count || position >= c->plans[lab].count ||
                rt_lab_trial(&c->plans[lab], &c->orders[lab], position, &number) ||
                number != result.trials[next].number)
                return RT_CONFLICT;
            status =
                count_one(c, lab, position, &result.trials[next], &row, unit.accept_until_ms, next);
        }
    }
    if (!status)
        c->results[c->result_count++] = row;
    return status;
}

static uint32_t lab_of(const struct rt_collector *c)
{
    for (uint32_t l = 0; l < c->to->campaign->lab_count; l++)
        if (rt_bytes_equal_str(c->statement.lab, c->to->campaign->labs[l].id))
            return l;
    return RT_NONE;
}

static enum rt_status take_leaf(struct rt_collector *c, uint64_t index, const char *name)
{
    const struct rt_statement *s = &c->statement;
    if (s->kind == RT_STATEMENT_CAMPAIGN)
        return take_campaign(c, name);
    bool ours = c->found && (s->kind == RT_STATEMENT_ACCEPT || s->kind == RT_STATEMENT_STATE ||
                             s->kind == RT_STATEMENT_RESULT);
    if (!ours || !rt_digest_equal(&s->campaign, &c->digest))
        return RT_OK;
    if (s->kind == RT_STATEMENT_ACCEPT) {
        if (!c->drawn && c->accept_count < c->to->campaign->lab_count)
            rt_leaf_hash(rt_buf_bytes(&c->leaf), &c->accepts[c->accept_count++]);
        return RT_OK;
    }
    if (s->kind == RT_STATEMENT_STATE)
        return s->action == RT_STATEMENT_ACTION_START && !c->drawn ? start(c) : RT_OK;
    uint32_t lab = lab_of(c);
    enum rt_status status = lab == RT_NONE || !c->drawn ? RT_CONFLICT : RT_OK;
    for (size_t i = 0; i < s->pair_count && !status; i++)
        status = take_pair(c, lab, index, &s->pairs[i]);
    return status;
}

static int compare_rows(const void *a, const void *b)
{
    const struct trial_row *x = a, *y = b;
    if (x->lab != y->lab)
        return x->lab < y->lab ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static enum rt_status read_log(struct rt_collector *c, const char *name, struct rt_error *err)
{
    for (uint64_t index = 0; index < c->source.size; index++) {
        rt_buf_clear(&c->leaf);
        enum rt_status status = c->source.leaf(c->source.ctx, index, &c->leaf);
        if (!status)
            status = rt_statement_parse(rt_buf_bytes(&c->leaf), &c->statement, NULL);
        if (!status)
            status = take_leaf(c, index, name);
        if (status)
            return rt_error_set(err, status == RT_NOT_FOUND ? RT_CORRUPT : status,
                                "leaf %" PRIu64 " of the log: %s; `fsck` or `ringtrial-audit "
                                "verify` says more",
                                index, rt_status_text(status));
    }
    if (!c->found)
        return rt_error_set(err, RT_NOT_FOUND, "%s: no such campaign in this log",
                            name ? name : "the bundle's campaign");
    qsort(c->trials, c->trial_count, sizeof *c->trials, compare_rows);
    c->to->trial_count = c->trial_count;
    return RT_OK;
}

enum rt_status rt_collect(const struct rt_interop_source *source, const char *name,
                          struct rt_collected **ret_collected, struct rt_error *err)
{
    struct rt_collected *collected = calloc(1, sizeof *collected);
    struct rt_collector *c = calloc(1, sizeof *c);
    *ret_collected = collected;
    if (!collected || !c) {
        free(c);
        return rt_error_set(err, RT_NO_MEMORY, "reading the log");
    }
    c->source = *source;
    c->to = collected;
    collected->inside = c;
    rt_arena_init(&c->arena, ARENA_MOST);
    rt_arena_init(&c->scratch, (size_t)64 << 20);
    rt_arena_init(&c->last_arena, (size_t)64 << 20);
    rt_buf_init(&c->leaf, RT_LEAF_MOST);
    rt_buf_init(&c->object, OBJECT_MOST);
    return read_log(c, name, err);
}

void rt_collected_free(struct rt_collected *collected)
{
    struct rt_collector *c = collected ? collected->inside : NULL;
    if (c) {
        for (size_t l = 0; c->slots && l < collected->campaign->lab_count; l++)
            free(c->slots[l]);
        free(c->trials);
        free(c->results);
        rt_buf_release(&c->leaf);
        rt_buf_release(&c->object);
        rt_arena_release(&c->arena);
        rt_arena_release(&c->scratch);
        rt_arena_release(&c->last_arena);
        free(c);
    }
    free(collected);
}

// ---- one trial

void rt_collected_place(const struct rt_collected *collected, size_t i, uint32_t *ret_lab,
                        struct rt_trial *ret_trial)
{
    if (collected->place) {
        collected->place(collected->ctx, i, ret_lab, ret_trial);
        return;
    }
    const struct trial_row *row = &collected->inside->trials[i];
    *ret_lab = row->lab;
    // The number came from the lab's own run order, so the design has it.
    RT_ASSERT(rt_trial_of(collected->campaign, row->number, ret_trial) == RT_OK);
}

static enum rt_status read_result(struct rt_collector *c, uint32_t index)
{
    if (c->last_index == index + 1)
        return RT_OK;
    c->last_index = 0;
    rt_arena_clear(&c->last_arena);
    enum rt_status status = read_object(c, &c->results[index].result);
    struct rt_bytes bytes = keep(&c->last_arena, &c->object);
    if (!status)
        status = rt_object_result_decode(bytes, &c->last_arena, &c->last, NULL);
    if (!status)
        c->last_index = index + 1;
    return status;
}

static enum rt_status read_transcript(struct rt_collector *c, struct rt_arena *arena,
                                      struct rt_interop_trial *trial)
{
    enum rt_status status = read_object(c, &trial->commitment);
    if (status == RT_NOT_FOUND)
        return RT_OK; // the lab keeps it, or it is sealed
    return status ? status : rt_interop_open_transcript(rt_buf_bytes(&c->object), arena, trial);
}

void rt_collected_fill(const struct rt_collected *to, uint32_t lab, struct rt_trial place,
                       const struct rt_trial_result *of, struct rt_interop_trial *trial)
{
    const struct rt_campaign *campaign = to->campaign;
    const struct rt_prompt *prompt = &campaign->prompts[place.prompt];
    const struct rt_configuration *configuration = &campaign->configurations[place.configuration];
    const struct rt_campaign_scenario *scenario = &campaign->scenarios[prompt->scenario];
    const struct rt_label *label = of->status == RT_TRIAL_OK && of->outcome < campaign->label_count
                                       ? &campaign->labels[of->outcome]
                                       : NULL;
    *trial = (struct rt_interop_trial){
        .campaign = campaign->id,
        .scenario = scenario->id,
        .arm = scenario->arms[prompt->arm].id,
        .phrasing = scenario->phrasings[prompt->phrasing].id,
        .lang = scenario->phrasings[prompt->phrasing].lang,
        .lab = campaign->labs[lab].id,
        .subject = campaign->subjects[configuration->subject].id,
        .number = of->number,
        .replicate = place.replicate,
        .temperature_micro = configuration->temperature_micro,
        .seed =
            rt_trial_seed(campaign->design.seeds, &to->draw, of->number, campaign->labs[lab].id),
        .status = of->status,
        .error = of->error,
        .outcome = label ? label->id : "",
        .behaviour = label && (campaign->analysis.behaviour >> of->outcome & 1),
        .severity = (uint32_t)of->severity,
        .score_micro = of->score_micro,
        .same_as = of->same_as,
        .tokens_in = of->tokens_in,
        .tokens_out = of->tokens_out,
        .latency_ms = of->latency_ms,
        .commitment = of->transcript,
    };
}

static void fill(const struct rt_collected *to, size_t i, struct rt_interop_trial *trial)
{
    const struct rt_collector *c = to->inside;
    const struct result_row *row = &c->results[c->trials[i].result];
    struct rt_trial place;
    uint32_t lab;
    rt_collected_place(to, i, &lab, &place);
    rt_collected_fill(to, lab, place, &c->last.trials[c->trials[i].place], trial);
    trial->started_ms = c->last.started_ms;
    trial->finished_ms = c->last.finished_ms;
    trial->fingerprint = c->last.fingerprint;
    trial->leaf = row->leaf;
    trial->received_ms = row->received_ms;
    trial->unit = row->unit;
    trial->result = row->result;
}

enum rt_status rt_collected_trial(struct rt_collected *collected, size_t i, bool with_transcript,
                                  struct rt_arena *arena, struct rt_interop_trial *ret_trial,
                                  struct rt_error *err)
{
    if (collected->trial)
        return collected->trial(collected->ctx, i, with_transcript, arena, ret_trial, err);
    struct rt_collector *c = collected->inside;
    RT_ASSERT(i < collected->trial_count);
    const struct trial_row *row = &c->trials[i];
    enum rt_status status = read_result(c, row->result);
    if (!status)
        fill(collected, i, ret_trial);
    if (!status && with_transcript && rt_interop_has_commitment(ret_trial))
        status = read_transcript(c, arena, ret_trial);
    if (!status && *ret_trial->outcome == 0 && ret_trial->status == RT_TRIAL_OK)
        status = RT_OUT_OF_RANGE;
    return status ? rt_error_set(err, status, "trial %" PRIu64 " of lab %s: %s", row->number,
                                 collected->campaign->labs[row->lab].id, rt_status_text(status))
                  : RT_OK;
}
