// SPDX-License-Identifier: Apache-2.0
// The counting half of a study: planned numbers, cells, the plan, and the seal.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/report/study.h"

size_t rt_study_places(const struct rt_study *study)
{
    return study->subject_count * study->arm_count * study->scenario_count * study->phrasing_count *
           study->temperature_count;
}

size_t rt_study_place(const struct rt_study *study, const struct rt_study_condition *condition)
{
    return (((condition->subject * study->arm_count + condition->arm) * study->scenario_count +
             condition->scenario) *
                study->phrasing_count +
            condition->phrasing) *
               study->temperature_count +
           condition->temperature;
}

static bool condition_valid(const struct rt_study *study, const struct rt_study_condition *at)
{
    return at->subject < study->subject_count && at->arm < study->arm_count &&
           at->scenario < study->scenario_count && at->phrasing < study->phrasing_count &&
           at->temperature < study->temperature_count;
}

// Whether the dense tables a report works on stay within their bound.
static bool places_fit(const struct rt_study *study)
{
    uint64_t places = 1;
    const size_t counts[] = {study->subject_count,  study->arm_count,         study->scenario_count,
                             study->phrasing_count, study->temperature_count, study->lab_count};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        places *= counts[i] ? counts[i] : 1;
        if (places > RT_STUDY_PLACES_MAX)
            return false;
    }
    return true;
}

enum rt_status rt_study_add_planned(struct rt_study *study,
                                    const struct rt_study_condition *condition, uint32_t lab,
                                    uint64_t n)
{
    RT_ASSERT(!study->sealed);
    if (!condition_valid(study, condition) || lab >= study->lab_count)
        return RT_OUT_OF_RANGE;
    if (!study->planned) {
        if (!places_fit(study))
            return RT_TOO_LARGE;
        study->planned = rt_arena_array(study->arena, rt_study_places(study) * study->lab_count,
                                        sizeof *study->planned);
        if (!study->planned)
            return RT_NO_MEMORY;
        study->plan_known = true;
    }
    uint64_t *place = &study->planned[rt_study_place(study, condition) * study->lab_count + lab];
    return __builtin_add_overflow(*place, n, place) ? RT_OUT_OF_RANGE : RT_OK;
}

uint64_t rt_study_planned(const struct rt_study *study, const struct rt_study_condition *condition,
                          uint32_t lab)
{
    if (!study->planned)
        return 0;
    return study->planned[rt_study_place(study, condition) * study->lab_count + lab];
}

// ---- cells

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

// Canonical order: subject, arm, scenario, phrasing, temperature, lab, rater, fingerprint, status,
// outcome, severity.
static int by_labels(const void *left, const void *right)
{
    const struct rt_study_cell *a = left, *b = right;
    const uint32_t x[] = {a->condition.subject,
                          a->condition.arm,
                          a->condition.scenario,
                          a->condition.phrasing,
                          a->condition.temperature,
                          a->lab,
                          a->rater,
                          a->fingerprint,
                          a->status,
                          a->outcome,
                          a->severity};
    const uint32_t y[] = {b->condition.subject,
                          b->condition.arm,
                          b->condition.scenario,
                          b->condition.phrasing,
                          b->condition.temperature,
                          b->lab,
                          b->rater,
                          b->fingerprint,
                          b->status,
                          b->outcome,
                          b->severity};
    int order = 0;
    for (size_t i = 0; i < sizeof x / sizeof *x && !order; i++)
        order = compare_u32(x[i], y[i]);
    return order;
}

static uint64_t hash_cell(const struct rt_study_cell *cell)
{
    const uint32_t labels[] = {cell->condition.subject,
                               cell->condition.arm,
                               cell->condition.scenario,
                               cell->condition.phrasing,
                               cell->condition.temperature,
                               cell->lab,
                               cell->rater,
                               cell->fingerprint,
                               cell->status,
                               cell->outcome,
                               cell->severity};
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        hash = (hash ^ labels[i]) * 0x9e3779b97f4a7c15u, hash ^= hash >> 32;
    return hash;
}

static uint32_t *cell_slot(const struct rt_study *study, const struct rt_study_cell *cell)
{
    size_t mask = study->cell_index_size - 1;
    for (size_t at = hash_cell(cell) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &study->cell_index[at];
        if (!*slot || by_labels(&study->cells[*slot - 1], cell) == 0)
            return slot;
    }
}

static enum rt_status grow_cells(struct rt_study *study)
{
    if (study->cell_count < study->cell_room)
        return RT_OK;
    size_t room = study->cell_room ? study->cell_room * 2 : 256;
    struct rt_study_cell *cells = rt_arena_array(study->arena, room, sizeof *cells);
    uint32_t *index = rt_arena_array(study->arena, room * 2, sizeof *index);
    if (!cells || !index || room > UINT32_MAX / 2)
        return RT_NO_MEMORY;
    if (study->cell_count)
        memcpy(cells, study->cells, study->cell_count * sizeof *cells);
    study->cells = cells;
    study->cell_room = room;
    study->cell_index = index;
    study->cell_index_size = room * 2;
    for (size_t i = 0; i < study->cell_count; i++)
        *cell_slot(study, &cells[i]) = (uint32_t)i + 1;
    return RT_OK;
}

static bool cell_valid(const struct rt_study *study, const struct rt_study_cell *cell)
{
    return condition_valid(study, &cell->condition) && cell->lab < study->lab_count &&
           cell->rater < study->rater_count && cell->status < study->status_count &&
           (cell->fingerprint == RT_STUDY_NONE || cell->fingerprint < study->fingerprint_count) &&
           (cell->outcome == RT_STUDY_NONE || cell->outcome < study->outcome_count) &&
           cell->severity <= 4 && cell->repeated <= cell->count;
}

enum rt_status rt_study_add_cell(struct rt_study *study, const struct rt_study_cell *cell)
{
    RT_ASSERT(!study->sealed);
    if (!cell_valid(study, cell))
        return RT_OUT_OF_RANGE;
    if (!study->cell_count && !places_fit(study))
        return RT_TOO_LARGE;
    if (!cell->count)
        return RT_OK;
    enum rt_status status = grow_cells(study);
    if (status)
        return status;
    if (study->scores && cell->count > RT_STUDY_SCORES_MOST)
        return RT_OUT_OF_RANGE;
    uint32_t *slot = cell_slot(study, cell);
    if (!*slot) {
        study->cells[study->cell_count++] = *cell;
        *slot = (uint32_t)study->cell_count;
        return RT_OK;
    }
    struct rt_study_cell *mine = &study->cells[*slot - 1];
    uint64_t count;
    int64_t score;
    if (__builtin_add_overflow(mine->count, cell->count, &count) ||
        (study->scores && count > RT_STUDY_SCORES_MOST) ||
        __builtin_add_overflow(mine->score_sum_micro, cell->score_sum_micro, &score) ||
        !rt_study_add_squares(mine->score_squares, cell->score_squares))
        return RT_OUT_OF_RANGE;
    mine->count = count;
    mine->repeated += cell->repeated;
    mine->score_sum_micro = score;
    return RT_OK;
}

// ---- the plan

static bool hypothesis_valid(const struct rt_study *study,
                             const struct rt_study_hypothesis *hypothesis)
{
    bool difference = hypothesis->measure == RT_STUDY_RISK_DIFFERENCE;
    bool target = hypothesis->arm < study->arm_count;
    if (hypothesis->subject >= study->subject_count || !isfinite(hypothesis->threshold))
        return false;
    if (difference && (!target || hypothesis->reference >= study->arm_count ||
                       hypothesis->reference == hypothesis->arm))
        return false;
    if (!difference && !target && hypothesis->arm != RT_STUDY_NONE)
        return false;
    return (!hypothesis->has_margin || (isfinite(hypothesis->margin) && hypothesis->margin >= 0)) &&
           (!hypothesis->has_original ||
            (isfinite(hypothesis->original_estimate) && isfinite(hypothesis->original_se) &&
             hypothesis->original_se >= 0));
}

enum rt_status rt_study_set_plan(struct rt_study *study, const struct rt_study_plan *plan)
{
    RT_ASSERT(!study->sealed);
    struct rt_study_plan mine = *plan;
    double most = study->scores ? RT_STUDY_SCORE_MAX : 1; // rates end at 1
    if (!(plan->confidence >= 0.5 && plan->confidence < 1) ||
        plan->verdict_threshold_micro >= 1000000 ||
        (plan->has_sigma_pt && !(plan->sigma_pt > 0 && plan->sigma_pt <= most)) ||
        (plan->has_tau_at_most && !(plan->tau_at_most > 0 && plan->tau_at_most <= most)))
        return RT_OUT_OF_RANGE;
    struct rt_study_hypothesis *hypotheses =
        rt_arena_array(study->arena, plan->hypothesis_count + 1, sizeof *hypotheses);
    if (!hypotheses)
        return RT_NO_MEMORY;
    for (size_t i = 0; i < plan->hypothesis_count; i++) {
        hypotheses[i] = plan->hypotheses[i];
        if (!hypothesis_valid(study, &hypotheses[i]))
            return RT_OUT_OF_RANGE;
        const char *source = hypotheses[i].original_source;
        hypotheses[i].id = rt_arena_strdup(study->arena, plan->hypotheses[i].id);
        hypotheses[i].original_source = rt_arena_strdup(study->arena, source ? source : "");
        if (!hypotheses[i].id || !hypotheses[i].original_source)
            return RT_NO_MEMORY;
    }
    mine.hypotheses = hypotheses;
    mine.multiplicity =
        rt_arena_strdup(study->arena, plan->multiplicity ? plan->multiplicity : "holm");
    if (!mine.multiplicity)
        return RT_NO_MEMORY;
    study->plan = mine;
    return RT_OK;
}

// ---- the seal

static bool arms_valid(const struct rt_study *study)
{
    for (size_t i = 0; i < study->arm_count; i++) {
        const struct rt_study_arm *arm = &study->arms[i];
        if (arm->role == RT_STUDY_INERT && (arm->inert_of >= study->arm_count ||
                                            study->arms[arm->inert_of].role != RT_STUDY_TREATMENT))
            return false;
    }
    return true;
}

static bool phrasings_valid(const struct rt_study *study)
{
    for (size_t i = 0; i < study->phrasing_count; i++) {
        uint32_t twin = study->phrasings[i].same_as;
        if (twin != RT_STUDY_NONE && (twin >= study->phrasing_count || twin == i))
            return false;
    }
    return true;
}

enum rt_status rt_study_seal(struct rt_study *study)
{
    RT_ASSERT(!study->sealed);
    size_t primaries = 0;
    for (size_t i = 0; i < study->rater_count; i++)
        primaries += study->raters[i].primary;
    if (primaries != 1 || !arms_valid(study) || !phrasings_valid(study) || !study->subject_count ||
        !study->arm_count || !study->scenario_count || !study->phrasing_count ||
        !study->temperature_count || !study->lab_count || !study->status_count)
        return RT_MALFORMED;
    if (!places_fit(study))
        return RT_TOO_LARGE;
    if (study->cell_count)
        qsort(study->cells, study->cell_count, sizeof *study->cells, by_labels);
    study->cell_index = NULL;
    study->cell_index_size = 0;
    study->sealed = true;
    return RT_OK;
}

uint32_t rt_study_primary_rater(const struct rt_study *study)
{
    for (size_t i = 0; i < study->rater_count; i++)
        if (study->raters[i].primary)
            return (uint32_t)i;
    return RT_STUDY_NONE;
}

const char *rt_study_lab_state_text(enum rt_study_lab_state state)
{
    static const char *const texts[] = {"open", "completed", "withdrew", "no response", "declined"};
    RT_ASSERT((size_t)state < sizeof texts / sizeof *texts);
    return texts[state];
}

const char *rt_study_claim_text(enum rt_study_claim claim)
{
    static const char *const texts[] = {">", ">=", "<", "<=", "within"};
    RT_ASSERT((size_t)claim < sizeof texts / sizeof *texts);
    return texts[claim];
}
