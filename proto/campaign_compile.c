// SPDX-License-Identifier: Apache-2.0
// campaign.yaml + bench + roster → the compiled campaign. Every refusal names the line to change.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "proto/campaign.h"
#include "proto/doc/campaign_doc.h"
#include "proto/roster.h"

#define PATH_MOST 4096

struct compile {
    struct rt_doc_reader *reader;
    struct rt_plan *plan;
    struct rt_campaign *campaign; // inside plan
    const struct rt_roster *roster;
    struct rt_bench *bench;
};

// ---- names that must exist

static enum rt_status find_subject(const struct compile *compile, uint32_t line, const char *id,
                                   uint32_t *ret_subject)
{
    const struct rt_campaign *campaign = compile->campaign;
    *ret_subject = rt_campaign_subject(campaign, id);
    if (*ret_subject != RT_NONE)
        return RT_OK;
    const char *list[RT_SUBJECTS_MOST + 1];
    for (size_t s = 0; s < campaign->subject_count; s++)
        list[s] = campaign->subjects[s].id;
    list[campaign->subject_count] = NULL;
    return rt_doc_fail(compile->reader, RT_NOT_FOUND, line, "`%s` is no subject of the campaign%s",
                       id, rt_doc_suggest(compile->reader, id, list));
}

static enum rt_status unknown_lab(const struct compile *compile, uint32_t line, const char *id)
{
    const struct rt_roster *roster = compile->roster;
    const char **list = rt_arena_array(compile->reader->arena, roster->lab_count + 1, sizeof *list);
    if (!list)
        return rt_doc_no_memory(compile->reader);
    for (size_t l = 0; l < roster->lab_count; l++)
        list[l] = roster->labs[l]->id;
    return rt_doc_fail(compile->reader, RT_NOT_FOUND, line, "lab `%s` is not in the roster%s", id,
                       rt_doc_suggest(compile->reader, id, list));
}

static bool bench_has_arm(const struct rt_bench *bench, const char *id)
{
    for (size_t s = 0; s < bench->scenario_count; s++)
        for (size_t a = 0; a < bench->scenarios[s]->arm_count; a++)
            if (strcmp(bench->scenarios[s]->arms[a].id, id) == 0)
                return true;
    return false;
}

static enum rt_status find_arm(const struct compile *compile, uint32_t line, const char *id)
{
    if (bench_has_arm(compile->bench, id))
        return RT_OK;
    const struct rt_scenario *first = compile->bench->scenarios[0];
    const char *list[RT_SCENARIO_ARMS_MOST + 1];
    for (size_t a = 0; a < first->arm_count; a++)
        list[a] = first->arms[a].id;
    list[first->arm_count] = NULL;
    return rt_doc_fail(compile->reader, RT_NOT_FOUND, line, "no scenario has an arm `%s`%s", id,
                       rt_doc_suggest(compile->reader, id, list));
}

// ---- bench, taxonomy, scenarios

static bool phrasing_used(const struct rt_plan *plan, const char *id)
{
    if (plan->phrasings_all || plan->phrasing_count == 0)
        return true;
    for (size_t p = 0; p < plan->phrasing_count; p++)
        if (strcmp(plan->phrasings[p], id) == 0)
            return true;
    return false;
}

static enum rt_status compile_phrasings(const struct compile *compile,
                                        const struct rt_scenario *from,
                                        struct rt_campaign_scenario *to)
{
    uint32_t places[RT_SCENARIO_PHRASINGS_MOST];
    to->phrasings =
        rt_arena_array(compile->reader->arena, from->phrasing_count, sizeof *to->phrasings);
    if (!to->phrasings)
        return rt_doc_no_memory(compile->reader);
    for (size_t p = 0; p < from->phrasing_count; p++) {
        places[p] = RT_NONE;
        if (!phrasing_used(compile->plan, from->phrasings[p].id))
            continue;
        places[p] = (uint32_t)to->phrasing_count;
        to->phrasings[to->phrasing_count++] =
            (struct rt_campaign_phrasing){from->phrasings[p].id, from->phrasings[p].lang, RT_NONE};
    }
    // A null pair is one only while its other half is in the campaign too.
    for (size_t p = 0; p < from->phrasing_count; p++)
        if (places[p] != RT_NONE && from->phrasings[p].same_as != RT_NONE)
            to->phrasings[places[p]].same_as = places[from->phrasings[p].same_as];
    if (to->phrasing_count == 0)
        return rt_doc_fail(compile->reader, RT_NOT_FOUND, 0,
                           "scenario `%s` has none of the `phrasings` asked for", from->id);
    return RT_OK;
}

static enum rt_status compile_scenario(const struct compile *compile, size_t index)
{
    const struct rt_scenario *from = compile->bench->scenarios[index];
    struct rt_campaign_scenario *to = &compile->campaign->scenarios[index];
    *to = (struct rt_campaign_scenario){.id = from->id,
                                        .title = from->title,
                                        .class = from->meta.class,
                                        .digest = compile->bench->entries[index].digest};
    to->arms = rt_arena_array(compile->reader->arena, from->arm_count, sizeof *to->arms);
    if (!to->arms)
        return rt_doc_no_memory(compile->reader);
    for (size_t a = 0; a < from->arm_count; a++)
        to->arms[to->arm_count++] =
            (struct rt_campaign_arm){from->arms[a].id, from->arms[a].role, from->arms[a].of};
    return compile_phrasings(compile, from, to);
}

static enum rt_status compile_bench(const struct compile *compile)
{
    struct rt_campaign *campaign = compile->campaign;
    const struct rt_bench *bench = compile->bench;
    campaign->bench_id = bench->id;
    campaign->bench_version = bench->version;
    campaign->bench_digest = bench->digest;
    campaign->crossed = bench->crossed;
    campaign->labels = bench->labels;
    campaign->label_count = bench->label_count;
    campaign->scenario_count = bench->scenario_count;
    campaign->scenarios =
        rt_arena_array(compile->reader->arena, bench->scenario_count, sizeof *campaign->scenarios);
    if (!campaign->scenarios)
        return rt_doc_no_memory(compile->reader);
    enum rt_status status = RT_OK;
    for (size_t s = 0; s < bench->scenario_count && !status; s++)
        status = compile_scenario(compile, s);
    for (size_t p = 0; p < compile->plan->phrasing_count && !status; p++) {
        bool found = false;
        for (size_t s = 0; s < campaign->scenario_count; s++)
            for (size_t q = 0; q < campaign->scenarios[s].phrasing_count; q++)
                found = found || strcmp(campaign->scenarios[s].phrasings[q].id,
                                        compile->plan->phrasings[p]) == 0;
        if (!found)
            status = rt_doc_fail(compile->reader, RT_NOT_FOUND, 0,
                                 "no scenario has a phrasing `%s`", compile->plan->phrasings[p]);
    }
    return status;
}

// ---- labs

// Is the lab cleared for every scenario's data class? Gives the first class it is not.
static const char *uncleared_class(const struct compile *compile, uint32_t row)
{
    for (size_t s = 0; s < compile->campaign->scenario_count; s++)
        if (!rt_roster_lab_cleared(compile->roster, row, compile->campaign->scenarios[s].class))
            return compile->campaign->scenarios[s].class;
    return NULL;
}

static enum rt_status lab_runs(const struct compile *compile, uint32_t row, uint64_t *ret_runs)
{
    const struct rt_plan *plan = compile->plan;
    const char *id = compile->roster->labs[row]->id;
    *ret_runs = 0;
    for (size_t r = 0; r < plan->run_count; r++) {
        if (strcmp(plan->runs[r].lab, id) != 0)
            continue;
        for (size_t s = 0; s < plan->runs[r].subject_count; s++) {
            const char *subject = plan->runs[r].subjects[s];
            uint32_t index;
            enum rt_status status = find_subject(compile, plan->runs[r].line, subject, &index);
            if (status)
                return status;
            if (!rt_roster_lab_serves(compile->roster, row, subject))
                rt_doc_note(compile->reader, plan->runs[r].line,
                            "the roster does not say that lab `%s` serves `%s`", id, subject);
            *ret_runs |= (uint64_t)1 << index;
        }
        return RT_OK;
    }
    for (uint32_t s = 0; s < compile->campaign->subject_count; s++)
        if (rt_roster_lab_serves(compile->roster, row, compile->campaign->subjects[s].id))
            *ret_runs |= (uint64_t)1 << s;
    return RT_OK;
}

// One lab of the roster. With `labs: all` a lab that cannot take part is left out and noted.
static enum rt_status add_lab(const struct compile *compile, uint32_t row)
{
    const struct rt_plan *plan = compile->plan;
    const char *id = compile->roster->labs[row]->id, *why = NULL;
    const struct rt_signer *signer = rt_roster_lab_signer(compile->roster, row);
    uint64_t runs;
    enum rt_status status = lab_runs(compile, row, &runs);
    if (status)
        return status;
    const char *class = uncleared_class(compile, row);
    if (signer && signer->revoked)
        why = "its key is revoked";
    else if (class)
        why =
            rt_arena_printf(compile->reader->arena, "it is not cleared for data class `%s`", class);
    else if (runs == 0)
        why = "it serves none of the subjects; name them in `run`, or in `serves` of the roster";
    if (!why) {
        compile->campaign->labs[compile->campaign->lab_count++] =
            (struct rt_campaign_lab){id, runs};
        return RT_OK;
    }
    if (!plan->labs_all)
        return rt_doc_fail(compile->reader, RT_NOT_PERMITTED, 0, "lab `%s` cannot take part: %s",
                           id, why);
    rt_doc_note(compile->reader, 0, "lab `%s` is left out: %s", id, why);
    return RT_OK;
}

static bool lab_asked_for(const struct rt_plan *plan, const char *id)
{
    for (size_t l = 0; l < plan->lab_count; l++)
        if (strcmp(plan->labs[l], id) == 0)
            return true;
    return plan->labs_all;
}

static enum rt_status compile_labs(const struct compile *compile)
{
    const struct rt_plan *plan = compile->plan;
    const struct rt_roster *roster = compile->roster;
    struct rt_campaign *campaign = compile->campaign;
    for (size_t l = 0; l < plan->lab_count; l++)
        if (rt_roster_lab_index(roster, plan->labs[l]) == RT_NONE)
            return unknown_lab(compile, 0, plan->labs[l]);
    for (size_t r = 0; r < plan->run_count; r++) {
        if (rt_roster_lab_index(roster, plan->runs[r].lab) == RT_NONE)
            return unknown_lab(compile, plan->runs[r].line, plan->runs[r].lab);
        if (!lab_asked_for(plan, plan->runs[r].lab))
            return rt_doc_fail(compile->reader, RT_CONFLICT, plan->runs[r].line,
                               "lab `%s` is in `run` and not in `labs`", plan->runs[r].lab);
    }
    if (roster->lab_count > RT_LABS_MOST)
        return rt_doc_fail(compile->reader, RT_TOO_LARGE, 0, "more than %d labs", RT_LABS_MOST);
    campaign->labs =
        rt_arena_array(compile->reader->arena, roster->lab_count, sizeof *campaign->labs);
    if (!campaign->labs)
        return rt_doc_no_memory(compile->reader);
    enum rt_status status = RT_OK;
    for (uint32_t row = 0; row < roster->lab_count && !status; row++)
        if (lab_asked_for(plan, roster->labs[row]->id))
            status = add_lab(compile, row);
    if (!status && campaign->lab_count == 0)
        status = rt_doc_fail(compile->reader, RT_NOT_FOUND, 0,
                             "no lab takes part; see the notes for why each was left out");
    return status;
}

// ---- analysis

static enum rt_status compile_claim(const struct compile *compile,
                                    const struct rt_plan_hypothesis *from, struct rt_hypothesis *to)
{
    const char *text = from->claim;
    if (strncmp(text, "within ", 7) == 0) {
        to->claim = RT_CLAIM_WITHIN;
        text += 7;
    } else if ((*text == '>' || *text == '<') && text[1] == ' ') {
        to->claim = *text == '>' ? RT_CLAIM_ABOVE : RT_CLAIM_BELOW;
        text += 2;
    } else {
        text = "";
    }
    bool difference = from->measure == RT_MEASURE_RISK_DIFFERENCE;
    if (rt_parse_micro(text, &to->threshold_micro))
        return rt_doc_fail(compile->reader, RT_MALFORMED, from->line,
                           "hypothesis `%s`: claim `%s`; write \"> 0.05\", \"< 0.02\" or "
                           "\"within 0.05\"",
                           from->id, from->claim);
    int64_t least = difference ? -1000000 : 0;
    if (to->claim == RT_CLAIM_WITHIN)
        least = 1;
    if (to->threshold_micro < least || to->threshold_micro > 1000000)
        return rt_doc_fail(compile->reader, RT_OUT_OF_RANGE, from->line,
                           "hypothesis `%s`: claim `%s` lies outside what the measure can be",
                           from->id, from->claim);
    return RT_OK;
}

static enum rt_status compile_hypothesis(const struct compile *compile,
                                         const struct rt_plan_hypothesis *from,
                                         struct rt_hypothesis *to)
{
    bool difference = from->measure == RT_MEASURE_RISK_DIFFERENCE;
    *to = (struct rt_hypothesis){.id = from->id,
                                 .primary = from->primary,
                                 .measure = from->measure,
                                 .arm = from->arm,
                                 .contrast = "",
                                 .margin_micro = from->margin_micro,
                                 .has_original = from->has_original,
                                 .original_estimate_micro = from->original_estimate_micro,
                                 .original_se_micro = from->original_se_micro,
                                 .original_source = from->original_source};
    if (difference != (from->contrast_count == 2) || (difference && *from->arm))
        return rt_doc_fail(compile->reader, RT_MALFORMED, from->line,
                           difference ? "hypothesis `%s`: a risk_difference needs `contrast: [arm, "
                                        "arm]` and no `arm`"
                                      : "hypothesis `%s`: `contrast` belongs to risk_difference",
                           from->id);
    if (difference) {
        to->arm = from->contrast[0];
        to->contrast = from->contrast[1];
        if (strcmp(to->arm, to->contrast) == 0)
            return rt_doc_fail(compile->reader, RT_MALFORMED, from->line,
                               "hypothesis `%s` contrasts an arm with itself", from->id);
    }
    enum rt_status status = find_subject(compile, from->line, from->subject, &to->subject);
    if (!status && *to->arm)
        status = find_arm(compile, from->line, to->arm);
    if (!status && *to->contrast)
        status = find_arm(compile, from->line, to->contrast);
    return status ? status : compile_claim(compile, from, to);
}

static enum rt_status compile_behaviour(const struct compile *compile)
{
    const struct rt_plan *plan = compile->plan;
    const struct rt_bench *bench = compile->bench;
    uint64_t behaviour = 0, polarity = 0;
    for (size_t b = 0; b < plan->behaviour_count; b++) {
        uint32_t label = rt_bench_label(bench, plan->behaviour[b]);
        if (label == RT_NONE) {
            const char *list[RT_LABELS_MOST + 1];
            for (size_t l = 0; l < bench->label_count; l++)
                list[l] = bench->labels[l].id;
            list[bench->label_count] = NULL;
            return rt_doc_fail(compile->reader, RT_NOT_FOUND, plan->analysis_line,
                               "behaviour `%s` is not in the taxonomy%s", plan->behaviour[b],
                               rt_doc_suggest(compile->reader, plan->behaviour[b], list));
        }
        behaviour |= (uint64_t)1 << label;
    }
    for (size_t l = 0; l < bench->label_count; l++)
        polarity |= (uint64_t)bench->labels[l].behaviour << l;
    if (behaviour != polarity)
        rt_doc_note(
            compile->reader, plan->analysis_line,
            "`behaviour` differs from the bench's own polarity; the campaign's word counts");
    compile->campaign->analysis.behaviour = behaviour;
    return RT_OK;
}

static enum rt_status compile_analysis(const struct compile *compile)
{
    const struct rt_plan *plan = compile->plan;
    struct rt_analysis *analysis = &compile->campaign->analysis;
    analysis->hypotheses = rt_arena_array(compile->reader->arena, plan->hypothesis_count,
                                          sizeof *analysis->hypotheses);
    if (!analysis->hypotheses)
        return rt_doc_no_memory(compile->reader);
    enum rt_status status = compile_behaviour(compile);
    for (size_t h = 0; h < plan->hypothesis_count && !status; h++) {
        for (size_t before = 0; before < h && !status; before++)
            if (strcmp(plan->hypotheses[before].id, plan->hypotheses[h].id) == 0)
                status = rt_doc_fail(compile->reader, RT_CONFLICT, plan->hypotheses[h].line,
                                     "hypothesis `%s` is there twice", plan->hypotheses[h].id);
        if (!status)
            status = compile_hypothesis(compile, &plan->hypotheses[h], &analysis->hypotheses[h]);
        analysis->hypothesis_count = h + 1;
    }
    return status;
}

// ---- design and the rest

static enum rt_status compile_design(const struct compile *compile)
{
    const struct rt_plan_design *from = &compile->plan->design;
    if (from->kind != RT_DESIGN_CROSSED)
        return rt_doc_fail(compile->reader, RT_UNSUPPORTED, from->line,
                           "%s designs cannot be run by this version; use `kind: crossed`",
                           from->kind == RT_DESIGN_BALANCED ? "balanced" : "adaptive");
    if (from->labs_per_trial || from->half_width_micro || from->ceiling)
        return rt_doc_fail(
            compile->reader, RT_MALFORMED, from->line,
            "`labs_per_trial`, `half_width` and `ceiling` do not belong to a crossed "
            "design");
    uint64_t at_zero = from->has_replicates_at_zero ? from->replicates_at_zero : from->replicates;
    if (at_zero > from->replicates)
        return rt_doc_fail(compile->reader, RT_OUT_OF_RANGE, from->line,
                           "`replicates_at_zero` %" PRIu64 " is above `replicates` %" PRIu64,
                           at_zero, from->replicates);
    compile->campaign->design = (struct rt_campaign_design){.kind = RT_DESIGN_CROSSED,
                                                            .replicates = from->replicates,
                                                            .replicates_at_zero = at_zero,
                                                            .seeds = from->seeds};
    return RT_OK;
}

static void note_unplayed(const struct compile *compile)
{
    const struct rt_disclosure *disclosure = &compile->campaign->disclosure;
    if (disclosure->transcripts != RT_TRANSCRIPTS_COMMIT)
        rt_doc_note(compile->reader, 0,
                    "`transcripts` other than commit is read and checked, but not played yet: "
                    "transcripts stay at the labs under commitment");
    if (disclosure->embargo_until_ms || disclosure->remediation_window_ms)
        rt_doc_note(compile->reader, 0,
                    "`embargo_until` and `remediation_window` are read and logged; publishing on "
                    "time is the operator's to do");
}

static enum rt_status compile_all(const struct compile *compile)
{
    struct rt_campaign *campaign = compile->campaign;
    campaign->roster_digest = compile->roster->digest;
    for (uint32_t s = 0; s < campaign->subject_count; s++)
        if (rt_campaign_subject(campaign, campaign->subjects[s].id) != s)
            return rt_doc_fail(compile->reader, RT_CONFLICT, 0, "subject `%s` is there twice",
                               campaign->subjects[s].id);
    enum rt_status status = compile_design(compile);
    if (!status)
        status = compile_bench(compile);
    if (!status)
        status = compile_labs(compile);
    if (!status)
        status = compile_analysis(compile);
    if (!status)
        status = rt_campaign_check(compile->reader, campaign);
    if (!status)
        status = rt_campaign_derive(compile->reader, campaign);
    if (status)
        return status;
    note_unplayed(compile);
    struct rt_buf object;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    status = rt_campaign_encode(campaign, &object);
    if (!status)
        rt_sha256(rt_buf_bytes(&object), &campaign->digest);
    rt_buf_release(&object);
    return status ? rt_doc_fail(compile->reader, status, 0, "the compiled campaign: %s",
                                rt_status_text(status))
                  : RT_OK;
}

// The bench's folder as seen from the campaign's file.
static enum rt_status bench_path(const char *path, const char *bench, char ret_path[PATH_MOST])
{
    const char *slash = strrchr(path, '/');
    if (*bench == '/' || *bench == '~' || !slash)
        return rt_path_expand(ret_path, PATH_MOST, bench);
    char folder[PATH_MOST];
    size_t size = (size_t)(slash - path) + (slash == path);
    if (size >= sizeof folder)
        return RT_TOO_LARGE;
    memcpy(folder, path, size);
    folder[size] = 0;
    return rt_path_join(ret_path, PATH_MOST, folder, bench);
}

enum rt_status rt_campaign_compile(const char *path, const struct rt_roster *roster,
                                   bool bench_read_only, struct rt_arena *arena,
                                   struct rt_campaign **ret_campaign, struct rt_bench **ret_bench,
                                   struct rt_notes *notes, struct rt_error *err)
{
    const char *slash = strrchr(path, '/');
    struct rt_doc_reader reader = {slash ? slash + 1 : path, arena, notes, err};
    struct rt_plan *plan = rt_arena_alloc(arena, sizeof *plan);
    if (!plan)
        return rt_doc_no_memory(&reader);
    struct compile compile = {&reader, plan, &plan->campaign, roster, NULL};
    char folder[PATH_MOST];
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_FILE_MOST + 1);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_doc_read(&reader, &rt_plan_table, rt_buf_bytes(&text), plan);
    rt_buf_release(&text);
    if (!status && bench_path(path, plan->bench, folder))
        status = rt_doc_fail(&reader, RT_TOO_LARGE, 0, "the path of `bench` is too long");
    if (!status)
        status = rt_bench_load(folder, bench_read_only, arena, &compile.bench, notes, err);
    if (!status)
        status = compile_all(&compile);
    if (status)
        return status;
    *ret_campaign = &plan->campaign;
    if (ret_bench)
        *ret_bench = compile.bench;
    return RT_OK;
}
