// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "common/stats/vectors/vector.h"

static const struct {
    const char *statistic;
    vector_runner *run;
} runners[] = {
    {"binomial_intervals", run_binomial_intervals},
    {"difference_of_proportions_newcombe", run_difference},
    {"iso5725_precision", run_iso5725},
    {"iso5725_critical_values", run_critical_values},
    {"binary_interlab", run_binary_interlab},
    {"mantel_haenszel_contrast", run_mantel_haenszel},
    {"temperature_trend", run_trend},
    {"agreement_ratings", run_agreement_ratings},
    {"random_effects_meta", run_meta},
    {"random_effects_meta_proportions", run_meta_proportions},
    {"p_adjust", run_p_adjust},
    {"iso13528_algorithm_a", run_algorithm_a},
    {"beta_binomial_confidence_sequence", run_confidence_sequence},
    {"lab_by_condition_reliability", run_reliability},
    {"study_pairwise_agreement", run_study_agreement},
    {"variance_components_henderson1", run_components},
    {"d_study", run_dstudy},
    {"ordinal_interlab", run_ordinal},
    {"prompt_temperature_sensitivity", run_sensitivity},
    {"replication_success", run_replication},
    {"philox4x64_10", run_philox},
    {"bootstrap_alpha", run_bootstrap_alpha},
    {"bootstrap_study_agreement", run_bootstrap_study},
    {"end_to_end_binary_study", run_study_binary},
    {"end_to_end_ordinal_study", run_study_ordinal},
    {"end_to_end_continuous_study", run_study_continuous},
};

vector_runner *vector_runner_of(const char *statistic)
{
    for (size_t i = 0; i < sizeof runners / sizeof *runners; i++)
        if (!strcmp(runners[i].statistic, statistic))
            return runners[i].run;
    return NULL;
}
