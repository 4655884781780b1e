// SPDX-License-Identifier: Apache-2.0
// The finding in words. Every sentence is one rule applied to one figure; none says more than the
// interval beside it. The rules are printed with the report (method.c).
#include <math.h>

#include "common/report/finding.h"

static const char *interval(const struct rt_report *report, struct rt_interval value)
{
    return rt_words_interval(report->arena, value);
}

static const char *number(const struct rt_report *report, struct rt_value value)
{
    return rt_words_number(report->arena, value);
}

enum rt_status rt_finding_add(struct rt_report *report, const char *topic,
                              const struct rt_words *words)
{
    if (!words->text)
        return RT_NO_MEMORY;
    if (!*words->text)
        return RT_OK;
    RT_ASSERT(report->finding_count < RT_FINDING_MOST(report));
    report->finding[report->finding_count++] = (struct rt_sentence){topic, words->text};
    return RT_OK;
}

struct rt_words rt_finding_start(const struct rt_report *report, const struct rt_report_part *part)
{
    struct rt_words words = {report->arena, ""};
    if (part && report->study->subject_count > 1)
        rt_words_add(&words, "%s: ", report->study->subjects[part->subject].id);
    return words;
}

// "next lab: 0.1 to 0.3", or that there is none: a sentence holds no dash for a missing figure.
static void add_interval(const struct rt_report *report, const char *about,
                         struct rt_interval interval, struct rt_words *words)
{
    if (rt_interval_ok(interval))
        rt_words_add(words, "%s: %s", about, rt_words_interval(report->arena, interval));
    else
        rt_words_add(words, "no interval for %s%s", strcmp(about, "next lab") == 0 ? "the " : "",
                     about);
}

static void add_intervals(const struct rt_report *report, const struct rt_estimate *e,
                          struct rt_words *words)
{
    rt_words_add(words, " (");
    add_interval(report, "scenarios like these", e->like_these, words);
    rt_words_add(words, "; ");
    add_interval(report, "next lab", e->prediction, words);
    rt_words_add(words, ")");
}

// ---- verdicts and rates

static void say_hypothesis(const struct rt_report *report,
                           const struct rt_hypothesis_result *result, struct rt_words *words)
{
    const struct rt_study *study = report->study;
    const struct rt_study_hypothesis *h = result->hypothesis;
    const struct rt_estimate *e = &result->estimate;
    rt_words_add(words, "%s %s. ", h->id,
                 result->verdict == RT_REPLICATES || result->verdict == RT_DOES_NOT
                     ? rt_verdict_text(result->verdict)
                 : result->verdict == RT_INCONCLUSIVE ? "is inconclusive"
                                                      : "has no answer: instrument silent");
    if (h->measure == RT_STUDY_RISK_DIFFERENCE)
        rt_words_add(words, "The behaviour's rate under %s minus its rate under %s is %s",
                     study->arms[h->arm].id, study->arms[h->reference].id, number(report, e->mean));
    else
        rt_words_add(
            words, "The rate of the behaviour%s%s is %s", h->arm == RT_STUDY_NONE ? "" : " under ",
            h->arm == RT_STUDY_NONE ? "" : study->arms[h->arm].id, number(report, e->mean));
    add_intervals(report, e, words);
    rt_words_add(words, " against the claim %s %.10g: %s.", rt_study_claim_text(h->claim),
                 h->threshold, result->because);
    if (result->bounds_straddle)
        rt_words_add(words, " With all missing trials none or all the behaviour it would be %s.",
                     interval(report, e->missing));
    if (h->has_original && rt_value_ok(result->original_difference))
        rt_words_add(words, " It differs from the original %.10g by %s.", h->original_estimate,
                     number(report, result->original_difference));
    if (result->without_lab != RT_STUDY_NONE)
        rt_words_add(words, " Without %s it would read: %s.", study->labs[result->without_lab].id,
                     rt_verdict_text(result->without_verdict));
}

static enum rt_status say_verdicts(struct rt_report *report, const struct rt_report_part *part)
{
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < part->hypothesis_count && !status; i++) {
        struct rt_words words = rt_finding_start(report, part);
        say_hypothesis(report, &part->hypotheses[i], &words);
        status = rt_finding_add(report, "verdict", &words);
    }
    if (status || part->hypothesis_count)
        return status;
    struct rt_words words = rt_finding_start(report, part);
    rt_words_add(&words, "%s %s%s (",
                 report->study->scores ? "The mean score is" : "The behaviour shows in",
                 number(report, part->overall.mean), report->study->scores ? "" : " of trials");
    add_interval(report, "this bench", part->overall.this_bench, &words);
    rt_words_add(&words, "; ");
    add_interval(report, "scenarios like these", part->overall.like_these, &words);
    rt_words_add(&words, "), averaged over conditions; no hypothesis was preregistered, so this is "
                         "a description.");
    return rt_finding_add(report, "rate", &words);
}

// Contrasts over all temperatures that no hypothesis speaks of.
static enum rt_status say_contrasts(struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_study *study = report->study;
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < part->contrasts.count && !status; i++) {
        const struct rt_contrast *c = &part->contrasts.rows[i];
        bool spoken = c->temperature != RT_STUDY_NONE;
        for (size_t j = 0; j < part->hypothesis_count; j++)
            spoken |= part->hypotheses[j].hypothesis->arm == c->arm &&
                      part->hypotheses[j].hypothesis->reference == c->reference;
        if (spoken || !rt_value_ok(c->effect.mean))
            continue;
        struct rt_words words = rt_finding_start(report, part);
        rt_words_add(&words, "Not preregistered: %s minus its inert arm %s is %s",
                     study->arms[c->arm].id, study->arms[c->reference].id,
                     number(report, c->effect.mean));
        add_intervals(report, &c->effect, &words);
        rt_words_add(&words, ".");
        status = rt_finding_add(report, "contrast", &words);
    }
    return status;
}

// ---- labs

static enum rt_status say_agreement(struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_study_plan *plan = &report->study->plan;
    const struct rt_estimate *e = &part->overall;
    const char *given = rt_words_registered(report->study);
    struct rt_words words = rt_finding_start(report, part);
    if (!rt_value_ok(e->tau)) {
        rt_words_add(&words, "Nothing can be said about agreement between labs: %s.",
                     rt_reason_text(e->tau.reason));
        return rt_finding_add(report, "agreement", &words);
    }
    rt_words_add(&words,
                 "Across %zu labs the %s varies with a between-lab standard deviation "
                 "tau = %s (%s interval %s)",
                 e->labs, rt_words_figure(report->study), number(report, e->tau),
                 rt_words_confidence(report->arena, plan->confidence),
                 interval(report, e->tau_interval));
    if (plan->has_tau_at_most && rt_interval_ok(e->tau_interval)) {
        if (e->tau_interval.upper <= plan->tau_at_most)
            rt_words_add(&words, ", within the %s limit of %.10g", given, plan->tau_at_most);
        else if (e->tau_interval.lower > plan->tau_at_most)
            rt_words_add(&words, ", above the %s limit of %.10g", given, plan->tau_at_most);
        else
            rt_words_add(&words, ", which is shown neither within nor above the %s limit of %.10g",
                         given, plan->tau_at_most);
    }
    if (rt_interval_ok(e->prediction))
        rt_words_add(&words, "; the next lab is expected inside %s.",
                     interval(report, e->prediction));
    else
        rt_words_add(&words, "; there is no interval for the next lab.");
    return rt_finding_add(report, "agreement", &words);
}

static void say_keys(const struct rt_report *report, const struct rt_report_part *part,
                     const struct rt_lab_row *row, struct rt_words *words)
{
    bool fingerprints = false;
    for (size_t f = 0; f < report->study->fingerprint_count; f++)
        fingerprints |= report->study->fingerprints[f].pair_count > 0;
    const char *who = part->odd_count == 1 ? "It is the only lab whose"
                                           : "Unlike every unflagged "
                                             "lab, its";
    size_t told = 0;
    for (size_t i = 0; i < row->key_count && told < 3; i++) {
        const struct rt_lab_key *key = &row->keys[i];
        // Once something telling is named, keys on which all labs differ anyway only distract.
        if (told && !key->others_agree)
            break;
        if (!told)
            rt_words_add(words, " %s serving fingerprint has ", who);
        rt_words_add(words, "%s%s = %s (%s: %s)", told ? "; " : "", key->name, key->value,
                     key->others_agree ? "all others" : "others", key->others);
        told++;
    }
    rt_words_add(words, told ? "."
                        : fingerprints
                            ? " Its serving fingerprint holds nothing that the other labs' "
                              "do not, so the cause is not in what was recorded."
                            : " No serving fingerprint says more than its digest, so the cause "
                              "is not in what was recorded.");
}

static enum rt_status say_odd_lab(struct rt_report *report, const struct rt_report_part *part,
                                  const struct rt_lab_row *row)
{
    const struct rt_study *study = report->study;
    const struct rt_study_lab *lab = &study->labs[row->lab];
    struct rt_words words = rt_finding_start(report, part);
    bool rate = row->looks[RT_LOOK_RATE].odd;
    const struct rt_lab_look *look = &row->looks[rate ? RT_LOOK_RATE : RT_LOOK_EFFECT];
    rt_words_add(&words,
                 "%s differs from the other labs: its %s is %s where their robust mean is %s "
                 "(z' = %.1f against sigma_pt %.10g, Holm-adjusted p %s%s).",
                 lab->id, rate ? rt_words_figure(study) : "treatment - inert effect",
                 number(report, look->value), number(report, look->reference), look->z_prime.number,
                 study->plan.sigma_pt, look->p_holm.number < 0.001 ? "" : "= ",
                 rt_words_p(report->arena, look->p_holm));
    say_keys(report, part, row, &words);
    for (size_t i = 0; i < part->without_count; i++)
        if (part->without[i].lab == row->lab && rt_value_ok(part->without[i].tau))
            rt_words_add(&words, " Without it tau is %s (%s) instead of %s.",
                         number(report, part->without[i].tau),
                         interval(report, part->without[i].tau_interval),
                         number(report, part->overall.tau));
    if (*lab->cause)
        rt_words_add(&words, " Recorded cause: %s.", lab->cause);
    return rt_finding_add(report, "lab", &words);
}

static enum rt_status say_no_odd_lab(struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_study_plan *plan = &report->study->plan;
    struct rt_words words = rt_finding_start(report, part);
    if (!plan->has_sigma_pt)
        rt_words_add(&words, "Whether a lab stands apart was not asked: no sigma_pt was %s.",
                     rt_words_registered(report->study));
    else if (part->overall.labs < 3)
        rt_words_add(&words, "Fewer than three comparable labs: nothing says which of them would "
                             "be the odd one.");
    else
        rt_words_add(&words,
                     "No lab stands apart: none of %zu reaches |z'| = %d against sigma_pt %.10g "
                     "with an adjusted p value below the error allowed.",
                     part->overall.labs, RT_REPORT_ODD_Z, plan->sigma_pt);
    return rt_finding_add(report, "lab", &words);
}

static enum rt_status say_labs(struct rt_report *report, const struct rt_report_part *part)
{
    enum rt_status status = RT_OK;
    if (!part->odd_count)
        return say_no_odd_lab(report, part);
    for (size_t l = 0; l < part->lab_count && !status; l++)
        if (part->labs[l].odd)
            status = say_odd_lab(report, part, &part->labs[l]);
    return status;
}

// ---- phrasing and temperature

static const char *level(const struct rt_report *report, bool phrasing, uint32_t index)
{
    if (phrasing)
        return report->study->phrasings[index].id;
    return rt_words_temperature(report->arena, report->study->temperatures_micro[index]);
}

static enum rt_status say_dependence(struct rt_report *report, const struct rt_report_part *part,
                                     bool phrasing)
{
    const struct rt_dependence *all = phrasing ? &part->phrasings : &part->temperatures;
    const char *topic = phrasing ? "phrasing" : "temperature";
    struct rt_words words = rt_finding_start(report, part);
    if (!all->pairs || !rt_interval_ok(all->rows[0].interval)) {
        rt_words_add(&words, "Nothing can be said about %s: %s.", topic,
                     !all->pairs ? "fewer than two levels were run in the same scenarios"
                                 : rt_reason_text(all->rows[0].interval.reason));
        return rt_finding_add(report, topic, &words);
    }
    bool clear = all->strongest < all->count, registered = report->study->plan.registered;
    const struct rt_comparison *row = &all->rows[clear ? all->strongest : 0];
    rt_words_add(&words, "%s",
                 clear        ? registered ? "Exploratory: the " : "The "
                 : registered ? "Exploratory: no difference of the "
                              : "No difference of the ");
    rt_words_add(&words,
                 clear ? "%s depends on %s: %s minus %s is %s"
                       : "%s by %s is clear; the largest, %s minus %s, is %s",
                 rt_words_figure(report->study), topic, level(report, phrasing, row->a),
                 level(report, phrasing, row->b), number(report, row->difference));
    rt_words_add(&words, " (simultaneous %s interval over scenarios %s)",
                 rt_words_confidence(report->arena, report->study->plan.confidence),
                 interval(report, row->interval));
    if (rt_value_ok(all->noise_floor))
        rt_words_add(&words, "; the same text twice stays within %s of itself",
                     number(report, all->noise_floor));
    rt_words_add(&words, ".");
    for (size_t i = 0; i < all->count; i++)
        if (all->rows[i].null_pair && all->rows[i].clear)
            rt_words_add(&words,
                         " But %s and %s are the same text and differ by %s (%s): something "
                         "besides the words varies with the phrasing.",
                         level(report, true, all->rows[i].a), level(report, true, all->rows[i].b),
                         number(report, all->rows[i].difference),
                         interval(report, all->rows[i].interval));
    return rt_finding_add(report, topic, &words);
}

// ---- how sure

// Which of the two uncertainties is the larger; neither is smaller for being left unsaid.
static enum rt_status say_sure(struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_estimate *e = &part->overall;
    struct rt_words words = rt_finding_start(report, part);
    if (!rt_interval_ok(e->like_these) || !rt_interval_ok(e->prediction)) {
        rt_words_add(&words, "How sure this is cannot be said in full: there is %s.",
                     rt_interval_ok(e->prediction) ? "no interval for scenarios like these"
                     : rt_interval_ok(e->like_these)
                         ? "no interval for the next lab"
                         : "neither an interval for scenarios like these nor for the next lab");
        return rt_finding_add(report, "sure", &words);
    }
    double like = e->like_these.upper - e->like_these.lower;
    double next = e->prediction.upper - e->prediction.lower;
    rt_words_add(&words,
                 "The larger uncertainty lies between %s: the interval for scenarios like these is "
                 "%s wide, that for the next lab %s.",
                 next > like ? "labs" : "scenarios", number(report, rt_value(like)),
                 number(report, rt_value(next)));
    if (e->labs < RT_REPORT_LABS_WARN)
        rt_words_add(&words,
                     " With %zu labs (fewer than %d) tau and the next lab's interval say little.",
                     e->labs, RT_REPORT_LABS_WARN);
    return rt_finding_add(report, "sure", &words);
}

// ---- all of it

static enum rt_status say_part(struct rt_report *report, const struct rt_report_part *part)
{
    enum rt_status status = say_verdicts(report, part);
    if (!status)
        status = say_contrasts(report, part);
    if (!status)
        status = say_sure(report, part);
    if (!status)
        status = say_agreement(report, part);
    if (!status)
        status = say_labs(report, part);
    if (!status)
        status = say_dependence(report, part, true);
    if (!status)
        status = say_dependence(report, part, false);
    return status;
}

enum rt_status rt_finding_make(struct rt_report *report)
{
    report->finding =
        rt_arena_array(report->arena, RT_FINDING_MOST(report), sizeof *report->finding);
    if (!report->finding)
        return RT_NO_MEMORY;
    enum rt_status status = RT_OK;
    for (size_t i = 0; i < report->part_count && !status; i++)
        if (report->parts[i].primary)
            status = say_part(report, &report->parts[i]);
    if (!status)
        status = rt_finding_missing(report);
    for (size_t i = 0; i < report->part_count && !status; i++)
        if (report->parts[i].primary)
            status = rt_finding_caveats(report, &report->parts[i]);
    if (!status)
        status = rt_finding_headline(report);
    if (!status)
        status = rt_finding_next(report);
    rt_method_list(&report->method.rows, &report->method.count);
    return status;
}
