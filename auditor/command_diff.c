// SPDX-License-Identifier: Apache-2.0
// `diff`: what two bundles have in common and where they part: leaves, objects, counts, figures.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"
#include "auditor/commands.h"
#include "auditor/leaves.h"
#include "common/base/json.h"
#include "common/report/render.h"

struct settings {
    uint64_t most; // lines of each kind
};

struct diff {
    const char *names[2];
    uint64_t most;
    uint64_t found; // differences of the section at hand
    uint64_t total;
    bool same_origin;
    json_t *json;   // of the whole
    json_t *list;   // of the section at hand
};

static bool told(const struct diff *diff)
{
    return diff->found <= diff->most;
}

// One difference: place, what A has, what B has ("" for nothing).
static void differ(struct diff *diff, const char *place, const char *a, const char *b)
{
    diff->found++;
    diff->total++;
    if (!told(diff))
        return;
    if (json_array_append_new(diff->list,
                              json_pack("{s:s, s:s, s:s}", "at", place, "a", a, "b", b)))
        return;
    if (rt_globals.json)
        return;
    if (*a)
        printf("  A  %s%s%s\n", place, *place ? ": " : "", a);
    if (*b)
        printf("  B  %s%s%s\n", place, *place ? ": " : "", b);
}

static void section(struct diff *diff, const char *name)
{
    diff->found = 0;
    diff->list = json_array();
    if (json_object_set_new(diff->json, name, diff->list))
        diff->list = NULL;
}

static void end_section(const struct diff *diff, const char *name, const char *same)
{
    if (rt_globals.json)
        return;
    if (!diff->found)
        printf("%-8s %s\n", name, same);
    else if (diff->found > diff->most)
        printf("%-8s %" PRIu64 " differences, %" PRIu64 " of them shown\n", name, diff->found,
               diff->most);
    else
        printf("%-8s %" PRIu64 " difference%s\n", name, diff->found, diff->found == 1 ? "" : "s");
}

// ---- leaves

static void part(struct diff *diff, uint64_t index, struct rt_bytes a, struct rt_bytes b)
{
    char place[60];
    snprintf(place, sizeof place, "log index %" PRIu64, index);
    differ(diff, place, a.data ? "another leaf" : "", b.data ? "another leaf" : "");
    if (rt_globals.json)
        return;
    if (a.data)
        rt_leaf_show("  A    ", a);
    if (b.data)
        rt_leaf_show("  B    ", b);
}

static enum rt_status diff_leaves(struct diff *diff, struct rt_leaves *a, struct rt_leaves *b,
                                  struct rt_error *err)
{
    struct rt_bytes left, right;
    char same[200];
    section(diff, "leaves");
    diff->same_origin = strcmp(a->checkpoint.origin, b->checkpoint.origin) == 0;
    if (!diff->same_origin)
        differ(diff, "origin", a->checkpoint.origin, b->checkpoint.origin);
    snprintf(same, sizeof same, "the same %" PRIu64, a->checkpoint.size);
    for (uint64_t index = 0;; index++) {
        enum rt_status first = rt_leaves_next(a, &left, err);
        enum rt_status second = rt_leaves_next(b, &right, err);
        if ((first && first != RT_NOT_FOUND) || (second && second != RT_NOT_FOUND))
            return first && first != RT_NOT_FOUND ? first : second;
        if (first && second)
            break;
        if (!first && !second && rt_bytes_equal(left, right))
            continue;
        part(diff, index, first ? rt_bytes(NULL, 0) : left, second ? rt_bytes(NULL, 0) : right);
        if (!rt_globals.json && diff->same_origin)
            printf("%s\n", first    ? "  B goes on where A ends"
                           : second ? "  A goes on where B ends"
                                    : "  from here on there are two histories under one name");
        break;
    }
    end_section(diff, "leaves", same);
    return RT_OK;
}

// ---- objects

static bool is_object(const struct rt_folder *folder, size_t at)
{
    struct rt_digest digest;
    return rt_evidence_object_parse(rt_bytes_str(folder->files[at].path), &digest) == RT_OK;
}

static void diff_objects(struct diff *diff, const struct rt_folder *a, const struct rt_folder *b)
{
    section(diff, "objects");
    for (size_t i = 0, j = 0; i < a->count || j < b->count;) {
        int order = i == a->count   ? 1
                    : j == b->count ? -1
                                    : strcmp(a->files[i].path, b->files[j].path);
        if (order < 0 && is_object(a, i))
            differ(diff, "", a->files[i].path, "");
        if (order > 0 && is_object(b, j))
            differ(diff, "", "", b->files[j].path);
        i += order <= 0;
        j += order >= 0;
    }
    end_section(diff, "objects", "the same");
}

// ---- counts

// A row of the tidy table apart: what it counts, and how many.
struct row {
    char key[600];
    char counts[100];
};

static bool next_row(struct rt_bytes *rest, struct row *ret_row)
{
    const char *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end)
        return false;
    const char *start = (const char *)rest->data, *split = end;
    for (int commas = 0; commas < 3 && split > start; commas += *split == ',')
        split--;
    snprintf(ret_row->key, sizeof ret_row->key, "%.*s", (int)(split - start), start);
    snprintf(ret_row->counts, sizeof ret_row->counts, "%.*s", (int)(end - split - 1), split + 1);
    *rest = rt_bytes((const uint8_t *)end + 1, rest->size - (size_t)(end + 1 - start));
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

// The table's rows by their keys.
static enum rt_status rows_of(const struct rt_audit *audit, struct row **ret_rows,
                              size_t *ret_count)
{
    struct rt_buf tidy;
    struct row header;
    rt_buf_init(&tidy, (size_t)1 << 32);
    enum rt_status status = rt_report_tidy(&audit->study, &tidy);
    struct rt_bytes rest = rt_buf_bytes(&tidy);
    size_t room = audit->study.cell_count + 1;
    *ret_rows = status ? NULL : calloc(room, sizeof **ret_rows);
    *ret_count = 0;
    if (!status && !*ret_rows)
        status = RT_NO_MEMORY;
    if (!status && next_row(&rest, &header))
        while (*ret_count < room && next_row(&rest, &(*ret_rows)[*ret_count]))
            ++*ret_count;
    if (*ret_count)
        qsort(*ret_rows, *ret_count, sizeof **ret_rows, by_text);
    rt_buf_release(&tidy);
    return status;
}

static enum rt_status diff_counts(struct diff *diff, struct rt_audit *const audits[2])
{
    struct row *rows[2] = {NULL, NULL};
    size_t counts[2] = {0, 0};
    section(diff, "counts");
    enum rt_status status = RT_OK;
    for (int k = 0; k < 2 && !status; k++)
        status = rows_of(audits[k], &rows[k], &counts[k]);
    for (size_t i = 0, j = 0; !status && (i < counts[0] || j < counts[1]);) {
        int order = i == counts[0]   ? 1
                    : j == counts[1] ? -1
                                     : by_text(&rows[0][i], &rows[1][j]);
        const struct row *a = order <= 0 ? &rows[0][i++] : NULL;
        const struct row *b = order >= 0 ? &rows[1][j++] : NULL;
        if (!a || !b || strcmp(a->counts, b->counts) != 0)
            differ(diff, a ? a->key : b->key, a ? a->counts : "", b ? b->counts : "");
    }
    end_section(diff, "counts", "the same");
    free(rows[0]);
    free(rows[1]);
    return status;
}

// ---- figures

static void show_value(const json_t *value, char *ret_text, size_t capacity)
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    size_t size = text ? strlen(text) : 0;
    if (size >= capacity) // cut between characters, so that it stays text
        for (size = capacity - 1; size && ((uint8_t)text[size] & 0xc0) == 0x80;)
            size--;
    snprintf(ret_text, capacity, "%.*s", (int)size, text ? text : "");
    free(text);
}

static void diff_values(struct diff *diff, const char *path, json_t *a, json_t *b)
{
    char place[300], left[200], right[200];
    const char *key;
    json_t *item;
    size_t index;
    if (json_is_object(a) && json_is_object(b)) {
        json_object_foreach (a, key, item) {
            snprintf(place, sizeof place, "%s%s%s", path, *path ? "." : "", key);
            diff_values(diff, place, item, json_object_get(b, key));
        }
        json_object_foreach (b, key, item) {
            snprintf(place, sizeof place, "%s%s%s", path, *path ? "." : "", key);
            if (!json_object_get(a, key))
                diff_values(diff, place, NULL, item);
        }
    } else if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        json_array_foreach (a, index, item) {
            snprintf(place, sizeof place, "%s[%zu]", path, index);
            diff_values(diff, place, item, json_array_get(b, index));
        }
    } else if (!a || !b || !json_equal(a, b)) {
        show_value(a, left, sizeof left);
        show_value(b, right, sizeof right);
        differ(diff, path, left, right);
    }
}

static enum rt_status recomputed(struct rt_audit *audit, json_t **ret_json, struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_FOLDER_FILE_MOST);
    enum rt_status status = rt_report_json(&audit->report, &text);
    if (!status)
        status = rt_json_parse(rt_buf_bytes(&text), ret_json, err);
    rt_buf_release(&text);
    return status;
}

static enum rt_status diff_figures(struct diff *diff, struct rt_audit *const audits[2],
                                   struct rt_error *err)
{
    json_t *reports[2] = {NULL, NULL};
    section(diff, "figures");
    enum rt_status status = recomputed(audits[0], &reports[0], err);
    if (!status)
        status = recomputed(audits[1], &reports[1], err);
    if (!status)
        diff_values(diff, "", reports[0], reports[1]);
    end_section(diff, "figures", "the same");
    json_decref(reports[0]);
    json_decref(reports[1]);
    return status;
}

// ---- all of it

static enum rt_status recounted(struct diff *diff, struct rt_error *err)
{
    const struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audits[2] = {NULL, NULL};
    char verdict[1000];
    enum rt_status status = RT_OK;
    for (int k = 0; k < 2 && !status; k++) {
        status = rt_audit_run(diff->names[k], &none, &audits[k], err);
        if (status)
            break;
        rt_audit_verdict(audits[k], verdict, sizeof verdict);
        if (!rt_globals.json)
            printf("%c        %s: %s\n", 'A' + k, diff->names[k], verdict);
        if (json_object_set_new(diff->json, k ? "verdict_b" : "verdict_a", json_string(verdict)))
            status = RT_NO_MEMORY;
    }
    bool both = !status && audits[0]->has_report && audits[1]->has_report;
    if (both)
        status = diff_counts(diff, audits);
    if (both && !status)
        status = diff_figures(diff, audits, err);
    if (!status && !both && !rt_globals.json)
        printf("counts   not compared: a bundle lets none be computed\n");
    rt_audit_free(audits[0]);
    rt_audit_free(audits[1]);
    return status;
}

static enum rt_status print_json(const struct diff *diff, struct rt_error *err)
{
    struct rt_buf out;
    rt_buf_init(&out, (size_t)256 << 20);
    enum rt_status status = rt_json_write_pretty(diff->json, &out);
    if (!status && fwrite(out.data, 1, out.size, stdout) != out.size)
        status = rt_error_set(err, RT_IO, "cannot write to standard output");
    rt_buf_release(&out);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct diff diff = {.names = {operands->items[0], operands->items[1]},
                        .most = settings->most ? settings->most : 10,
                        .json = json_object()};
    struct rt_leaves a = {.folder = {.fd = -1}}, b = {.folder = {.fd = -1}};
    enum rt_status status = rt_leaves_open(diff.names[0], &a, err);
    if (!status)
        status = rt_leaves_open(diff.names[1], &b, err);
    if (!status)
        status = diff_leaves(&diff, &a, &b, err);
    if (!status) {
        diff_objects(&diff, &a.folder, &b.folder);
        status = recounted(&diff, err);
    }
    if (!status && rt_globals.json)
        status = print_json(&diff, err);
    if (!status && fflush(stdout))
        status = rt_error_set(err, RT_IO, "cannot write to standard output");
    if (!status && diff.total)
        status = rt_error_set(err, RT_CHECK_FAILED, "the bundles differ in %" PRIu64 " places",
                              diff.total);
    rt_leaves_release(&a);
    rt_leaves_release(&b);
    json_decref(diff.json);
    return status;
}

static const struct rt_option options[] = {{.name = "most",
                                            .letter = 'n',
                                            .kind = RT_OPTION_COUNT,
                                            .offset = offsetof(struct settings, most),
                                            .value_name = "N",
                                            .least = 1,
                                            .most = 1000000,
                                            .help = "Differences of each kind to show (10)."},
                                           {0}};

const struct rt_command rt_command_diff = {
    .name = "diff",
    .summary = "Where two bundles part: leaves, objects, counts, figures.",
    .operands = "A B",
    .operands_least = 2,
    .operands_most = 2,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-audit diff monday.bundle friday.bundle",
    .about = "Two bundles of one log have the leaves of the shorter in common; where they do not, "
             "its coordinator has signed two histories, and the first leaf that differs is shown. "
             "Counts and figures are those that the results of each give, not those it publishes. "
             "Exit code 0: nothing differs; 1: something does.",
};
