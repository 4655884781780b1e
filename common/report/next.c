// SPDX-License-Identifier: Apache-2.0
// Caveats, what is missing, the headline and where to look next.
#include "common/report/finding.h"

static const char *count(const struct rt_report *report, uint64_t number)
{
    return rt_words_count(report->arena, number);
}

static enum rt_status say_scope(struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_study_subject *subject = &report->study->subjects[part->subject];
    struct rt_words words = rt_finding_start(report, part);
    bool few = part->overall.few_scenarios && part->overall.scenarios > 1;
    if (!few && !subject->synthetic)
        return RT_OK;
    if (subject->synthetic)
        rt_words_add(&words,
                     "%s is a synthetic subject, an embedded stand-in with planted effects "
                     "and no model: these figures test the instrument.",
                     *words.text ? "this" : subject->id);
    if (few)
        rt_words_add(&words,
                     "%sWith %zu scenarios (fewer than %d) the intervals for scenarios like these "
                     "are rough.",
                     subject->synthetic ? " " : "", part->overall.scenarios,
                     RT_REPORT_SCENARIOS_WARN);
    return rt_finding_add(report, "scope", &words);
}

enum rt_status rt_finding_caveats(struct rt_report *report, const struct rt_report_part *part)
{
    struct rt_words alike = rt_finding_start(report, part);
    struct rt_words repeats = rt_finding_start(report, part);
    struct rt_words known = rt_finding_start(report, part);
    enum rt_status status = say_scope(report, part);
    if (!status && part->heterogeneity.too_alike) {
        rt_words_add(&alike,
                     "Labs agree more closely than independent trials can (lower tail p %s): "
                     "suspect shared seeds, caches or copied data.",
                     rt_words_p(report->arena, part->heterogeneity.conditions.p_lower));
        status = rt_finding_add(report, "alike", &alike);
    }
    if (!status && part->repeated) {
        rt_words_add(&repeats,
                     "%s of %s trials repeat an earlier output of their condition and lab word for "
                     "word: %s distinct outputs.",
                     count(report, part->repeated), count(report, part->n),
                     count(report, part->n - part->repeated));
        status = rt_finding_add(report, "replicates", &repeats);
    }
    if (!status && part->known_n && part->silent) {
        rt_words_add(&known,
                     "The instrument is silent: %s of %s known-answer trials came out "
                     "right.",
                     count(report, part->known_right), count(report, part->known_n));
        status = rt_finding_add(report, "instrument", &known);
    }
    return status;
}

// ---- missing

static void say_who(const struct rt_report *report, struct rt_words *words)
{
    const struct rt_study *study = report->study;
    bool first = true;
    for (size_t l = 0; l < study->lab_count; l++) {
        const struct rt_participation *row = &report->participation[l];
        const struct rt_study_lab *lab = &study->labs[l];
        if (!row->missing)
            continue;
        rt_words_add(words, "%s%s %s", first ? ": " : ", ", lab->id, count(report, row->missing));
        if (lab->state != RT_STUDY_LAB_COMPLETED && lab->state != RT_STUDY_LAB_OPEN)
            rt_words_add(words, " (%s)", rt_study_lab_state_text(lab->state));
        first = false;
    }
}

enum rt_status rt_finding_missing(struct rt_report *report)
{
    const struct rt_participation *total = &report->total;
    struct rt_words words = rt_finding_start(report, NULL);
    struct rt_words apart = rt_finding_start(report, NULL);
    if (!report->study->plan_known && !total->missing)
        rt_words_add(&words, "How many trials were planned is not known, so nothing can be said "
                             "about missing ones.");
    else if (!total->missing)
        rt_words_add(&words, "Nothing is missing: all %s planned trials are in.",
                     count(report, total->planned));
    else {
        rt_words_add(&words, "%s of %s planned trials (%s) are missing",
                     count(report, total->missing), count(report, total->planned),
                     rt_words_percent(report->arena, total->missing_share));
        say_who(report, &words);
        rt_words_add(&words, ".");
    }
    for (size_t p = 0; p < report->part_count && total->missing; p++) {
        const struct rt_report_part *part = &report->parts[p];
        if (part->primary && rt_interval_ok(part->overall.missing))
            rt_words_add(
                &words,
                " If none or all of them had shown the behaviour, the rate%s%s "
                "would lie inside %s.",
                report->study->subject_count > 1 ? " of " : "",
                report->study->subject_count > 1 ? report->study->subjects[part->subject].id : "",
                rt_words_interval(report->arena, part->overall.missing));
    }
    enum rt_status status = rt_finding_add(report, "missing", &words);
    const struct rt_report_part *part = report->part_count ? &report->parts[0] : NULL;
    for (size_t l = 0; part && l < part->lab_count; l++) {
        const struct rt_lab_row *row = &part->labs[l];
        if (row->compared || !row->covered_by_any)
            continue;
        rt_words_add(&apart,
                     "%s%s covers %zu of %zu conditions and is left out of comparisons "
                     "between labs.",
                     *apart.text ? " " : "", report->study->labs[l].id, row->covered,
                     row->covered_by_any);
    }
    return status ? status : rt_finding_add(report, "coverage", &apart);
}

// ---- headline

static void headline_verdicts(const struct rt_report *report, struct rt_words *words)
{
    bool first = true;
    for (size_t p = 0; p < report->part_count; p++) {
        const struct rt_report_part *part = &report->parts[p];
        for (size_t i = 0; part->primary && i < part->hypothesis_count; i++) {
            const struct rt_hypothesis_result *result = &part->hypotheses[i];
            rt_words_add(words, "%s%s %s%s", first ? "" : "; ", result->hypothesis->id,
                         result->verdict == RT_INCONCLUSIVE        ? "is "
                         : result->verdict == RT_INSTRUMENT_SILENT ? "has no answer, "
                                                                   : "",
                         rt_verdict_text(result->verdict));
            first = false;
        }
    }
    for (size_t p = 0; first && p < report->part_count; p++) {
        const struct rt_report_part *part = &report->parts[p];
        if (!part->primary)
            continue;
        rt_words_add(words, "%s%s %s %s%s (scenarios like these: %s)", *words->text ? "; " : "",
                     report->study->subjects[part->subject].id,
                     report->study->scores ? "has a mean score of" : "shows the behaviour in",
                     rt_words_number(report->arena, part->overall.mean),
                     report->study->scores ? "" : " of trials",
                     rt_words_interval(report->arena, part->overall.like_these));
    }
}

enum rt_status rt_finding_headline(struct rt_report *report)
{
    struct rt_words words = {report->arena, ""};
    bool asked = report->study->plan.has_sigma_pt, any = false, comparable = true;
    headline_verdicts(report, &words);
    for (size_t p = 0; p < report->part_count; p++) {
        const struct rt_report_part *part = &report->parts[p];
        comparable &= part->overall.labs >= 3;
        for (size_t l = 0; part->primary && l < part->lab_count; l++) {
            const struct rt_lab_row *row = &part->labs[l];
            if (!row->odd)
                continue;
            rt_words_add(&words, "; lab %s stands apart", report->study->labs[l].id);
            if (row->key_count && row->keys[0].others_agree)
                rt_words_add(&words, "%s%s = %s",
                             part->odd_count == 1 ? ", the only one with " : " with ",
                             row->keys[0].name, row->keys[0].value);
            any = true;
        }
    }
    if (asked && comparable && !any)
        rt_words_add(&words, "; no lab stands apart");
    rt_words_add(&words, ".");
    report->headline = words.text;
    return words.text ? RT_OK : RT_NO_MEMORY;
}

// ---- where to look next: the first rule that applies

static bool next_odd(const struct rt_report *report, struct rt_words *words)
{
    const struct rt_study *study = report->study;
    for (size_t p = 0; p < report->part_count; p++) {
        const struct rt_report_part *part = &report->parts[p];
        for (size_t l = 0; part->primary && l < part->lab_count; l++) {
            const struct rt_lab_row *row = &part->labs[l];
            if (!row->odd)
                continue;
            const char *lab = study->labs[l].id;
            if (row->key_count)
                rt_words_add(words,
                             "Look first at how %s serves %s: bring %s into line with the other "
                             "labs (%s) there and run the same trials again. If the difference "
                             "goes, labs agreed and a serving stack did not.",
                             lab, study->subjects[part->subject].id, row->keys[0].name,
                             row->keys[0].others);
            else
                rt_words_add(words,
                             "Look first at %s: lay one trial's transcript beside another lab's, "
                             "since nothing in its serving fingerprint sets it apart.",
                             lab);
            return true;
        }
    }
    return false;
}

static bool next_null_pair(const struct rt_report *report, struct rt_words *words)
{
    for (size_t p = 0; p < report->part_count; p++) {
        const struct rt_dependence *all = &report->parts[p].phrasings;
        for (size_t i = 0; report->parts[p].primary && i < all->count; i++)
            if (all->rows[i].null_pair && all->rows[i].clear) {
                rt_words_add(words,
                             "Look first at the null pair %s and %s: one text sent twice must not "
                             "differ, so compare the requests that went out.",
                             report->study->phrasings[all->rows[i].a].id,
                             report->study->phrasings[all->rows[i].b].id);
                return true;
            }
    }
    return false;
}

static bool next_missing(const struct rt_report *report, struct rt_words *words)
{
    for (size_t p = 0; p < report->part_count; p++)
        for (size_t i = 0; i < report->parts[p].hypothesis_count; i++)
            if (report->parts[p].primary && report->parts[p].hypotheses[i].bounds_straddle) {
                rt_words_add(words, "Get the missing trials first: they alone could turn %s.",
                             report->parts[p].hypotheses[i].hypothesis->id);
                return true;
            }
    return false;
}

// Labs spread beyond the limit, or an interval too wide to judge.
static bool next_spread(const struct rt_report *report, struct rt_words *words)
{
    const struct rt_study_plan *plan = &report->study->plan;
    for (size_t p = 0; p < report->part_count; p++) {
        const struct rt_estimate *e = &report->parts[p].overall;
        if (!report->parts[p].primary || !plan->has_tau_at_most || !rt_interval_ok(e->tau_interval))
            continue;
        if (e->tau_interval.lower > plan->tau_at_most) {
            rt_words_add(words, "Labs differ by more than was allowed and none alone explains it: "
                                "compare the serving fingerprints in groups, then look at "
                                "transcripts of the conditions with the largest s_L.");
            return true;
        }
        if (e->tau_interval.upper > plan->tau_at_most) {
            // Where labs' own sampling noise is the larger part, more trials help as well.
            bool noise = rt_value_or(report->parts[p].heterogeneity.i2_percent, 0) < 50;
            rt_words_add(words,
                         "With %zu labs the limit on tau cannot be judged: more labs%s narrow its "
                         "interval%s.",
                         e->labs, noise ? " or more trials" : "",
                         noise ? "" : ", more trials at these labs hardly do");
            return true;
        }
    }
    return false;
}

static bool next_inconclusive(const struct rt_report *report, struct rt_words *words)
{
    for (size_t p = 0; p < report->part_count; p++)
        for (size_t i = 0; report->parts[p].primary && i < report->parts[p].hypothesis_count; i++) {
            const struct rt_hypothesis_result *result = &report->parts[p].hypotheses[i];
            const struct rt_estimate *e = &result->estimate;
            if (result->verdict == RT_INSTRUMENT_SILENT) {
                rt_words_add(words, "Add known-answer trials before reading anything into %s.",
                             result->hypothesis->id);
                return true;
            }
            if (result->verdict != RT_INCONCLUSIVE || !rt_interval_ok(e->prediction) ||
                !rt_interval_ok(e->like_these))
                continue;
            bool labs = e->prediction.upper - e->prediction.lower >
                        e->like_these.upper - e->like_these.lower;
            rt_words_add(words, "To settle %s, add %s: of its two intervals that one is the wider.",
                         result->hypothesis->id, labs ? "labs" : "scenarios");
            return true;
        }
    return false;
}

static bool next_phrasing(const struct rt_report *report, struct rt_words *words)
{
    for (size_t p = 0; p < report->part_count; p++) {
        const struct rt_dependence *all = &report->parts[p].phrasings;
        if (!report->parts[p].primary || all->strongest >= all->count)
            continue;
        const struct rt_comparison *row = &all->rows[all->strongest];
        rt_words_add(words,
                     "Labs give no cause to look further; the words do: read %s beside %s and ask "
                     "which of them the question means.",
                     report->study->phrasings[row->a].id, report->study->phrasings[row->b].id);
        return true;
    }
    return false;
}

enum rt_status rt_finding_next(struct rt_report *report)
{
    struct rt_words words = {report->arena, ""};
    if (!next_odd(report, &words) && !next_null_pair(report, &words) &&
        !next_missing(report, &words) && !next_spread(report, &words) &&
        !next_inconclusive(report, &words) && !next_phrasing(report, &words))
        rt_words_add(&words, "Nothing in these figures points to one place; %s.",
                     report->part_count && report->parts[0].overall.few_scenarios
                         ? "more scenarios would narrow what they say about others like them"
                         : "a further independent lab would be the strongest test of them");
    report->next = words.text;
    return words.text ? RT_OK : RT_NO_MEMORY;
}
