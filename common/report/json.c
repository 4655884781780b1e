// SPDX-License-Identifier: Apache-2.0
// The whole report as one canonical JSON object.
#include "common/report/out.h"
#include "common/report/raters.h"
#include "common/report/render.h"

// ---- the study's own

static json_t *participation_row(struct rt_out *b, const struct rt_participation *row)
{
    const struct rt_study *study = b->report->study;
    json_t *to = rt_out_object(b);
    rt_out_put_count(b, to, "planned", row->planned);
    rt_out_put_count(b, to, "received", row->received);
    rt_out_put_count(b, to, "counted", row->counted);
    rt_out_put_count(b, to, "model_failures", row->silent);
    rt_out_put_count(b, to, "withheld", row->withheld);
    rt_out_put_count(b, to, "instrument_failures", row->failed);
    rt_out_put_count(b, to, "not_returned", row->not_returned);
    rt_out_put_count(b, to, "missing", row->missing);
    rt_out_put_value(b, to, "missing_share", row->missing_share);
    if (row->lab == RT_STUDY_NONE)
        return to;
    const struct rt_study_lab *lab = &study->labs[row->lab];
    rt_out_put_text(b, to, "lab", lab->id);
    rt_out_put_text(b, to, "organisation", lab->organisation);
    rt_out_put_text(b, to, "state", rt_study_lab_state_text(lab->state));
    rt_out_put_bool(b, to, "joined_late", lab->late);
    rt_out_put_bool(b, to, "quarantined", lab->quarantined);
    rt_out_put_text(b, to, "note", lab->note);
    rt_out_put_text(b, to, "cause", lab->cause);
    rt_out_put_count(b, to, "late", lab->counters.late);
    rt_out_put_count(b, to, "invalid", lab->counters.invalid);
    rt_out_put_count(b, to, "duplicate", lab->counters.duplicate);
    rt_out_put_count(b, to, "retried", lab->counters.retried);
    return to;
}

static json_t *participation(struct rt_out *b)
{
    const struct rt_report *report = b->report;
    json_t *to = rt_out_object(b), *rows = rt_out_array(b);
    for (size_t l = 0; l < report->study->lab_count; l++)
        rt_out_append(b, rows, participation_row(b, &report->participation[l]));
    rt_out_put(b, to, "labs", rows);
    rt_out_put(b, to, "total", participation_row(b, &report->total));
    rt_out_put_bool(b, to, "plan_known", report->study->plan_known);
    rt_out_put_value(b, to, "missing_homogeneity_p", report->missing_homogeneity.p_upper);
    return to;
}

static json_t *plan(struct rt_out *b)
{
    const struct rt_study_plan *it = &b->report->study->plan;
    json_t *to = rt_out_object(b);
    rt_out_put_bool(b, to, "registered", it->registered);
    rt_out_put_real(b, to, "confidence", it->confidence);
    rt_out_put_real(b, to, "verdict_threshold", (double)it->verdict_threshold_micro / 1000000);
    rt_out_put_text(b, to, "multiplicity", it->multiplicity);
    rt_out_put_count(b, to, "bootstrap", it->bootstrap);
    rt_out_put(b, to, "tau_at_most",
               it->has_tau_at_most ? json_real(it->tau_at_most) : json_null());
    rt_out_put(b, to, "sigma_pt", it->has_sigma_pt ? json_real(it->sigma_pt) : json_null());
    rt_out_put_plan(b, to);
    return to;
}

static json_t *pairs_object(struct rt_out *b, const struct rt_study_pair *pairs, size_t count)
{
    json_t *to = rt_out_object(b);
    for (size_t i = 0; i < count; i++)
        rt_out_put_text(b, to, pairs[i].name, pairs[i].value);
    return to;
}

static json_t *factors(struct rt_out *b)
{
    const struct rt_study *study = b->report->study;
    json_t *to = rt_out_object(b), *subjects = rt_out_array(b), *arms = rt_out_array(b),
           *scenarios = rt_out_array(b);
    json_t *phrasings = rt_out_array(b), *temperatures = rt_out_array(b),
           *outcomes = rt_out_array(b);
    for (size_t i = 0; i < study->subject_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "id", study->subjects[i].id);
        rt_out_put_text(b, row, "family", study->subjects[i].family);
        rt_out_put_text(b, row, "revision", study->subjects[i].revision);
        rt_out_put_text(b, row, "weights", study->subjects[i].weights);
        rt_out_put_bool(b, row, "synthetic", study->subjects[i].synthetic);
        rt_out_append(b, subjects, row);
    }
    for (size_t i = 0; i < study->arm_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "id", study->arms[i].id);
        rt_out_put_text(b, row, "role",
                        study->arms[i].role == RT_STUDY_TREATMENT ? "treatment" : "inert");
        rt_out_put_id(b, row, "of", rt_out_arm_id(b, study->arms[i].inert_of));
        rt_out_append(b, arms, row);
    }
    for (size_t i = 0; i < study->scenario_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "id", study->scenarios[i].id);
        rt_out_put_text(b, row, "title", study->scenarios[i].title);
        rt_out_put_bool(b, row, "known_answer", study->scenarios[i].known != RT_STUDY_UNKNOWN);
        rt_out_append(b, scenarios, row);
    }
    for (size_t i = 0; i < study->phrasing_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "id", study->phrasings[i].id);
        rt_out_put_text(b, row, "language", study->phrasings[i].language);
        rt_out_put_id(b, row, "same_as", rt_out_phrasing_id(b, study->phrasings[i].same_as));
        rt_out_append(b, phrasings, row);
    }
    for (size_t i = 0; i < study->temperature_count; i++)
        rt_out_append(b, temperatures, json_real((double)study->temperatures_micro[i] / 1000000));
    for (size_t i = 0; i < study->outcome_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "label", study->outcomes[i].label);
        rt_out_put_count(b, row, "severity", study->outcomes[i].severity);
        rt_out_put_bool(b, row, "behaviour", study->outcomes[i].behaviour);
        rt_out_append(b, outcomes, row);
    }
    rt_out_put(b, to, "subjects", subjects);
    rt_out_put(b, to, "arms", arms);
    rt_out_put(b, to, "scenarios", scenarios);
    rt_out_put(b, to, "phrasings", phrasings);
    rt_out_put_bool(b, to, "phrasings_nested", study->phrasings_nested);
    rt_out_put(b, to, "temperatures", temperatures);
    rt_out_put(b, to, "outcomes", outcomes);
    return to;
}

static json_t *fingerprints(struct rt_out *b)
{
    const struct rt_study *study = b->report->study;
    json_t *rows = rt_out_array(b);
    for (size_t i = 0; i < study->fingerprint_count; i++) {
        const struct rt_study_fingerprint *f = &study->fingerprints[i];
        json_t *row = rt_out_object(b), *used = rt_out_array(b);
        rt_out_put_text(b, row, "digest", f->digest);
        rt_out_put(b, row, "keys", pairs_object(b, f->pairs, f->pair_count));
        for (uint32_t l = 0; l < study->lab_count; l++) {
            bool uses = false;
            for (size_t c = 0; c < study->cell_count && !uses; c++)
                uses = study->cells[c].lab == l && study->cells[c].fingerprint == i;
            if (uses)
                rt_out_append(b, used, json_string(study->labs[l].id));
        }
        rt_out_put(b, row, "labs", used);
        rt_out_append(b, rows, row);
    }
    return rows;
}

static json_t *finding(struct rt_out *b)
{
    json_t *to = rt_out_object(b), *rows = rt_out_array(b);
    for (size_t i = 0; i < b->report->finding_count; i++) {
        json_t *row = rt_out_object(b);
        rt_out_put_text(b, row, "topic", b->report->finding[i].topic);
        rt_out_put_text(b, row, "text", b->report->finding[i].text);
        rt_out_append(b, rows, row);
    }
    rt_out_put_text(b, to, "headline", b->report->headline);
    rt_out_put(b, to, "sentences", rows);
    rt_out_put_text(b, to, "next", b->report->next);
    return to;
}

enum rt_status rt_report_json(const struct rt_report *report, struct rt_buf *out)
{
    struct rt_out b = {report, false};
    const struct rt_study *study = report->study;
    json_t *root = rt_out_object(&b), *parts = rt_out_array(&b), *about = rt_out_object(&b);
    rt_out_put_text(&b, about, "id", study->id);
    rt_out_put_text(&b, about, "title", study->title);
    rt_out_put_text(&b, about, "cells", report->cells_digest);
    rt_out_put_text(&b, about, "measure", study->scores ? "score" : "behaviour");
    for (size_t i = 0; i < report->part_count; i++)
        rt_out_append(&b, parts, rt_out_part(&b, &report->parts[i]));
    rt_out_put_text(&b, root, "schema", RT_REPORT_SCHEMA);
    rt_out_put(&b, root, "study", about);
    rt_out_put(&b, root, "finding", finding(&b));
    rt_out_put(&b, root, "plan", plan(&b));
    rt_out_put(&b, root, "factors", factors(&b));
    rt_out_put(&b, root, "participation", participation(&b));
    rt_out_put(&b, root, "missing_map", rt_out_maps(&b));
    rt_out_put(&b, root, "results", parts);
    if (report->raters->count)
        rt_out_put(&b, root, "raters", rt_out_raters(&b));
    if (study->incident_count)
        rt_out_put(&b, root, "incidents", rt_out_incidents(&b));
    rt_out_put(&b, root, "fingerprints", fingerprints(&b));
    rt_out_put(&b, root, "method", pairs_object(&b, report->method.rows, report->method.count));
    rt_out_put(&b, root, "provenance",
               pairs_object(&b, study->provenance, study->provenance_count));
    enum rt_status status = b.failed ? RT_NO_MEMORY : rt_json_write(root, out);
    json_decref(root);
    return status;
}
