// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/report/planted.h"

#include <math.h>
#include <stdlib.h>

#include "common/report/model.h"
#include "common/stats/interval.h"
#include "tests/property/stats/random.h"

#define TEMPERATURES 3
#define LABS_MAX     32
#define PHRASES_MAX  16
#define SCENES_MAX   256
#define GRID         61 // points of the normal distributions that truths are averaged over

static const int64_t temperatures_micro[TEMPERATURES] = {0, 700000, 1000000};

static void must(enum rt_status status)
{
    if (status == RT_OK)
        return;
    fprintf(stderr, "planted: %s\n", rt_status_text(status));
    exit(1);
}

static double normal(struct rng *rng)
{
    return sqrt(-2 * log(1 - rng_unit(rng))) * cos(6.283185307179586 * rng_unit(rng));
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

// ---- one campaign's truth

struct truth {
    const struct planted_design *design;
    double lab[LABS_MAX], scenario[SCENES_MAX], phrasing[PHRASES_MAX];
    uint32_t odd; // RT_STUDY_NONE: none
};

static void draw_truth(const struct planted_design *design, struct rng *rng, struct truth *ret)
{
    *ret = (struct truth){.design = design, .odd = RT_STUDY_NONE};
    for (uint32_t i = 0; i < design->labs; i++)
        ret->lab[i] = design->sigma_pt * normal(rng);
    for (uint32_t i = 0; i < design->scenarios; i++)
        ret->scenario[i] = design->scenario_sd * normal(rng);
    // The phrasings are the bench's own: the same in every campaign, spread evenly.
    for (uint32_t i = 0; i + 1 < design->phrasings; i++)
        ret->phrasing[i] =
            design->phrasing_sd * (2.0 * i / (double)(design->phrasings - 2) - 1) * 1.3;
    ret->phrasing[design->phrasings - 1] = ret->phrasing[0];
    if (design->odd_shift != 0) {
        ret->odd = (uint32_t)rng_below(rng, design->labs);
        ret->lab[ret->odd] = design->odd_shift * design->sigma_pt +
                             (design->odd_spread_too ? ret->lab[ret->odd] : 0);
    }
}

static double shifted(double rate, double lab)
{
    return fmin(1, fmax(0, rate + lab));
}

static double logit(const struct truth *truth, bool inert, double scenario, uint32_t phrasing,
                    uint32_t temperature)
{
    const struct planted_design *d = truth->design;
    return (inert ? d->inert_base : d->base) + scenario + truth->phrasing[phrasing] +
           d->temperature_slope * (double)temperatures_micro[temperature] / 1e6;
}

// Mean over a normal distribution by a fixed grid of its values.
static double over_normal(double sd, double (*at)(double value, const void *context),
                          const void *context)
{
    double sum = 0, weights = 0;
    for (int i = 0; i < GRID; i++) {
        double z = 10.0 * i / (GRID - 1) - 5;
        double weight = exp(-z * z / 2);
        sum += weight * at(sd * z, context);
        weights += weight;
    }
    return sum / weights;
}

static double rate_at_lab(double lab, const void *context)
{
    return shifted(*(const double *)context, lab);
}

struct margin {
    const struct truth *truth;
    bool effect;
    bool these_labs;   // averaged over the campaign's own labs, not over all that there could be
    uint32_t phrasing; // RT_STUDY_NONE: all
};

static double over_labs(double rate, const struct margin *margin)
{
    const struct truth *truth = margin->truth;
    double sum = 0;
    if (!margin->these_labs)
        return over_normal(truth->design->sigma_pt, rate_at_lab, &rate);
    for (uint32_t l = 0; l < truth->design->labs; l++)
        sum += shifted(rate, truth->lab[l]);
    return sum / truth->design->labs;
}

// The expected rate or effect of a scenario.
static double scenario_mean(double scenario, const void *context)
{
    const struct margin *margin = context;
    const struct planted_design *d = margin->truth->design;
    double sum = 0, count = 0;
    for (uint32_t p = 0; p < d->phrasings; p++)
        for (uint32_t t = 0; t < TEMPERATURES; t++) {
            if (margin->phrasing != RT_STUDY_NONE && margin->phrasing != p)
                continue;
            double rate = logistic(logit(margin->truth, false, scenario, p, t));
            sum += over_labs(rate, margin);
            if (margin->effect)
                sum -= logistic(logit(margin->truth, true, scenario, p, t));
            count++;
        }
    return sum / count;
}

static double population_mean(const struct margin *margin)
{
    return over_normal(margin->truth->design->scenario_sd, scenario_mean, margin);
}

static double bench_mean(const struct margin *margin)
{
    double sum = 0;
    for (uint32_t s = 0; s < margin->truth->design->scenarios; s++)
        sum += scenario_mean(margin->truth->scenario[s], margin);
    return sum / margin->truth->design->scenarios;
}

// ---- one campaign's trials

static void add_factors(const struct planted_design *design, struct rt_study *study)
{
    char id[32];
    must(rt_study_add_subject(study, &(struct rt_study_subject){.id = "model"}, NULL));
    must(rt_study_add_arm(study, &(struct rt_study_arm){.id = "self"}, NULL));
    must(rt_study_add_arm(
        study, &(struct rt_study_arm){.id = "other", .role = RT_STUDY_INERT, .inert_of = 0}, NULL));
    for (uint32_t i = 0; i < design->scenarios; i++) {
        snprintf(id, sizeof id, "scenario-%03u", i + 1);
        must(rt_study_add_scenario(study, &(struct rt_study_scenario){.id = id}, NULL));
    }
    for (uint32_t i = 0; i < design->phrasings; i++) {
        bool repeats = i + 1 == design->phrasings;
        snprintf(id, sizeof id, repeats ? "p1-again" : "p%u", i + 1);
        must(rt_study_add_phrasing(
            study, &(struct rt_study_phrasing){.id = id, .same_as = repeats ? 0 : RT_STUDY_NONE},
            NULL));
    }
    must(rt_study_set_temperatures(study, temperatures_micro, TEMPERATURES));
    for (uint32_t i = 0; i < design->labs; i++) {
        snprintf(id, sizeof id, "lab-%02u", i + 1);
        must(rt_study_add_lab(
            study, &(struct rt_study_lab){.id = id, .state = RT_STUDY_LAB_COMPLETED}, NULL));
    }
    must(rt_study_add_rater(study, "rules", true, NULL));
    must(rt_study_add_outcome(study, &(struct rt_study_outcome){"complied", 0, false}, NULL));
    must(rt_study_add_outcome(study, &(struct rt_study_outcome){"resisted", 3, true}, NULL));
    must(rt_study_add_status(study, &(struct rt_study_status){"ok", RT_STUDY_COUNTED}, NULL));
    must(rt_study_set_plan(study, &(struct rt_study_plan){.has_sigma_pt = true,
                                                          .sigma_pt = design->sigma_pt,
                                                          .verdict_threshold_micro = 500000,
                                                          .confidence = 0.95,
                                                          .multiplicity = "holm",
                                                          .registered = true}));
    study->repeats_known = true;
}

static void add_cell(const struct truth *truth, struct rng *rng, struct rt_study *study,
                     struct rt_study_cell cell)
{
    const struct rt_study_condition *c = &cell.condition;
    double rate = logistic(
        logit(truth, c->arm == 1, truth->scenario[c->scenario], c->phrasing, c->temperature));
    uint32_t n = truth->design->replicates, k = 0;
    bool fixed = temperatures_micro[c->temperature] == 0;
    if (c->arm == 0)
        rate = shifted(rate, truth->lab[cell.lab]);
    for (uint32_t i = 0; i < (fixed ? 1 : n); i++)
        k += rng_unit(rng) < rate;
    if (fixed)
        k *= n;
    for (cell.outcome = 0; cell.outcome < 2; cell.outcome++) {
        cell.count = cell.outcome ? k : n - k;
        cell.severity = cell.outcome ? 3 : 0;
        cell.repeated = fixed && cell.count ? cell.count - 1 : 0;
        if (cell.count)
            must(rt_study_add_cell(study, &cell));
    }
}

static void run_trials(const struct truth *truth, struct rng *rng, struct rt_study *study)
{
    const struct planted_design *d = truth->design;
    struct rt_study_cell cell = {.fingerprint = RT_STUDY_NONE};
    struct rt_study_condition *c = &cell.condition;
    for (c->arm = 0; c->arm < 2; c->arm++)
        for (c->scenario = 0; c->scenario < d->scenarios; c->scenario++)
            for (c->phrasing = 0; c->phrasing < d->phrasings; c->phrasing++)
                for (c->temperature = 0; c->temperature < TEMPERATURES; c->temperature++)
                    for (cell.lab = 0; cell.lab < d->labs; cell.lab++)
                        add_cell(truth, rng, study, cell);
}

// ---- what the report got right

static bool covers(struct rt_interval interval, double value)
{
    return rt_interval_ok(interval) && interval.lower <= value && value <= interval.upper;
}

static void tally_phrasings(const struct truth *truth, const struct rt_report_part *part,
                            struct planted_tally *tally)
{
    bool all = true, some = false;
    for (size_t i = 0; i < part->phrasings.count; i++) {
        const struct rt_comparison *row = &part->phrasings.rows[i];
        struct margin a = {.truth = truth, .phrasing = row->a};
        struct margin b = {.truth = truth, .phrasing = row->b};
        all &= covers(row->interval, population_mean(&a) - population_mean(&b));
        if (row->null_pair)
            tally->null_clear += row->clear;
        else
            some |= row->clear;
    }
    tally->all_phrasings += all;
    tally->some_phrasing += some;
}

static void tally_labs(const struct truth *truth, const struct rt_report_part *part,
                       struct planted_tally *tally)
{
    bool clean = false;
    for (uint32_t l = 0; l < part->lab_count; l++)
        if (l == truth->odd)
            tally->odd_flagged += part->labs[l].odd;
        else
            clean |= part->labs[l].odd;
    tally->clean_flagged += clean;
}

// Events of one lab in one condition above temperature 0, where replicates are trials of their own.
static struct rt_counts counts_of(const struct rt_study *study, struct rt_study_condition condition,
                                  uint32_t lab)
{
    struct rt_counts counts = {0, 0};
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        if (cell->lab != lab || memcmp(&cell->condition, &condition, sizeof condition) != 0)
            continue;
        counts.n += cell->count;
        counts.k += cell->outcome == 1 ? cell->count : 0;
    }
    return counts;
}

// Variance between two phrasings less what sampling alone gives, averaged over blocks (3.11). One
// scenario in each campaign would be enough for the mean over campaigns; one lab keeps blocks
// independent of one another.
static double pair_variance(const struct rt_study *study, uint32_t a, uint32_t b, uint32_t lab)
{
    double sum = 0, count = 0;
    for (uint32_t s = 0; s < study->scenario_count; s++) {
        struct rt_study_condition x = {0, 0, s, a, 2}, y = {0, 0, s, b, 2};
        struct rt_counts u = counts_of(study, x, lab), v = counts_of(study, y, lab);
        double p = (double)u.k / (double)u.n, q = (double)v.k / (double)v.n;
        double noise = p * (1 - p) / (double)(u.n - 1) + q * (1 - q) / (double)(v.n - 1);
        sum += (p - q) * (p - q) / 2 - noise / 2;
        count++;
    }
    return sum / count;
}

static void tally_campaign(const struct truth *truth, const struct rt_report *report,
                           double next_lab, struct planted_tally *tally)
{
    const struct rt_report_part *part = &report->parts[0];
    struct margin rate = {.truth = truth, .phrasing = RT_STUDY_NONE};
    struct margin effect = rate;
    effect.effect = true;
    double bench = bench_mean(&rate);
    tally->campaigns++;
    tally->like_these += covers(part->overall.like_these, population_mean(&rate));
    tally->this_bench += covers(part->overall.this_bench, bench);
    // Nearly every lab's own mean is the bench's mean and its shift.
    tally->next_lab += covers(part->overall.prediction, bench + next_lab);
    tally->tau += covers(part->overall.tau_interval, truth->design->sigma_pt);
    const struct rt_estimate *difference = &part->contrasts.rows[0].effect;
    tally->effect_labs_too += covers(difference->like_these, population_mean(&effect));
    tally->effect_this_bench += covers(difference->this_bench, bench_mean(&effect));
    effect.these_labs = true;
    tally->effect_like_these += covers(difference->like_these, population_mean(&effect));
    tally_phrasings(truth, part, tally);
    tally_labs(truth, part, tally);
    uint32_t again = truth->design->phrasings - 1;
    double variance = pair_variance(report->study, 0, again, 0);
    tally->null_variance += variance;
    tally->null_variance_squares += variance * variance;
    tally->real_variance += pair_variance(report->study, 0, again - 1, 0);
}

void planted_run(const struct planted_design *design, struct planted_tally *ret)
{
    struct rng rng = {design->seed};
    *ret = (struct planted_tally){0};
    for (uint32_t i = 0; i < design->campaigns; i++) {
        struct truth truth;
        struct rt_arena arena;
        struct rt_study study;
        struct rt_report report;
        rt_arena_init(&arena, (size_t)1 << 30);
        draw_truth(design, &rng, &truth);
        must(rt_study_init(&study, &arena, "planted", "Is what was planted found?"));
        add_factors(design, &study);
        run_trials(&truth, &rng, &study);
        must(rt_study_seal(&study));
        must(rt_report_make(&arena, &study, &report));
        tally_campaign(&truth, &report, design->sigma_pt * normal(&rng), ret);
        rt_arena_release(&arena);
    }
}

bool planted_line(FILE *out, const char *what, uint32_t seen, uint32_t of, double least,
                  double most)
{
    struct rt_interval wilson = rt_interval_wilson((struct rt_counts){of, seen}, 0.95);
    double share = 100.0 * seen / of;
    bool met = share >= least && share <= most;
    fprintf(out, "%-58s %5.1f %% [%5.1f, %5.1f]  %3.0f to %3.0f %%  %s\n", what, share,
            100 * wilson.lower, 100 * wilson.upper, least, most,
            !met                      ? "MISSED"
            : least > 0 || most < 100 ? "met"
                                      : "shown");
    return met;
}

double planted_null_z(const struct planted_tally *tally)
{
    double n = tally->campaigns, mean = tally->null_variance / n;
    double variance = tally->null_variance_squares / n - mean * mean;
    return mean / sqrt(variance / n);
}
