/*
 * at_retry_after() and at_retry_after_text(): whatever a stranger writes is
 * none, or at most a day.
 *
 * The first byte of the input chooses what time it is, the rest is the text.
 */

#include "fuzz.h"
#include "at_text.h"


#define FUZZ_DAY_MS  (24 * 60 * 60 * 1000LL)


/* What a clock may say, right or wrong: years 1 to 9999. */

static const int64_t  fuzz_now[] = {
    1790000000, 0, -1, 784111777, 4102444799, 951782400, 253402300799,
    -62135596800
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t    now, ms;
    at_str_t   text;
    fuzz_in_t  in = { data, data + size };

    now = fuzz_now[fuzz_byte(&in) % (sizeof(fuzz_now) / sizeof(int64_t))];
    text = fuzz_rest(&in);

    ms = at_retry_after(text, now);
    FUZZ_CHECK(ms >= -1 && ms <= FUZZ_DAY_MS);

    ms = at_retry_after_text(text);
    FUZZ_CHECK(ms >= -1 && ms <= FUZZ_DAY_MS);

    return 0;
}
