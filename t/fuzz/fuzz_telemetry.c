/*
 * at_telemetry_parse(): what it takes is within bounds, whatever the bytes.
 */

#include "fuzz.h"
#include "at_telemetry.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned        i;
    fuzz_in_t       in = { data, data + size };
    const char     *why;
    at_telemetry_t  t;

    if (at_telemetry_parse(fuzz_rest(&in), &t, &why) != AT_OK) {
        FUZZ_CHECK(why[0] != '\0');
        return 0;
    }

    FUZZ_CHECK(t.n + t.passed_over <= AT_TELEMETRY_EVENTS);

    for (i = 0; i < t.n; i++) {
        FUZZ_CHECK(t.events[i].measure < AT_TELEMETRY_NMEASURES);
        FUZZ_CHECK(t.events[i].value <= AT_TELEMETRY_MS_MAX);
    }

    return 0;
}
