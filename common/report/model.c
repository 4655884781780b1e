// SPDX-License-Identifier: Apache-2.0
// The order of work: every subject's figures, then what needs all of them (Holm), then what needs
// the flags (strata, verdicts without an odd lab), then the words.
#include "common/report/model.h"

#include "common/crypto/hash.h"
#include "common/report/parts.h"
#include "common/report/raters.h"
#include "common/report/render.h"

struct step {
    enum rt_status (*make)(const struct rt_slice *slice, struct rt_report_part *part);
};

static enum rt_status run(const struct step *steps, size_t count, const struct rt_slice *slice,
                          struct rt_report_part *part)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = steps[i].make(slice, part);
    return status;
}

static bool rated(const struct rt_study *study, uint32_t subject, uint32_t rater)
{
    for (size_t i = 0; i < study->cell_count; i++)
        if (study->cells[i].condition.subject == subject && study->cells[i].rater == rater)
            return true;
    return false;
}

// Subjects in order; under each the primary rater (even without cells), then others with cells.
static enum rt_status list_parts(struct rt_report *report, struct rt_slice *slices)
{
    const struct rt_study *study = report->study;
    uint32_t primary = rt_study_primary_rater(study);
    enum rt_status status = RT_OK;
    for (uint32_t subject = 0; subject < study->subject_count; subject++)
        for (uint32_t step = 0; step <= study->rater_count && !status; step++) {
            uint32_t rater = step ? step - 1 : primary;
            if (step && (rater == primary || !rated(study, subject, rater)))
                continue;
            struct rt_report_part *part = &report->parts[report->part_count];
            *part = (struct rt_report_part){
                .subject = subject, .rater = rater, .primary = rater == primary};
            status =
                rt_slice_make(report->arena, study, subject, rater, &slices[report->part_count++]);
        }
    return status;
}

// The cells' own name, so that two reports can be seen to rest on the same counts.
static enum rt_status digest_cells(struct rt_report *report)
{
    char text[RT_DIGEST_TEXT_BYTES];
    struct rt_digest digest;
    struct rt_buf tidy;
    rt_buf_init(&tidy, (size_t)1 << 32);
    enum rt_status status = rt_report_tidy(report->study, &tidy);
    rt_sha256(rt_buf_bytes(&tidy), &digest);
    rt_buf_release(&tidy);
    rt_digest_format(&digest, text);
    report->cells_digest = rt_arena_strdup(report->arena, text);
    return status || report->cells_digest ? status : RT_NO_MEMORY;
}

enum rt_status rt_report_make(struct rt_arena *arena, const struct rt_study *study,
                              struct rt_report *ret)
{
    static const struct step before[] = {
        {rt_margins_make},   {rt_contrasts_make},     {rt_labs_make},      {rt_dependence_make},
        {rt_agreement_make}, {rt_heterogeneity_make}, {rt_variance_make},  {rt_moves_make},
        {rt_severity_make},  {rt_odd_tests_make},     {rt_resampled_make}, {rt_reliability_make},
        {rt_odds_make},      {rt_stacks_make},        {rt_languages_make},  {rt_scenarios_make}};
    static const struct step after[] = {{rt_without_make}, {rt_hypotheses_make}};
    struct rt_report report = {.study = study, .arena = arena};
    size_t most = study->subject_count * study->rater_count;
    struct rt_slice *slices = rt_arena_array(arena, most, sizeof *slices);
    report.parts = rt_arena_array(arena, most, sizeof *report.parts);
    if (!slices || !report.parts)
        return RT_NO_MEMORY;
    enum rt_status status = list_parts(&report, slices);
    for (size_t i = 0; i < report.part_count && !status; i++)
        status = run(before, sizeof before / sizeof *before, &slices[i], &report.parts[i]);
    if (!status)
        status = rt_labs_flag(&report);
    if (!status)
        status = rt_strata_make(&report);
    for (size_t i = 0; i < report.part_count && !status; i++)
        status = run(after, sizeof after / sizeof *after, &slices[i], &report.parts[i]);
    if (!status)
        status = rt_participation_make(&report);
    if (!status)
        status = rt_missing_make(&report);
    if (!status)
        status = rt_raters_make(&report);
    if (!status)
        status = rt_deviations_make(&report);
    if (!status)
        status = rt_finding_make(&report);
    if (!status)
        status = digest_cells(&report);
    if (status)
        return status;
    *ret = report;
    return RT_OK;
}
