// SPDX-License-Identifier: Apache-2.0
// `escrow make` and `escrow join`: a key for age files that no one person holds. The identity's
// secret is shared k of n; each share is an age file to one member of the committee, who opens it
// with any age program. The identity itself is never written when it is made.
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/crypto/age.h"
#include "common/crypto/shamir.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/state.h"

#define SHARE_MOST 1024
#define SHARE_HEAD "ringtrial-escrow-share/1\n"

struct settings {
    const char *out;
    struct rt_text_list members;
    uint64_t threshold;
};

struct member {
    char id[RT_ID_BYTES + 1];
    struct rt_age_recipient recipient;
};

// ---- make

static enum rt_status read_member(const char *text, struct member *ret, struct rt_error *err)
{
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : 0;
    if (!equals || size == 0 || size >= sizeof ret->id)
        return rt_error_set(err, RT_USAGE, "--member is NAME=age1…, not %s", text);
    memcpy(ret->id, text, size);
    ret->id[size] = 0;
    if (!rt_id_valid(ret->id) || rt_age_recipient_parse(rt_bytes_str(equals + 1), &ret->recipient))
        return rt_error_set(err, RT_USAGE,
                            "--member %s: NAME is an id and the rest an age recipient", text);
    return RT_OK;
}

static enum rt_status read_members(const struct settings *settings, struct member *members,
                                   struct rt_error *err)
{
    size_t count = settings->members.count;
    if (count > RT_SHAMIR_SHARES_MOST || settings->threshold > count)
        return rt_error_set(err, RT_USAGE, "%" PRIu64 " of %zu members: at most %d, and no more "
                            "than there are", settings->threshold, count, RT_SHAMIR_SHARES_MOST);
    for (size_t i = 0; i < count; i++) {
        enum rt_status status = read_member(settings->members.items[i], &members[i], err);
        if (status)
            return status;
        for (size_t j = 0; j < i; j++)
            if (strcmp(members[i].id, members[j].id) == 0 ||
                memcmp(&members[i].recipient, &members[j].recipient, RT_AGE_KEY_BYTES) == 0)
                return rt_error_set(err, RT_USAGE, "%s and %s: one member, one key, one share",
                                    members[j].id, members[i].id);
    }
    return RT_OK;
}

static enum rt_status write_share(const struct settings *settings, const struct member *member,
                                  const char *recipient, const struct rt_share *share,
                                  struct rt_error *err)
{
    char path[RT_STATE_PATH_BYTES], name[RT_ID_BYTES + 8], hex[2 * RT_AGE_KEY_BYTES + 1];
    struct rt_buf text, sealed;
    rt_buf_init(&text, SHARE_MOST);
    rt_buf_init(&sealed, 4 * SHARE_MOST);
    rt_hex_encode(share->bytes, RT_AGE_KEY_BYTES, hex);
    rt_buf_printf(&text, SHARE_HEAD "recipient %s\nshare %u\nof %zu\nthreshold %" PRIu64
                  "\nsecret %s\n", recipient, share->x, settings->members.count,
                  settings->threshold, hex);
    snprintf(name, sizeof name, "%.64s.age", member->id);
    enum rt_status status = rt_path_join(path, sizeof path, settings->out, name);
    if (!status)
        status = rt_age_encrypt(&member->recipient, 1, rt_buf_bytes(&text), &sealed);
    if (status)
        rt_error_set(err, status, "the share of %s: %s", member->id, rt_status_text(status));
    else
        status = rt_file_write(path, rt_buf_bytes(&sealed), 0600, err);
    sodium_memzero(hex, sizeof hex);
    if (text.data)
        sodium_memzero(text.data, text.size);
    rt_buf_release(&text);
    rt_buf_release(&sealed);
    return status;
}

static enum rt_status make(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    (void)operands;
    static struct member members[RT_TEXT_LIST_MOST];
    const struct settings *settings = place;
    struct rt_age_identity *identity = NULL;
    struct rt_share shares[RT_SHAMIR_SHARES_MOST];
    char recipient[RT_AGE_RECIPIENT_BYTES];
    size_t count = settings->members.count;
    enum rt_status status = read_members(settings, members, err);
    if (!status)
        status = rt_file_mkdir(settings->out, 0700, err);
    if (status)
        return status;
    status = rt_age_generate(&identity);
    if (!status)
        status = rt_shamir_split(rt_age_secret(identity), RT_AGE_KEY_BYTES,
                                 (size_t)settings->threshold, count, shares);
    if (status)
        rt_error_set(err, status, "sharing the key: %s", rt_status_text(status));
    if (!status)
        rt_age_recipient_format(rt_age_recipient_of(identity), recipient);
    for (size_t i = 0; i < count && !status; i++)
        status = write_share(settings, &members[i], recipient, &shares[i], err);
    if (!status)
        printf("recipient  %s\nshares     %s: %" PRIu64 " of %zu open what is sealed to it\n",
               recipient, settings->out, settings->threshold, count);
    sodium_memzero(shares, sizeof shares);
    rt_age_free(identity);
    return status;
}

// ---- join

struct opened {
    char recipient[RT_AGE_RECIPIENT_BYTES];
    uint64_t of, threshold;
    struct rt_share share;
};

// Takes "word value" off the text; false unless it is there. value is NUL-terminated.
static bool take_line(char **text, const char *word, char **ret_value)
{
    size_t size = strlen(word);
    char *end = strchr(*text, '\n');
    if (!end || strncmp(*text, word, size) != 0 || (*text)[size] != ' ')
        return false;
    *end = 0;
    *ret_value = *text + size + 1;
    *text = end + 1;
    return true;
}

static bool parse_share(char *text, struct opened *ret)
{
    char *recipient, *x, *of, *threshold, *secret;
    uint64_t number;
    size_t head = strlen(SHARE_HEAD);
    if (strncmp(text, SHARE_HEAD, head) != 0)
        return false;
    text += head;
    if (!take_line(&text, "recipient", &recipient) || !take_line(&text, "share", &x) ||
        !take_line(&text, "of", &of) || !take_line(&text, "threshold", &threshold) ||
        !take_line(&text, "secret", &secret) || *text)
        return false;
    if (strlen(recipient) + 1 != sizeof ret->recipient || rt_parse_u64(x, &number) ||
        number == 0 || number > RT_SHAMIR_SHARES_MOST || rt_parse_u64(of, &ret->of) ||
        rt_parse_u64(threshold, &ret->threshold) || ret->threshold == 0 ||
        ret->threshold > ret->of ||
        rt_hex_decode(secret, strlen(secret), ret->share.bytes, RT_AGE_KEY_BYTES))
        return false;
    memcpy(ret->recipient, recipient, sizeof ret->recipient);
    ret->share.x = (uint8_t)number;
    return true;
}

static enum rt_status read_share(const char *path, struct opened *ret, struct rt_error *err)
{
    char text[SHARE_MOST + 1] = "";
    struct rt_buf file;
    rt_buf_init(&file, SHARE_MOST);
    enum rt_status status = rt_file_read(path, &file, err);
    if (!status) {
        memcpy(text, file.data ? (const char *)file.data : "", file.size);
        if (memchr(text, 0, file.size) || !parse_share(text, ret))
            status = rt_error_set(err, RT_MALFORMED,
                                  "%s is no share; open it first: age -d -i KEY NAME.age > FILE",
                                  path);
        sodium_memzero(text, sizeof text);
        if (file.data)
            sodium_memzero(file.data, file.size);
    }
    rt_buf_release(&file);
    return status;
}

static enum rt_status write_identity(const char *path, const struct opened *first,
                                     const uint8_t secret[RT_AGE_KEY_BYTES], struct rt_error *err)
{
    struct rt_age_identity *identity = NULL;
    char text[RT_AGE_IDENTITY_BYTES], recipient[RT_AGE_RECIPIENT_BYTES];
    struct rt_buf file;
    rt_buf_init(&file, SHARE_MOST);
    enum rt_status status = rt_age_from_bytes(secret, &identity);
    if (!status)
        rt_age_recipient_format(rt_age_recipient_of(identity), recipient);
    // A share that was changed gives another secret; the recipient tells.
    if (status || strcmp(recipient, first->recipient) != 0) {
        status = rt_error_set(err, RT_CORRUPT, "the shares do not give the key of %s: one of them "
                              "is not what was handed out", first->recipient);
    } else {
        rt_age_identity_format(identity, text);
        rt_buf_printf(&file, "# public key: %s\n%s\n", recipient, text);
        status = rt_file_write(path, rt_buf_bytes(&file), 0600, err);
        sodium_memzero(text, sizeof text);
    }
    if (file.data)
        sodium_memzero(file.data, file.size);
    rt_buf_release(&file);
    rt_age_free(identity);
    return status;
}

static enum rt_status join(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    const struct settings *settings = place;
    struct opened opened;
    struct opened first = {.of = 0};
    struct rt_share shares[RT_SHAMIR_SHARES_MOST];
    uint8_t secret[RT_AGE_KEY_BYTES];
    size_t count = operands->count;
    enum rt_status status = RT_OK;
    if (count > RT_SHAMIR_SHARES_MOST)
        return rt_error_set(err, RT_USAGE, "at most %d shares", RT_SHAMIR_SHARES_MOST);
    for (size_t i = 0; i < count && !status; i++) {
        status = read_share(operands->items[i], &opened, err);
        if (!status && i == 0)
            first = opened;
        if (!status && (strcmp(opened.recipient, first.recipient) != 0 ||
                        opened.threshold != first.threshold || opened.of != first.of))
            status = rt_error_set(err, RT_CONFLICT, "%s is a share of another key",
                                  operands->items[i]);
        shares[i] = opened.share;
    }
    if (!status && count < first.threshold)
        status = rt_error_set(err, RT_NOT_PERMITTED, "%zu shares; it takes %" PRIu64 " of %" PRIu64,
                              count, first.threshold, first.of);
    if (!status && (status = rt_shamir_join(shares, count, sizeof secret, secret)))
        rt_error_set(err, status, "two of these shares are the same one");
    if (!status)
        status = write_identity(settings->out, &first, secret, err);
    if (!status)
        printf("%s: the identity of %s; wipe it after use\n", settings->out, first.recipient);
    sodium_memzero(shares, sizeof shares);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(&opened, sizeof opened);
    sodium_memzero(&first, sizeof first);
    return status == RT_DUPLICATE ? RT_CONFLICT : status;
}

static const struct rt_option make_options[] = {
    {.name = "threshold",
     .letter = 't',
     .kind = RT_OPTION_COUNT,
     .offset = offsetof(struct settings, threshold),
     .value_name = "K",
     .help = "How many members it takes.",
     .least = 1,
     .most = RT_SHAMIR_SHARES_MOST,
     .required = true},
    {.name = "member",
     .letter = 'm',
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, members),
     .value_name = "NAME=age1…",
     .help = "A member and the recipient that age-keygen gave them; once for each.",
     .required = true},
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "DIR",
     .help = "Where the sealed shares go, NAME.age each.",
     .required = true},
    {0}};

const struct rt_command rt_command_escrow_make = {
    .name = "escrow make",
    .summary = "Make a key for sealed files that K of N committee members can open together.",
    .operands = "",
    .options = make_options,
    .settings_size = sizeof(struct settings),
    .run = make,
    .example = "ringtrial-coordinator escrow make --threshold 2 --member a=age1… --member b=age1… "
               "--member c=age1… --out escrow",
    .about = "Prints the recipient to which anybody can seal (`age -r`). Its secret is written "
             "nowhere but in the shares, each sealed to one member.",
};

static const struct rt_option join_options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FILE",
     .help = "Where the identity goes, as age takes it.",
     .required = true},
    {0}};

const struct rt_command rt_command_escrow_join = {
    .name = "escrow join",
    .summary = "Put opened shares together into the identity that opens what was sealed.",
    .operands = "SHARE…",
    .operands_least = 1,
    .operands_most = RT_TEXT_LIST_MOST,
    .options = join_options,
    .settings_size = sizeof(struct settings),
    .run = join,
    .example = "age -d -i a.key a.age > a.share\n"
               "ringtrial-coordinator escrow join a.share b.share --out escrow.key\n"
               "age -d -i escrow.key transcript.age",
};
