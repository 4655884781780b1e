// SPDX-License-Identifier: Apache-2.0
#include "auditor/command_report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "auditor/compare_report.h"
#include "auditor/rscript.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/crypto/hash.h"
#include "common/report/render.h"

#define TABLE_BYTES_MAX ((size_t)1 << 32)
#define ARENA_BYTES_MAX ((size_t)4 << 30)

#define PLACE(member) offsetof(struct rt_audit_report_settings, member)
const struct rt_option rt_audit_report_options[] = {
    {"csv", 0, RT_OPTION_TEXT, PLACE(csv), "FILE",
     "the tidy table: lab, scenario, phrasing, temperature and what was seen", 0, 0, false},
    {"behaviour", 0, RT_OPTION_LIST, PLACE(reading.behaviour), "LABEL",
     "an outcome that is the behaviour (may be given again)", 0, 0, false},
    {"value-from", 0, RT_OPTION_TEXT, PLACE(reading.value_from), "X",
     "values at or above X are the behaviour", 0, 0, false},
    {"severity-from", 0, RT_OPTION_TEXT, PLACE(reading.severity_from), "N",
     "severities at or above N are the behaviour", 0, 0, false},
    {"inert", 0, RT_OPTION_LIST, PLACE(reading.inert), "INERT=TREATMENT",
     "an inert arm and the treatment arm it belongs to (may be given again)", 0, 0, false},
    {"same-as", 0, RT_OPTION_LIST, PLACE(reading.same_as), "REPEAT=ORIGINAL",
     "a phrasing that repeats another word for word (may be given again)", 0, 0, false},
    {"rater", 0, RT_OPTION_TEXT, PLACE(reading.rater), "ID", "the primary rater", 0, 0, false},
    {"sigma-pt", 0, RT_OPTION_NUMBER, PLACE(reading.sigma_pt), "X",
     "standard deviation between labs that is acceptable; labs are judged against it", 0, 0, false},
    {"tau-at-most", 0, RT_OPTION_NUMBER, PLACE(reading.tau_at_most), "X",
     "limit for the upper end of tau's interval", 0, 0, false},
    {"confidence", 0, RT_OPTION_NUMBER, PLACE(reading.confidence), "X",
     "confidence of all intervals (0.95)", 0, 0, false},
    {"title", 0, RT_OPTION_TEXT, PLACE(reading.title), "TEXT", "the question the table answers", 0,
     0, false},
    {"html", 0, RT_OPTION_TEXT, PLACE(html), "FILE", "write the HTML report there", 0, 0, false},
    {"out", 'o', RT_OPTION_TEXT, PLACE(json_file), "FILE", "write the JSON report there", 0, 0,
     false},
    {"card", 0, RT_OPTION_TEXT, PLACE(card), "FILE", "write the bench card there, as Markdown", 0,
     0, false},
    {"tidy", 0, RT_OPTION_TEXT, PLACE(tidy), "FILE", "write the counted cells there as CSV", 0, 0,
     false},
    {"r-script", 0, RT_OPTION_TEXT, PLACE(r_script), "FILE.R",
     "write an R script there that recomputes the headline figures from the --tidy table (beside "
     "it, where none is named)",
     0, 0, false},
    {"compare", 0, RT_OPTION_FLAG, PLACE(compare), NULL,
     "compare two reports of one bench, A and B: JSON reports or tidy tables", 0, 0, false},
    {"width", 0, RT_OPTION_COUNT, PLACE(width), "N", "columns of the text report", 40, 400, false},
    {.name = NULL}};

const char rt_audit_report_example[] =
    "ringtrial-audit report shutdown-2026q4.bundle\n"
    "ringtrial-audit report --csv trials.csv --behaviour resisted --sigma-pt 0.03 --html r.html\n"
    "ringtrial-audit report --compare 2026.json 2027.json";
const char rt_audit_report_about[] =
    "With a bundle: checks it as `verify` does and prints the report recomputed from its results. "
    "With --csv: computes the full report from any tidy table, wherever the trials were run: one "
    "row a trial, "
    "or one row a cell with its number of trials in a column n. Columns, in any order: lab, "
    "scenario, phrasing, temperature; optionally subject, arm, rater, status, fingerprint, "
    "repeated; and one of outcome (with --behaviour), value, severity (with --severity-from), "
    "behaviour (0 or 1) or k (of n).";

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static unsigned terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 100;
}

static enum rt_status write_files(const struct rt_audit_report_settings *settings,
                                  struct rt_report *report, struct rt_buf *buf,
                                  struct rt_error *err)
{
    char beside[PATH_MAX];
    const char *tidy = settings->tidy;
    if (settings->r_script && !tidy) {
        snprintf(beside, sizeof beside, "%s.csv", settings->r_script);
        tidy = beside;
    }
    if (settings->r_script && report->study->scores)
        return rt_error_set(err, RT_UNSUPPORTED,
                            "%s: the R script recomputes rates, and this table holds scores",
                            settings->r_script);
    const char *const paths[] = {settings->html, settings->json_file, tidy, settings->r_script,
                                 settings->card};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (!paths[i])
            continue;
        rt_buf_clear(buf);
        enum rt_status status = i == 0   ? rt_report_html(report, buf)
                                : i == 1 ? rt_report_json(report, buf)
                                : i == 2 ? rt_report_tidy(report->study, buf)
                                : i == 4 ? rt_report_card(report, buf)
                                         : rt_rscript(report, tidy, buf, err);
        if (status)
            return rt_error_set(err, status, "%s: %s", paths[i], rt_status_text(status));
        status = rt_file_write(paths[i], rt_buf_bytes(buf), 0644, err);
        if (status)
            return status;
    }
    return RT_OK;
}

static enum rt_status print(const struct rt_audit_report_settings *settings,
                            struct rt_report *report, struct rt_buf *buf, struct rt_error *err)
{
    struct rt_report_style style = {settings->width ? (unsigned)settings->width : terminal_width(),
                                    isatty(STDOUT_FILENO) == 1 && !getenv("NO_COLOR")};
    rt_buf_clear(buf);
    enum rt_status status =
        rt_globals.json ? rt_report_json(report, buf) : rt_report_terminal(report, &style, buf);
    if (rt_globals.json)
        rt_buf_add_u8(buf, '\n');
    if (status || rt_buf_ok(buf))
        return rt_error_set(err, status ? status : rt_buf_ok(buf), "the report: %s",
                            rt_status_text(status));
    if (fwrite(buf->data, 1, buf->size, stdout) != buf->size)
        return rt_error_set(err, RT_IO, "cannot write to standard output");
    return RT_OK;
}

// A table names arms and cannot say which are inert: counted with the others they change every
// average, so it is said where nobody named them.
static enum rt_status say_roles(const struct rt_audit_report_settings *settings, const char *path,
                                struct rt_study *study)
{
    if (study->arm_count < 2 || settings->reading.inert.count)
        return RT_OK;
    if (!rt_globals.quiet)
        rt_log_warn(
            "no arm is named inert: every arm of the table counts as a treatment and goes "
            "into the headline; name inert arms with --inert INERT=TREATMENT, and phrasings "
            "that repeat another with --same-as REPEAT=ORIGINAL",
            "table=%s arms=%zu", rt_log_quote(path), study->arm_count);
    return rt_study_add_provenance(study, "arms", "all count as treatments: no --inert was given");
}

// The table's bytes to a sealed study that says where it came from.
static enum rt_status read_study(const struct rt_audit_report_settings *settings, const char *path,
                                 struct rt_bytes table, struct rt_arena *arena,
                                 struct rt_study *ret, struct rt_error *err)
{
    const char *unused = "";
    char digest_text[RT_DIGEST_TEXT_BYTES];
    struct rt_digest digest;
    enum rt_status status =
        rt_csv_study(table, last_part(path), &settings->reading, arena, ret, &unused, err);
    if (status)
        return status;
    if (*unused && !rt_globals.quiet)
        rt_log_warn("columns of the table are not used", "columns=%s", rt_log_quote(unused));
    rt_sha256(table, &digest);
    rt_digest_format(&digest, digest_text);
    status = rt_study_add_provenance(ret, "table", digest_text);
    if (!status)
        status = rt_study_add_provenance(ret, "program", "ringtrial " RT_VERSION);
    if (!status && *unused)
        status = rt_study_add_provenance(ret, "columns not used", unused);
    if (!status)
        status = say_roles(settings, path, ret);
    return status ? rt_error_set(err, status, "%s: %s", path, rt_status_text(status)) : RT_OK;
}

enum rt_status rt_audit_report_show(const struct rt_audit_report_settings *settings,
                                    struct rt_report *report, struct rt_error *err)
{
    struct rt_buf out;
    rt_buf_init(&out, TABLE_BYTES_MAX);
    enum rt_status status = write_files(settings, report, &out, err);
    if (!status && !rt_globals.quiet)
        status = print(settings, report, &out, err);
    rt_buf_release(&out);
    return status;
}

enum rt_status rt_audit_report(const void *settings, const struct rt_text_list *operands,
                               struct rt_error *err)
{
    const struct rt_audit_report_settings *mine = settings;
    struct rt_buf table;
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    (void)operands;
    rt_buf_init(&table, TABLE_BYTES_MAX);
    rt_arena_init(&arena, ARENA_BYTES_MAX);
    enum rt_status status = rt_file_read(mine->csv, &table, err);
    if (!status)
        status = read_study(mine, mine->csv, rt_buf_bytes(&table), &arena, &study, err);
    if (!status) {
        status = rt_report_make(&arena, &study, &report);
        if (status)
            rt_error_set(err, status, "the report: %s", rt_status_text(status));
    }
    if (!status)
        status = rt_audit_report_show(mine, &report, err);
    rt_arena_release(&arena);
    rt_buf_release(&table);
    return status;
}

// ---- two reports

// A JSON report from a file, or one computed from the table that the file is.
static enum rt_status load_report(const struct rt_audit_report_settings *settings, const char *path,
                                  json_t **ret, struct rt_error *err)
{
    struct rt_buf bytes;
    struct rt_arena arena;
    struct rt_study study;
    struct rt_report report;
    *ret = NULL;
    rt_buf_init(&bytes, TABLE_BYTES_MAX);
    rt_arena_init(&arena, ARENA_BYTES_MAX);
    enum rt_status status = rt_file_read(path, &bytes, err);
    bool json = !status && bytes.size && bytes.data[0] == '{';
    if (!status && !json) {
        status = read_study(settings, path, rt_buf_bytes(&bytes), &arena, &study, err);
        if (!status) {
            rt_buf_clear(&bytes);
            status = rt_report_make(&arena, &study, &report);
            if (!status)
                status = rt_report_json(&report, &bytes);
            if (status)
                rt_error_set(err, status, "%s: %s", path, rt_status_text(status));
        }
    }
    if (!status)
        status = rt_json_parse(rt_buf_bytes(&bytes), ret, err);
    rt_arena_release(&arena);
    rt_buf_release(&bytes);
    return status;
}

enum rt_status rt_audit_report_compare(const struct rt_audit_report_settings *settings,
                                       const struct rt_text_list *operands, struct rt_error *err)
{
    json_t *a = NULL, *b = NULL, *comparison = NULL;
    struct rt_buf out;
    rt_buf_init(&out, TABLE_BYTES_MAX);
    enum rt_status status = load_report(settings, operands->items[0], &a, err);
    if (!status)
        status = load_report(settings, operands->items[1], &b, err);
    if (!status)
        status = rt_compare_reports(a, b, last_part(operands->items[0]),
                                    last_part(operands->items[1]), &comparison, err);
    if (!status && settings->json_file) {
        status = rt_json_write(comparison, &out);
        if (!status)
            status = rt_file_write(settings->json_file, rt_buf_bytes(&out), 0644, err);
        rt_buf_clear(&out);
    }
    if (!status && rt_globals.json) {
        status = rt_json_write(comparison, &out);
        rt_buf_add_u8(&out, '\n');
    } else if (!status) {
        rt_compare_print(comparison, &out);
    }
    if (!status && !rt_globals.quiet && fwrite(out.data, 1, out.size, stdout) != out.size)
        status = rt_error_set(err, RT_IO, "cannot write to standard output");
    json_decref(a);
    json_decref(b);
    json_decref(comparison);
    rt_buf_release(&out);
    return status;
}
