// SPDX-License-Identifier: Apache-2.0
// The words against the numbers: for many studies, and for models whose numbers are moved after the
// fact, every claim in a sentence is one that its figures allow, and every figure in it is theirs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/report/parts.h"
#include "common/report/words.h"
#include "tests/unit/report/sample.h"

struct made {
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
};

static const char *sentence(const struct rt_report *report, const char *topic)
{
    for (size_t i = 0; i < report->finding_count; i++)
        if (strcmp(report->finding[i].topic, topic) == 0)
            return report->finding[i].text;
    return "";
}

static bool says(const struct rt_report *report, const char *topic, const char *words)
{
    return strstr(sentence(report, topic), words) != NULL;
}

static void must(bool holds, const struct rt_report *report, const char *topic, const char *what)
{
    if (!holds)
        fail_msg("%s: \"%s\"", what, sentence(report, topic));
}

// ---- one rule after another

// Words that no figure here could carry.
static void nothing_is_overstated(const struct rt_report *report)
{
    static const char *const never[] = {"significant", "prove",    "no effect",     "definitely",
                                        " certain",    "confirms", "statistically", "nan",
                                        " inf",        "-0.000"};
    for (size_t w = 0; w < sizeof never / sizeof *never; w++) {
        assert_null(strstr(report->headline, never[w]));
        assert_null(strstr(report->next, never[w]));
        for (size_t i = 0; i < report->finding_count; i++)
            if (strstr(report->finding[i].text, never[w]))
                fail_msg("\"%s\" in: %s", never[w], report->finding[i].text);
    }
    for (size_t i = 0; i < report->finding_count && !report->study->plan.registered; i++) {
        const char *at = strstr(report->finding[i].text, "preregistered");
        if (at && !strstr(report->finding[i].text, "no hypothesis was preregistered") &&
            !strstr(report->finding[i].text, "Not preregistered"))
            fail_msg("nothing was: %s", report->finding[i].text);
    }
}

static void verdicts_hold(const struct rt_report *report, const struct rt_report_part *part)
{
    for (size_t i = 0, seen = 0; i < report->finding_count; i++) {
        const char *text = report->finding[i].text;
        if (strcmp(report->finding[i].topic, "verdict") != 0)
            continue;
        const struct rt_hypothesis_result *h = &part->hypotheses[seen++];
        char start[64];
        snprintf(start, sizeof start, "%s %s. ", h->hypothesis->id,
                 h->verdict == RT_REPLICATES     ? "replicates"
                 : h->verdict == RT_DOES_NOT     ? "does not replicate"
                 : h->verdict == RT_INCONCLUSIVE ? "is inconclusive"
                                                 : "has no answer: instrument silent");
        if (strncmp(text, start, strlen(start)) != 0)
            fail_msg("\"%s\" starts: %s", start, text);
        const char *like = rt_words_interval(report->arena, h->estimate.like_these);
        const char *next = rt_words_interval(report->arena, h->estimate.prediction);
        assert_non_null(strstr(text, rt_interval_ok(h->estimate.like_these)
                                         ? like
                                         : "no interval for scenarios like these"));
        assert_non_null(strstr(
            text, rt_interval_ok(h->estimate.prediction) ? next : "no interval for the next lab"));
        assert_null(strstr(text, ": -;"));
        assert_null(strstr(text, ": -)"));
        if (h->verdict == RT_REPLICATES && h->hypothesis->claim == RT_STUDY_ABOVE) {
            assert_true(h->estimate.like_these.lower > h->hypothesis->threshold);
            assert_true(h->estimate.prediction.lower > h->hypothesis->threshold);
        }
    }
}

static void agreement_holds(const struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_study_plan *plan = &report->study->plan;
    struct rt_interval tau = part->overall.tau_interval;
    bool limit = plan->has_tau_at_most && rt_interval_ok(tau);
    must(says(report, "agreement", ", within the") == (limit && tau.upper <= plan->tau_at_most),
         report, "agreement", "within");
    must(says(report, "agreement", ", above the") == (limit && tau.lower > plan->tau_at_most),
         report, "agreement", "above");
    must(says(report, "agreement", rt_words_number(report->arena, part->overall.tau)), report,
         "agreement", "tau");
}

static void sure_holds(const struct rt_report *report, const struct rt_report_part *part)
{
    const struct rt_estimate *e = &part->overall;
    bool both = rt_interval_ok(e->like_these) && rt_interval_ok(e->prediction);
    double like = e->like_these.upper - e->like_these.lower;
    double next = e->prediction.upper - e->prediction.lower;
    must(says(report, "sure", "between labs") == (both && next > like), report, "sure", "labs");
    must(says(report, "sure", "between scenarios") == (both && next <= like), report, "sure",
         "scenarios");
    must(says(report, "sure", "say little") == (both && e->labs < 5), report, "sure", "few labs");
}

static void dependence_holds(const struct rt_report *report, const struct rt_dependence *all,
                             const char *topic)
{
    char depends[64];
    snprintf(depends, sizeof depends, "rate depends on %s", topic);
    bool clear = false;
    for (size_t i = 0; i < all->count; i++) {
        const struct rt_comparison *row = &all->rows[i];
        bool apart = rt_interval_ok(row->interval) &&
                     (row->interval.lower > 0 || row->interval.upper < 0) &&
                     fabs(row->difference.number) > rt_value_or(all->noise_floor, 0);
        clear |= !row->null_pair && apart;
    }
    must(says(report, topic, depends) == clear, report, topic, "depends");
    must(!clear || !report->study->plan.registered || says(report, topic, "Exploratory"), report,
         topic, "exploratory");
    must(*sentence(report, topic) != 0, report, topic, "something is said");
}

static void labs_hold(const struct rt_report *report, const struct rt_report_part *part)
{
    size_t named = 0, odd = 0;
    for (size_t i = 0; i < report->finding_count; i++)
        named += strstr(report->finding[i].text, "differs from the other labs") != NULL;
    for (size_t l = 0; l < part->lab_count; l++) {
        char words[80];
        const struct rt_lab_row *row = &part->labs[l];
        snprintf(words, sizeof words, "%s stands apart", report->study->labs[l].id);
        assert_int_equal(strstr(report->headline, words) != NULL, row->odd);
        odd += row->odd;
        for (int k = 0; k < 2 && row->odd; k++)
            if (row->looks[k].odd) {
                assert_true(fabs(row->looks[k].z_prime.number) >= 3);
                assert_true(row->looks[k].p_holm.number <= 0.05);
            }
    }
    assert_int_equal(named, odd);
}

static void missing_holds(const struct rt_report *report)
{
    must(says(report, "missing", "Nothing is missing") ==
             (report->study->plan_known && !report->total.missing),
         report, "missing", "nothing");
    for (size_t l = 0; l < report->study->lab_count; l++) {
        char words[64];
        snprintf(words, sizeof words, "%s %s", report->study->labs[l].id,
                 rt_words_count(report->arena, report->participation[l].missing));
        must(says(report, "missing", words) == (report->participation[l].missing > 0), report,
             "missing", "whose");
    }
}

static void all_hold(const struct rt_report *report)
{
    const struct rt_report_part *part = &report->parts[0];
    nothing_is_overstated(report);
    verdicts_hold(report, part);
    agreement_holds(report, part);
    sure_holds(report, part);
    dependence_holds(report, &part->phrasings, "phrasing");
    dependence_holds(report, &part->temperatures, "temperature");
    labs_hold(report, part);
    missing_holds(report);
}

// ---- studies, and numbers moved

static void make(const struct sample *sample, struct made *ret)
{
    rt_arena_init(&ret->arena, (size_t)1 << 30);
    sample_make(sample, &ret->arena, &ret->study);
    SAMPLE_MUST(rt_report_make(&ret->arena, &ret->study, &ret->report));
}

static void again(struct rt_report *report)
{
    report->finding_count = 0;
    SAMPLE_MUST(rt_finding_make(report));
}

static double some(uint64_t *state, double low, double high)
{
    return low + (high - low) * sample_uniform(state);
}

// Numbers of an interval anywhere, in order.
static struct rt_interval somewhere(uint64_t *state, double low, double high)
{
    double a = some(state, low, high), b = some(state, low, high);
    return rt_interval(fmin(a, b), fmax(a, b));
}

// Shakes what sentences rest on, keeping each flag what its own rule makes of the new numbers.
static void shake(struct rt_report *report, uint64_t *state)
{
    struct rt_report_part *part = &report->parts[0];
    part->overall.tau_interval = somewhere(state, 0, 0.1);
    part->overall.tau = rt_value(some(state, 0, 0.1));
    part->overall.like_these = somewhere(state, 0, 1);
    part->overall.prediction = somewhere(state, 0, 1);
    part->overall.labs = 2 + (size_t)(sample_next(state) % 8);
    struct rt_dependence *both[] = {&part->phrasings, &part->temperatures};
    for (size_t d = 0; d < 2; d++) {
        struct rt_dependence *all = both[d];
        all->strongest = all->count;
        for (size_t i = 0; i < all->count; i++) {
            struct rt_comparison *row = &all->rows[i];
            row->interval = somewhere(state, -0.3, 0.3);
            row->difference = rt_value((row->interval.lower + row->interval.upper) / 2);
            row->clear = (row->interval.lower > 0 || row->interval.upper < 0) &&
                         fabs(row->difference.number) > rt_value_or(all->noise_floor, 0);
            if (row->clear && !row->null_pair && all->strongest == all->count)
                all->strongest = i;
        }
    }
    for (size_t l = 0; l < report->study->lab_count; l++) {
        struct rt_participation *row = &report->participation[l];
        report->total.missing -= row->missing;
        row->missing = sample_next(state) % 3 ? 0 : sample_next(state) % 5000;
        report->total.missing += row->missing;
    }
}

static void words_follow_numbers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct sample sample = SAMPLE;
        struct made made;
        uint64_t random = seed * 77 + 5;
        sample.seed = seed;
        sample.plan = seed % 3 != 0;
        sample.null_pair = seed % 2;
        sample.labs = 2 + (uint32_t)(seed % 5);
        sample.effect = 0.3 * (double)(seed % 6);
        sample.odd_lab = seed % 4 == 0 ? 1 : RT_STUDY_NONE;
        sample.withdrawn_lab = seed % 5 == 0 ? 0 : RT_STUDY_NONE;
        sample.phrasing_sd = 0.3 * (double)(seed % 3);
        make(&sample, &made);
        all_hold(&made.report);
        for (int turn = 0; turn < 40; turn++) {
            shake(&made.report, &random);
            again(&made.report);
            all_hold(&made.report);
        }
        rt_arena_release(&made.arena);
    }
}

// A verdict's first words follow the verdict, whatever it is turned into.
static void verdicts_are_not_softened(void **state)
{
    (void)state;
    struct sample sample = SAMPLE;
    struct made made;
    make(&sample, &made);
    for (int v = RT_REPLICATES; v <= RT_INSTRUMENT_SILENT; v++) {
        struct rt_hypothesis_result *h = &made.report.parts[0].hypotheses[0];
        h->verdict = (enum rt_verdict)v;
        h->estimate.like_these = h->estimate.prediction = rt_interval(0.1, 0.2);
        again(&made.report);
        verdicts_hold(&made.report, &made.report.parts[0]);
        assert_int_equal(strstr(made.report.headline, "H1 replicates") != NULL, v == RT_REPLICATES);
    }
    rt_arena_release(&made.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_follow_numbers),
        cmocka_unit_test(verdicts_are_not_softened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
