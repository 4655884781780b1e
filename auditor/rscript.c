// SPDX-License-Identifier: Apache-2.0
// Our figures are taken from the JSON report, so that the script is about what was published.
#include "auditor/rscript.h"

#include "auditor/rscript_text.h"
#include "common/base/json.h"
#include "common/report/render.h"
#include "common/stats/contrast.h"

#define JSON_BYTES_MAX ((size_t)1 << 28)

// ---- R values

static void add_text(struct rt_buf *out, const char *text)
{
    rt_buf_add_u8(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            rt_buf_add_u8(out, '\\');
        rt_buf_add_u8(out, (uint8_t)*text);
    }
    rt_buf_add_u8(out, '"');
}

static void add_number(struct rt_buf *out, const json_t *number)
{
    char text[32];
    if (!json_is_number(number)) {
        rt_buf_add_str(out, "NA_real_");
        return;
    }
    rt_json_number(json_number_value(number), text);
    rt_buf_add_str(out, text);
}

static void add_real(struct rt_buf *out, struct rt_value value)
{
    json_t *number = rt_value_ok(value) ? json_real(value.number) : json_null();
    add_number(out, number);
    json_decref(number);
}

static void add_interval(struct rt_buf *out, const char *name, const json_t *interval)
{
    rt_buf_printf(out, ", %s = c(", name);
    add_number(out, json_array_get(interval, 0));
    rt_buf_add_str(out, ", ");
    add_number(out, json_array_get(interval, 1));
    rt_buf_add_str(out, ")");
}

static bool is_known(const json_t *row)
{
    return json_is_true(json_object_get(row, "known_answer"));
}

static bool is_repeat(const json_t *row)
{
    return json_is_string(json_object_get(row, "same_as"));
}

static bool is_treatment(const json_t *row)
{
    const char *role = json_string_value(json_object_get(row, "role"));
    return role && strcmp(role, "treatment") == 0;
}

static bool is_compared(const json_t *row)
{
    return json_is_true(json_object_get(row, "compared"));
}

// name <- c("a", "b"), of the rows' member for which wanted holds.
static void add_ids(struct rt_buf *out, const char *name, const json_t *rows, const char *member,
                    bool (*wanted)(const json_t *row))
{
    size_t index;
    json_t *row;
    const char *between = "";
    rt_buf_printf(out, "%s <- c(", name);
    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        const char *id = json_string_value(json_object_get(row, member));
        if (!id || !wanted(row))
            continue;
        rt_buf_add_str(out, between);
        add_text(out, id);
        between = ", ";
    }
    rt_buf_add_str(out, ")\n");
}

// ---- the head

static void add_settings(const struct rt_report *report, const json_t *root, const char *table,
                         struct rt_buf *out)
{
    const struct rt_study *study = report->study;
    const json_t *factors = json_object_get(root, "factors");
    const json_t *plan = json_object_get(root, "plan");
    const char *between = "";
    rt_buf_add_str(out, "# Computes the headline figures of a ringtrial report again and prints "
                        "them beside ringtrial's own.\n"
                        "# Usage: Rscript THIS.R [TABLE.csv]. Needs the packages metafor and "
                        "lme4.\n"
                        "suppressPackageStartupMessages({\n  library(metafor)\n  library(lme4)\n"
                        "})\narguments <- commandArgs(trailingOnly = TRUE)\n"
                        "file <- if (length(arguments)) arguments[1] else ");
    add_text(out, table);
    rt_buf_add_str(out, "\ntext <- c(\"subject\", \"arm\", \"scenario\", \"phrasing\", \"lab\", "
                        "\"rater\", \"status\")\n"
                        "table <- read.csv(file, na.strings = character(0),\n"
                        "                  colClasses = setNames(rep(\"character\", "
                        "length(text)), text))\n"
                        "tolerance <- 1e-6\nconfidence <- ");
    add_number(out, json_object_get(plan, "confidence"));
    rt_buf_add_str(out, "\nverdict_threshold <- ");
    add_number(out, json_object_get(plan, "verdict_threshold"));
    rt_buf_add_str(out, "\nmissing_status <- c(");
    for (size_t i = 0; i < study->status_count; i++) {
        enum rt_study_status_kind kind = study->statuses[i].kind;
        if (kind != RT_STUDY_WITHHELD && kind != RT_STUDY_FAILED)
            continue;
        rt_buf_add_str(out, between);
        add_text(out, study->statuses[i].label);
        between = ", ";
    }
    rt_buf_add_str(out, ")\n");
    add_ids(out, "known_answer", json_object_get(factors, "scenarios"), "id", is_known);
    add_ids(out, "repeats", json_object_get(factors, "phrasings"), "id", is_repeat);
    add_ids(out, "arms", json_object_get(factors, "arms"), "id", is_treatment);
    rt_buf_add_u8(out, '\n');
    rt_buf_add_str(out, rt_rscript_text);
}

// ---- the calls

static void add_estimate(struct rt_buf *out, const json_t *estimate)
{
    rt_buf_add_str(out, "list(mean = ");
    add_number(out, json_object_get(estimate, "mean"));
    rt_buf_add_str(out, ", se = ");
    add_number(out, json_object_get(estimate, "se"));
    rt_buf_add_str(out, ", tau = ");
    add_number(out, json_object_get(estimate, "tau"));
    add_interval(out, "this_bench", json_object_get(estimate, "this_bench"));
    add_interval(out, "next_lab", json_object_get(estimate, "next_lab"));
    add_interval(out, "tau_interval", json_object_get(estimate, "tau_interval"));
    add_interval(out, "like_these", json_object_get(estimate, "scenarios_like_these"));
    rt_buf_add_str(out, ")");
}

static void add_contrasts(const json_t *contrasts, struct rt_buf *out)
{
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)contrasts, index, row)
    {
        const char *target = json_string_value(json_object_get(row, "treatment"));
        const char *reference = json_string_value(json_object_get(row, "inert"));
        const json_t *difference = json_object_get(row, "difference");
        if (!target || !reference || json_is_number(json_object_get(row, "temperature")) ||
            !json_is_number(json_object_get(difference, "tau")))
            continue;
        rt_buf_add_str(out, "pooled(paste(");
        add_text(out, target);
        rt_buf_add_str(out, ", \"less\", ");
        add_text(out, reference);
        rt_buf_add_str(out, "), lab_effects(d, labs, ");
        add_text(out, target);
        rt_buf_add_str(out, ", ");
        add_text(out, reference);
        rt_buf_add_str(out, "),\n       ");
        add_estimate(out, difference);
        rt_buf_add_str(out, ", -1)\n");
    }
}

// Trials of a lab under one subject and the primary rater, as strata of highest against lowest
// temperature: one stratum for each treatment arm, scenario and phrasing.
static size_t strata_of(const struct rt_study *study, uint32_t subject, uint32_t lab,
                        struct rt_stratum *strata)
{
    size_t count = study->arm_count * study->scenario_count * study->phrasing_count;
    uint32_t high = (uint32_t)study->temperature_count - 1;
    memset(strata, 0, count * sizeof *strata);
    for (size_t i = 0; i < study->cell_count; i++) {
        const struct rt_study_cell *cell = &study->cells[i];
        const struct rt_study_condition *c = &cell->condition;
        enum rt_study_status_kind kind = study->statuses[cell->status].kind;
        if (c->subject != subject || cell->lab != lab ||
            cell->rater != rt_study_primary_rater(study) || kind == RT_STUDY_WITHHELD ||
            kind == RT_STUDY_FAILED || study->arms[c->arm].role != RT_STUDY_TREATMENT ||
            study->scenarios[c->scenario].known != RT_STUDY_UNKNOWN ||
            (c->temperature != 0 && c->temperature != high))
            continue;
        struct rt_stratum *stratum =
            &strata[(c->arm * study->scenario_count + c->scenario) * study->phrasing_count +
                    c->phrasing];
        struct rt_counts *side = c->temperature ? &stratum->target : &stratum->reference;
        side->n += cell->count;
        if (kind == RT_STUDY_COUNTED && cell->outcome != RT_STUDY_NONE &&
            study->outcomes[cell->outcome].behaviour)
            side->k += cell->count;
    }
    return count;
}

static enum rt_status add_mantel_haenszel(const struct rt_report *report,
                                          const struct rt_report_part *part, struct rt_buf *out)
{
    const struct rt_study *study = report->study;
    const char *between = "";
    struct rt_stratum *strata = rt_arena_array(
        report->arena, study->arm_count * study->scenario_count * study->phrasing_count,
        sizeof *strata);
    if (!strata)
        return RT_NO_MEMORY;
    if (study->temperature_count < 2)
        return RT_OK;
    rt_buf_add_str(out, "ours <- list(");
    for (uint32_t lab = 0; lab < part->lab_count; lab++) {
        struct rt_mantel_haenszel pooled;
        if (!part->labs[lab].compared)
            continue;
        rt_mantel_haenszel(strata, strata_of(study, part->subject, lab, strata), &pooled);
        if (!rt_value_ok(pooled.log_or) || !rt_value_ok(pooled.se))
            continue;
        rt_buf_add_str(out, between);
        add_text(out, study->labs[lab].id);
        rt_buf_add_str(out, " = c(");
        add_real(out, pooled.log_or);
        rt_buf_add_str(out, ", ");
        add_real(out, pooled.se);
        rt_buf_add_str(out, ")");
        between = ", ";
    }
    rt_buf_add_str(out, ")\nif (length(ours))\n  mantel_haenszel(d, names(ours), arms, ");
    add_real(out, rt_value((double)study->temperatures_micro[0] / 1e6));
    rt_buf_add_str(out, ", ");
    add_real(out, rt_value((double)study->temperatures_micro[study->temperature_count - 1] / 1e6));
    rt_buf_add_str(out, ", ours)\n");
    return RT_OK;
}

static void add_components(const json_t *rows, struct rt_buf *out)
{
    size_t index, effect_index;
    json_t *row, *effect;
    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        const char *arm = json_string_value(json_object_get(row, "arm"));
        const char *between = "";
        if (!arm || !json_is_number(json_object_get(row, "total")))
            continue;
        rt_buf_add_str(out, "components(d, labs, ");
        add_text(out, arm);
        rt_buf_add_str(out, ", ");
        add_number(out, json_object_get(row, "temperature"));
        rt_buf_add_str(out, ", list(");
        json_array_foreach(json_object_get(row, "components"), effect_index, effect)
        {
            const char *name = json_string_value(json_object_get(effect, "effect"));
            if (!name || !json_is_number(json_object_get(effect, "truncated")))
                continue;
            rt_buf_add_str(out, between);
            add_text(out, name);
            rt_buf_add_str(out, " = ");
            add_number(out, json_object_get(effect, "truncated"));
            between = ", ";
        }
        rt_buf_add_str(out, "))\n");
    }
}

static enum rt_status add_part(const struct rt_report *report, size_t number, const json_t *result,
                               struct rt_buf *out)
{
    const struct rt_report_part *part = &report->parts[number];
    const json_t *rate = json_object_get(result, "rate");
    const json_t *agreement = json_object_get(result, "agreement_on_verdicts");
    rt_buf_add_str(out, "\n# ---- ");
    rt_buf_add_str(out, report->study->subjects[part->subject].id);
    rt_buf_add_str(out, "\n");
    add_ids(out, "labs", json_object_get(result, "labs"), "lab", is_compared);
    rt_buf_add_str(out, "d <- cells_of(");
    add_text(out, report->study->subjects[part->subject].id);
    rt_buf_add_str(out, ", ");
    add_text(out, report->study->raters[part->rater].id);
    rt_buf_add_str(out, ", labs)\n");
    if (json_is_number(json_object_get(rate, "tau"))) {
        rt_buf_add_str(out, "pooled(\"prevalence\", lab_effects(d, labs, arms),\n       ");
        add_estimate(out, rate);
        rt_buf_add_str(out, ", 0)\n");
    }
    add_contrasts(json_object_get(result, "contrasts"), out);
    enum rt_status status = add_mantel_haenszel(report, part, out);
    if (json_is_number(json_object_get(agreement, "krippendorff_alpha"))) {
        rt_buf_add_str(out, "alpha(d, labs, arms, ");
        add_number(out, json_object_get(agreement, "krippendorff_alpha"));
        rt_buf_add_str(out, ")\n");
    }
    add_components(json_object_get(result, "variance_components"), out);
    return status;
}

enum rt_status rt_rscript(const struct rt_report *report, const char *table, struct rt_buf *out,
                          struct rt_error *err)
{
    struct rt_buf text;
    json_t *root = NULL;
    rt_buf_init(&text, JSON_BYTES_MAX);
    enum rt_status status = rt_report_json(report, &text);
    if (!status)
        status = rt_json_parse(rt_buf_bytes(&text), &root, err);
    if (!status) {
        const json_t *results = json_object_get(root, "results");
        add_settings(report, root, table, out);
        for (size_t i = 0; i < report->part_count && !status; i++)
            if (report->parts[i].primary)
                status = add_part(report, i, json_array_get(results, i), out);
        rt_buf_add_str(out, "\nfinish()\n");
    }
    if (!status)
        status = rt_buf_ok(out);
    json_decref(root);
    rt_buf_release(&text);
    return status ? rt_error_set(err, status, "the R script: %s", rt_status_text(status)) : RT_OK;
}
