// SPDX-License-Identifier: Apache-2.0
// The builder's bookkeeping: labels are found through one hash table keyed by factor and text,
// cells through another keyed by their labels. Order never depends on either table.
#include "common/report/study.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

enum factor {
    FACTOR_SUBJECT,
    FACTOR_ARM,
    FACTOR_SCENARIO,
    FACTOR_PHRASING,
    FACTOR_LAB,
    FACTOR_RATER,
    FACTOR_OUTCOME,
    FACTOR_STATUS,
    FACTOR_FINGERPRINT,
    FACTOR_PROVENANCE,
};

struct rt_study_label {
    const char *text; // NULL: free
    uint32_t factor;
    uint32_t index;
};

// ---- labels

static bool label_valid(const char *text, bool empty_too)
{
    if (!text)
        return empty_too;
    size_t size = strlen(text);
    if (size > RT_STUDY_LABEL_MAX || (size == 0 && !empty_too))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return rt_utf8_valid(rt_bytes(text, size));
}

static uint64_t hash_text(uint32_t factor, const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u ^ factor;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

static struct rt_study_label *label_slot(const struct rt_study *study, uint32_t factor,
                                         const char *text)
{
    size_t mask = study->label_index_size - 1;
    for (size_t at = hash_text(factor, text) & mask;; at = (at + 1) & mask) {
        struct rt_study_label *label = &study->label_index[at];
        if (!label->text || (label->factor == factor && strcmp(label->text, text) == 0))
            return label;
    }
}

static uint32_t find(const struct rt_study *study, uint32_t factor, const char *text)
{
    if (!study->label_index_size)
        return RT_STUDY_NONE;
    const struct rt_study_label *label = label_slot(study, factor, text);
    return label->text ? label->index : RT_STUDY_NONE;
}

static enum rt_status grow_labels(struct rt_study *study)
{
    if (study->label_count * 2 < study->label_index_size)
        return RT_OK;
    size_t size = study->label_index_size ? study->label_index_size * 2 : 256;
    struct rt_study_label *old = study->label_index;
    size_t old_size = study->label_index_size;
    struct rt_study_label *wider = rt_arena_array(study->arena, size, sizeof *wider);
    if (!wider)
        return RT_NO_MEMORY;
    study->label_index = wider;
    study->label_index_size = size;
    for (size_t i = 0; i < old_size; i++)
        if (old[i].text)
            *label_slot(study, old[i].factor, old[i].text) = old[i];
    return RT_OK;
}

// Doubles an arena array when it is full; the old copy stays behind in the arena.
static enum rt_status grow(struct rt_study *study, void *array, size_t count, size_t *room,
                           size_t each)
{
    void **place = array;
    if (count < *room)
        return RT_OK;
    size_t wanted = *room ? *room * 2 : 8;
    void *wider = rt_arena_array(study->arena, wanted, each);
    if (!wider)
        return RT_NO_MEMORY;
    if (count)
        memcpy(wider, *place, count * each);
    *place = wider;
    *room = wanted;
    return RT_OK;
}

static const char *copy(struct rt_study *study, const char *text)
{
    return rt_arena_strdup(study->arena, text ? text : "");
}

// Reserves the next level of a factor under text. On RT_OK *ret_text is the arena's copy and the
// array behind `array` has room for one more at index *count.
static enum rt_status add_level(struct rt_study *study, enum factor factor, const char *text,
                                void *array, size_t count, size_t *room, size_t each,
                                const char **ret_text)
{
    RT_ASSERT(!study->sealed);
    if (!label_valid(text, false))
        return RT_MALFORMED;
    // Places are numbered from the factors' sizes, so those are fixed once one is used.
    RT_ASSERT(factor > FACTOR_LAB || (!study->cell_count && !study->planned));
    if (count >= RT_STUDY_LEVELS_MAX)
        return RT_TOO_LARGE;
    enum rt_status status = grow_labels(study);
    if (status)
        return status;
    struct rt_study_label *label = label_slot(study, factor, text);
    if (label->text)
        return RT_EXISTS;
    status = grow(study, array, count, room, each);
    if (status)
        return status;
    const char *mine = copy(study, text);
    if (!mine)
        return RT_NO_MEMORY;
    *label = (struct rt_study_label){mine, factor, (uint32_t)count};
    study->label_count++;
    *ret_text = mine;
    return RT_OK;
}

// ---- factors

enum rt_status rt_study_init(struct rt_study *study, struct rt_arena *arena, const char *id,
                             const char *title)
{
    if (!label_valid(id, false) || !title || !rt_utf8_valid(rt_bytes_str(title)))
        return RT_MALFORMED;
    *study = (struct rt_study){.arena = arena};
    study->plan.confidence = 0.95;
    study->plan.verdict_threshold_micro = 500000;
    study->plan.multiplicity = "holm";
    study->id = copy(study, id);
    study->title = copy(study, title);
    return study->id && study->title ? RT_OK : RT_NO_MEMORY;
}

#define ADD_LEVEL(factor, list, text, ret_text)                                                    \
    add_level(study, factor, text, &study->list##s, study->list##_count, &study->list##_room,      \
              sizeof *study->list##s, ret_text)
#define TAKE_LEVEL(list, ret_index, value)                                                         \
    do {                                                                                           \
        if (ret_index)                                                                             \
            *(ret_index) = (uint32_t)study->list##_count;                                          \
        study->list##s[study->list##_count++] = (value);                                           \
    } while (0)

enum rt_status rt_study_add_subject(struct rt_study *study, const struct rt_study_subject *subject,
                                    uint32_t *ret_index)
{
    struct rt_study_subject mine = *subject;
    if (!label_valid(mine.family, true) || !label_valid(mine.revision, true) ||
        !label_valid(mine.weights, true))
        return RT_MALFORMED;
    enum rt_status status = ADD_LEVEL(FACTOR_SUBJECT, subject, subject->id, &mine.id);
    if (status)
        return status;
    mine.family = copy(study, subject->family);
    mine.revision = copy(study, subject->revision);
    mine.weights = copy(study, subject->weights);
    if (!mine.family || !mine.revision || !mine.weights)
        return RT_NO_MEMORY;
    TAKE_LEVEL(subject, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_arm(struct rt_study *study, const struct rt_study_arm *arm,
                                uint32_t *ret_index)
{
    struct rt_study_arm mine = *arm;
    enum rt_status status = ADD_LEVEL(FACTOR_ARM, arm, arm->id, &mine.id);
    if (status)
        return status;
    if (mine.role == RT_STUDY_TREATMENT)
        mine.inert_of = RT_STUDY_NONE;
    TAKE_LEVEL(arm, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_scenario(struct rt_study *study,
                                     const struct rt_study_scenario *scenario, uint32_t *ret_index)
{
    struct rt_study_scenario mine = *scenario;
    if (!label_valid(mine.title, true))
        return RT_MALFORMED;
    enum rt_status status = ADD_LEVEL(FACTOR_SCENARIO, scenario, scenario->id, &mine.id);
    if (status)
        return status;
    mine.title = copy(study, scenario->title);
    if (!mine.title)
        return RT_NO_MEMORY;
    TAKE_LEVEL(scenario, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_phrasing(struct rt_study *study,
                                     const struct rt_study_phrasing *phrasing, uint32_t *ret_index)
{
    struct rt_study_phrasing mine = *phrasing;
    if (!label_valid(mine.language, true))
        return RT_MALFORMED;
    enum rt_status status = ADD_LEVEL(FACTOR_PHRASING, phrasing, phrasing->id, &mine.id);
    if (status)
        return status;
    mine.language = copy(study, phrasing->language);
    if (!mine.language)
        return RT_NO_MEMORY;
    TAKE_LEVEL(phrasing, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_lab(struct rt_study *study, const struct rt_study_lab *lab,
                                uint32_t *ret_index)
{
    struct rt_study_lab mine = *lab;
    if (!label_valid(mine.organisation, true) || !label_valid(mine.note, true) ||
        !label_valid(mine.cause, true))
        return RT_MALFORMED;
    enum rt_status status = ADD_LEVEL(FACTOR_LAB, lab, lab->id, &mine.id);
    if (status)
        return status;
    mine.organisation = copy(study, lab->organisation);
    mine.note = copy(study, lab->note);
    mine.cause = copy(study, lab->cause);
    if (!mine.organisation || !mine.note || !mine.cause)
        return RT_NO_MEMORY;
    TAKE_LEVEL(lab, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_rater(struct rt_study *study, const char *id, bool primary,
                                  uint32_t *ret_index)
{
    struct rt_study_rater mine = {NULL, primary, RT_STUDY_RULES};
    enum rt_status status = ADD_LEVEL(FACTOR_RATER, rater, id, &mine.id);
    if (status)
        return status;
    TAKE_LEVEL(rater, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_outcome(struct rt_study *study, const struct rt_study_outcome *outcome,
                                    uint32_t *ret_index)
{
    struct rt_study_outcome mine = *outcome;
    if (mine.severity > 4)
        return RT_OUT_OF_RANGE;
    enum rt_status status = ADD_LEVEL(FACTOR_OUTCOME, outcome, outcome->label, &mine.label);
    if (status)
        return status;
    TAKE_LEVEL(outcome, ret_index, mine);
    return RT_OK;
}

enum rt_status rt_study_add_status(struct rt_study *study, const struct rt_study_status *state,
                                   uint32_t *ret_index)
{
    struct rt_study_status mine = *state;
    enum rt_status status =
        add_level(study, FACTOR_STATUS, state->label, &study->statuses, study->status_count,
                  &study->status_room, sizeof *study->statuses, &mine.label);
    if (status)
        return status;
    if (ret_index)
        *ret_index = (uint32_t)study->status_count;
    study->statuses[study->status_count++] = mine;
    return RT_OK;
}

static int by_pair_name(const void *a, const void *b)
{
    return strcmp(((const struct rt_study_pair *)a)->name, ((const struct rt_study_pair *)b)->name);
}

enum rt_status rt_study_add_fingerprint(struct rt_study *study, const char *digest,
                                        const struct rt_study_pair *pairs, size_t pair_count,
                                        uint32_t *ret_index)
{
    struct rt_study_fingerprint mine = {.pair_count = pair_count};
    struct rt_study_pair *sorted = rt_arena_array(study->arena, pair_count + 1, sizeof *sorted);
    if (!sorted)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < pair_count; i++) {
        if (!label_valid(pairs[i].name, false) || !label_valid(pairs[i].value, true))
            return RT_MALFORMED;
        sorted[i].name = copy(study, pairs[i].name);
        sorted[i].value = copy(study, pairs[i].value);
        if (!sorted[i].name || !sorted[i].value)
            return RT_NO_MEMORY;
    }
    qsort(sorted, pair_count, sizeof *sorted, by_pair_name);
    for (size_t i = 1; i < pair_count; i++)
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
            return RT_CONFLICT;
    enum rt_status status = ADD_LEVEL(FACTOR_FINGERPRINT, fingerprint, digest, &mine.digest);
    if (status)
        return status;
    mine.pairs = sorted;
    TAKE_LEVEL(fingerprint, ret_index, mine);
    return RT_OK;
}

static int by_micro(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

enum rt_status rt_study_set_temperatures(struct rt_study *study, const int64_t *micro, size_t count)
{
    RT_ASSERT(!study->sealed && !study->temperatures_micro);
    if (count > RT_STUDY_LEVELS_MAX)
        return RT_TOO_LARGE;
    for (size_t i = 0; i < count; i++)
        if (micro[i] < 0 || micro[i] > 1000000000)
            return RT_OUT_OF_RANGE;
    int64_t *mine = rt_arena_array(study->arena, count + 1, sizeof *mine);
    if (!mine)
        return RT_NO_MEMORY;
    if (count)
        memcpy(mine, micro, count * sizeof *mine);
    qsort(mine, count, sizeof *mine, by_micro);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || mine[kept - 1] != mine[i])
            mine[kept++] = mine[i];
    study->temperatures_micro = mine;
    study->temperature_count = kept;
    return RT_OK;
}

enum rt_status rt_study_add_provenance(struct rt_study *study, const char *name, const char *value)
{
    if (!label_valid(name, false) || !value || !rt_utf8_valid(rt_bytes_str(value)))
        return RT_MALFORMED;
    enum rt_status status = grow_labels(study);
    if (status)
        return status;
    struct rt_study_label *label = label_slot(study, FACTOR_PROVENANCE, name);
    if (label->text)
        return RT_EXISTS;
    status = grow(study, &study->provenance, study->provenance_count, &study->provenance_room,
                  sizeof *study->provenance);
    if (status)
        return status;
    struct rt_study_pair mine = {copy(study, name), copy(study, value)};
    if (!mine.name || !mine.value)
        return RT_NO_MEMORY;
    *label =
        (struct rt_study_label){mine.name, FACTOR_PROVENANCE, (uint32_t)study->provenance_count};
    study->label_count++;
    study->provenance[study->provenance_count++] = mine;
    return RT_OK;
}

uint32_t rt_study_find_subject(const struct rt_study *study, const char *id)
{
    return find(study, FACTOR_SUBJECT, id);
}
uint32_t rt_study_find_arm(const struct rt_study *study, const char *id)
{
    return find(study, FACTOR_ARM, id);
}
uint32_t rt_study_find_scenario(const struct rt_study *study, const char *id)
{
    return find(study, FACTOR_SCENARIO, id);
}
uint32_t rt_study_find_phrasing(const struct rt_study *study, const char *id)
{
    return find(study, FACTOR_PHRASING, id);
}
uint32_t rt_study_find_lab(const struct rt_study *study, const char *id)
{
    return find(study, FACTOR_LAB, id);
}
uint32_t rt_study_find_rater(const struct rt_study *study, const char *id)
{
    return find(study, FACTOR_RATER, id);
}
uint32_t rt_study_find_outcome(const struct rt_study *study, const char *label)
{
    return find(study, FACTOR_OUTCOME, label);
}
uint32_t rt_study_find_status(const struct rt_study *study, const char *label)
{
    return find(study, FACTOR_STATUS, label);
}
uint32_t rt_study_find_fingerprint(const struct rt_study *study, const char *digest)
{
    return find(study, FACTOR_FINGERPRINT, digest);
}

uint32_t rt_study_find_temperature(const struct rt_study *study, int64_t micro)
{
    for (size_t i = 0; i < study->temperature_count; i++)
        if (study->temperatures_micro[i] == micro)
            return (uint32_t)i;
    return RT_STUDY_NONE;
}
