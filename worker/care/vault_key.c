// SPDX-License-Identifier: Apache-2.0
#include "worker/care/vault_key.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/log.h"

#define HEADER    "ringtrial-vault-key/v1 "
#define LINE_MOST (sizeof HEADER - 1 + 2 * RT_VAULT_KEY_BYTES + 1)
#define USED      "vault-key"

static enum rt_status key_path(const char *keys, char *ret_path, struct rt_error *err)
{
    return rt_path_join(ret_path, PATH_MAX, keys, RT_VAULT_KEY_FILE)
               ? rt_error_set(err, RT_TOO_LARGE, "%s: path too long", keys)
               : RT_OK;
}

enum rt_status rt_vault_key_load(const char *keys, struct rt_vault_key *ret_key,
                                 struct rt_error *err)
{
    char path[PATH_MAX];
    struct rt_buf text;
    enum rt_status status = key_path(keys, path, err);
    if (!status && !rt_file_exists(path))
        status = rt_error_set(err, RT_NOT_FOUND, "%s: no such file", path);
    if (!status)
        status = rt_file_check_private(path, err);
    if (status)
        return status;
    rt_buf_init(&text, 4096);
    status = rt_file_read(path, &text, err);
    size_t head = sizeof HEADER - 1;
    bool fits = !status && text.size == LINE_MOST && text.data[LINE_MOST - 1] == '\n' &&
                !memcmp(text.data, HEADER, head) &&
                !rt_hex_decode((const char *)text.data + head, 2 * RT_VAULT_KEY_BYTES,
                               ret_key->bytes, RT_VAULT_KEY_BYTES);
    if (!status && !fits)
        status = rt_error_set(err, RT_MALFORMED, "%s is no vault key", path);
    if (text.data)
        sodium_memzero(text.data, text.size);
    rt_buf_release(&text);
    if (!status)
        rt_vault_key_id(ret_key);
    return status;
}

static enum rt_status make_key(const char *keys, struct rt_vault_key *ret_key,
                               struct rt_error *err)
{
    char path[PATH_MAX], line[LINE_MOST + 1], id[2 * RT_VAULT_KEY_ID + 1];
    enum rt_status status = key_path(keys, path, err);
    if (status)
        return status;
    randombytes_buf(ret_key->bytes, sizeof ret_key->bytes);
    rt_vault_key_id(ret_key);
    memcpy(line, HEADER, sizeof HEADER - 1);
    rt_hex_encode(ret_key->bytes, sizeof ret_key->bytes, line + sizeof HEADER - 1);
    line[LINE_MOST - 1] = '\n';
    status = rt_file_create(path, rt_bytes(line, LINE_MOST), 0600, err);
    sodium_memzero(line, sizeof line);
    rt_hex_encode(ret_key->id, sizeof ret_key->id, id);
    if (!status)
        rt_log_warn("a key for transcripts was made: keep a copy elsewhere, without it they cannot "
                    "be read", "file=%s id=%s", path, id);
    return status;
}

// The key this state folder has used; RT_NOT_FOUND before the first.
static enum rt_status used_key(struct rt_outbox *outbox, uint8_t id[RT_VAULT_KEY_ID])
{
    struct rt_buf value;
    rt_buf_init(&value, 64);
    enum rt_status status = rt_outbox_meta(outbox, USED, &value);
    if (!status && value.size != RT_VAULT_KEY_ID)
        status = RT_CORRUPT;
    if (!status)
        memcpy(id, value.data, RT_VAULT_KEY_ID);
    rt_buf_release(&value);
    return status;
}

// Is it the key that is needed? A missing or another one must not be papered over with a new one.
static enum rt_status check_used(const struct rt_home *home, const uint8_t *used,
                                 const struct rt_vault_key *key, struct rt_error *err)
{
    char wanted[2 * RT_VAULT_KEY_ID + 1], have[2 * RT_VAULT_KEY_ID + 1];
    rt_hex_encode(used, RT_VAULT_KEY_ID, wanted);
    if (!key)
        return rt_error_set(err, RT_NOT_FOUND, "%s/" RT_VAULT_KEY_FILE " is missing, and "
                            "transcripts in %s were encrypted under it (key %s); put it back",
                            home->keys, home->state, wanted);
    if (!memcmp(used, key->id, RT_VAULT_KEY_ID))
        return RT_OK;
    rt_hex_encode(key->id, RT_VAULT_KEY_ID, have);
    return rt_error_set(err, RT_CONFLICT, "%s/" RT_VAULT_KEY_FILE " is key %s, and transcripts in "
                        "%s were encrypted under key %s; put that one back", home->keys, have,
                        home->state, wanted);
}

static enum rt_status choose(const struct rt_home *home, struct rt_outbox *outbox, bool seal,
                             struct rt_vault_key *key, struct rt_error *err)
{
    uint8_t used[RT_VAULT_KEY_ID];
    enum rt_status was = used_key(outbox, used);
    if (was && was != RT_NOT_FOUND)
        return rt_error_set(err, was, "%s/outbox.mdb is damaged", home->state);
    enum rt_status status = rt_vault_key_load(home->keys, key, err);
    bool missing = status == RT_NOT_FOUND;
    if (status && !missing)
        return status;
    if (!was && seal)
        return check_used(home, used, missing ? NULL : key, err);
    if (!missing || !seal)
        return missing ? RT_NOT_FOUND : RT_OK;
    return make_key(home->keys, key, err);
}

enum rt_status rt_vault_key_use(const struct rt_home *home, struct rt_outbox *outbox, bool writing,
                                struct rt_error *err)
{
    struct rt_vault_key key;
    bool seal = writing && home->config->policy.encrypt;
    enum rt_status status = choose(home, outbox, seal, &key, err);
    if (!status) {
        status = rt_vault_seal(rt_ledger_vault(outbox->ledger), &key, seal);
        if (!status && seal)
            rt_outbox_put_meta(outbox, USED, rt_bytes(key.id, sizeof key.id));
        if (status)
            rt_error_set(err, status, "out of memory");
    } else if (status == RT_NOT_FOUND && !seal) {
        status = RT_OK; // nothing is sealed here, or reading it will say which key is missing
    }
    sodium_memzero(&key, sizeof key);
    return status;
}
