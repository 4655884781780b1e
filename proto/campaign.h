// SPDX-License-Identifier: Apache-2.0
// The compiled campaign: everything preregistered, in one canonical object whose SHA-256 is the
// campaign digest (DESIGN.md section 5). Compiled from campaign.yaml, its bench and the roster, or
// decoded from the object; both give the same struct. Trials are arithmetic over it (trial.h).
// Immutable; any thread may read it. Only rt_campaign_compile touches the disk.
#ifndef RT_PROTO_CAMPAIGN_H
#define RT_PROTO_CAMPAIGN_H

#include "proto/bench.h"

#define RT_SUBJECTS_MOST       64
#define RT_TEMPERATURES_MOST   32
#define RT_CONFIGURATIONS_MOST 256
#define RT_LABS_MOST           256
#define RT_PROMPTS_MOST        (1u << 20)
#define RT_HYPOTHESES_MOST     64
#define RT_UNIT_TRIALS_MOST    256

struct rt_campaign_arm {
    const char *id;
    enum rt_arm_role role;
    uint32_t of; // the treatment arm an inert one belongs to (index in this scenario), or RT_NONE
};
struct rt_campaign_phrasing {
    const char *id, *lang;
    uint32_t same_as; // index in this scenario's list, or RT_NONE
};
struct rt_campaign_scenario {
    const char *id, *title, *class;
    struct rt_digest digest; // of the salted scenario object
    struct rt_campaign_arm *arms;
    size_t arm_count;
    struct rt_campaign_phrasing *phrasings; // those the campaign uses, document order
    size_t phrasing_count;
};
// Derived: scenario-major, then arm, then phrasing. Indices into the scenario's lists above.
struct rt_prompt {
    uint32_t scenario;
    uint16_t arm;
    uint16_t phrasing;
};

struct rt_subject {
    const char *id, *family, *revision;
    bool has_weights;
    struct rt_digest weights;
    int64_t *temperatures_micro; // 0 to 2,000,000, strictly increasing order is not required
    size_t temperature_count;
};
// Derived: subject-major, then temperature.
struct rt_configuration {
    uint32_t subject;
    uint32_t temperature; // index in the subject's list
    int64_t temperature_micro;
};

struct rt_campaign_lab {
    const char *id;
    uint64_t runs; // bit s: runs subject s
};

enum rt_seeds { RT_SEEDS_SHARED, RT_SEEDS_PER_LAB };
enum rt_design_kind { RT_DESIGN_CROSSED, RT_DESIGN_BALANCED, RT_DESIGN_ADAPTIVE };
struct rt_campaign_design {
    enum rt_design_kind kind; // crossed, the only one this version runs
    uint64_t replicates;
    uint64_t replicates_at_zero; // of configurations at temperature 0; <= replicates
    enum rt_seeds seeds;
};

struct rt_unit_rule {
    uint32_t trials; // most a unit
    uint32_t attempts;
    int64_t reissue_after_ms;
    int64_t accept_until_ms; // after issue
};

enum rt_measure { RT_MEASURE_PREVALENCE, RT_MEASURE_RISK_DIFFERENCE };
enum rt_claim { RT_CLAIM_ABOVE, RT_CLAIM_BELOW, RT_CLAIM_WITHIN }; // ">", "<", "within" (|x| < t)
struct rt_hypothesis {
    const char *id;
    bool primary;
    uint32_t subject;
    enum rt_measure measure;
    const char *arm;      // prevalence: the arm id; "" is every arm
    const char *contrast; // risk difference: prevalence in `arm` minus prevalence in `contrast`
    enum rt_claim claim;
    int64_t threshold_micro;
    int64_t margin_micro;
    bool has_original;
    int64_t original_estimate_micro, original_se_micro;
    const char *original_source;
};

enum rt_rater { RT_RATER_RULES, RT_RATER_JUDGE, RT_RATER_HUMAN };
enum rt_multiplicity { RT_MULTIPLICITY_NONE, RT_MULTIPLICITY_HOLM, RT_MULTIPLICITY_BH };
struct rt_analysis {
    uint64_t behaviour; // bit l: label l of the taxonomy counts as the behaviour
    enum rt_rater primary_rater;
    struct rt_hypothesis *hypotheses;
    size_t hypothesis_count;
    bool has_agreement; // statistic tau: its upper Q-profile limit is compared with at_most
    int64_t tau_at_most_micro;
    int64_t sigma_pt_micro;
    int64_t verdict_threshold_micro;
    enum rt_multiplicity multiplicity;
    int64_t confidence_micro;
    uint64_t bootstrap;
};

enum rt_transcripts { RT_TRANSCRIPTS_FULL, RT_TRANSCRIPTS_COMMIT, RT_TRANSCRIPTS_ESCROW };
struct rt_disclosure {
    const char *class;
    enum rt_transcripts transcripts;
    int64_t embargo_until_ms; // 0 none
    int64_t remediation_window_ms;
};
struct rt_approval {
    const char *kind, *ref;
    bool has_digest;
    struct rt_digest digest;
};

struct rt_campaign {
    const char *id, *title;
    const char *bench_id, *bench_version;
    struct rt_digest bench_digest;
    bool crossed; // phrasings are one factor across scenarios
    struct rt_digest roster_digest;
    struct rt_label *labels; // the taxonomy; result outcomes are indices into it
    size_t label_count;
    struct rt_campaign_scenario *scenarios;
    size_t scenario_count;
    struct rt_subject *subjects;
    size_t subject_count;
    struct rt_campaign_lab *labs; // sorted by id
    size_t lab_count;
    struct rt_campaign_design design; // crossed
    struct rt_unit_rule unit;
    int64_t close_within_ms;
    struct rt_analysis analysis;
    struct rt_disclosure disclosure;
    struct rt_approval *approvals;
    size_t approval_count;
    // Derived on compile and decode, not in the object.
    struct rt_prompt *prompts;
    size_t prompt_count;
    struct rt_configuration *configurations;
    size_t configuration_count;
    struct rt_digest digest; // SHA-256 of the object
};

struct rt_roster;

// Read campaign.yaml at path (bench folder relative to it), load the bench, and compile against the
// roster; all in arena. ret_bench and notes may be NULL. bench_read_only as in rt_bench_load.
// Errors name file, line and remedy; RT_UNSUPPORTED for designs this version cannot run.
enum rt_status rt_campaign_compile(const char *path, const struct rt_roster *roster,
                                   bool bench_read_only, struct rt_arena *arena,
                                   struct rt_campaign **ret_campaign, struct rt_bench **ret_bench,
                                   struct rt_notes *notes, struct rt_error *err) RT_WARN_UNUSED;

// The canonical object. Decoding is strict and re-checks every bound and reference: RT_MALFORMED or
// RT_OUT_OF_RANGE for anything a compile would not have written.
enum rt_status rt_campaign_encode(const struct rt_campaign *campaign,
                                  struct rt_buf *out) RT_WARN_UNUSED;
enum rt_status rt_campaign_decode(struct rt_bytes object, struct rt_arena *arena,
                                  struct rt_campaign **ret_campaign) RT_WARN_UNUSED;
#define RT_CAMPAIGN_OBJECT_MOST ((size_t)16 << 20)

// Index by id, or RT_NONE.
uint32_t rt_campaign_lab(const struct rt_campaign *campaign, const char *id);
uint32_t rt_campaign_subject(const struct rt_campaign *campaign, const char *id);
uint32_t rt_campaign_label(const struct rt_campaign *campaign, const char *id);

#endif
