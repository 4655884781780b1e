// SPDX-License-Identifier: Apache-2.0
// report-planted: what reports make of campaigns whose truth is known. Prints the table and exits
// with 1 where a target is missed.
// Usage: report-planted [CAMPAIGNS [SEED]]
#include <stdbool.h>
#include <stdlib.h>

#include "tests/sim/report/planted.h"

static bool clean_campaigns(const struct planted_design *design)
{
    struct planted_tally t;
    bool met = true;
    planted_run(design, &t);
    uint32_t n = t.campaigns;
    printf(
        "%u campaigns: %u labs spread by %g, %u scenarios (logit sd %g), %u phrasings (one twice), "
        "temperatures 0, 0.7, 1\n",
        n, design->labs, design->sigma_pt, design->scenarios, design->scenario_sd,
        design->phrasings);
    printf("%-58s %7s  %15s  %11s\n", "", "share", "95 % interval", "target");
    met &= planted_line(stdout, "prevalence: scenarios like these covers the population",
                        t.like_these, n, 92, 98);
    met &= planted_line(stdout, "prevalence: this bench covers the bench's own mean", t.this_bench,
                        n, 92, 98);
    met &= planted_line(stdout, "effect: scenarios like these covers it for these labs",
                        t.effect_like_these, n, 92, 98);
    // The lab spread is as large here as that of scenario means, and the interval holds the labs
    // fixed.
    planted_line(stdout, "effect: scenarios like these, labs like these", t.effect_labs_too, n, 0,
                 100);
    met &= planted_line(stdout, "effect: this bench covers the bench's own mean",
                        t.effect_this_bench, n, 92, 98);
    met &= planted_line(stdout, "prediction interval covers the next lab", t.next_lab, n, 90, 99);
    met &= planted_line(stdout, "tau's interval covers sigma_pt", t.tau, n, 92, 99);
    met &= planted_line(stdout, "all phrasing intervals at once cover their truths",
                        t.all_phrasings, n, 92, 100);
    met &= planted_line(stdout, "a phrasing that matters is called clear", t.some_phrasing, n, 90,
                        100);
    met &= planted_line(stdout, "the null pair is called clear", t.null_clear, n, 0, 5);
    met &= planted_line(stdout, "any lab flagged though none is odd", t.clean_flagged, n, 0, 5);
    double z = planted_null_z(&t);
    bool none = z > -3 && z < 3;
    printf(
        "null pair's variance beyond its noise floor: mean %.2e, %.1f standard errors from 0: %s "
        "(two phrasings that differ: %.2e)\n",
        t.null_variance / n, z, none ? "met" : "MISSED", t.real_variance / n);
    return met && none;
}

// The odd lab is shifted, and shifted besides its own share of the spread: the second is how labs
// are, and harder.
static bool odd_campaigns(struct planted_design design)
{
    struct planted_tally at, beyond;
    design.odd_shift = 5;
    planted_run(&design, &at);
    design.odd_spread_too = true;
    planted_run(&design, &beyond);
    uint32_t n = at.campaigns;
    printf("%u campaigns with one lab shifted by 5 sigma_pt\n", n);
    bool met = planted_line(stdout, "the odd lab is flagged", at.odd_flagged, n, 85, 100);
    met &= planted_line(stdout, "any clean lab is flagged", at.clean_flagged, n, 0, 5);
    met &= planted_line(stdout, "the odd lab, spread by sigma_pt besides", beyond.odd_flagged, n,
                        85, 100);
    met &= planted_line(stdout, "any clean lab is flagged then", beyond.clean_flagged, n, 0, 5);
    return met;
}

int main(int argc, char **argv)
{
    struct planted_design design = PLANTED_DESIGN;
    // Two hundred leave a share of 90 % uncertain by 4 points either way, a thousand by 2.
    design.campaigns = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    design.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (!design.campaigns) {
        fprintf(stderr, "usage: report-planted [CAMPAIGNS [SEED]]\n");
        return 2;
    }
    bool met = clean_campaigns(&design);
    met &= odd_campaigns(design);
    return met ? 0 : 1;
}
