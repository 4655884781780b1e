// SPDX-License-Identifier: Apache-2.0
// Incidents and releases as the log tells them: order, windows, embargoes, grants.
#include "proto/incident.h"

#include "tests/unit/proto/documents.h"

#define DAY  ((int64_t)86400000)
#define T0   ((int64_t)1795196128123)

static struct rt_arena arena;
static struct rt_incident_book book;

static int setup(void **state)
{
    (void)state;
    rt_arena_init(&arena, 1 << 20);
    rt_incident_book_init(&book, &arena, 30 * DAY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    return 0;
}

// One step `days` after T0; window_days 0: none named.
static enum rt_status step(const char *id, enum rt_incident_step word, int days, const char *vendor,
                           int window_days)
{
    static uint64_t index;
    struct rt_object_incident record = {.incident = rt_bytes_str(id),
                                        .step = word,
                                        .severity = 2,
                                        .vendor = rt_bytes_str(vendor),
                                        .window_ms = (uint64_t)(window_days * DAY)};
    struct rt_statement statement = {.kind = RT_STATEMENT_INCIDENT,
                                     .incident = rt_bytes_str(id),
                                     .step = rt_bytes_str(rt_incident_step_words[word]),
                                     .severity = 2,
                                     .reason = rt_bytes_str("why"),
                                     .received_ms = T0 + days * DAY};
    struct rt_buf object;
    rt_buf_init(&object, RT_INCIDENT_MOST);
    assert_int_equal(rt_object_incident_encode(&record, &object, NULL), RT_OK);
    enum rt_status status =
        rt_incident_book_add(&book, &statement, index++, rt_buf_bytes(&object));
    rt_buf_release(&object);
    return status;
}

static void test_order(void **state)
{
    (void)state;
    assert_int_equal(step("a", RT_INCIDENT_TRIAGED, 0, "", 0), RT_CONFLICT);
    assert_non_null(strstr(book.wrong, "never opened"));
    assert_int_equal(book.incident_count, 0);
    assert_int_equal(step("a", RT_INCIDENT_OPENED, 0, "", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_OPENED, 1, "", 0), RT_CONFLICT);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_REPLY, 1, "v", 0), RT_CONFLICT);
    assert_int_equal(step("a", RT_INCIDENT_TRIAGED, 2, "", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_TRIAGED, 3, "", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_NOTIFIED, 4, "v", 90), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_NOTIFIED, 80, "v", 90), RT_CONFLICT);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_REPLY, 5, "w", 0), RT_CONFLICT);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_REPLY, 5, "v", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_REPLY, 6, "v", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_DISPUTED, 7, "", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_REMEDIATED, 8, "", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_REMEDIATED, 9, "", 0), RT_CONFLICT);
    const struct rt_incident *a = rt_incident_find(&book, rt_bytes_str("a"));
    assert_int_equal(a->entry_count, 8);
    assert_int_equal(a->triaged_ms, T0 + 2 * DAY); // the first one counts
    assert_int_equal(a->replied_ms, T0 + 5 * DAY);
    assert_int_equal(a->remediated_ms, T0 + 8 * DAY);
}

static void test_embargo(void **state)
{
    (void)state;
    assert_int_equal(step("a", RT_INCIDENT_OPENED, 0, "", 0), RT_OK);
    const struct rt_incident *a = rt_incident_find(&book, rt_bytes_str("a"));
    // Nobody was told: it does not last for ever for that.
    assert_int_equal(rt_incident_embargo_ms(&book, a), T0 + 30 * DAY);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_NOTIFIED, 10, "v", 90), RT_OK);
    assert_int_equal(rt_incident_embargo_ms(&book, a), T0 + 100 * DAY);
    // Another vendor without a window of its own: the campaign's; the later end counts.
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_NOTIFIED, 20, "w", 0), RT_OK);
    assert_int_equal(rt_incident_embargo_ms(&book, a), T0 + 100 * DAY);
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_NOTIFIED, 80, "x", 0), RT_OK);
    assert_int_equal(rt_incident_embargo_ms(&book, a), T0 + 110 * DAY);
    // Neither a reply nor a dispute moves it; a remedy ends it.
    assert_int_equal(step("a", RT_INCIDENT_VENDOR_REPLY, 81, "x", 0), RT_OK);
    assert_int_equal(step("a", RT_INCIDENT_DISPUTED, 82, "x", 0), RT_OK);
    assert_int_equal(rt_incident_embargo_ms(&book, a), T0 + 110 * DAY);
    assert_int_equal(step("a", RT_INCIDENT_REMEDIATED, 90, "", 0), RT_OK);
    assert_int_equal(rt_incident_embargo_ms(&book, a), T0 + 90 * DAY);
}

static void test_records(void **state)
{
    (void)state;
    struct rt_object_incident record = {.incident = rt_bytes_str("a")};
    struct rt_statement statement = {.kind = RT_STATEMENT_INCIDENT,
                                     .incident = rt_bytes_str("a"),
                                     .step = rt_bytes_str("opened"),
                                     .reason = rt_bytes_str("why"),
                                     .received_ms = T0};
    struct rt_buf object;
    rt_buf_init(&object, RT_INCIDENT_MOST);
    assert_int_equal(rt_object_incident_encode(&record, &object, NULL), RT_OK);
    struct rt_bytes good = rt_buf_bytes(&object);
    struct rt_statement other = statement;
    other.incident = rt_bytes_str("b");
    assert_int_equal(rt_incident_book_add(&book, &other, 0, good), RT_CONFLICT);
    other = statement;
    other.severity = 1;
    assert_int_equal(rt_incident_book_add(&book, &other, 0, good), RT_CONFLICT);
    other = statement;
    other.step = rt_bytes_str("triaged");
    assert_int_equal(rt_incident_book_add(&book, &other, 0, good), RT_CONFLICT);
    other = statement;
    other.campaign.bytes[0] = 1;
    assert_int_equal(rt_incident_book_add(&book, &other, 0, good), RT_CONFLICT);
    assert_int_equal(rt_incident_book_add(&book, &statement, 0, rt_bytes(good.data, 3)),
                     RT_CONFLICT);
    assert_int_equal(rt_incident_book_add(&book, &statement, 0, good), RT_OK);
    // What belongs to other steps is no record.
    record.window_ms = 1;
    rt_buf_clear(&object);
    assert_int_equal(rt_object_incident_encode(&record, &object, NULL), RT_MALFORMED);
    record = (struct rt_object_incident){.incident = rt_bytes_str("a"),
                                         .step = RT_INCIDENT_TRIAGED,
                                         .lab = rt_bytes_str("uni-a")};
    assert_int_equal(rt_object_incident_encode(&record, &object, NULL), RT_MALFORMED);
    record = (struct rt_object_incident){.incident = rt_bytes_str("a"),
                                         .step = RT_INCIDENT_VENDOR_REPLY};
    assert_int_equal(rt_object_incident_encode(&record, &object, NULL), RT_MALFORMED);
    rt_buf_release(&object);
}

static enum rt_status grant(const char *id, const char *what, const char *to, int from, int until)
{
    struct rt_statement statement = {.kind = RT_STATEMENT_RELEASE,
                                     .grant = rt_bytes_str(id),
                                     .what = rt_bytes_str(what),
                                     .to = rt_bytes_str(to),
                                     .until = until ? (uint64_t)(T0 + until * DAY) : 0,
                                     .reason = rt_bytes_str("why"),
                                     .received_ms = T0 + from * DAY};
    return rt_incident_book_add(&book, &statement, 1, rt_bytes(NULL, 0));
}

static enum rt_status revoke(const char *id, int days)
{
    struct rt_statement statement = {.kind = RT_STATEMENT_REVOKE,
                                     .grant = rt_bytes_str(id),
                                     .reason = rt_bytes_str("why"),
                                     .received_ms = T0 + days * DAY};
    return rt_incident_book_add(&book, &statement, 2, rt_bytes(NULL, 0));
}

static bool granted(enum rt_release_what what, const char *to, int days)
{
    return rt_release_granted(&book, what, to, T0 + days * DAY);
}

static void test_grants(void **state)
{
    (void)state;
    assert_int_equal(grant("g", "everything", "everyone", 1, 0), RT_CONFLICT);
    assert_int_equal(grant("g", "results", "everyone", 1, 10), RT_OK);
    assert_int_equal(grant("g", "results", "everyone", 1, 0), RT_CONFLICT);
    assert_false(granted(RT_RELEASE_RESULTS, NULL, 0));
    assert_true(granted(RT_RELEASE_RESULTS, NULL, 1));
    assert_true(granted(RT_RELEASE_RESULTS, "forum", 9));
    assert_false(granted(RT_RELEASE_RESULTS, NULL, 10));
    assert_false(granted(RT_RELEASE_SCENARIOS, NULL, 5));
    assert_int_equal(grant("h", "scenarios", "forum", 1, 0), RT_OK);
    assert_true(granted(RT_RELEASE_SCENARIOS, "forum", 1000));
    assert_false(granted(RT_RELEASE_SCENARIOS, "uni-a", 1000));
    assert_false(granted(RT_RELEASE_SCENARIOS, NULL, 1000));
    assert_int_equal(revoke("none", 20), RT_CONFLICT);
    assert_int_equal(revoke("h", 20), RT_OK);
    assert_int_equal(revoke("h", 21), RT_CONFLICT);
    assert_true(granted(RT_RELEASE_SCENARIOS, "forum", 19));
    assert_false(granted(RT_RELEASE_SCENARIOS, "forum", 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_embargo, setup, teardown),
        cmocka_unit_test_setup_teardown(test_records, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grants, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
