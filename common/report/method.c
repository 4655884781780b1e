// SPDX-License-Identifier: Apache-2.0
// How figures and words come about, printed with every report.
#include "common/report/finding.h"

static const struct rt_study_pair rules[] = {
    {"rate", "Share of trials that show the behaviour. Refusals and trials that were not exposed, "
             "truncated or badly formatted are in the denominator; errors, timeouts, withheld and "
             "unreturned trials are missing. Averages give each condition and each lab one vote, "
             "over conditions in which every compared lab has trials. A lab is compared if it "
             "covers at least 80 % of the conditions."},
    {"this bench", "Scenarios held fixed: random effects over labs (REML), the wider of the "
                   "Knapp-Hartung and the Wald interval. One lab alone: normal interval from its "
                   "sampling variance."},
    {"scenarios like these", "t interval on scenario means, scenarios - 1 degrees of freedom; "
                             "rough below 20 scenarios. This is the headline interval."},
    {"next lab", "Prediction interval of the random-effects model: where the rate of a further lab "
                 "on this bench is expected."},
    {"tau", "Between-lab standard deviation of design-standardised rates on the probability scale "
            "(REML), with its Q-profile interval. Sampling variances are Beta posterior variances; "
            "at temperature 0 the lab x condition mean square."},
    {"contrast", "Treatment - inert within scenario, phrasing, temperature and lab, averaged, then "
                 "random effects over labs."},
    {"verdict", "Replicates: the next-lab and the scenarios-like-these interval lie on the claimed "
                "side of the threshold. Does not replicate: both lie against it, or both inside "
                "+- margin where an effect was claimed. Otherwise, or where missing trials alone "
                "could turn it: inconclusive. A verdict that says nothing or little was seen reads "
                "instrument silent where known-answer trials were missed or, without such trials, "
                "no trial showed the behaviour."},
    {"missing", "Bounds: every planned trial that is missing counted as the behaviour, or none of "
                "them, over all labs."},
    {"odd lab", "z' of ISO 13528 against the preregistered sigma_pt around Algorithm A's robust "
                "mean of the other labs (of all, where there are three), on the rate and on the "
                "first treatment - inert effect. A lab is named at "
                "|z'| >= 3 if the p value that also allows for its sampling noise (or the lab x "
                "condition mean square, where that is larger) stays below "
                "1 - confidence after Holm's adjustment over all labs, looks and subjects."},
    {"fingerprint", "For a named lab: the keys of its serving fingerprint whose values no lab that "
                    "is not named has; canaries first, then keys on which all others agree."},
    {"s_r, s_L, s_R", "ISO 5725-2 on 0/1 results: square roots of the mean variances over "
                      "conditions, within labs, between labs, both together."},
    {"accordance, concordance", "Chance that two trials of one lab, or of two labs, agree; plain "
                                "means over conditions."},
    {"phrasing, temperature", "Pairs of levels compared within scenarios; t on scenario "
                              "differences, Bonferroni over pairs. Called clear where the interval "
                              "excludes zero and, for phrasings, the difference exceeds the null "
                              "pair's interval; temperatures have no null pair."},
    {"agreement on verdicts",
     "Each lab's verdict in each condition at the registered threshold; "
     "alpha, kappa and AC1 only where at least 10 % of verdicts are in the "
     "minority."},
    {"Mandel's h and k", "h on each lab's standardised rate, k on its within-lab variance pooled "
                         "over conditions; unadjusted, shown and not used to name labs."},
    {"variance components", "Henderson's method I on single 0/1 outcomes of compared labs, per "
                            "treatment arm and temperature; raw values may be negative and count "
                            "as zero in percentages and projections. Without the three-way "
                            "interaction where a cell is missing or one has more than twice the "
                            "trials of another."},
    {"sensitivity", "Rates of cells that differ in one factor alone, per block of all others; the "
                    "noise-corrected variance is the mean block variance less the mean of "
                    "p(1 - p)/(n - 1). Trend: Cochran-Armitage on trials pooled over cells that "
                    "were run at every temperature."},
    {"severity", "Shares, ORDANOVA, Kruskal-Wallis and X^2 over conditions in which every compared "
                 "lab has trials; agreement on each lab's lower median per condition, only where "
                 "at least 10 % of them are outside the commonest category."},
    {"repeated outputs", "Variance components, sensitivity and severity count identical outputs of "
                         "a cell once at temperature 0, where they are no independent trials. "
                         "Variance components and sensitivity leave out the second half of null "
                         "pairs, which is no phrasing of its own."},
    {"tests for odd labs",
     "Grubbs, Cochran's C, Mandel's h and k, Algorithm A's z and z' side by side, with Holm's and "
     "Benjamini and Hochberg's adjustment over all of them."},
    {"replication criteria",
     "DerSimonian-Laird pool over labs against the original: signs, intervals, Q, P_orig (Mathur "
     "and VanderWeele), sceptical p (Held). None of them decides the verdict."},
    {"stopping and equivalence",
     "Confidence sequence: Robbins mixture with a Beta(1, 1) prior; for a difference both arms' at "
     "half the error. Equivalence: two one-sided tests on scenario means at 1 - confidence each."},
    {"bootstrap",
     "Philox4x64-10 keyed by the first 8 bytes of the campaign's draw (0 without one) and one "
     "stream a scheme; whole scenarios for accordance, concordance and their odds ratio, "
     "conditions for alpha; percentile intervals by order statistics. A table without a plan gets "
     "1999 resamples."},
    {"odds ratios", "Mantel-Haenszel per lab over strata with everything else equal: highest "
                    "against lowest temperature, each phrasing against the first; then DL and REML "
                    "over labs with a finite ratio."},
    {"serving stacks",
     "Compared labs grouped by each fingerprint key on which they differ; Q split into between and "
     "within groups, one DerSimonian-Laird tau for all groups."},
    {"language", "Phrasings grouped by their language, averaged per scenario; t on scenario "
                 "differences, Bonferroni over pairs."},
    {"how sure",
     "The wider of two intervals says where the larger uncertainty lies: between labs (next lab) "
     "or between scenarios (scenarios like these). Below 5 labs, or 20 scenarios, a warning. "
     "Nothing is called significant; a difference is clear or not by its simultaneous interval."},
    {"exploratory",
     "Where a plan was registered only its hypotheses are confirmatory; everything else is "
     "exploratory and says so. Without a plan nothing is confirmatory, and limits are called "
     "given, not preregistered."},
    {"where to look next",
     "The first that applies: a named lab; a null pair that differs; missing "
     "trials that could turn a verdict; tau above or not within its limit; an "
     "inconclusive verdict's wider interval; the clearest phrasing pair."},
};

void rt_method_list(const struct rt_study_pair **ret_rows, size_t *ret_count)
{
    *ret_rows = rules;
    *ret_count = sizeof rules / sizeof *rules;
}
