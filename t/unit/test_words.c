/*
 * Loops that take text in words or vectors (at_words.h) against loops that
 * take it byte by byte: every alignment, every length over some vectors, and
 * at every position each byte and each sequence that could be missed.
 */

#include "at_test.h"
#include "at_json.h"
#include "at_json_string.h"
#include "at_text.h"
#include "at_words.h"


#define TEST_ALIGN   16
#define TEST_LENGTH  40


/* What a test looks at: text is in memory that ends where it ends. */
typedef struct {
    at_str_t  text;
    size_t    align;
    size_t    pos;              /* where the odd bytes begin */
    at_buf_t  out;
    at_buf_t  want;
} test_t;


/* What the reader of a string handed over first. */
typedef struct {
    const uint8_t  *data;
    size_t          len;
    int             last;
    unsigned        calls;
} test_piece_t;


/* What takes the place of a part of a text of plain letters. */
static const at_str_t  test_odd[] = {
    { 0, "" },
    { 1, "\x00" },
    { 1, "\x01" },
    { 1, "\n" },
    { 1, "\x1F" },
    { 1, " " },
    { 1, "!" },
    { 1, "\"" },
    { 1, "#" },
    { 1, "[" },
    { 1, "\\" },
    { 1, "]" },
    { 1, "\x7F" },
    { 1, "\x80" },
    { 1, "\xA2" },              /* '"' and '\\' with the top bit */
    { 1, "\xDC" },
    { 1, "\xFF" },
    { 2, "\"\"" },              /* neighbours of what borrows */
    { 2, "\"#" },
    { 2, "\x1F " },
    { 2, "\\]" },
    { 2, "\xC3\xA9" },
    { 2, "\xC3" "a" },
    { 3, "\xE2\x82\xAC" },
    { 3, "\xED\xA0\x80" },
    { 4, "\xF0\x9F\x98\x80" },
    { 4, "\xF0\x9F\x98" "a" },
    { 8, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9" },
    { 9, "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC" }
};


/* Code points by the definition: 1 if s is UTF-8. */
static int
test_slow_valid(at_str_t s)
{
    size_t                 i, k, n;
    uint8_t                c;
    uint32_t               code;
    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    for (i = 0; i < s.len; i += n) {
        c = (uint8_t) s.data[i];

        for (n = 0; n < 8 && (c & 0x80 >> n) != 0; n++) { /* void */ }

        if (n == 0) {
            n = 1;
            continue;
        }

        if (n == 1 || n > 4 || n > s.len - i) {
            return 0;
        }

        code = c & (0x7Fu >> n);

        for (k = 1; k < n; k++) {
            c = (uint8_t) s.data[i + k];

            if (c >> 6 != 2) {
                return 0;
            }

            code = code << 6 | (c & 0x3F);
        }

        if (code < least[n] || code > 0x10FFFF || code >> 11 == 0xD800 >> 11) {
            return 0;
        }
    }

    return 1;
}


static size_t
test_slow_cut(at_str_t s, size_t n)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if ((uint8_t) s.data[i] >> 6 != 2 && n-- == 0) {
            break;
        }
    }

    return i;
}


static void
test_slow_write(at_buf_t *b, at_str_t s)
{
    size_t   i, n;
    uint8_t  c;

    b->len = 0;
    assert_int_equal(at_buf_append(b, "\"", 1), AT_OK);

    for (i = 0; i < s.len; i += n) {
        c = (uint8_t) s.data[i];
        n = 1;

        while (n < 4 && n < s.len - i && (uint8_t) s.data[i + n] >> 6 == 2) {
            n++;
        }

        if (!test_slow_valid((at_str_t) { n, s.data + i })) {
            n = 1;
        }

        if (n == 1 && c >= 0x80) {
            assert_int_equal(at_buf_append(b, "\xEF\xBF\xBD", 3), AT_OK);

        } else if (c == '"' || c == '\\') {
            assert_int_equal(at_buf_printf(b, "\\%c", c), AT_OK);

        } else if (c == '\n') {
            assert_int_equal(at_buf_append(b, "\\n", 2), AT_OK);

        } else if (c < 0x20) {
            assert_int_equal(at_buf_printf(b, "\\u%04x", c), AT_OK);

        } else {
            assert_int_equal(at_buf_append(b, s.data + i, n), AT_OK);
        }
    }

    assert_int_equal(at_buf_append(b, "\"", 1), AT_OK);
}


static void
test_utf8(test_t *t)
{
    int     valid;
    size_t  n;

    valid = test_slow_valid(t->text);

    at_test_true(at_utf8_valid(t->text) == valid,
                 "%zu bytes at %zu, odd at %zu", t->text.len, t->align,
                 t->pos);

    if (!valid) {
        return;
    }

    for (n = 0; n <= t->text.len; n++) {
        at_test_true(at_utf8_cut(t->text, n).len == test_slow_cut(t->text, n),
                     "%zu bytes at %zu, odd at %zu, cut to %zu", t->text.len,
                     t->align, t->pos, n);
    }

    n = at_utf8_count(t->text);

    at_test_true(test_slow_cut(t->text, n) == t->text.len
                 && (n == 0 || test_slow_cut(t->text, n - 1) < t->text.len),
                 "%zu bytes at %zu, odd at %zu, counted %zu", t->text.len,
                 t->align, t->pos, n);
}


static void
test_write(test_t *t)
{
    test_slow_write(&t->want, t->text);
    t->out.len = 0;

    assert_int_equal(at_json_write_string(&t->out, t->text), AT_OK);
    at_test_true(at_str_eq(at_buf_str(&t->out), at_buf_str(&t->want)),
                 "%zu bytes at %zu, odd at %zu: %.*s", t->text.len, t->align,
                 t->pos, (int) t->out.len, (char *) t->out.data);
}


static int
test_piece(void *ctx, const uint8_t *data, size_t len, int last)
{
    test_piece_t  *p = ctx;

    if (p->calls++ == 0) {
        p->data = data;
        p->len = len;
        p->last = last;
    }

    return AT_OK;
}


/* The first run is handed over up to where it must end, in one piece. */
static void
test_read(test_t *t)
{
    size_t             i;
    const uint8_t     *text, *p;
    test_piece_t       piece;
    at_json_string_t   s;

    text = (const uint8_t *) t->text.data;

    for (i = 0; i < t->text.len; i++) {
        if (text[i] < 0x20 || text[i] == '"' || text[i] == '\\') {
            break;
        }
    }

    memset(&piece, 0, sizeof(test_piece_t));
    memset(&s, 0, sizeof(at_json_string_t));
    s.piece = test_piece;
    s.ctx = &piece;

    at_json_string_open(&s);
    p = at_json_string_read(&s, text, text + t->text.len);

    if (i < t->text.len && text[i] < 0x20) {
        at_test_true(p == NULL && piece.calls == 0,
                     "%zu bytes at %zu: control character at %zu",
                     t->text.len, t->align, i);
        return;
    }

    if (i < t->text.len && text[i] == '"') {
        at_test_true(p == text + i + 1 && s.closed && piece.last,
                     "%zu bytes at %zu: quote at %zu", t->text.len, t->align,
                     i);
    }

    /* an escape at the start is no run */

    if (i == 0 && t->text.len > 0 && text[0] == '\\') {
        return;
    }

    at_test_true(piece.len == i && (i == 0 || piece.data == text),
                 "%zu bytes at %zu: %zu and not %zu", t->text.len, t->align,
                 piece.len, i);
}


/* Runs one of the above over all there is to look at. */
static void
test_all(void (*test)(test_t *t))
{
    char    *memory, *text;
    size_t   i, k, len;
    test_t   t;

    memset(&t, 0, sizeof(test_t));

    for (t.align = 0; t.align < TEST_ALIGN; t.align++) {
        for (len = 0; len <= TEST_LENGTH; len++) {

            /* malloc() aligns to 16 bytes */

            memory = malloc(t.align + len + (t.align + len == 0));
            assert_non_null(memory);

            text = memory + t.align;
            t.text = (at_str_t) { len, text };

            for (i = 0; i < AT_TEST_N(test_odd); i++) {
                for (t.pos = 0; t.pos + test_odd[i].len <= len; t.pos++) {

                    for (k = 0; k < len; k++) {
                        text[k] = (char) ('a' + k % 26);
                    }

                    memcpy(text + t.pos, test_odd[i].data, test_odd[i].len);
                    test(&t);
                }
            }

            free(memory);
        }
    }

    at_buf_free(&t.out);
    at_buf_free(&t.want);
}


static void
test_utf8_words(void **state)
{
    (void) state;
    test_all(test_utf8);
}


static void
test_write_words(void **state)
{
    (void) state;
    test_all(test_write);
}


static void
test_read_words(void **state)
{
    (void) state;
    test_all(test_read);
}


/* Whatever the neighbours are, a byte meant is never missed or made up. */
static void
test_marks(void **state)
{
    size_t    i, k, n, below, equal, inside;
    uint8_t   b[AT_WORD], limit, c;
    uint32_t  seed;
    uint64_t  v;

    static const uint8_t  limits[] = { 0, 1, 0x20, 0x7F, 0x80 };
    static const uint8_t  edges[] = {
        0, 1, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5C, 0x7E, 0x7F,
        0x80, 0x81, 0xA2, 0xBF, 0xC0, 0xFF
    };

    (void) state;

    seed = 11;

    for (n = 0; n < 200000; n++) {

        for (i = 0; i < AT_WORD; i++) {
            b[i] = n % 2 ? edges[at_test_random(&seed) % AT_TEST_N(edges)]
                         : (uint8_t) at_test_random(&seed);
        }

        limit = limits[at_test_random(&seed) % AT_TEST_N(limits)];
        c = (uint8_t) (at_test_random(&seed) % 0x80);
        below = equal = inside = 0;

        for (k = 0; k < AT_WORD; k++) {
            below += b[k] < limit;
            equal += b[k] == c;
            inside += b[k] >> 6 == 2;
        }

        v = at_word_load(b);

        at_test_true((at_word_below(v, limit) != 0) == (below != 0),
                     "round %zu: below %u", n, limit);
        at_test_true((at_word_equal(v, c) != 0) == (equal != 0),
                     "round %zu: equal to %u", n, c);
        at_test_true(at_word_inside(v) == inside, "round %zu", n);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_utf8_words),
        cmocka_unit_test(test_write_words),
        cmocka_unit_test(test_read_words)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
