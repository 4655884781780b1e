// SPDX-License-Identifier: Apache-2.0
#include "worker/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/file.h"

// Address space alone: the file stays as small as its contents. Sanitizers cannot reserve as much.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAP_BYTES ((size_t)16 << 30)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define MAP_BYTES ((size_t)16 << 30)
#endif
#endif
#ifndef MAP_BYTES
#define MAP_BYTES ((size_t)1 << 40)
#endif

#define CHECK_BYTES 8
#define PLACE_BYTES 24
#define FULL_BYTES  ((uint64_t)1 << 20) // with less than this a disk is full

enum op_kind { OP_PUT, OP_DEL };

// One operation; key and value lie one after the other in the batch's bytes.
struct op {
    uint64_t hash;
    enum op_kind kind;
    enum rt_table table;
    size_t key_at, key_size, value_size;
};

// A vault record waiting in the batch.
struct record {
    size_t at, size;
    struct rt_digest digest;
};

struct rt_ledger {
    bool read_only;
    char state[PATH_MAX];
    MDB_env *env;
    MDB_dbi dbi[RT_TABLE_COUNT];
    struct rt_vault *vault;
    struct rt_buf bytes; // keys and values of ops
    struct op *ops;
    size_t op_count, op_capacity;
    struct rt_buf packed; // vault records
    struct record *records;
    size_t record_count, record_capacity;
    enum rt_status failed; // memory ran out while gathering
};

static const char *const names[RT_TABLE_COUNT] = {
#define X(name, word) word,
    RT_TABLE_LIST(X)
#undef X
};

static enum rt_status of_mdb(int rc)
{
    switch (rc) {
    case 0: return RT_OK;
    case MDB_NOTFOUND: return RT_NOT_FOUND;
    case MDB_MAP_FULL: // also the answer where the address space could not be had
    case ENOSPC:
    case EDQUOT: return RT_NO_SPACE;
    case ENOMEM: return RT_NO_MEMORY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID: return RT_CORRUPT;
    default: return RT_IO;
    }
}

// LMDB calls a write that a full disk cut short EIO, and so it is told apart by what is left.
static int told_apart(const struct rt_ledger *ledger, int rc)
{
    struct statvfs info;
    if (rc != EIO || statvfs(ledger->state, &info))
        return rc;
    return (uint64_t)info.f_bavail * info.f_frsize < FULL_BYTES || !info.f_favail ? ENOSPC : rc;
}

static enum rt_status mdb_error(struct rt_error *err, int rc, const char *what)
{
    return rt_error_set(err, of_mdb(rc), "%s: %s", what, mdb_strerror(rc));
}

static void checksum(struct rt_bytes key, struct rt_bytes value, uint8_t ret_check[CHECK_BYTES])
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    rt_sha256_init(&state);
    rt_sha256_update(&state, key.data, key.size);
    rt_sha256_update(&state, value.data, value.size);
    rt_sha256_final(&state, &digest);
    memcpy(ret_check, digest.bytes, CHECK_BYTES);
}

// ---- opening

static enum rt_status open_tables(struct rt_ledger *ledger, struct rt_error *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(ledger->env, NULL, ledger->read_only ? MDB_RDONLY : 0, &txn);
    if (rc)
        return mdb_error(err, rc, "outbox.mdb");
    for (size_t i = 0; i < RT_TABLE_COUNT; i++) {
        rc = mdb_dbi_open(txn, names[i], ledger->read_only ? 0 : MDB_CREATE, &ledger->dbi[i]);
        if (rc) {
            mdb_txn_abort(txn);
            return mdb_error(err, rc, "outbox.mdb");
        }
    }
    rc = mdb_txn_commit(txn);
    return rc ? mdb_error(err, rc, "outbox.mdb") : RT_OK;
}

static enum rt_status open_env(struct rt_ledger *ledger, const char *path, struct rt_error *err)
{
    if (ledger->read_only && !rt_file_exists(path))
        return rt_error_set(err, RT_NOT_FOUND,
                            "%s: no state here yet; `ringtrial-worker run` makes it", path);
    int rc = mdb_env_create(&ledger->env);
    if (!rc)
        rc = mdb_env_set_maxdbs(ledger->env, RT_TABLE_COUNT + 2);
    if (!rc)
        rc = mdb_env_set_mapsize(ledger->env, MAP_BYTES);
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (ledger->read_only ? MDB_RDONLY : 0);
    if (!rc)
        rc = mdb_env_open(ledger->env, path, flags, 0600);
    if (rc)
        return mdb_error(err, rc, path);
    int dead;
    rc = mdb_reader_check(ledger->env, &dead);
    return rc ? mdb_error(err, rc, path) : open_tables(ledger, err);
}

enum rt_status rt_ledger_open(const char *state, bool read_only, struct rt_ledger **ret_ledger,
                              struct rt_error *err)
{
    char path[PATH_MAX], vault[PATH_MAX];
    if (rt_path_join(path, sizeof path, state, "outbox.mdb") ||
        rt_path_join(vault, sizeof vault, state, "vault"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state);
    enum rt_status status = rt_file_check_local(state, err);
    if (!status && !read_only)
        status = rt_file_mkdir(state, 0700, err);
    if (status)
        return status;
    struct rt_ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    ledger->read_only = read_only;
    memcpy(ledger->state, state, strlen(state) + 1); // shorter than path, which fitted
    rt_buf_init(&ledger->bytes, RT_LEDGER_BATCH_MOST);
    rt_buf_init(&ledger->packed, RT_LEDGER_BATCH_MOST);
    status = open_env(ledger, path, err);
    if (!status)
        status = rt_vault_open(vault, read_only, &ledger->vault, err);
    if (status) {
        rt_ledger_close(ledger);
        return status;
    }
    *ret_ledger = ledger;
    return RT_OK;
}

void rt_ledger_close(struct rt_ledger *ledger)
{
    if (!ledger)
        return;
    rt_vault_free(ledger->vault);
    if (ledger->env)
        mdb_env_close(ledger->env);
    rt_buf_release(&ledger->bytes);
    rt_buf_release(&ledger->packed);
    free(ledger->ops);
    free(ledger->records);
    free(ledger);
}

// ---- the batch

// FNV-1a; only narrows the search through the batch.
static uint64_t hash_of(enum rt_table table, struct rt_bytes key)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)table;
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ key.data[i]) * 0x100000001b3u;
    return hash;
}

static void *grown(void *list, size_t count, size_t *capacity, size_t each)
{
    if (count < *capacity)
        return list;
    size_t next = *capacity ? *capacity * 2 : 64;
    void *bigger = realloc(list, next * each);
    if (bigger)
        *capacity = next;
    return bigger;
}

static void gather(struct rt_ledger *ledger, enum op_kind kind, enum rt_table table,
                   struct rt_bytes key, struct rt_bytes value)
{
    RT_ASSERT(!ledger->read_only && key.size && key.size <= RT_LEDGER_KEY_MOST);
    struct op *ops = grown(ledger->ops, ledger->op_count, &ledger->op_capacity, sizeof *ops);
    if (!ops) {
        ledger->failed = RT_NO_MEMORY;
        return;
    }
    ledger->ops = ops;
    size_t at = ledger->bytes.size;
    rt_buf_add_bytes(&ledger->bytes, key);
    if (kind == OP_PUT) {
        uint8_t check[CHECK_BYTES];
        checksum(key, value, check);
        rt_buf_add(&ledger->bytes, check, sizeof check);
        rt_buf_add_bytes(&ledger->bytes, value);
    }
    if (rt_buf_ok(&ledger->bytes)) {
        ledger->failed = rt_buf_ok(&ledger->bytes);
        return;
    }
    size_t value_size = kind == OP_PUT ? CHECK_BYTES + value.size : 0;
    ops[ledger->op_count++] =
        (struct op){hash_of(table, key), kind, table, at, key.size, value_size};
}

void rt_ledger_put(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key,
                   struct rt_bytes value)
{
    gather(ledger, OP_PUT, table, key, value);
}

void rt_ledger_del(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key)
{
    gather(ledger, OP_DEL, table, key, rt_bytes(NULL, 0));
}

void rt_ledger_put_object(struct rt_ledger *ledger, struct rt_bytes object,
                          struct rt_digest *ret_digest)
{
    struct record *records = grown(ledger->records, ledger->record_count,
                                   &ledger->record_capacity, sizeof *records);
    memset(ret_digest, 0, sizeof *ret_digest);
    if (!records) {
        ledger->failed = RT_NO_MEMORY;
        return;
    }
    ledger->records = records;
    size_t at = ledger->packed.size;
    enum rt_status status = rt_vault_pack(ledger->vault, object, ret_digest, &ledger->packed);
    if (status) {
        ledger->failed = status;
        return;
    }
    records[ledger->record_count++] =
        (struct record){at, ledger->packed.size - at, *ret_digest};
}

size_t rt_ledger_pending(const struct rt_ledger *ledger)
{
    return ledger->op_count + ledger->record_count;
}

// ---- reading

static enum rt_status give(struct rt_bytes key, struct rt_bytes stored, struct rt_buf *out)
{
    uint8_t check[CHECK_BYTES];
    if (stored.size < CHECK_BYTES)
        return RT_CORRUPT;
    struct rt_bytes value = rt_bytes(stored.data + CHECK_BYTES, stored.size - CHECK_BYTES);
    checksum(key, value, check);
    if (memcmp(check, stored.data, CHECK_BYTES))
        return RT_CORRUPT;
    if (out)
        rt_buf_add_bytes(out, value);
    return out ? rt_buf_ok(out) : RT_OK;
}

static const struct op *find_op(const struct rt_ledger *ledger, enum rt_table table,
                                struct rt_bytes key)
{
    uint64_t hash = hash_of(table, key);
    for (size_t i = ledger->op_count; i-- > 0;) {
        const struct op *op = &ledger->ops[i];
        if (op->hash == hash && op->table == table &&
            rt_bytes_equal(rt_bytes(ledger->bytes.data + op->key_at, op->key_size), key))
            return op;
    }
    return NULL;
}

enum rt_status rt_ledger_get(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key,
                             struct rt_buf *out)
{
    const struct op *op = find_op(ledger, table, key);
    if (op && op->kind == OP_DEL)
        return RT_NOT_FOUND;
    if (op)
        return give(key, rt_bytes(ledger->bytes.data + op->key_at + op->key_size, op->value_size),
                    out);
    MDB_txn *txn;
    int rc = mdb_txn_begin(ledger->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return of_mdb(rc);
    MDB_val k = {key.size, (void *)(uintptr_t)key.data}, v;
    rc = mdb_get(txn, ledger->dbi[table], &k, &v);
    enum rt_status status = rc ? of_mdb(rc) : give(key, rt_bytes(v.mv_data, v.mv_size), out);
    mdb_txn_abort(txn);
    return status;
}

bool rt_ledger_has(struct rt_ledger *ledger, enum rt_table table, struct rt_bytes key)
{
    return !rt_ledger_get(ledger, table, key, NULL);
}

// Copies what the visitor is to see before the transaction ends: a reader must not hold pages
// while files are written or frames are sent.
static enum rt_status copy_entries(struct rt_ledger *ledger, enum rt_table table,
                                   struct rt_bytes prefix, struct rt_buf *out)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int rc = mdb_txn_begin(ledger->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return of_mdb(rc);
    rc = mdb_cursor_open(txn, ledger->dbi[table], &cursor);
    if (rc) {
        mdb_txn_abort(txn);
        return of_mdb(rc);
    }
    MDB_val k = {prefix.size, (void *)(uintptr_t)prefix.data}, v;
    enum rt_status status = RT_OK;
    rc = mdb_cursor_get(cursor, &k, &v, prefix.size ? MDB_SET_RANGE : MDB_FIRST);
    while (!rc && !status) {
        if (k.mv_size < prefix.size || (prefix.size && memcmp(k.mv_data, prefix.data, prefix.size)))
            break;
        uint8_t head[8];
        rt_put_u32be(head, (uint32_t)k.mv_size);
        rt_put_u32be(head + 4, (uint32_t)v.mv_size);
        rt_buf_add(out, head, sizeof head);
        rt_buf_add(out, k.mv_data, k.mv_size);
        rt_buf_add(out, v.mv_data, v.mv_size);
        status = rt_buf_ok(out);
        rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return status ? status : rc && rc != MDB_NOTFOUND ? of_mdb(rc) : RT_OK;
}

enum rt_status rt_ledger_each(struct rt_ledger *ledger, enum rt_table table,
                              struct rt_bytes prefix, rt_ledger_visit_fn *visit, void *ctx)
{
    struct rt_buf copy;
    rt_buf_init(&copy, RT_LEDGER_BATCH_MOST);
    enum rt_status status = copy_entries(ledger, table, prefix, &copy);
    for (size_t at = 0; !status && at < copy.size;) {
        size_t key_size = rt_get_u32be(copy.data + at);
        size_t value_size = rt_get_u32be(copy.data + at + 4);
        struct rt_bytes key = rt_bytes(copy.data + at + 8, key_size);
        struct rt_bytes value = rt_bytes(key.data + key_size, value_size);
        at += 8 + key_size + value_size;
        status = give(key, value, NULL);
        if (!status)
            status = visit(ctx, key,
                           rt_bytes(value.data + CHECK_BYTES, value.size - CHECK_BYTES));
    }
    rt_buf_release(&copy);
    return status;
}

enum rt_status rt_ledger_read_place(struct rt_bytes value, struct rt_vault_place *ret_place)
{
    if (value.size != PLACE_BYTES)
        return RT_CORRUPT;
    *ret_place = (struct rt_vault_place){rt_get_u64be(value.data), rt_get_u64be(value.data + 8),
                                         rt_get_u64be(value.data + 16)};
    return RT_OK;
}

struct rt_vault *rt_ledger_vault(struct rt_ledger *ledger)
{
    return ledger->vault;
}

enum rt_status rt_ledger_place(struct rt_ledger *ledger, const struct rt_digest *digest,
                               struct rt_vault_place *ret_place)
{
    struct rt_buf value;
    rt_buf_init(&value, PLACE_BYTES);
    enum rt_status status =
        rt_ledger_get(ledger, RT_TABLE_PLACE, rt_bytes(digest, RT_DIGEST_BYTES), &value);
    if (!status)
        status = rt_ledger_read_place(rt_buf_bytes(&value), ret_place);
    rt_buf_release(&value);
    return status;
}

enum rt_status rt_ledger_object(struct rt_ledger *ledger, const struct rt_digest *digest,
                                struct rt_buf *out, struct rt_error *err)
{
    struct rt_vault_place place = {0};
    enum rt_status status = rt_ledger_place(ledger, digest, &place);
    if (status == RT_NOT_FOUND)
        return rt_error_set(err, status, "the vault has no such transcript, or has it no longer "
                            "(policy.transcripts.keep)");
    if (status)
        return rt_error_set(err, status, "the vault's index: %s", rt_status_text(status));
    return rt_vault_read(ledger->vault, &place, digest, out, err);
}

// ---- commit

static enum rt_status write_vault(struct rt_ledger *ledger, struct rt_vault_place *places,
                                  struct rt_error *err)
{
    for (size_t i = 0; i < ledger->record_count; i++) {
        const struct record *record = &ledger->records[i];
        enum rt_status status =
            rt_vault_append(ledger->vault, rt_bytes(ledger->packed.data + record->at,
                                                    record->size), &places[i], err);
        if (status)
            return status;
    }
    return rt_vault_sync(ledger->vault, err);
}

static int put_place(struct rt_ledger *ledger, MDB_txn *txn, const struct rt_digest *digest,
                     const struct rt_vault_place *place)
{
    uint8_t value[CHECK_BYTES + PLACE_BYTES];
    rt_put_u64be(value + CHECK_BYTES, place->pack);
    rt_put_u64be(value + CHECK_BYTES + 8, place->offset);
    rt_put_u64be(value + CHECK_BYTES + 16, place->size);
    struct rt_bytes key = rt_bytes(digest, RT_DIGEST_BYTES);
    checksum(key, rt_bytes(value + CHECK_BYTES, PLACE_BYTES), value);
    MDB_val k = {key.size, (void *)(uintptr_t)key.data}, v = {sizeof value, value};
    return mdb_put(txn, ledger->dbi[RT_TABLE_PLACE], &k, &v, 0);
}

static int apply(struct rt_ledger *ledger, MDB_txn *txn, const struct rt_vault_place *places)
{
    for (size_t i = 0; i < ledger->record_count; i++) {
        int rc = put_place(ledger, txn, &ledger->records[i].digest, &places[i]);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < ledger->op_count; i++) {
        const struct op *op = &ledger->ops[i];
        MDB_val k = {op->key_size, ledger->bytes.data + op->key_at};
        MDB_val v = {op->value_size, ledger->bytes.data + op->key_at + op->key_size};
        int rc = op->kind == OP_PUT ? mdb_put(txn, ledger->dbi[op->table], &k, &v, 0)
                                    : mdb_del(txn, ledger->dbi[op->table], &k, NULL);
        if (rc && !(op->kind == OP_DEL && rc == MDB_NOTFOUND))
            return rc;
    }
    return 0;
}

static enum rt_status write_tables(struct rt_ledger *ledger, const struct rt_vault_place *places,
                                   struct rt_error *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(ledger->env, NULL, 0, &txn);
    if (rc)
        return mdb_error(err, rc, "outbox.mdb");
    rc = apply(ledger, txn, places);
    if (rc) {
        mdb_txn_abort(txn);
        return mdb_error(err, told_apart(ledger, rc), "outbox.mdb");
    }
    enum rt_status status = rt_failpoint(RT_FAILPOINT_WORKER_OUTBOX_COMMIT);
    if (status) {
        mdb_txn_abort(txn);
        return rt_error_set(err, status, "outbox.mdb: %s", rt_status_text(status));
    }
    rc = mdb_txn_commit(txn);
    return rc ? mdb_error(err, told_apart(ledger, rc), "outbox.mdb") : RT_OK;
}

enum rt_status rt_ledger_commit(struct rt_ledger *ledger, struct rt_error *err)
{
    if (ledger->failed)
        return rt_error_set(err, ledger->failed, "cannot gather what is to be stored: %s",
                            rt_status_text(ledger->failed));
    if (!rt_ledger_pending(ledger))
        return RT_OK;
    struct rt_vault_place *places =
        calloc(ledger->record_count ? ledger->record_count : 1, sizeof *places);
    if (!places)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    enum rt_status status = write_vault(ledger, places, err);
    if (!status)
        status = write_tables(ledger, places, err);
    free(places);
    if (status) {
        rt_vault_rollback(ledger->vault);
        return status;
    }
    rt_vault_keep(ledger->vault);
    rt_buf_clear(&ledger->bytes);
    rt_buf_clear(&ledger->packed);
    ledger->op_count = ledger->record_count = 0;
    return RT_OK;
}

// ---- the lock

enum rt_status rt_state_lock(const char *state, int *ret_fd, struct rt_error *err)
{
    char path[PATH_MAX];
    if (rt_path_join(path, sizeof path, state, "lock"))
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", state);
    enum rt_status status = rt_file_check_local(state, err);
    if (!status)
        status = rt_file_mkdir(state, 0700, err);
    if (status)
        return status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return rt_error_errno(err, errno, "cannot open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        char pid[32] = "";
        ssize_t size = read(fd, pid, sizeof pid - 1);
        close(fd);
        pid[size > 0 ? (size_t)size : 0] = 0;
        pid[strcspn(pid, "\n")] = 0;
        return rt_error_set(err, RT_BUSY, "%s is in use by process %s", state,
                            *pid ? pid : "of unknown number");
    }
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    // The number is for people alone: a full disk must not keep the lock from being taken.
    if (!ftruncate(fd, 0) && pwrite(fd, text, (size_t)size, 0) != size)
        *text = 0;
    *ret_fd = fd;
    return RT_OK;
}
