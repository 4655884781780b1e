// SPDX-License-Identifier: Apache-2.0
// Campaigns whose truth is known, put through rt_study and rt_report_make, and what the reports got
// right. Rates of a condition come from a logistic model of scenario, phrasing and temperature;
// labs are spread by sigma_pt on the probability scale in the treatment arm; at temperature 0 every
// lab has one outcome per condition, repeated. Deterministic in its seed. One thread.
#ifndef RT_TESTS_SIM_REPORT_PLANTED_H
#define RT_TESTS_SIM_REPORT_PLANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct planted_design {
    uint64_t seed;
    uint32_t campaigns;
    uint32_t labs, scenarios, phrasings, replicates; // the last phrasing repeats the first
    double scenario_sd, phrasing_sd;                 // logit
    double temperature_slope;                        // logit a degree
    double base, inert_base;                         // logit
    double sigma_pt;
    double odd_shift; // of one lab from where labs are spread around, in sigma_pt; 0: none is odd
    bool odd_spread_too; // the odd lab has its own share of the spread besides
};
#define PLANTED_DESIGN                                                                             \
    {                                                                                              \
        .seed = 1, .campaigns = 200, .labs = 8, .scenarios = 40, .phrasings = 5, .replicates = 20, \
        .scenario_sd = 1, .phrasing_sd = 0.3, .temperature_slope = 0.4, .base = -0.5,              \
        .inert_base = -2, .sigma_pt = 0.03                                                         \
    }

// In how many campaigns something held.
struct planted_tally {
    uint32_t campaigns;
    uint32_t like_these, this_bench;               // the prevalence's intervals cover their truth
    uint32_t effect_like_these, effect_this_bench; // the risk difference's, for these labs
    uint32_t effect_labs_too; // and for labs like these, which t on scenario means is not about
    uint32_t next_lab;        // the prediction interval covers a lab nobody saw
    uint32_t tau;             // its interval covers sigma_pt
    uint32_t all_phrasings;   // every phrasing comparison's interval covers its truth
    uint32_t some_phrasing;   // some real pair is called clear
    uint32_t null_clear;      // the null pair is
    uint32_t odd_flagged, clean_flagged;
    double null_variance, null_variance_squares; // of the null pair, noise removed, summed
    double real_variance;                        // of two phrasings that differ, summed
};

void planted_run(const struct planted_design *design, struct planted_tally *ret);

// One line of the table: the share, its 95 % Wilson interval and the target. True if it is met.
// 0 to 100 is no target.
bool planted_line(FILE *out, const char *what, uint32_t seen, uint32_t of, double least,
                  double most);
// The null pair's mean noise-corrected variance in standard errors from zero.
double planted_null_z(const struct planted_tally *tally);

#endif
